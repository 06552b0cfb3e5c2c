//! Rows of `freezes`. A lifted one stays.

use super::super::calendar::Schedule;
use super::super::freeze::Freeze;
use crate::kernel::{AppError, Result};
use passerelle_contract::gates::FreezeScope;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    scope_kind: String,
    scope_value: String,
    pub title: String,
    pub starts_at: OffsetDateTime,
    pub ends_at: Option<OffsetDateTime>,
    pub recurrence: Option<String>,
    pub time_zone: String,
    pub created_by: String,
    pub created_at: OffsetDateTime,
    pub lifted_by: Option<String>,
    pub lifted_at: Option<OffsetDateTime>,
}

impl Row {
    pub fn scope(&self) -> Result<FreezeScope> {
        FreezeScope::of(&self.scope_kind, &self.scope_value)
            .ok_or_else(|| AppError::internal(format!("freeze {} has the unknown scope {}", self.id, self.scope_kind)))
    }

    pub fn schedule(&self) -> Schedule {
        Schedule {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
            recurrence: self.recurrence.clone(),
            time_zone: self.time_zone.clone(),
        }
    }

    fn freeze(self) -> Result<Freeze> {
        let (scope, schedule) = (self.scope()?, self.schedule());
        Ok(Freeze { id: self.id, title: self.title, scope, by: self.created_by, schedule })
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, scope_kind, scope_value, title, starts_at, ends_at, recurrence, time_zone, created_by, created_at,
                    lifted_by, lifted_at FROM freezes ",
            $rest
        )
    };
}

/// Where a freeze may come from for one service in one environment.
#[derive(Debug, Clone, Copy)]
pub struct Reaches<'a> {
    pub team: Option<&'a str>,
    pub environment: &'a str,
    pub service: &'a str,
}

/// Those that reach it and hold now or may hold later.
pub async fn standing(db: &mut PgConnection, reaches: Reaches<'_>) -> Result<Vec<Freeze>> {
    let rows: Vec<Row> = sqlx::query_as(select!(
        "WHERE lifted_at IS NULL AND (recurrence IS NOT NULL OR ends_at IS NULL OR ends_at > clock_timestamp())
           AND (scope_kind = 'global' OR (scope_kind = 'team' AND lower(scope_value) = lower($1))
             OR (scope_kind = 'environment' AND scope_value = $2) OR (scope_kind = 'service' AND lower(scope_value) = lower($3)))
         ORDER BY starts_at, id"
    ))
    .bind(reaches.team)
    .bind(reaches.environment)
    .bind(reaches.service)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::freeze).collect()
}

/// Those that are not lifted and reach into a time, the earliest first.
pub async fn within(db: impl PgExecutor<'_>, from: OffsetDateTime, until: OffsetDateTime) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(select!(
        "WHERE lifted_at IS NULL AND starts_at < $2 AND (recurrence IS NOT NULL OR ends_at IS NULL OR ends_at > $1)
         ORDER BY starts_at, id LIMIT 500"
    ))
    .bind(from)
    .bind(until)
    .fetch_all(db)
    .await?)
}

/// A page, newest first. Without `all` only those that are not lifted and not over.
pub async fn page(
    db: impl PgExecutor<'_> + Copy,
    all: bool,
    before: Option<Uuid>,
    limit: i64,
) -> Result<(Vec<Row>, u64)> {
    let rows = sqlx::query_as(select!(
        "WHERE ($1 OR (lifted_at IS NULL AND (recurrence IS NOT NULL OR ends_at IS NULL OR ends_at > now())))
           AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    ))
    .bind(all)
    .bind(before)
    .bind(limit)
    .fetch_all(db)
    .await?;
    let total: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM freezes
         WHERE $1 OR (lifted_at IS NULL AND (recurrence IS NOT NULL OR ends_at IS NULL OR ends_at > now()))",
    )
    .bind(all)
    .fetch_one(db)
    .await?;
    Ok((rows, u64::try_from(total).unwrap_or(0)))
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(db).await?)
}

/// The row, locked until the transaction ends.
pub async fn lock(db: &mut PgConnection, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE id = $1 FOR UPDATE")).bind(id).fetch_optional(db).await?)
}

/// Inserts, or changes one that is there.
pub async fn put(
    db: &mut PgConnection,
    id: Uuid,
    scope: &FreezeScope,
    title: &str,
    schedule: &Schedule,
    by: &str,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO freezes (id, scope_kind, scope_value, title, starts_at, ends_at, recurrence, time_zone, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET scope_kind = excluded.scope_kind, scope_value = excluded.scope_value,
           title = excluded.title, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
           recurrence = excluded.recurrence, time_zone = excluded.time_zone",
    )
    .bind(id)
    .bind(scope.kind())
    .bind(scope.value())
    .bind(title)
    .bind(schedule.starts_at)
    .bind(schedule.ends_at)
    .bind(&schedule.recurrence)
    .bind(&schedule.time_zone)
    .bind(by)
    .execute(db)
    .await?;
    Ok(())
}

/// False when it was lifted already.
pub async fn lift(db: &mut PgConnection, id: Uuid, by: &str) -> Result<bool> {
    let done = sqlx::query("UPDATE freezes SET lifted_by = $2, lifted_at = now() WHERE id = $1 AND lifted_at IS NULL")
        .bind(id)
        .bind(by)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}
