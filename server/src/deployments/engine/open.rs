//! Before a claimed deployment is driven: its target is opened, or it is given up.

use super::run::{Run, unknown};
use crate::deployments::model::ROLL_BACK_STEP;
use crate::deployments::store::StepRow;
use crate::environments::OpenError;
use crate::kernel::Result;
use passerelle_contract::deployments::{DeploymentState, Failure, StepState};
use passerelle_contract::text;
use passerelle_targets::Target;
use std::sync::Arc;
use time::OffsetDateTime;

/// Each claim is a process that begins to drive. Leases last 15 s, so a fault that comes again each time is given up after minutes.
pub(super) const MOST_EPOCHS: i64 = 20;

impl Run<'_> {
    /// So often it was claimed and not ended: a fault that repeats must not keep the lock for ever.
    pub(super) async fn give_up(&self, begun: bool) -> Result<()> {
        let cancel = self.store().beat(self.claim).await?;
        if let Some(by) = cancel.filter(|_| !begun) {
            return self.end_cancelled(&by).await;
        }
        let why = text!("given up after {count} tries; the log of the portal says why", count = MOST_EPOCHS);
        self.end_failed(unknown(why), if begun { DeploymentState::NeedsPerson } else { DeploymentState::Failed }).await
    }

    /// Whether a process before has written, and the platform has put back what it wrote: then it is not written again.
    pub(super) async fn undone(&self, target: &dyn Target, steps: &[StepRow]) -> Result<Option<Failure>> {
        let Some(begun) = steps.iter().find(|step| step.name == "apply").and_then(|step| step.started_at) else {
            return Ok(None);
        };
        let period = (OffsetDateTime::now_utc() - begun).unsigned_abs();
        // A target that does not answer is told of by the write.
        let failure = self.patiently(|| target.undone(period)).await?.unwrap_or_default();
        if failure.is_some() {
            self.step("apply", StepState::Succeeded, text!("The target has put back by itself what was written"))
                .await?;
        }
        Ok(failure)
    }

    pub(super) async fn target(&self) -> Result<Result<Arc<dyn Target>, Failure>> {
        let binding = match self.claim.binding_id {
            Some(id) => self.engine.environments.binding_by_id(id).await?,
            None => None,
        };
        let Some(binding) = binding else { return Ok(Err(unknown(text!("the target binding was removed")))) };
        // A cloud may have to be asked where the cluster is.
        let opened = self.patiently(|| async {
            match self.engine.environments.target(&binding).await {
                Ok((target, _)) => Ok(Ok(target)),
                Err(OpenError::App(error)) => Ok(Err(error)),
                Err(OpenError::Target(error)) => Err(error),
            }
        });
        match opened.await? {
            Ok(target) => target.map(Ok),
            Err(error) => Ok(Err(error.to_failure())),
        }
    }
}

/// Whether the target may have been changed at this step.
pub(super) fn has_begun(step: &StepRow) -> bool {
    step.started_at.is_some() && (step.name == "apply" || step.name == ROLL_BACK_STEP)
}
