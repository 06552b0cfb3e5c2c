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
    /// It is still the newest that is not blocked.
    pub id: Uuid,
    pub config: Json<Value>,
}

/// Nothing is watched longer than its binding says, nor where a hold keeps automation away or another deployment is under way. What ended
/// before the target was changed does not end the watch of what runs.
const WATCHED: &str =
    "SELECT d.service_id, d.service_key, d.environment_id, e.name AS environment, d.version, d.ended_at, newest.id, b.config
  FROM bindings b
  JOIN environments e ON e.id = b.environment_id
  JOIN LATERAL (
    SELECT n.id, n.state FROM deployments n
    WHERE n.service_id = b.service_id AND n.environment_id = b.environment_id AND n.state <> 'blocked'
    ORDER BY n.id DESC LIMIT 1) AS newest ON true
  JOIN LATERAL (
    SELECT n.* FROM deployments n
    WHERE n.service_id = b.service_id AND n.environment_id = b.environment_id AND n.operation IN ('deploy', 'roll_back')
      AND EXISTS (SELECT FROM deployment_steps s WHERE s.deployment_id = n.id AND s.name = 'apply' AND s.started_at IS NOT NULL)
    ORDER BY n.id DESC LIMIT 1) AS d ON true
  WHERE b.config ? 'roll_back_on_burn' AND b.hold_since IS NULL
    AND newest.state NOT IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying')
    AND d.operation = 'deploy' AND d.state = 'succeeded'
    AND d.ended_at > now() - make_interval(mins => (b.config -> 'roll_back_on_burn' ->> 'minutes')::int)
  ORDER BY d.ended_at LIMIT 1000";

impl Store {
    pub async fn watched(&self) -> Result<Vec<Watched>> {
        Ok(sqlx::query_as(WATCHED).fetch_all(self.db.pool()).await?)
    }
}
