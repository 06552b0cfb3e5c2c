//! Deployments whose burn is watched.

use super::Store;
use crate::kernel::Result;
use serde_json::Value;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// The newest deployment of a binding that asks for it, when it brought a version and ended well.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Watched {
    pub service_id: Uuid,
    pub service_key: String,
    pub environment_id: Uuid,
    pub environment: String,
    pub version: Option<String>,
    pub ended_at: OffsetDateTime,
    pub config: Json<Value>,
}

/// Nothing is watched longer than a day, nor where a hold keeps automation away.
const WATCHED: &str =
    "SELECT d.service_id, d.service_key, d.environment_id, e.name AS environment, d.version, d.ended_at, b.config
  FROM bindings b
  JOIN environments e ON e.id = b.environment_id
  JOIN LATERAL (
    SELECT n.* FROM deployments n
    WHERE n.service_id = b.service_id AND n.environment_id = b.environment_id AND n.state <> 'blocked'
    ORDER BY n.id DESC LIMIT 1) AS d ON true
  WHERE b.config ? 'roll_back_on_burn' AND b.hold_since IS NULL
    AND d.operation = 'deploy' AND d.state = 'succeeded' AND d.ended_at > now() - interval '1 day'
  ORDER BY d.ended_at LIMIT 1000";

impl Store {
    pub async fn watched(&self) -> Result<Vec<Watched>> {
        Ok(sqlx::query_as(WATCHED).fetch_all(self.db.pool()).await?)
    }
}
