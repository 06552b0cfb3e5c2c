//! Releases that a binding is to get by itself.

use super::{NewDeployment, Store};
use crate::kernel::{Result, WriteTx};
use time::OffsetDateTime;
use uuid::Uuid;

/// A release that is due in an environment.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Due {
    pub service_key: String,
    pub environment: String,
    pub release_id: Uuid,
    pub version: String,
    /// The newest deployment of the service in the environment when this was found.
    pub newest: Option<Uuid>,
    pub created_at: OffsetDateTime,
    pub position: i32,
    pub binding_id: Uuid,
}

/// How far a round has come.
pub type Reached = (OffsetDateTime, i32, Uuid);

impl Due {
    pub const fn place(&self) -> Reached {
        (self.created_at, self.position, self.binding_id)
    }
}

/// For the first environment of a service its newest release; for each other one what the environment before it got last, if that
/// went well. Not what was tried there before, nor what is older than that: whoever went back stays back. A blocked attempt did
/// nothing, so it does not count; one that waited for approval was refused or not answered, and is not asked for again. Nothing where a
/// hold is, or a deployment is under way.
const DUE: &str = "SELECT r.service_key, e.name AS environment, r.id AS release_id, r.version, r.created_at, e.position, b.id AS binding_id,
    (SELECT n.id FROM deployments n WHERE n.service_id = b.service_id AND n.environment_id = b.environment_id AND n.state <> 'blocked'
     ORDER BY n.id DESC LIMIT 1) AS newest
  FROM bindings b
  JOIN environments e ON e.id = b.environment_id
  JOIN entities s ON s.id = b.service_id AND s.archived_at IS NULL
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
    AND ($1::timestamptz IS NULL OR (r.created_at, e.position, b.id) > ($1, $2, $3))
    AND NOT EXISTS (
      SELECT 1 FROM deployments d JOIN releases tried ON tried.id = d.release_id
      WHERE d.service_id = b.service_id AND d.environment_id = b.environment_id AND (d.state <> 'blocked' OR d.approvals_needed > 0)
        AND (tried.created_at, tried.id) >= (r.created_at, r.id))
    AND NOT EXISTS (
      SELECT 1 FROM deployments d WHERE d.service_id = b.service_id AND d.environment_id = b.environment_id
        AND d.state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying'))
  ORDER BY r.created_at, e.position, b.id LIMIT 100";

impl Store {
    /// At most 100 after a place, those of the oldest releases first.
    pub async fn due(&self, after: Option<Reached>) -> Result<Vec<Due>> {
        Ok(sqlx::query_as(DUE)
            .bind(after.map(|(at, ..)| at))
            .bind(after.map(|(_, position, _)| position))
            .bind(after.map(|(.., binding)| binding))
            .fetch_all(self.db.pool())
            .await?)
    }

    /// Whether no hold is on the binding of an attempt that was just written, and the newest one before it is the one that was seen.
    /// The binding stays as it is until the end of the transaction; it is locked after the attempt is in, as by a roll back.
    pub async fn is_as_seen(&self, tx: &mut WriteTx, new: &NewDeployment, newest: Option<Uuid>) -> Result<bool> {
        let same: Option<bool> = sqlx::query_scalar(
            "SELECT b.hold_since IS NULL AND $2::uuid IS NOT DISTINCT FROM (
               SELECT n.id FROM deployments n WHERE n.service_id = b.service_id AND n.environment_id = b.environment_id
                 AND n.state <> 'blocked' AND n.id <> $3 ORDER BY n.id DESC LIMIT 1)
             FROM bindings b WHERE b.id = $1 FOR UPDATE OF b",
        )
        .bind(new.binding_id)
        .bind(newest)
        .bind(new.id)
        .fetch_optional(tx.conn())
        .await?;
        Ok(same.unwrap_or(false))
    }
}
