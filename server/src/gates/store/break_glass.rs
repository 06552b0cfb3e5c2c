//! Rows of `break_glass`.

use crate::kernel::Result;
use passerelle_contract::gates::BreakGlassOut;
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub service_id: Uuid,
    service_key: String,
    environment: String,
    pub opened_by: String,
    pub reason: String,
    incident: Option<String>,
    opened_at: OffsetDateTime,
    pub expires_at: OffsetDateTime,
    used_by: Option<Uuid>,
    used_at: Option<OffsetDateTime>,
}

impl From<Row> for BreakGlassOut {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            service: row.service_key,
            environment: row.environment,
            reason: row.reason,
            incident: row.incident,
            opened_by: row.opened_by,
            opened_at: row.opened_at,
            expires_at: row.expires_at,
            used_by: row.used_by,
            used_at: row.used_at,
        }
    }
}

/// What an opening is made of.
#[derive(Debug)]
pub struct NewGlass<'a> {
    pub id: Uuid,
    pub service_id: Uuid,
    pub service_key: &'a str,
    pub environment_id: Uuid,
    pub by: &'a str,
    pub reason: &'a str,
    pub incident: Option<&'a str>,
    pub minutes: u32,
}

/// False when one is open for this service and environment already.
pub async fn open(db: &mut PgConnection, new: &NewGlass<'_>) -> Result<bool> {
    // Two that open at the same time wait for each other here.
    sqlx::query("SELECT pg_advisory_xact_lock(hashtextextended($1::text || $2::text, 0))")
        .bind(new.service_id)
        .bind(new.environment_id)
        .execute(&mut *db)
        .await?;
    let done = sqlx::query(
        "INSERT INTO break_glass (id, service_id, service_key, environment_id, opened_by, reason, expires_at, incident)
         SELECT $1, $2, $3, $4, $5, $6, now() + make_interval(mins => $7), $8
         WHERE NOT EXISTS (SELECT FROM break_glass
           WHERE service_id = $2 AND environment_id = $4 AND used_at IS NULL AND expires_at > now())",
    )
    .bind(new.id)
    .bind(new.service_id)
    .bind(new.service_key)
    .bind(new.environment_id)
    .bind(new.by)
    .bind(new.reason)
    .bind(i32::try_from(new.minutes).unwrap_or(1))
    .bind(new.incident)
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Uses up what this person has open for the pair, if there is any.
pub async fn take(
    db: &mut PgConnection,
    (service_id, environment_id): (Uuid, Uuid),
    by: &str,
    deployment: Uuid,
) -> Result<Option<(Uuid, String, OffsetDateTime)>> {
    Ok(sqlx::query_as(
        "UPDATE break_glass SET used_by = $4, used_at = now() WHERE id = (
           SELECT id FROM break_glass WHERE service_id = $1 AND environment_id = $2 AND opened_by = $3
             AND used_at IS NULL AND expires_at > clock_timestamp() ORDER BY opened_at LIMIT 1 FOR UPDATE)
         RETURNING id, reason, expires_at",
    )
    .bind(service_id)
    .bind(environment_id)
    .bind(by)
    .bind(deployment)
    .fetch_optional(db)
    .await?)
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(
        "SELECT g.*, e.name AS environment FROM break_glass g JOIN environments e ON e.id = g.environment_id WHERE g.id = $1",
    )
    .bind(id)
    .fetch_optional(db)
    .await?)
}

/// The newest 200.
pub async fn list(db: impl PgExecutor<'_>) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(
        "SELECT g.*, e.name AS environment FROM break_glass g JOIN environments e ON e.id = g.environment_id
         ORDER BY g.opened_at DESC, g.id DESC LIMIT 200",
    )
    .fetch_all(db)
    .await?)
}
