//! What gates ask of deployments, and the life of a deployment that waits for approval.

use super::events::event;
use super::{Store, known};
use crate::deployments::model::{may_follow, same_image};
use crate::gates::{History, Run, Running};
use crate::kernel::{AppError, Result, WriteTx};
use passerelle_contract::Text;
use passerelle_contract::deployments::{DeploymentState, Exemption, GateOut, Health};
use passerelle_targets::Change;
use serde_json::json;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// The artifact that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Artifact<'a> {
    pub release_id: Option<Uuid>,
    pub image: &'a str,
    /// As people name it.
    pub version: Option<&'a str>,
}

impl Artifact<'_> {
    /// What ran under a bare tag is not known to be the digest that is asked for.
    fn is(&self, release_id: Option<Uuid>, image: Option<&str>) -> bool {
        (self.release_id.is_some() && self.release_id == release_id)
            || image.is_some_and(|image| same_image(image, self.image))
    }
}

#[derive(Debug, sqlx::FromRow)]
struct StateRow {
    image: Option<String>,
    health: String,
    healthy_since: Option<OffsetDateTime>,
    observed_at: OffsetDateTime,
    release_id: Option<Uuid>,
}

#[derive(Debug, sqlx::FromRow)]
struct RunRow {
    release_id: Option<Uuid>,
    image: Option<String>,
    ended_at: OffsetDateTime,
    replaced_at: Option<OffsetDateTime>,
}

/// A deployment that waits for approval, locked.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Awaiting {
    pub state: String,
    pub requested_by: String,
    pub release_id: Option<Uuid>,
    pub image: Option<String>,
    pub version: Option<String>,
    pub fingerprint: Option<Vec<u8>>,
    pub approval_until: Option<OffsetDateTime>,
    pub approvals_needed: i32,
    pub exempt: Option<String>,
    pub operation: String,
    pub previous_version: Option<String>,
    pub reason: String,
    /// By the database's clock.
    pub expired: bool,
}

impl Awaiting {
    pub fn exempt(&self) -> Option<Exemption> {
        self.exempt.as_deref().and_then(Exemption::parse)
    }

    /// How many approvals the policy asked for.
    pub fn needed(&self) -> u8 {
        u8::try_from(self.approvals_needed).unwrap_or(u8::MAX)
    }
}

/// What a deployment that waits is changed to.
#[derive(Debug)]
pub struct Changed<'a> {
    pub release_id: Option<Uuid>,
    pub version: &'a str,
    pub image: &'a str,
    pub change: &'a Change,
    pub reason: &'a str,
    pub exempt: Option<Exemption>,
    pub by: &'a str,
}

impl Store {
    /// What is known of an artifact in the environment before.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn history(
        db: &mut PgConnection,
        service_id: Uuid,
        environment_id: Uuid,
        artifact: Artifact<'_>,
    ) -> Result<History> {
        let before: Option<(Uuid, String, Uuid)> = sqlx::query_as(
            "SELECT e.id, e.name, b.id FROM environments e JOIN bindings b ON b.environment_id = e.id AND b.service_id = $1
             WHERE e.position < (SELECT position FROM environments WHERE id = $2)
             ORDER BY e.position DESC, e.name LIMIT 1",
        )
        .bind(service_id)
        .bind(environment_id)
        .fetch_optional(&mut *db)
        .await?;
        let Some((before_id, environment, binding)) = before else { return Ok(History::First) };
        let state: Option<StateRow> = sqlx::query_as(
            "SELECT s.image, s.health, s.healthy_since, s.observed_at, d.release_id
             FROM binding_states s LEFT JOIN deployments d ON d.id = s.deployment_id WHERE s.binding_id = $1",
        )
        .bind(binding)
        .fetch_optional(&mut *db)
        .await?;
        let running = match state.filter(|state| artifact.is(state.release_id, state.image.as_deref())) {
            Some(state) => Some(Running {
                health: known(Health::parse(&state.health), "health", &state.health)?,
                healthy_since: state.healthy_since,
                seen_at: state.observed_at,
            }),
            None => None,
        };
        let runs: Vec<RunRow> = sqlx::query_as(
            "SELECT d.release_id, d.image, d.ended_at, (SELECT min(n.started_at) FROM deployments n
               WHERE n.service_id = $1 AND n.environment_id = $2 AND n.id > d.id AND n.state <> 'blocked') AS replaced_at
             FROM deployments d WHERE d.service_id = $1 AND d.environment_id = $2 AND d.state = 'succeeded'
               AND d.operation IN ('deploy', 'roll_back') ORDER BY d.created_at DESC, d.id DESC LIMIT 50",
        )
        .bind(service_id)
        .bind(before_id)
        .fetch_all(db)
        .await?;
        let runs = runs
            .into_iter()
            .filter(|run| artifact.is(run.release_id, run.image.as_deref()))
            .map(|run| Run { from: run.ended_at, to: run.replaced_at })
            .collect();
        let (image, version) = (artifact.image.to_owned(), artifact.version.map(str::to_owned));
        Ok(History::Before { environment, image, version, running, runs })
    }

    /// SHA-256 over the artifact, the place, its configuration and what its environment is as they are now; `None` when the binding is gone. The
    /// binding stays as it is until the end of the transaction.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn fingerprint(db: &mut PgConnection, binding: Uuid, artifact: Artifact<'_>) -> Result<Option<Vec<u8>>> {
        Ok(sqlx::query_scalar(
            "SELECT sha256(convert_to(jsonb_build_array(b.service_id, b.environment_id, b.id, b.kind, b.connection_id,
               b.config, c.config, e.tier, e.auto_rollback, e.progress_deadline_s, $2::uuid, $3::text)::text, 'UTF8'))
             FROM bindings b JOIN connections c ON c.id = b.connection_id JOIN environments e ON e.id = b.environment_id
             WHERE b.id = $1 FOR SHARE",
        )
        .bind(binding)
        .bind(artifact.release_id)
        .bind(artifact.image)
        .fetch_optional(db)
        .await?)
    }

    /// Locks a deployment and reads what its approval depends on.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn lock_awaiting(db: &mut PgConnection, id: Uuid) -> Result<Option<Awaiting>> {
        Ok(sqlx::query_as(
            "SELECT state, requested_by, release_id, image, version, fingerprint, approval_until, approvals_needed, exempt,
               operation, previous_version, reason, coalesce(approval_until <= clock_timestamp(), false) AS expired
             FROM deployments WHERE id = $1 FOR UPDATE",
        )
        .bind(id)
        .fetch_optional(db)
        .await?)
    }

    /// Whether it waits for the approval of what a fingerprint with this beginning stands for.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn awaits(&self, id: Uuid, fingerprint: &[u8]) -> Result<bool> {
        Ok(sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM deployments
             WHERE id = $1 AND state = 'awaiting_approval' AND substr(fingerprint, 1, length($2)) = $2)",
        )
        .bind(id)
        .bind(fingerprint)
        .fetch_one(self.db.pool())
        .await?)
    }

    /// Moves a deployment that waits to another state, with the gates as they were decided last if they were, and tells the feed. The caller
    /// holds its row.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn leave_approval(
        tx: &mut WriteTx,
        id: Uuid,
        state: DeploymentState,
        gates: Option<&[GateOut]>,
        message: &Text,
    ) -> Result<()> {
        let from = DeploymentState::AwaitingApproval;
        if state != from && !may_follow(from, state) {
            return Err(AppError::internal(format!("a deployment cannot leave approval for {}", state.as_str())));
        }
        let ends = !state.is_active();
        sqlx::query(
            "UPDATE deployments SET state = $2, gates = coalesce($3, gates), ended_at = CASE WHEN $4 THEN now() END
             WHERE id = $1 AND state = 'awaiting_approval'",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(gates.map(Json))
        .bind(ends)
        .execute(tx.conn())
        .await?;
        if ends {
            sqlx::query("UPDATE deployment_steps SET state = 'skipped' WHERE deployment_id = $1 AND state = 'pending'")
                .bind(id)
                .execute(tx.conn())
                .await?;
        }
        event(tx.conn(), id, "state", message, json!({ "state": state.as_str() })).await
    }

    /// What is waited for is now this; whoever changed it is the one who asks.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn change_awaiting(db: &mut PgConnection, id: Uuid, to: &Changed<'_>) -> Result<()> {
        sqlx::query(
            "UPDATE deployments SET release_id = $2, version = $3, image = $4, change = $5, reason = $6, requested_by = $7, exempt = $8
             WHERE id = $1 AND state = 'awaiting_approval'",
        )
        .bind(id)
        .bind(to.release_id)
        .bind(to.version)
        .bind(to.image)
        .bind(Json(to.change))
        .bind(to.reason)
        .bind(to.by)
        .bind(to.exempt.map(Exemption::as_str))
        .execute(db)
        .await?;
        Ok(())
    }

    /// What the next approvals are for, how many are needed, and until when.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn await_anew(
        db: &mut PgConnection,
        id: Uuid,
        fingerprint: &[u8],
        (needed, until): (u8, Option<OffsetDateTime>),
    ) -> Result<()> {
        sqlx::query(
            "UPDATE deployments SET fingerprint = $2, approvals_needed = $3, approval_until = $4 WHERE id = $1",
        )
        .bind(id)
        .bind(fingerprint)
        .bind(i32::from(needed))
        .bind(until)
        .execute(db)
        .await?;
        Ok(())
    }

    /// Whether any deployment waits for approval.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn any_awaiting(&self) -> Result<bool> {
        Ok(sqlx::query_scalar("SELECT EXISTS (SELECT FROM deployments WHERE state = 'awaiting_approval')")
            .fetch_one(self.db.pool())
            .await?)
    }

    /// Deployments whose request for approval has ended.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn expired_approvals(&self) -> Result<Vec<Uuid>> {
        Ok(sqlx::query_scalar(
            "SELECT id FROM deployments WHERE state = 'awaiting_approval' AND approval_until <= now() LIMIT 100",
        )
        .fetch_all(self.db.pool())
        .await?)
    }
}
