//! Where tower-sessions keeps its records: the table `sessions`, under the SHA-256 of the cookie's value.

use super::cache::PrincipalCache;
use super::model::digest;
use async_trait::async_trait;
use sqlx::postgres::PgPool;
use std::sync::Arc;
use tower_sessions::SessionStore;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use uuid::Uuid;

/// Keys of the record that are columns too.
pub(super) const USER_ID: &str = "user_id";
pub(super) const USER_AGENT: &str = "user_agent";
/// Keys of the last proof of who it is: seconds since 1970, and whether it was asked for again in the open session.
pub(super) const PROVEN_AT: &str = "proven_at";
pub(super) const PROVEN_AGAIN: &str = "proven_again";
/// Keys that say at which provider the session was begun, and as which session there.
pub(super) const PROVIDER: &str = "provider";
pub(super) const PROVIDER_SESSION: &str = "provider_session";

/// A session that was begun at a provider.
#[derive(Debug)]
pub(super) struct FromProvider {
    pub(super) provider: String,
    pub(super) session: Option<String>,
}

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct PgSessionStore {
    pool: PgPool,
    cache: Arc<PrincipalCache>,
}

impl PgSessionStore {
    pub(super) const fn new(pool: PgPool, cache: Arc<PrincipalCache>) -> Self {
        Self { pool, cache }
    }
}

/// What the cookie says, hashed.
pub(super) fn id_hash(id: Id) -> [u8; 32] {
    digest(&id.to_string())
}

fn backend(error: impl std::fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for PgSessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        loop {
            let text = |key: &str| record.data.get(key).and_then(|value| value.as_str());
            let data = serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
            let made = sqlx::query(
                "INSERT INTO sessions (id, public_id, user_id, data, user_agent, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&id_hash(record.id)[..])
            .bind(Uuid::now_v7())
            .bind(text(USER_ID).and_then(|id| Uuid::parse_str(id).ok()))
            .bind(data)
            .bind(text(USER_AGENT).unwrap_or_default())
            .bind(record.expiry_date)
            .execute(&self.pool)
            .await
            .map_err(backend)?;
            if made.rows_affected() == 1 {
                return Ok(());
            }
            record.id = Id::default();
        }
    }

    /// The end of a session is fixed when it is made; saving does not move it.
    async fn save(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_value(&record.data).map_err(|error| Error::Encode(error.to_string()))?;
        sqlx::query("UPDATE sessions SET data = $2 WHERE id = $1")
            .bind(&id_hash(record.id)[..])
            .bind(data)
            .execute(&self.pool)
            .await
            .map_err(backend)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let row: Option<(serde_json::Value, time::OffsetDateTime)> = sqlx::query_as(
            "SELECT data, expires_at FROM sessions
             WHERE id = $1 AND expires_at > now() AND last_seen_at > now() - interval '12 hours'",
        )
        .bind(&id_hash(*id)[..])
        .fetch_optional(&self.pool)
        .await
        .map_err(backend)?;
        row.map(|(data, expiry_date)| {
            let data = serde_json::from_value(data).map_err(|error| Error::Decode(error.to_string()))?;
            Ok(Record { id: *id, data, expiry_date })
        })
        .transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let gone = sqlx::query("DELETE FROM sessions WHERE id = $1")
            .bind(&id_hash(*id)[..])
            .execute(&self.pool)
            .await
            .map_err(backend)?;
        // Made-up cookies end here too and must not empty the cache for everybody.
        if gone.rows_affected() > 0 {
            self.cache.clear();
        }
        Ok(())
    }
}
