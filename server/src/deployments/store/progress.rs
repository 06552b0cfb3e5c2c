//! The engine's writes. Each holds only while the writer's epoch is the row's: a process that was overtaken changes nothing.

use super::events::event;
use super::{Store, known};
use crate::deployments::model::may_follow;
use crate::deployments::telling;
use crate::kernel::{AppError, Result, WriteTx, leave_message};
use passerelle_contract::deployments::{DeploymentState, Failure, GateOut, Instance, Replicas, StepState};
use passerelle_contract::{Text, text};
use passerelle_targets::{Change, Fence, Recorded};
use serde_json::json;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

/// Seconds a lease holds without a beat, by the database's clock.
pub const LEASE_TTL_S: i32 = 15;

/// A deployment that this process drives, with what it needs to go on from where it was.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Claim {
    pub id: Uuid,
    pub epoch: i64,
    pub service_id: Uuid,
    pub service_key: String,
    pub environment: String,
    pub tier: String,
    pub binding_id: Option<Uuid>,
    pub operation: String,
    pub version: Option<String>,
    pub image: Option<String>,
    pub change: Option<Json<Change>>,
    pub recorded_before: Option<Json<Recorded>>,
    pub failure: Option<Json<Failure>>,
    pub deadline_s: i32,
    pub auto_rollback: bool,
    pub requested_by: String,
    pub reason: String,
    pub request_id: String,
    pub previous_version: Option<String>,
    pub break_glass_id: Option<Uuid>,
}

impl Claim {
    #[must_use]
    pub const fn fence(&self) -> Fence {
        Fence { deployment: self.id, epoch: self.epoch }
    }
}

/// How a deployment ends.
#[derive(Debug, Clone)]
pub struct Ending {
    pub state: DeploymentState,
    pub failure: Option<Failure>,
    pub recorded_after: Option<Recorded>,
    pub message: Text,
}

/// A step's row.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct StepRow {
    pub name: String,
    pub state: String,
    pub started_at: Option<OffsetDateTime>,
}

fn lost() -> AppError {
    AppError::Conflict(text!("another process has taken this deployment over"))
}

impl Store {
    /// Takes over the oldest deployment that nobody drives; raises its epoch. Whoever is first tells that it has started, in the
    /// same statement.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn claim(&self, owner: &str) -> Result<Option<Claim>> {
        Ok(sqlx::query_as(
            "WITH free AS (
               SELECT id, started_at IS NULL AS fresh FROM deployments
               WHERE state IN ('requested', 'queued', 'running', 'verifying') AND (lease_until IS NULL OR lease_until < now())
               ORDER BY lease_until NULLS FIRST, created_at LIMIT 1 FOR UPDATE SKIP LOCKED),
             taken AS (
               UPDATE deployments d SET lease_owner = $1, lease_until = now() + make_interval(secs => $2), epoch = d.epoch + 1,
                 started_at = coalesce(d.started_at, now()),
                 state = CASE WHEN d.state IN ('requested', 'queued') THEN 'running' ELSE d.state END
               FROM free, environments e WHERE d.id = free.id AND e.id = d.environment_id
               RETURNING d.id, d.epoch, d.service_id, d.service_key, e.name AS environment, e.tier, d.binding_id,
                 d.operation, d.version, d.image, d.change, d.recorded_before, d.failure, d.deadline_s, d.auto_rollback,
                 d.requested_by, d.reason, d.request_id, d.previous_version, d.break_glass_id, free.fresh),
             told AS (
               INSERT INTO outbox_events (kind, service, environment, payload)
               SELECT 'deployment.started', service_key, environment, jsonb_build_object('deployment', id, 'operation', operation,
                 'version', version, 'previous', previous_version, 'asked_by', requested_by, 'reason', reason)
               FROM taken WHERE fresh)
             SELECT * FROM taken",
        )
        .bind(owner)
        .bind(f64::from(LEASE_TTL_S))
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// Keeps the lease; answers who asked to cancel, if somebody did. A deployment that has just ended needs no lease, but its
    /// driver may still have something to write.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn beat(&self, claim: &Claim) -> Result<Option<String>> {
        let row: Option<(Option<String>,)> = sqlx::query_as(
            "UPDATE deployments SET lease_until = CASE WHEN ended_at IS NULL THEN now() + make_interval(secs => $3) END
             WHERE id = $1 AND epoch = $2 RETURNING cancel_requested_by",
        )
        .bind(claim.id)
        .bind(claim.epoch)
        .bind(f64::from(LEASE_TTL_S))
        .fetch_optional(self.db.pool())
        .await?;
        row.map(|(by,)| by).ok_or_else(lost)
    }

    /// Gives the lease back, so that another process can go on at once.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn let_go(&self, claim: &Claim) -> Result<()> {
        sqlx::query("UPDATE deployments SET lease_until = NULL, lease_owner = NULL WHERE id = $1 AND epoch = $2")
            .bind(claim.id)
            .bind(claim.epoch)
            .execute(self.db.pool())
            .await?;
        Ok(())
    }

    /// # Errors
    /// When the database is away.
    pub async fn steps(&self, id: Uuid) -> Result<Vec<StepRow>> {
        Ok(sqlx::query_as(
            "SELECT name, state, started_at FROM deployment_steps WHERE deployment_id = $1 ORDER BY position",
        )
        .bind(id)
        .fetch_all(self.db.pool())
        .await?)
    }

    /// Moves a step on and tells the feed. Starting a step twice keeps its first start.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn step(&self, claim: &Claim, name: &str, state: StepState, message: &Text) -> Result<()> {
        let mut tx = self.db.pool().begin().await?;
        hold(&mut tx, claim).await?;
        sqlx::query(
            "UPDATE deployment_steps SET state = $3, message = $4, said = $6, started_at = coalesce(started_at, now()),
               ended_at = CASE WHEN $5 THEN now() END
             WHERE deployment_id = $1 AND name = $2",
        )
        .bind(claim.id)
        .bind(name)
        .bind(state.as_str())
        .bind(message.to_string())
        .bind(ended(state))
        .bind(Json(message))
        .execute(&mut *tx)
        .await?;
        event(&mut tx, claim.id, "step", message, json!({ "step": name, "state": state.as_str() })).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts the roll-back step behind the others, once.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn add_step(&self, claim: &Claim, name: &str) -> Result<()> {
        let mut tx = self.db.pool().begin().await?;
        hold(&mut tx, claim).await?;
        sqlx::query(
            "INSERT INTO deployment_steps (deployment_id, position, name, state)
             SELECT $1, (SELECT max(position) + 1 FROM deployment_steps WHERE deployment_id = $1), $2, 'pending'
             WHERE NOT EXISTS (SELECT FROM deployment_steps WHERE deployment_id = $1 AND name = $2)",
        )
        .bind(claim.id)
        .bind(name)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Puts a step in front of another, once.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn add_step_before(&self, claim: &Claim, name: &str, before: &str) -> Result<()> {
        let mut tx = self.db.pool().begin().await?;
        hold(&mut tx, claim).await?;
        let place: Option<i32> = sqlx::query_scalar(
            "SELECT position FROM deployment_steps WHERE deployment_id = $1 AND name = $3
             AND NOT EXISTS (SELECT FROM deployment_steps WHERE deployment_id = $1 AND name = $2)",
        )
        .bind(claim.id)
        .bind(name)
        .bind(before)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(place) = place else { return Ok(()) };
        // Far away and back: positions are unique at each moment.
        for (from, by) in [(place, 1000), (1000, -999)] {
            sqlx::query(
                "UPDATE deployment_steps SET position = position + $3 WHERE deployment_id = $1 AND position >= $2",
            )
            .bind(claim.id)
            .bind(from)
            .bind(by)
            .execute(&mut *tx)
            .await?;
        }
        sqlx::query(
            "INSERT INTO deployment_steps (deployment_id, position, name, state) VALUES ($1, $2, $3, 'pending')",
        )
        .bind(claim.id)
        .bind(place)
        .bind(name)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes down what is on the target before the first effect, once: a later look would see our own change.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn record_before(&self, claim: &Claim, recorded: &Recorded, image: &str) -> Result<()> {
        let done = sqlx::query(
            "UPDATE deployments SET recorded_before = coalesce(recorded_before, $3), previous_image = coalesce(previous_image, $4)
             WHERE id = $1 AND epoch = $2",
        )
        .bind(claim.id)
        .bind(claim.epoch)
        .bind(Json(recorded))
        .bind(image)
        .execute(self.db.pool())
        .await?;
        lost_unless(done.rows_affected())
    }

    /// Puts a gate's verdict in the place of the one before.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn put_gate(&self, claim: &Claim, gate: &GateOut) -> Result<()> {
        let done = sqlx::query(
            "UPDATE deployments SET gates = coalesce((SELECT jsonb_agg(one) FROM jsonb_array_elements(gates) one
               WHERE one ->> 'kind' <> $3), '[]') || jsonb_build_array($4::jsonb) WHERE id = $1 AND epoch = $2",
        )
        .bind(claim.id)
        .bind(claim.epoch)
        .bind(&gate.kind)
        .bind(Json(gate))
        .execute(self.db.pool())
        .await?;
        lost_unless(done.rows_affected())
    }

    /// # Errors
    /// When the database is away.
    pub async fn recorded_before(&self, id: Uuid) -> Result<Option<Recorded>> {
        let recorded: Option<Option<Json<Recorded>>> =
            sqlx::query_scalar("SELECT recorded_before FROM deployments WHERE id = $1")
                .bind(id)
                .fetch_optional(self.db.pool())
                .await?;
        Ok(recorded.flatten().map(|json| json.0))
    }

    /// What is seen on the target while it rolls out. Telemetry, so without an audit row.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn seen(&self, claim: &Claim, instances: &[Instance], replicas: Replicas, message: &Text) -> Result<()> {
        let mut tx = self.db.pool().begin().await?;
        let done = sqlx::query("UPDATE deployments SET instances = $3, progress = $4 WHERE id = $1 AND epoch = $2")
            .bind(claim.id)
            .bind(claim.epoch)
            .bind(Json(instances))
            .bind(Json(replicas))
            .execute(&mut *tx)
            .await?;
        lost_unless(done.rows_affected())?;
        let data = json!({ "instances": instances, "progress": replicas });
        event(&mut tx, claim.id, "instances", message, data).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A line for the timeline.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn note(&self, claim: &Claim, message: &Text) -> Result<()> {
        let mut tx = self.db.pool().begin().await?;
        hold(&mut tx, claim).await?;
        event(&mut tx, claim.id, "log", message, json!({})).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Changes the state of a deployment that goes on. A failure that it goes back from is told, once.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn set_state(
        &self,
        claim: &Claim,
        state: DeploymentState,
        failure: Option<&Failure>,
        message: &Text,
    ) -> Result<()> {
        let mut tx = self.db.pool().begin().await?;
        legal(hold(&mut tx, claim).await?, state)?;
        let done = sqlx::query(
            "UPDATE deployments SET state = $3, failure = coalesce($4, failure) WHERE id = $1 AND epoch = $2",
        )
        .bind(claim.id)
        .bind(claim.epoch)
        .bind(state.as_str())
        .bind(failure.map(Json))
        .execute(&mut *tx)
        .await?;
        lost_unless(done.rows_affected())?;
        event(&mut tx, claim.id, "state", message, json!({ "state": state.as_str(), "failure": failure })).await?;
        if let Some(failure) = failure.filter(|_| claim.failure.is_none()) {
            let place = (Some(claim.service_key.as_str()), Some(claim.environment.as_str()));
            leave_message(&mut tx, "deployment.failed", place, &telling::going_back(claim, failure)).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Ends a deployment, inside the transaction of its outcome's audit row.
    ///
    /// # Errors
    /// `Conflict` when the lease is lost.
    pub async fn end(&self, tx: &mut WriteTx, claim: &Claim, ending: &Ending) -> Result<()> {
        legal(hold(tx.conn(), claim).await?, ending.state)?;
        let done = sqlx::query(
            "UPDATE deployments SET state = $3, failure = coalesce($4, failure), recorded_after = $5, ended_at = now(),
               lease_owner = NULL, lease_until = NULL WHERE id = $1 AND epoch = $2",
        )
        .bind(claim.id)
        .bind(claim.epoch)
        .bind(ending.state.as_str())
        .bind(ending.failure.as_ref().map(Json))
        .bind(ending.recorded_after.as_ref().map(Json))
        .execute(tx.conn())
        .await?;
        lost_unless(done.rows_affected())?;
        sqlx::query("UPDATE deployment_steps SET state = 'skipped' WHERE deployment_id = $1 AND state = 'pending'")
            .bind(claim.id)
            .execute(tx.conn())
            .await?;
        let data = json!({ "state": ending.state.as_str(), "failure": ending.failure });
        event(tx.conn(), claim.id, "state", &ending.message, data).await
    }
}

const fn ended(state: StepState) -> bool {
    matches!(state, StepState::Succeeded | StepState::Failed | StepState::Skipped)
}

fn lost_unless(rows: u64) -> Result<()> {
    if rows == 0 { Err(lost()) } else { Ok(()) }
}

/// Locks the row, checks the epoch, and answers the state it is in.
pub(super) async fn hold(connection: &mut sqlx::PgConnection, claim: &Claim) -> Result<DeploymentState> {
    let state: Option<String> =
        sqlx::query_scalar("SELECT state FROM deployments WHERE id = $1 AND epoch = $2 FOR UPDATE")
            .bind(claim.id)
            .bind(claim.epoch)
            .fetch_optional(connection)
            .await?;
    let state = state.ok_or_else(lost)?;
    known(DeploymentState::parse(&state), "state", &state)
}

/// A state that may not follow is a fault of ours; it must not get into the history.
fn legal(from: DeploymentState, to: DeploymentState) -> Result<()> {
    if from == to || may_follow(from, to) {
        return Ok(());
    }
    Err(AppError::internal(format!("a deployment cannot go from {} to {}", from.as_str(), to.as_str())))
}
