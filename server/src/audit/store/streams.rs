//! How far each stream has come.

use super::Store;
use crate::kernel::Result;
use passerelle_contract::Text;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;

/// Above the numbers of other locks; the second half is the stream's own.
const LOCK: i32 = 0x6175_6474;

#[derive(Debug, Clone, Default, sqlx::FromRow)]
pub struct Progress {
    pub id: String,
    pub position: i64,
    pub sent_at: Option<OffsetDateTime>,
    pub failing_since: Option<OffsetDateTime>,
    pub failure: Option<Json<Text>>,
}

impl Store {
    /// Of every stream that ever ran.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn progress(&self) -> Result<Vec<Progress>> {
        let sql = "SELECT id, position, sent_at, failing_since, failure FROM audit_streams";
        Ok(sqlx::query_as(sql).fetch_all(self.db.pool()).await?)
    }
}

/// Where a stream stands, if nobody else works on it until the transaction ends.
///
/// # Errors
/// When the database is away.
pub async fn lock(connection: &mut PgConnection, id: &str) -> Result<Option<i64>> {
    let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1, hashtext($2))")
        .bind(LOCK)
        .bind(id)
        .fetch_one(&mut *connection)
        .await?;
    if !free {
        return Ok(None);
    }
    let position: Option<i64> = sqlx::query_scalar("SELECT position FROM audit_streams WHERE id = $1")
        .bind(id)
        .fetch_optional(connection)
        .await?;
    Ok(Some(position.unwrap_or(0)))
}

/// # Errors
/// When the database is away.
pub async fn taken(connection: &mut PgConnection, id: &str, position: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_streams (id, position, sent_at) VALUES ($1, $2, now())
         ON CONFLICT (id) DO UPDATE SET position = $2, sent_at = now(), failing_since = NULL, failure = NULL",
    )
    .bind(id)
    .bind(position)
    .execute(connection)
    .await?;
    Ok(())
}

/// # Errors
/// When the database is away.
pub async fn failed(connection: &mut PgConnection, id: &str, why: &Text) -> Result<()> {
    sqlx::query(
        "INSERT INTO audit_streams (id, failing_since, failure) VALUES ($1, now(), $2)
         ON CONFLICT (id) DO UPDATE SET failing_since = coalesce(audit_streams.failing_since, now()), failure = $2",
    )
    .bind(id)
    .bind(Json(why))
    .execute(connection)
    .await?;
    Ok(())
}
