//! Writing attempts: the row, its steps, its first event.

use super::Store;
use super::events::event;
use crate::deployments::gating::reasons;
use crate::environments::BusyBindings;
use crate::kernel::{AppError, Result, WriteTx, violated};
use async_trait::async_trait;
use passerelle_contract::deployments::{
    ConfigChoice, DeploymentState, Exemption, GateOut, Operation, StepState, Verdict,
};
use passerelle_contract::text;
use passerelle_targets::Change;
use serde_json::json;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::model::STEPS;
use super::super::telling::About;

/// Everything that is known when an attempt is made.
#[derive(Debug, Clone)]
pub struct NewDeployment {
    pub id: Uuid,
    pub service_id: Uuid,
    pub service_key: String,
    pub environment_id: Uuid,
    pub environment: String,
    pub binding_id: Uuid,
    pub target_kind: String,
    pub simulated: bool,
    pub operation: Operation,
    pub release_id: Option<Uuid>,
    pub version: Option<String>,
    pub image: Option<String>,
    pub replicas: Option<u32>,
    pub config: Option<ConfigChoice>,
    pub change: Option<Change>,
    pub rolls_back_to: Option<Uuid>,
    pub previous_version: Option<String>,
    pub previous_image: Option<String>,
    pub reason: String,
    pub requested_by: String,
    pub request_id: String,
    pub via: &'static str,
    pub gates: Vec<GateOut>,
    pub deadline_s: u32,
    pub auto_rollback: bool,
    /// Of the artifact, the place and its configuration.
    pub fingerprint: Option<Vec<u8>>,
    pub approvals_needed: u8,
    pub approval_until: Option<OffsetDateTime>,
    pub break_glass: Option<Uuid>,
    pub exempt: Option<Exemption>,
}

impl Store {
    /// Writes an attempt in the given state. `Ok(false)`: another one is active, and nothing was written.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn insert(&self, tx: &mut WriteTx, new: &NewDeployment, state: DeploymentState) -> Result<bool> {
        // A savepoint, so that the lock's refusal leaves the transaction usable.
        let mut savepoint = sqlx::Connection::begin(tx.conn()).await?;
        match insert_row(&mut savepoint, new, state).await {
            Ok(()) => {}
            // The second: the same request, sent again after its process went away.
            Err(error)
                if matches!(violated(&error), Some("deployments_one_active" | "deployments_one_per_request")) =>
            {
                return Ok(false);
            }
            Err(error) if violated(&error) == Some("deployments_binding_id_fkey") => {
                return Err(AppError::Conflict(text!("the target binding was taken away in this moment")));
            }
            Err(error) => return Err(AppError::from(error)),
        }
        savepoint.commit().await?;
        for (position, name) in STEPS.iter().enumerate() {
            sqlx::query("INSERT INTO deployment_steps (deployment_id, position, name, state) VALUES ($1, $2, $3, $4)")
                .bind(new.id)
                .bind(i32::try_from(position).unwrap_or(i32::MAX))
                .bind(name)
                .bind(if state == DeploymentState::Blocked { StepState::Skipped } else { StepState::Pending }.as_str())
                .execute(tx.conn())
                .await?;
        }
        let message = match state {
            DeploymentState::Blocked => {
                let against = new.gates.iter().filter(|gate| matches!(gate.verdict, Verdict::Block | Verdict::Wait));
                text!("Refused: {why}", why = reasons(against))
            }
            DeploymentState::AwaitingApproval => {
                text!("Requested by {by}: {reason}; waits for approval", by = &new.requested_by, reason = &new.reason)
            }
            _ => text!("Requested by {by}: {reason}", by = &new.requested_by, reason = &new.reason),
        };
        event(tx.conn(), new.id, "state", &message, json!({ "state": state.as_str() })).await?;
        Ok(true)
    }

    /// The deployment that holds the lock of a service and environment.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn holder(&self, service_id: Uuid, environment_id: Uuid) -> Result<Option<Uuid>> {
        Ok(sqlx::query_scalar(
            "SELECT id FROM deployments WHERE service_id = $1 AND environment_id = $2
             AND state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying')",
        )
        .bind(service_id)
        .bind(environment_id)
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// The deployment that a request made of a service in an environment. An attempt that was refused is none.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn made_by(&self, request_id: &str, service_id: Uuid, environment_id: Uuid) -> Result<Option<Uuid>> {
        Ok(sqlx::query_scalar(
            "SELECT id FROM deployments WHERE request_id = $1 AND service_id = $2 AND environment_id = $3 AND state <> 'blocked'",
        )
        .bind(request_id)
        .bind(service_id)
        .bind(environment_id)
        .fetch_optional(self.db.pool())
        .await?)
    }

    /// Marks an active deployment for cancelling; one that waits for approval, which nobody drives, ends here. `None` when it has
    /// ended already.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn request_cancel(&self, tx: &mut WriteTx, id: Uuid, by: &str) -> Result<Option<()>> {
        let Some(row) = Self::lock_awaiting(tx.conn(), id).await? else { return Ok(None) };
        let Some(state) = DeploymentState::parse(&row.state).filter(|state| state.is_active()) else {
            return Ok(None);
        };
        sqlx::query("UPDATE deployments SET cancel_requested_by = coalesce(cancel_requested_by, $2) WHERE id = $1")
            .bind(id)
            .bind(by)
            .execute(tx.conn())
            .await?;
        let message = text!("{by} asked to cancel", by);
        event(tx.conn(), id, "log", &message, json!({ "cancel_requested_by": by })).await?;
        if state == DeploymentState::AwaitingApproval {
            let message = text!("Cancelled by {by} before anything was changed", by);
            Self::leave_approval(tx, id, DeploymentState::Cancelled, None, &message).await?;
            tx.tell("deployment.cancelled", &About::awaiting(id, &row).with(json!({ "message": message }))).await?;
        }
        Ok(Some(()))
    }
}

#[async_trait]
impl BusyBindings for Store {
    async fn holder(&self, db: &mut sqlx::PgConnection, binding: Uuid) -> Result<Option<Uuid>> {
        Ok(sqlx::query_scalar(
            "SELECT id FROM deployments WHERE binding_id = $1
             AND state IN ('requested', 'awaiting_approval', 'queued', 'running', 'verifying')",
        )
        .bind(binding)
        .fetch_optional(db)
        .await?)
    }
}

async fn insert_row(
    connection: &mut sqlx::PgConnection,
    new: &NewDeployment,
    state: DeploymentState,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO deployments (id, service_id, service_key, environment_id, binding_id, target_kind, simulated, operation, state,
           release_id, version, image, replicas, config_choice, change, rolls_back_to, previous_version, previous_image, reason,
           requested_by, request_id, via, gates, deadline_s, auto_rollback, ended_at, fingerprint, approvals_needed, approval_until,
           break_glass_id, exempt)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
           CASE WHEN $9 = 'blocked' THEN now() END, $26, $27, $28, $29, $30)",
    )
    .bind(new.id)
    .bind(new.service_id)
    .bind(&new.service_key)
    .bind(new.environment_id)
    .bind(new.binding_id)
    .bind(&new.target_kind)
    .bind(new.simulated)
    .bind(new.operation.as_str())
    .bind(state.as_str())
    .bind(new.release_id)
    .bind(&new.version)
    .bind(&new.image)
    .bind(new.replicas.and_then(|count| i32::try_from(count).ok()))
    .bind(new.config.map(config_text))
    .bind(new.change.as_ref().map(Json))
    .bind(new.rolls_back_to)
    .bind(&new.previous_version)
    .bind(&new.previous_image)
    .bind(&new.reason)
    .bind(&new.requested_by)
    .bind(&new.request_id)
    .bind(new.via)
    .bind(Json(&new.gates))
    .bind(i32::try_from(new.deadline_s).unwrap_or(i32::MAX))
    .bind(new.auto_rollback)
    .bind(&new.fingerprint)
    .bind(i32::from(new.approvals_needed))
    .bind(new.approval_until)
    .bind(new.break_glass)
    .bind(new.exempt.map(Exemption::as_str))
    .execute(connection)
    .await
    .map(drop)
}

const fn config_text(choice: ConfigChoice) -> &'static str {
    match choice {
        ConfigChoice::Release => "release",
        ConfigChoice::Current => "current",
    }
}
