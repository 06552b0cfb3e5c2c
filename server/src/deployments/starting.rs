//! Writing an attempt: the gates are asked and the lock is taken in one transaction.

use super::gating::{active_deployment, reasons};
use super::service::{Act, DeploymentService, Place};
use super::store::NewDeployment;
use super::telling::About;
use crate::environments::EnvironmentService;
use crate::kernel::{Action, AppError, AuditEntry, Authorized, Ctx, EnvironmentScope, Object, Result};
use passerelle_contract::audit::Outcome;
use passerelle_contract::deployments::{DeploymentOut, DeploymentState, Verdict};
use passerelle_contract::text;
use serde_json::{Value, json};
use uuid::Uuid;

impl DeploymentService {
    /// Writes the attempt in the state that the gates and the lock give it.
    pub(super) async fn start(
        &self,
        ctx: &Ctx,
        action: Action,
        place: Place,
        act: Act,
        hold: Option<String>,
    ) -> Result<DeploymentOut> {
        let id = Uuid::now_v7();
        let scope = EnvironmentScope { name: place.environment.name.clone(), tier: place.environment.tier };
        let object =
            Object::new("deployment", id.to_string()).with_service(place.service.scope.clone()).with_environment(scope);
        let authorized = self.store.db.authorize(ctx, action, object).await?;
        let as_seen = act.as_seen;
        let mut new = self.new_deployment(ctx, id, &place, act).await?;
        let before = json!({ "version": new.previous_version, "image": new.previous_image });
        let mut tx = self.store.db.write(ctx, authorized.clone()).await?;
        let state = self.pass_gates(ctx, &mut tx, &place, &mut new).await?;
        if self.store.insert(&mut tx, &new, state).await? {
            if let Some(newest) = as_seen
                && !self.store.is_as_seen(&mut tx, &new, newest).await?
            {
                return Err(AppError::Conflict(text!("somebody acted meanwhile")));
            }
            if state == DeploymentState::Blocked {
                let against = new.gates.iter().filter(|gate| matches!(gate.verdict, Verdict::Block | Verdict::Wait));
                let told = About::attempt(&new).with(json!({ "message": reasons(against) }));
                tx.tell("deployment.blocked", &told).await?;
            }
            if let Some(why) = hold {
                EnvironmentService::set_hold(&mut tx, place.binding.id, &ctx.principal().name, &why).await?;
            }
            let outcome = if state == DeploymentState::Blocked { Outcome::Denied } else { Outcome::Success };
            tx.commit(AuditEntry::new(outcome).reason(new.reason.clone()).before(before).after(summary(&new, state)))
                .await?;
            self.stirred();
            return self.get_deployment(ctx, id).await;
        }
        drop(tx);
        self.refuse_for_holder(ctx, authorized, new).await
    }

    /// Somebody else holds the lock: the attempt is a row all the same.
    async fn refuse_for_holder(
        &self,
        ctx: &Ctx,
        authorized: Authorized,
        mut new: NewDeployment,
    ) -> Result<DeploymentOut> {
        if let Some(made) = self.store.made_by(&ctx.request_id, new.service_id, new.environment_id).await? {
            return self.get_deployment(ctx, made).await;
        }
        let Some(holder) = self.store.holder(new.service_id, new.environment_id).await? else {
            return Err(AppError::Conflict(text!("another deployment ended just now; try again")));
        };
        let (service, environment, attempt) = (new.service_key.clone(), new.environment.clone(), Some(new.id));
        new.gates = vec![active_deployment(holder, Verdict::Block)];
        // What the gates said was rolled back with the attempt, broken glass included.
        (new.approvals_needed, new.approval_until, new.break_glass) = (0, None, None);
        let state = DeploymentState::Blocked;
        let mut tx = self.store.db.write(ctx, authorized).await?;
        self.store.insert(&mut tx, &new, state).await?;
        let entry = AuditEntry::new(Outcome::Denied).reason(format!("deployment {holder} holds the lock"));
        tx.commit(entry.after(summary(&new, state))).await?;
        Err(AppError::DeploymentActive { holder, service, environment, attempt })
    }

    async fn new_deployment(&self, ctx: &Ctx, id: Uuid, place: &Place, act: Act) -> Result<NewDeployment> {
        let cells = self.store.cells(&[place.service.id]).await?;
        let cell = cells
            .into_iter()
            .find(|cell| cell.environment == place.environment.name)
            .map(|cell| cell.into_out(ctx.locale))
            .transpose()?;
        let previous = cell.map(|cell| (cell.version, cell.image)).unwrap_or_default();
        Ok(NewDeployment {
            id,
            service_id: place.service.id,
            service_key: place.service.scope.key.clone(),
            environment_id: place.environment.id,
            environment: place.environment.name.clone(),
            binding_id: place.binding.id,
            target_kind: place.binding.kind.clone(),
            simulated: place.binding.simulated,
            operation: act.operation,
            release_id: act.release_id,
            // A restart or a change of scale keeps the version.
            version: act.version.or_else(|| previous.0.clone()),
            image: act.image.or_else(|| previous.1.clone()),
            replicas: act.replicas,
            config: act.config,
            change: Some(act.change),
            rolls_back_to: act.rolls_back_to,
            previous_version: previous.0,
            previous_image: previous.1,
            reason: act.reason,
            requested_by: ctx.principal().name.clone(),
            request_id: ctx.request_id.clone(),
            via: ctx.via.as_str(),
            gates: Vec::new(),
            deadline_s: place.environment.progress_deadline_s,
            auto_rollback: place.environment.auto_rollback,
            fingerprint: None,
            approvals_needed: 0,
            approval_until: None,
            break_glass: None,
            exempt: act.exempt,
        })
    }
}

/// For the audit.
fn summary(new: &NewDeployment, state: DeploymentState) -> Value {
    json!({
        "operation": new.operation, "version": new.version, "image": new.image, "replicas": new.replicas, "config": new.config,
        "state": state, "gates": new.gates, "break_glass": new.break_glass,
        "exempt": new.exempt,
    })
}
