//! What runs to its end before the change: the migration of a new version. When it fails nothing has been changed, and the version
//! before goes on.

use super::run::Run;
use crate::deployments::model::TASK_STEP;
use crate::deployments::store::Ending;
use crate::deployments::tasks::plan_with_task;
use crate::kernel::Result;
use passerelle_contract::deployments::{Cause, DeploymentState, Failure, Finding, Operation, StepState};
use passerelle_contract::{Text, text};
use passerelle_targets::{Change, Target, TargetError, TargetPlan, Task, TaskSeen, TaskState};
use std::time::Duration;
use time::OffsetDateTime;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The platform ends a task at its limit by itself; the portal waits a little longer to hear of it.
const GRACE: Duration = Duration::from_secs(15);
/// Most lines of a task's log that become events; all of them are in the platform's own log.
const MAX_LINES: usize = 500;

/// How following a task ended.
enum Ended {
    Well,
    Badly(Failure),
    Cancelled(String),
    Foreign(Text),
}

impl Run<'_> {
    /// A roll back, a restart or another number of instances bring no new version, so they migrate nothing.
    pub(super) fn has_task(&self, target: &dyn Target) -> bool {
        self.claim.operation == Operation::Deploy.as_str() && target.task().is_some()
    }

    pub(super) async fn planned(&self, target: &dyn Target, change: &Change) -> Result<TargetPlan, TargetError> {
        if !self.has_task(target) {
            return target.plan(change).await;
        }
        plan_with_task(target, change).await
    }

    /// What the registry says of the image. Only before a new version: a way back is never stopped by a registry.
    pub(super) async fn image_finding(&self, change: &Change) -> Result<Option<Finding>> {
        let (Change::Image { image, .. }, Some(id)) = (change, self.claim.binding_id) else { return Ok(None) };
        if self.claim.operation != Operation::Deploy.as_str() {
            return Ok(None);
        }
        let Some(binding) = self.engine.environments.binding_by_id(id).await? else { return Ok(None) };
        Ok(self.engine.environments.image_finding(&binding, image).await)
    }

    /// Whoever looks sees from the start that there is one step more.
    pub(super) async fn show_task_step(&self, target: &dyn Target) -> Result<()> {
        if self.has_task(target) {
            self.store().add_step_before(self.claim, TASK_STEP, "apply").await?;
        }
        Ok(())
    }

    /// Whether the way to the change is free; when not, the deployment has ended. `done`: its step says that it has run.
    pub(super) async fn task_done(&self, target: &dyn Target, done: bool) -> Result<bool> {
        let Some(task) = target.task().filter(|_| self.has_task(target)) else { return Ok(true) };
        let ended = if done { Ended::Well } else { self.run_task(target, &task).await? };
        let title = &task.title;
        match ended {
            Ended::Well => {
                if !done {
                    self.step(TASK_STEP, StepState::Succeeded, text!("{title} is done", title)).await?;
                }
                // Only now: a Job that is gone without its step written would be made again.
                self.clear_task(target).await;
                return Ok(true);
            }
            Ended::Badly(failure) => {
                let version = self.previous_text();
                let message = text!("{why}; nothing was changed, {version} goes on", why = &failure.message, version);
                self.step(TASK_STEP, StepState::Failed, message.clone()).await?;
                self.end_failed(Failure { message, ..failure }, DeploymentState::Failed).await?;
            }
            Ended::Cancelled(by) => {
                self.step(TASK_STEP, StepState::Failed, text!("Cancelled by {by}", by)).await?;
                let version = self.previous_text();
                self.end_cancelled_with(text!(
                    "Cancelled by {by} while {title} ran; {version} goes on",
                    by,
                    title,
                    version
                ))
                .await?;
            }
            Ended::Foreign(why) => self.end_foreign(TASK_STEP, why).await?,
        }
        // After the end is written: a Job without its outcome would be run once more by whoever takes over.
        self.clear_task(target).await;
        Ok(false)
    }

    /// Starts it, or finds what a process before has started, and follows it.
    async fn run_task(&self, target: &dyn Target, task: &Task) -> Result<Ended> {
        // Asked of the row, since the wish to cancel may be older than this process.
        if let Some(by) = self.store().beat(self.claim).await? {
            return Ok(Ended::Cancelled(by));
        }
        self.step(TASK_STEP, StepState::Running, text!("Running {title}", title = &task.title)).await?;
        let change = self.change()?;
        self.intent(TASK_STEP).await?;
        match self.patiently(|| target.start_task(&change, self.claim.fence())).await? {
            Ok(()) => self.follow_task(target, task).await,
            Err(TargetError::Fenced(why)) => Ok(Ended::Foreign(why)),
            Err(error) => Ok(Ended::Badly(error.to_failure())),
        }
    }

    async fn follow_task(&self, target: &dyn Target, task: &Task) -> Result<Ended> {
        let steps = self.store().steps(self.claim.id).await?;
        let started = steps.iter().find(|step| step.name == TASK_STEP).and_then(|step| step.started_at);
        let gone = started.map_or(Duration::ZERO, |at| (OffsetDateTime::now_utc() - at).unsigned_abs());
        // Who takes over late still gets one honest look.
        let end = tokio::time::Instant::now() + (task.limit + GRACE).saturating_sub(gone).max(GRACE);
        let mut said = None;
        loop {
            let seen = match self.patiently(|| target.look_at_task(self.claim.fence())).await? {
                Ok(seen) => seen,
                Err(TargetError::Fenced(why)) => return Ok(Ended::Foreign(why)),
                Err(error) => return Ok(Ended::Badly(error.to_failure())),
            };
            self.note_task(&seen, &mut said).await?;
            match seen.state {
                TaskState::Succeeded => return Ok(Ended::Well),
                TaskState::Failed(failure) => return Ok(Ended::Badly(failure)),
                TaskState::Running if tokio::time::Instant::now() >= end => {
                    return Ok(Ended::Badly(late(&seen, task)));
                }
                TaskState::Running => {}
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                by = self.cancelled() => return Ok(Ended::Cancelled(by)),
            }
        }
    }

    /// What is new goes to the timeline.
    async fn note_task(&self, seen: &TaskSeen, said: &mut Option<Text>) -> Result<()> {
        if said.as_ref() != Some(&seen.message) && seen.state == TaskState::Running {
            self.note(&seen.message).await?;
            *said = Some(seen.message.clone());
        }
        let Some(instance) = &seen.instance else { return Ok(()) };
        let written = self.store().task_lines(self.claim.id, instance).await?;
        let new = seen.log.get(written..seen.log.len().min(MAX_LINES)).unwrap_or_default();
        if !new.is_empty() {
            self.store().note_task_lines(self.claim, instance, written, new).await?;
            self.engine.feed.wake();
        }
        Ok(())
    }

    pub(super) async fn end_cancelled_with(&self, message: Text) -> Result<()> {
        self.end(Ending { state: DeploymentState::Cancelled, failure: None, recorded_after: None, message }).await
    }

    /// What cannot be taken away now goes by itself, or with the next deployment.
    async fn clear_task(&self, target: &dyn Target) {
        if let Err(error) = target.clear_task(self.claim.fence()).await {
            tracing::warn!(deployment = %self.claim.id, %error, "the migration's remains were not taken away");
        }
    }
}

fn late(seen: &TaskSeen, task: &Task) -> Failure {
    let message = text!(
        "{title} did not end within {seconds} s: {so_far}",
        title = &task.title,
        seconds = task.limit.as_secs(),
        so_far = &seen.message
    );
    let logs = seen.log.iter().rev().take(50).rev().cloned().collect();
    Failure { cause: Cause::Deadline, message, instance: seen.instance.clone(), logs }
}
