//! Releases that a binding is to get by itself.

use super::Store;
use crate::kernel::Result;
use uuid::Uuid;

/// A release that is due in an environment.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Due {
    pub service_key: String,
    pub environment: String,
    pub release_id: Uuid,
    pub version: String,
}

/// For the first environment of a service its newest release; for each other one what the environment before it got last, if that
/// went well. Not what was tried there before, nor what is older than that: whoever went back stays back. A blocked attempt did
/// nothing, so it does not count. Nothing where a hold is, or a deployment is under way.
const DUE: &str = "SELECT r.service_key, e.name AS environment, r.id AS release_id, r.version
  FROM bindings b
  JOIN environments e ON e.id = b.environment_id
  LEFT JOIN LATERAL (
    SELECT b1.environment_id AS id FROM bindings b1 JOIN environments e1 ON e1.id = b1.environment_id
    WHERE b1.service_id = b.service_id AND (e1.position, e1.name) < (e.position, e.name)
    ORDER BY e1.position DESC, e1.name DESC LIMIT 1) AS previous ON true
  JOIN LATERAL (
    SELECT n.id, n.service_key, n.version, n.created_at FROM releases n
    WHERE n.service_id = b.service_id AND (previous.id IS NULL OR n.id = (
      SELECT d.release_id FROM deployments d
      WHERE d.service_id = b.service_id AND d.environment_id = previous.id AND d.operation IN ('deploy', 'roll_back') AND d.state = 'succeeded'
      ORDER BY d.id DESC LIMIT 1))
    ORDER BY n.created_at DESC, n.id DESC LIMIT 1) AS r ON true
  WHERE b.config @> '{\"automatic\": true}' AND b.hold_since IS NULL
    AND NOT EXISTS (
      SELECT 1 FROM deployments d JOIN releases tried ON tried.id = d.release_id
      WHERE d.service_id = b.service_id AND d.environment_id = b.environment_id AND d.state <> 'blocked'
        AND (tried.created_at, tried.id) >= (r.created_at, r.id))
    AND NOT EXISTS (
      SELECT 1 FROM deployments d WHERE d.service_id = b.service_id AND d.environment_id = b.environment_id
        AND d.state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying'))
  ORDER BY r.created_at, e.position LIMIT 100";

impl Store {
    /// At most 100, those of the oldest releases first.
    pub async fn due(&self) -> Result<Vec<Due>> {
        Ok(sqlx::query_as(DUE).fetch_all(self.db.pool()).await?)
    }
}
