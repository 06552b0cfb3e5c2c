//! Waiting for what the new version depends on: a database, a broker. Looking has no effect; when it does not become ready in time the
//! deployment ends, nothing has been changed, and the version before goes on.

use super::run::Run;
use crate::deployments::model::{TASK_STEP, WAIT_STEP};
use crate::kernel::Result;
use passerelle_contract::deployments::{Cause, DeploymentState, Failure, Operation, StepState};
use passerelle_contract::{Text, text};
use passerelle_targets::{Needs, NeedsState, Target, TargetError};
use std::time::Duration;
use time::OffsetDateTime;
use tokio::time::Instant;

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How waiting ended.
enum Ended {
    Ready(Text),
    Failed(Failure),
    Cancelled(String),
    Foreign(Text),
}

impl Run<'_> {
    /// A roll back, a restart or another number of instances bring no new version, so they wait for nothing.
    fn needs(&self, target: &dyn Target) -> Option<Needs> {
        (self.claim.operation == Operation::Deploy.as_str()).then(|| target.needs()).flatten()
    }

    /// Whoever looks sees from the start that there is one step more. Called after the task's step is shown.
    pub(super) async fn show_wait_step(&self, target: &dyn Target) -> Result<()> {
        if self.needs(target).is_none() {
            return Ok(());
        }
        let before = if self.has_task(target) { TASK_STEP } else { "apply" };
        self.store().add_step_before(self.claim, WAIT_STEP, before).await
    }

    /// Whether the way is free; when not, the deployment has ended. `done`: its step says that everything was ready.
    pub(super) async fn needs_met(&self, target: &dyn Target, done: bool) -> Result<bool> {
        let Some(needs) = self.needs(target).filter(|_| !done) else { return Ok(true) };
        match self.wait_for(target, &needs).await? {
            Ended::Ready(message) => {
                self.step(WAIT_STEP, StepState::Succeeded, message).await?;
                return Ok(true);
            }
            Ended::Failed(failure) => {
                let version = self.previous_text();
                let message = text!("{why}; nothing was changed, {version} goes on", why = &failure.message, version);
                self.step(WAIT_STEP, StepState::Failed, message.clone()).await?;
                self.end_failed(Failure { message, ..failure }, DeploymentState::Failed).await?;
            }
            Ended::Cancelled(by) => {
                self.step(WAIT_STEP, StepState::Failed, text!("Cancelled by {by}", by = &by)).await?;
                self.end_cancelled_with(text!("Cancelled by {by} before anything was changed", by)).await?;
            }
            Ended::Foreign(why) => self.end_foreign(WAIT_STEP, why).await?,
        }
        Ok(false)
    }

    async fn wait_for(&self, target: &dyn Target, needs: &Needs) -> Result<Ended> {
        // Asked of the row, since the wish to cancel may be older than this process.
        if let Some(by) = self.store().beat(self.claim).await? {
            return Ok(Ended::Cancelled(by));
        }
        self.step(WAIT_STEP, StepState::Running, text!("Waiting for {title}", title = &needs.title)).await?;
        let steps = self.store().steps(self.claim.id).await?;
        let started = steps.iter().find(|step| step.name == WAIT_STEP).and_then(|step| step.started_at);
        let gone = started.map_or(Duration::ZERO, |at| (OffsetDateTime::now_utc() - at).unsigned_abs());
        // Who takes over late still gets one honest look.
        let end = Instant::now() + needs.limit.saturating_sub(gone);
        let mut said = None;
        loop {
            let seen = match self.patiently(|| target.look_at_needs()).await? {
                Ok(seen) => seen,
                Err(TargetError::Fenced(why)) => return Ok(Ended::Foreign(why)),
                Err(error) => return Ok(Ended::Failed(error.to_failure())),
            };
            match seen.state {
                NeedsState::Ready => return Ok(Ended::Ready(seen.message)),
                NeedsState::Failed(failure) => return Ok(Ended::Failed(failure)),
                NeedsState::Waiting if Instant::now() >= end => {
                    return Ok(Ended::Failed(late(seen.message, needs.limit)));
                }
                NeedsState::Waiting => {}
            }
            if said.as_ref() != Some(&seen.message) {
                self.note(&seen.message).await?;
                said = Some(seen.message);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                by = self.cancelled() => return Ok(Ended::Cancelled(by)),
            }
        }
    }
}

fn late(so_far: Text, limit: Duration) -> Failure {
    let message = text!("waited for {seconds} s: {so_far}", seconds = limit.as_secs(), so_far);
    Failure { cause: Cause::Dependency, message, instance: None, logs: Vec::new() }
}
