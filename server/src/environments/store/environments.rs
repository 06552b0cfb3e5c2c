//! Rows of `environments`.

use super::super::model::DEFAULT_PROGRESS_DEADLINE_S;
use crate::kernel::{AppError, Result, violated};
use passerelle_contract::environments::{EnvironmentIn, EnvironmentOut, Tier};
use passerelle_contract::text;
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, PgExecutor};
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.id, e.name, e.tier, e.position, e.auto_rollback, e.progress_deadline_s,
                    (SELECT count(*) FROM bindings b WHERE b.environment_id = e.id) AS bindings
             FROM environments e ",
            $rest
        )
    };
}

#[derive(FromRow)]
struct Row {
    id: Uuid,
    name: String,
    tier: String,
    position: i32,
    auto_rollback: bool,
    progress_deadline_s: i32,
    bindings: i64,
}

impl TryFrom<Row> for EnvironmentOut {
    type Error = AppError;

    fn try_from(row: Row) -> Result<Self> {
        let tier = Tier::parse(&row.tier)
            .ok_or_else(|| AppError::internal(format!("environment {} has the unknown tier {}", row.name, row.tier)))?;
        Ok(Self {
            id: row.id,
            name: row.name,
            tier,
            order: u16::try_from(row.position).map_err(AppError::internal)?,
            auto_rollback: row.auto_rollback,
            progress_deadline_s: u32::try_from(row.progress_deadline_s).map_err(AppError::internal)?,
            bindings: u32::try_from(row.bindings).unwrap_or(u32::MAX),
        })
    }
}

pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<EnvironmentOut>> {
    let rows: Vec<Row> = sqlx::query_as(select!("ORDER BY e.position, e.name")).fetch_all(db).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

pub async fn by_name(db: impl PgExecutor<'_>, name: &str) -> Result<Option<EnvironmentOut>> {
    let row: Option<Row> = sqlx::query_as(select!("WHERE e.name = $1")).bind(name).fetch_optional(db).await?;
    row.map(TryInto::try_into).transpose()
}

/// The row, locked until the transaction ends.
pub async fn lock(db: &mut PgConnection, name: &str) -> Result<Option<EnvironmentOut>> {
    let row: Option<Row> =
        sqlx::query_as(select!("WHERE e.name = $1 FOR UPDATE OF e")).bind(name).fetch_optional(db).await?;
    row.map(TryInto::try_into).transpose()
}

/// # Errors
/// `AlreadyExists` when the name is taken.
pub async fn insert(db: &mut PgConnection, new: &EnvironmentIn) -> Result<EnvironmentOut> {
    let out = EnvironmentOut {
        id: Uuid::now_v7(),
        name: new.name.clone(),
        tier: new.tier,
        order: new.order,
        auto_rollback: new.auto_rollback.unwrap_or(true),
        progress_deadline_s: new.progress_deadline_s.unwrap_or(DEFAULT_PROGRESS_DEADLINE_S),
        bindings: 0,
    };
    sqlx::query(
        "INSERT INTO environments (id, name, tier, position, auto_rollback, progress_deadline_s)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(out.id)
    .bind(&out.name)
    .bind(out.tier.as_str())
    .bind(i32::from(out.order))
    .bind(out.auto_rollback)
    .bind(i32::try_from(out.progress_deadline_s).map_err(AppError::internal)?)
    .execute(db)
    .await
    .map_err(|error| match violated(&error) {
        Some("environments_name_key") => AppError::AlreadyExists(text!("environment {name}", name = out.name)),
        _ => error.into(),
    })?;
    Ok(out)
}

pub async fn update(db: &mut PgConnection, changed: &EnvironmentOut) -> Result<()> {
    sqlx::query(
        "UPDATE environments
         SET tier = $2, position = $3, auto_rollback = $4, progress_deadline_s = $5, updated_at = now() WHERE id = $1",
    )
    .bind(changed.id)
    .bind(changed.tier.as_str())
    .bind(i32::from(changed.order))
    .bind(changed.auto_rollback)
    .bind(i32::try_from(changed.progress_deadline_s).map_err(AppError::internal)?)
    .execute(db)
    .await?;
    Ok(())
}
