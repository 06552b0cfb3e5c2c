//! Rows of `waivers`. A revoked one stays.

use super::super::vulnerability::Waiver;
use crate::kernel::Result;
use passerelle_contract::gates::{WaiverIn, WaiverOut};
use sqlx::{FromRow, PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone, FromRow)]
pub struct Row {
    pub id: Uuid,
    pub service_id: Uuid,
    service_key: String,
    vulnerability: String,
    package: Option<String>,
    reason: String,
    expires_at: OffsetDateTime,
    active: bool,
    created_by: String,
    created_at: OffsetDateTime,
    revoked_by: Option<String>,
    revoked_at: Option<OffsetDateTime>,
}

impl From<Row> for WaiverOut {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            service: row.service_key,
            vulnerability: row.vulnerability,
            package: row.package,
            reason: row.reason,
            expires_at: row.expires_at,
            active: row.active,
            created_by: row.created_by,
            created_at: row.created_at,
            revoked_by: row.revoked_by,
            revoked_at: row.revoked_at,
        }
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, service_id, service_key, vulnerability, package, reason, expires_at,
                    revoked_at IS NULL AND expires_at > now() AS active, created_by, created_at, revoked_by, revoked_at
             FROM waivers ",
            $rest
        )
    };
}

/// Those of a service that hold now.
pub async fn active(db: &mut PgConnection, service_id: Uuid) -> Result<Vec<Waiver>> {
    let rows: Vec<(String, Option<String>, OffsetDateTime)> = sqlx::query_as(
        "SELECT vulnerability, package, expires_at FROM waivers
         WHERE service_id = $1 AND revoked_at IS NULL AND expires_at > clock_timestamp()",
    )
    .bind(service_id)
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|(vulnerability, package, expires_at)| Waiver { vulnerability, package, expires_at })
        .collect())
}

/// The newest 200 of a service.
pub async fn list(db: impl PgExecutor<'_>, service_id: Uuid) -> Result<Vec<Row>> {
    Ok(sqlx::query_as(select!("WHERE service_id = $1 ORDER BY created_at DESC, id DESC LIMIT 200"))
        .bind(service_id)
        .fetch_all(db)
        .await?)
}

pub async fn by_id(db: impl PgExecutor<'_>, id: Uuid) -> Result<Option<Row>> {
    Ok(sqlx::query_as(select!("WHERE id = $1")).bind(id).fetch_optional(db).await?)
}

pub async fn insert(db: &mut PgConnection, id: Uuid, service_id: Uuid, new: &WaiverIn, by: &str) -> Result<()> {
    sqlx::query(
        "INSERT INTO waivers (id, service_id, service_key, vulnerability, package, reason, expires_at, created_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(id)
    .bind(service_id)
    .bind(&new.service)
    .bind(&new.vulnerability)
    .bind(&new.package)
    .bind(&new.reason)
    .bind(new.expires_at)
    .bind(by)
    .execute(db)
    .await?;
    Ok(())
}

/// False when it was revoked already.
pub async fn revoke(db: &mut PgConnection, id: Uuid, by: &str) -> Result<bool> {
    let done =
        sqlx::query("UPDATE waivers SET revoked_by = $2, revoked_at = now() WHERE id = $1 AND revoked_at IS NULL")
            .bind(id)
            .bind(by)
            .execute(db)
            .await?;
    Ok(done.rows_affected() == 1)
}
