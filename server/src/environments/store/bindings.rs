//! Rows of `bindings`. Whose they are is asked of the catalog, by id.

use super::super::model::BindingRow;
use crate::kernel::{AppError, Result, ServiceScope, violated};
use passerelle_contract::environments::{EnvironmentOut, HoldOut};
use passerelle_contract::text;
use serde_json::Value;
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT b.id, b.service_id, b.environment_id, b.kind, b.connection_id, c.name AS connection,
                    b.config, b.hold_since, b.hold_by, b.hold_reason,
                    coalesce(c.config -> 'simulated' = 'true'::jsonb, false) AS simulated
             FROM bindings b JOIN connections c ON c.id = b.connection_id ",
            $rest
        )
    };
}

#[derive(FromRow)]
pub struct Row {
    pub id: Uuid,
    pub service_id: Uuid,
    pub environment_id: Uuid,
    kind: String,
    connection_id: Uuid,
    connection: String,
    config: Value,
    hold_since: Option<OffsetDateTime>,
    hold_by: Option<String>,
    hold_reason: Option<String>,
    simulated: bool,
}

impl Row {
    pub const fn config(&self) -> &Value {
        &self.config
    }

    pub fn with(self, service_scope: ServiceScope, environment: EnvironmentOut) -> BindingRow {
        let hold = match (self.hold_since, self.hold_by, self.hold_reason) {
            (Some(since), Some(by), Some(reason)) => Some(HoldOut { since, by, reason }),
            _ => None,
        };
        BindingRow {
            id: self.id,
            service_id: self.service_id,
            service_scope,
            environment,
            kind: self.kind,
            connection_id: self.connection_id,
            connection: self.connection,
            config: self.config,
            hold,
            simulated: self.simulated,
        }
    }
}

/// What a list needs to decide which rows may be seen.
#[derive(Debug, FromRow)]
pub struct Head {
    pub id: Uuid,
    pub service_id: Uuid,
    pub environment_id: Uuid,
}

/// `None` does not narrow.
pub async fn heads(
    db: impl PgExecutor<'_>,
    service: Option<Uuid>,
    environment: Option<Uuid>,
    connection: Option<&str>,
) -> Result<Vec<Head>> {
    let heads = sqlx::query_as(
        "SELECT b.id, b.service_id, b.environment_id FROM bindings b JOIN connections c ON c.id = b.connection_id
         WHERE ($1::uuid IS NULL OR b.service_id = $1) AND ($2::uuid IS NULL OR b.environment_id = $2)
           AND ($3::text IS NULL OR c.name = $3)",
    )
    .bind(service)
    .bind(environment)
    .bind(connection)
    .fetch_all(db)
    .await?;
    Ok(heads)
}

pub async fn by_ids(db: impl PgExecutor<'_>, ids: &[Uuid]) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(select!("WHERE b.id = ANY($1)")).bind(ids).fetch_all(db).await?)
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE b.id = $1")).bind(id).fetch_optional(db).await?)
}

pub async fn by_pair(db: impl PgExecutor<'_>, service: Uuid, environment: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE b.service_id = $1 AND b.environment_id = $2"))
        .bind(service)
        .bind(environment)
        .fetch_optional(db)
        .await?)
}

/// The row, locked until the transaction ends.
pub async fn lock(db: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE b.id = $1 FOR UPDATE OF b")).bind(id).fetch_optional(db).await?)
}

/// A page of all, by id.
pub async fn page(db: impl PgExecutor<'_>, after: Option<Uuid>, limit: i64) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(select!("WHERE $1::uuid IS NULL OR b.id > $1 ORDER BY b.id LIMIT $2"))
        .bind(after)
        .bind(limit)
        .fetch_all(db)
        .await?)
}

/// All bindings of a connection, archived services' too: their objects are still there.
pub async fn on_connection(db: impl PgExecutor<'_>, connection: Uuid) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(select!("WHERE b.connection_id = $1 ORDER BY b.id")).bind(connection).fetch_all(db).await?)
}

/// What a binding is made of.
#[derive(Debug)]
pub struct NewBinding<'a> {
    pub id: Uuid,
    pub service: Uuid,
    pub environment: Uuid,
    pub connection: Uuid,
    pub kind: &'a str,
    pub config: &'a Value,
}

/// # Errors
/// `AlreadyExists` when the service has a binding in this environment.
pub async fn insert(db: &mut PgConnection, new: &NewBinding<'_>) -> Result<()> {
    sqlx::query(
        "INSERT INTO bindings (id, service_id, environment_id, connection_id, kind, config)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(new.id)
    .bind(new.service)
    .bind(new.environment)
    .bind(new.connection)
    .bind(new.kind)
    .bind(new.config)
    .execute(db)
    .await
    .map_err(|error| match violated(&error) {
        Some("bindings_service_id_environment_id_key") => {
            AppError::AlreadyExists(text!("the binding of this service in this environment"))
        }
        _ => error.into(),
    })?;
    Ok(())
}

pub async fn update(db: &mut PgConnection, id: Uuid, connection: Uuid, kind: &str, config: &Value) -> Result<()> {
    sqlx::query("UPDATE bindings SET connection_id = $2, kind = $3, config = $4, updated_at = now() WHERE id = $1")
        .bind(id)
        .bind(connection)
        .bind(kind)
        .bind(config)
        .execute(db)
        .await?;
    Ok(())
}

pub async fn delete(db: &mut PgConnection, id: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM bindings WHERE id = $1").bind(id).execute(db).await?;
    Ok(())
}

/// False when a hold is on it already, which then stays as it is.
pub async fn set_hold(db: &mut PgConnection, id: Uuid, by: &str, reason: &str) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE bindings SET hold_since = now(), hold_by = $2, hold_reason = $3 WHERE id = $1 AND hold_since IS NULL",
    )
    .bind(id)
    .bind(by)
    .bind(reason)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False when there was none.
pub async fn clear_hold(db: &mut PgConnection, id: Uuid) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE bindings SET hold_since = NULL, hold_by = NULL, hold_reason = NULL
         WHERE id = $1 AND hold_since IS NOT NULL",
    )
    .bind(id)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}
