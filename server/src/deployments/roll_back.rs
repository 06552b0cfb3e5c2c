//! Going back: where to by default, and the change that does it.

use super::history::default_target;
use super::model::{self, version_of_image};
use super::service::{Act, DeploymentService, Place};
use crate::kernel::{Action, AppError, Ctx, Result};
use passerelle_contract::deployments::{ConfigChoice, DeploymentOut, Operation, ReplicasChoice, RollBackIn};
use passerelle_contract::text;
use passerelle_targets::{Change, Recorded};
use uuid::Uuid;

impl DeploymentService {
    /// Goes back to an earlier deployment, and puts a hold on the binding.
    ///
    /// # Errors
    /// As [`Self::create_deployment`]; `Conflict` when there is nothing to go back to.
    pub async fn roll_back(
        &self,
        ctx: &Ctx,
        service: &str,
        environment: &str,
        input: RollBackIn,
    ) -> Result<DeploymentOut> {
        self.go_back(ctx, service, environment, input, None).await
    }

    /// With `as_seen` only while no hold is there and the newest deployment is that one.
    pub(super) async fn go_back(
        &self,
        ctx: &Ctx,
        service: &str,
        environment: &str,
        input: RollBackIn,
        as_seen: Option<Option<Uuid>>,
    ) -> Result<DeploymentOut> {
        let reason = match input.reason.as_deref() {
            None | Some("") => ctx.say(&text!("Roll back")),
            text => model::reason(text).map_err(|error| AppError::Invalid(vec![error]))?,
        };
        let place = self.place(ctx, Action::DeploymentRollBack, service, environment).await?;
        let act = Act { as_seen, ..self.roll_back_act(&place, &input, reason).await? };
        let hold = match act.version.as_deref().or(act.image.as_deref()) {
            Some(version) => text!("Rolled back to {version}", version),
            None => text!("Rolled back to what ran before"),
        };
        let hold = ctx.say(&hold);
        self.start(ctx, Action::DeploymentRollBack, place, act, Some(hold)).await
    }

    /// The version that a roll back without further words goes to, for who may roll back; absent when there is none.
    ///
    /// # Errors
    /// As [`Self::roll_back`], but for the conflict.
    pub async fn roll_back_target(&self, ctx: &Ctx, service: &str, environment: &str) -> Result<Option<String>> {
        // Looking is no attempt: nothing is written of who may not.
        let object = self.object(ctx, service, environment).await?;
        ctx.permit(Action::DeploymentRollBack, &object)?;
        let place = self.place(ctx, Action::DeploymentRead, service, environment).await?;
        match self.roll_back_act(&place, &RollBackIn::default(), String::new()).await {
            Ok(act) => Ok(act.version.or(act.image)),
            Err(AppError::Conflict(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn roll_back_act(&self, place: &Place, input: &RollBackIn, reason: String) -> Result<Act> {
        let (service, environment) = (place.service.id, place.environment.id);
        let to = match input.to {
            Some(to) => Some(to),
            None => {
                let (history, broken) = self.store.healthy_history(service, environment).await?;
                default_target(&history, broken)
            }
        };
        let base = Act { operation: Operation::RollBack, config: Some(input.config), ..Act::keeping(reason) };
        if let Some(to) = to {
            let Some(earlier) = self.store.earlier(to, service, environment).await? else {
                let message = text!("is not a deployment of this service and environment that ended well");
                return Err(AppError::field("/to", message));
            };
            let image = earlier.image.unwrap_or_default();
            let change = match (input.config, earlier.recorded_after) {
                (ConfigChoice::Release, Some(recorded)) => put_back(recorded.0, input.replicas),
                _ => Change::Image { image: image.clone(), manifests: None },
            };
            let release_id = earlier.release_id;
            return Ok(Act {
                rolls_back_to: Some(to),
                release_id,
                version: earlier.version,
                image: Some(image),
                change,
                ..base
            });
        }
        // No earlier deployment of ours: what was there before the first one.
        let Some((recorded, image)) = self.store.before_all(service, environment).await? else {
            return Err(AppError::Conflict(text!(
                "there is no earlier healthy version of {service} in {environment} to go back to",
                service = &place.service.scope.key,
                environment = &place.environment.name
            )));
        };
        let change = match (input.config, &image) {
            (ConfigChoice::Current, Some(image)) => Change::Image { image: image.clone(), manifests: None },
            _ => put_back(recorded, input.replicas),
        };
        Ok(Act { version: image.as_deref().map(version_of_image), image, change, ..base })
    }
}

/// A roll back brings a version back, not the load of that time: the number of instances is today's unless the caller says so.
fn put_back(recorded: Recorded, replicas: ReplicasChoice) -> Change {
    match replicas {
        ReplicasChoice::Current => Change::RestoreVersion { recorded },
        ReplicasChoice::Release => Change::Restore { recorded },
    }
}
