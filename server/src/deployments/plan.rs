//! Seeing before acting: what a deployment would change, and what stands against it.

use super::compare;
use super::model;
use super::observer::as_target_error;
use super::service::{DeploymentService, Found, Place};
use super::tasks::{plan_with_task, with_image};
use crate::gates::Look;
use crate::kernel::{Action, Ctx, Result};
use passerelle_contract::deployments::{DeploymentIn, Exemption, PlanOut, Replicas, Severity};
use passerelle_contract::text;
use std::time::Duration;

/// How long the drawer waits for the target before it shows what is known without it.
const PATIENCE: Duration = Duration::from_secs(5);

impl DeploymentService {
    /// A dry run.
    ///
    /// # Errors
    /// `Invalid` by field, `NotFound`. A target that does not answer is told in `incomplete`.
    pub async fn plan(&self, ctx: &Ctx, input: DeploymentIn) -> Result<PlanOut> {
        let wanted = model::wanted(&input, false)?;
        let place = self.place(ctx, Action::DeploymentRead, &input.service, &input.environment).await?;
        let found = self.resolve(&place, wanted).await?;
        let cells = self.store.cells(&[place.service.id]).await?;
        let cell = cells
            .into_iter()
            .find(|cell| cell.environment == place.environment.name)
            .map(|cell| cell.into_out(ctx.locale))
            .transpose()?;
        let mut plan = PlanOut {
            service: place.service.scope.key.clone(),
            environment: place.environment.name.clone(),
            tier: place.environment.tier,
            simulated: place.binding.simulated,
            current_version: cell.as_ref().and_then(|cell| cell.version.clone()),
            incoming_version: Some(found.version.clone()),
            current_image: cell.as_ref().and_then(|cell| cell.image.clone()),
            incoming_image: found.image.clone(),
            replicas: cell.as_ref().and_then(|cell| cell.replicas).unwrap_or_default(),
            diff: Vec::new(),
            env: Vec::new(),
            gates: Vec::new(),
            findings: Vec::new(),
            compare_url: self.compared(&place, cell.as_ref().and_then(|cell| cell.version.as_deref()), &found).await?,
            hold: cell.and_then(|cell| cell.hold),
            incomplete: None,
        };
        self.look_at_target(&place, &found, &mut plan).await;
        self.add_gates(&place, &found, input.exempt, &mut plan).await?;
        Ok(plan.into_said(ctx.locale))
    }

    /// The commits between what runs and what would run, where both are releases of one repository.
    async fn compared(&self, place: &Place, runs: Option<&str>, found: &Found) -> Result<Option<String>> {
        let (Some(runs), Some(wanted)) = (runs, found.release_id) else { return Ok(None) };
        let before = self.store.release_by_version(place.service.id, runs).await?;
        let after = self.store.release(wanted).await?;
        Ok(before.zip(after).and_then(|(before, after)| compare::link(&before.side(), &after.side())))
    }

    async fn look_at_target(&self, place: &Place, found: &Found, plan: &mut PlanOut) {
        let look = async {
            let (target, _) = self.environments.target(&place.binding).await.map_err(as_target_error)?;
            let (change, image) = (found.change(), found.image.as_str());
            let seen = async { tokio::try_join!(target.observe(), plan_with_task(&*target, &change)) };
            let (seen, missing) = tokio::join!(seen, self.environments.image_finding(&place.binding, image));
            seen.map(|(observation, plan)| (observation, with_image(plan, missing)))
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok((observation, seen))) => {
                plan.current_image = Some(observation.image);
                plan.replicas = Replicas { ..observation.replicas };
                plan.diff = seen.diff;
                plan.env = seen.env;
                plan.findings = seen.findings;
            }
            Ok(Err(error)) => plan.incomplete = Some(error.text()),
            Err(_) => {
                plan.incomplete =
                    Some(text!("the target did not answer within {seconds} s", seconds = PATIENCE.as_secs()));
            }
        }
    }

    async fn add_gates(
        &self,
        place: &Place,
        found: &Found,
        exempt: Option<Exemption>,
        plan: &mut PlanOut,
    ) -> Result<()> {
        let look = match &plan.incomplete {
            Some(why) => Look::NotSeen { why: why.clone() },
            None => Look::Seen {
                errors: plan
                    .findings
                    .iter()
                    .filter(|finding| finding.severity == Severity::Error)
                    .map(|finding| finding.message.clone())
                    .collect(),
            },
        };
        plan.gates = self.plan_gates(place, found, look, exempt).await?;
        Ok(())
    }
}
