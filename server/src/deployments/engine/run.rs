//! One deployment from where its rows say it is to its end.

use super::Engine;
use super::follow::{Followed, Wait};
use super::open::{MOST_EPOCHS, has_begun};
use crate::deployments::model::{ROLL_BACK_STEP, TASK_STEP, WAIT_STEP};
use crate::deployments::store::{Claim, Ending, Store};
use crate::deployments::tasks::{IMAGE_MISSING, with_image};
use crate::deployments::telling;
use crate::gates::{GateService, Look};
use crate::kernel::{
    Action, AppError, AuditEntry, Authorized, Ctx, EnvironmentScope, Object, Result, ServiceScope, Via,
};
use passerelle_contract::audit::Outcome;
use passerelle_contract::deployments::{Cause, DeploymentState, Failure, Operation, Severity, StepState, Verdict};
use passerelle_contract::environments::Tier;
use passerelle_contract::{Text, text};
use passerelle_targets::{Applied, Change, Observation, Target, TargetError};
use serde_json::json;
use std::time::Duration;
use time::OffsetDateTime;
use tokio::sync::watch;

/// How often an effect is tried while the target does not answer; with the pauses between, about a minute.
const EFFECT_TRIES: u32 = 7;

/// The driver of one claimed deployment.
#[derive(Debug)]
pub struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) claim: &'a Claim,
    cancel: watch::Receiver<Option<String>>,
    pub(super) verify_for: Duration,
    ctx: Ctx,
}

/// Why a step does not go through.
pub(super) enum Stop {
    Failed(Failure),
    Cancelled(String),
    Foreign(Text),
}

/// What a step brings, or why the deployment ends with it.
pub(super) type Step<T> = std::result::Result<T, Stop>;

impl<'a> Run<'a> {
    pub fn new(
        engine: &'a Engine,
        claim: &'a Claim,
        cancel: watch::Receiver<Option<String>>,
        verify_for: Duration,
    ) -> Self {
        let mut ctx = Ctx::system(Via::Job, "deployments");
        // The rows of the engine carry the id of the request that asked for them.
        ctx.request_id.clone_from(&claim.request_id);
        Self { engine, claim, cancel, verify_for, ctx }
    }

    pub(super) const fn store(&self) -> &Store {
        &self.engine.store
    }

    /// # Errors
    /// When the lease is lost or the database is away: then nothing more is written and somebody else goes on.
    pub async fn go(&self) -> Result<()> {
        let begun = self.store().steps(self.claim.id).await?.iter().any(has_begun);
        if self.claim.epoch > MOST_EPOCHS {
            return self.give_up(begun).await;
        }
        let target = match self.target().await? {
            Ok(target) => target,
            // What was begun and cannot be looked at is not known to have failed.
            Err(failure) if begun => return self.end_failed(failure, DeploymentState::NeedsPerson).await,
            Err(failure) => return self.end_failed(failure, DeploymentState::Failed).await,
        };
        self.drive(&*target).await?;
        // After the end is written, so that a platform that does not answer keeps nothing from ending.
        if let Err(error) = target.conclude(self.claim.fence()).await {
            tracing::warn!(deployment = %self.claim.id, %error, "the platform was not told how it ended");
        }
        Ok(())
    }

    async fn drive(&self, target: &dyn Target) -> Result<()> {
        self.show_task_step(target).await?;
        self.show_wait_step(target).await?;
        let steps = self.store().steps(self.claim.id).await?;
        let succeeded = |name: &str| steps.iter().any(|step| step.name == name && step.state == "succeeded");
        if steps.iter().any(|step| step.name == ROLL_BACK_STEP) {
            // It was on its way back when the process before went away.
            return self.roll_back(target, self.claim.failure.as_ref().map(|json| json.0.clone())).await;
        }
        if !succeeded("preflight") && !self.preflight(target).await? {
            return Ok(());
        }
        if !succeeded("apply") {
            let free = self.needs_met(target, succeeded(WAIT_STEP)).await?
                && self.task_done(target, succeeded(TASK_STEP)).await?;
            if !free {
                return Ok(());
            }
            if let Some(failure) = self.undone(target, &steps).await? {
                return self.stopped_at("rollout", target, Stop::Failed(failure)).await;
            }
            match self.apply(target).await? {
                Ok(()) => {}
                // Once it was begun, the process before may have changed the target: then what was there is put back.
                Err(Stop::Cancelled(by)) if !steps.iter().any(has_begun) => return self.end_cancelled(&by).await,
                Err(stop) => return self.stopped_at("apply", target, stop).await,
            }
        }
        let started = steps.iter().find(|step| step.name == "rollout").and_then(|step| step.started_at);
        if let Err(stop) = self.roll_out(target, started).await? {
            return self.stopped_at("rollout", target, stop).await;
        }
        match self.verified(target).await? {
            // A wish that came since the last beat was accepted, so it counts.
            Ok((observation, message)) => match self.store().beat(self.claim).await? {
                Some(by) => self.stopped_at("verify", target, Stop::Cancelled(by)).await,
                None => {
                    self.settle(target).await?;
                    self.succeed(observation, message).await
                }
            },
            Err(stop) => self.stopped_at("verify", target, stop).await,
        }
    }

    async fn stopped_at(&self, step: &str, target: &dyn Target, stop: Stop) -> Result<()> {
        match stop {
            Stop::Failed(failure) => self.failed_at(step, target, failure).await,
            Stop::Cancelled(by) => {
                self.step(step, StepState::Failed, text!("Cancelled by {by}", by)).await?;
                self.roll_back(target, None).await
            }
            Stop::Foreign(why) => self.end_foreign(step, why).await,
        }
    }

    /// Looks before the act: nothing has been changed when this refuses.
    async fn preflight(&self, target: &dyn Target) -> Result<bool> {
        self.step("preflight", StepState::Running, text!("Looking at the target")).await?;
        let cancel = self.cancel.borrow().clone();
        if let Some(by) = cancel {
            self.end_cancelled(&by).await?;
            return Ok(false);
        }
        let change = self.change()?;
        let looked =
            self.patiently(|| async { Ok((target.observe().await?, self.planned(target, &change).await?)) }).await?;
        let found = self.image_finding(&change).await?;
        let (observation, plan) = match looked {
            Ok((observation, plan)) => (observation, with_image(plan, found)),
            Err(error) => {
                self.step("preflight", StepState::Failed, error.text()).await?;
                self.end_failed(error.to_failure(), DeploymentState::Failed).await?;
                return Ok(false);
            }
        };
        let errors: Vec<Text> = plan
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.message.clone())
            .collect();
        let stands_against = !errors.is_empty();
        if stands_against && self.stopped_by(&errors).await? {
            let message = Text::List(errors);
            self.step("preflight", StepState::Failed, message.clone()).await?;
            let no_image = plan.findings.iter().any(|finding| finding.code == IMAGE_MISSING);
            let cause = if no_image { Cause::ImagePull } else { Cause::MissingConfig };
            let failure = Failure { cause, message, instance: None, logs: Vec::new() };
            self.end_failed(failure, DeploymentState::Failed).await?;
            return Ok(false);
        }
        self.store().record_before(self.claim, &observation.recorded, &observation.image).await?;
        for finding in &plan.findings {
            self.note(&text!("Noticed: {finding}", finding = &finding.message)).await?;
        }
        let message = if stands_against {
            text!("It goes on although something stands against it")
        } else {
            text!("Nothing stands against it")
        };
        self.step("preflight", StepState::Succeeded, message).await?;
        Ok(true)
    }

    /// Whether what was found stops it. The gate's policy may only warn, and broken glass skips it; what brings no new version
    /// (a roll back, a restart) is stopped as ever, because it could only fail.
    async fn stopped_by(&self, errors: &[Text]) -> Result<bool> {
        if self.claim.operation != Operation::Deploy.as_str() {
            return Ok(true);
        }
        let tier = self.tier()?;
        let policy = self.engine.gates.policy(tier).await?;
        let look = Look::Seen { errors: errors.to_vec() };
        let Some(gate) = GateService::judge_look(&policy, look) else { return Ok(false) };
        self.store().put_gate(self.claim, &gate).await?;
        Ok(gate.verdict == Verdict::Block && self.claim.break_glass_id.is_none())
    }

    fn tier(&self) -> Result<Tier> {
        Tier::parse(&self.claim.tier).ok_or_else(|| AppError::internal(format!("unknown tier {}", self.claim.tier)))
    }

    /// Writes the change on the target. The intent is in the audit before.
    async fn apply(&self, target: &dyn Target) -> Result<Step<()>> {
        let cancel = self.cancel.borrow().clone();
        if let Some(by) = cancel {
            return Ok(Err(Stop::Cancelled(by)));
        }
        self.step("apply", StepState::Running, text!("Changing the target")).await?;
        let change = self.change()?;
        self.intent("apply").await?;
        Ok(match self.effect(target, &change).await? {
            Ok(applied) => {
                self.step("apply", StepState::Succeeded, applied.message).await?;
                Ok(())
            }
            Err(TargetError::Fenced(why)) => Err(Stop::Foreign(why)),
            Err(error) => Err(Stop::Failed(error.to_failure())),
        })
    }

    async fn roll_out(&self, target: &dyn Target, started: Option<OffsetDateTime>) -> Result<Step<()>> {
        let stages = match self.patiently(|| target.stages()).await? {
            Ok(stages) => stages,
            Err(error) => return Ok(Err(Stop::Failed(error.to_failure()))),
        };
        let deadline = self.deadline() + stages.unwrap_or_default();
        let gone = started.map_or(Duration::ZERO, |at| (OffsetDateTime::now_utc() - at).unsigned_abs());
        // Who takes over late still gets time for one honest look.
        let left = deadline.saturating_sub(gone).max(Duration::from_secs(20).min(deadline));
        self.step("rollout", StepState::Running, text!("Waiting for every instance to run the new version")).await?;
        if stages.is_some() {
            self.intent("rollout").await?;
        }
        let wait = Wait { deadline: left, stable_for: Duration::ZERO, cancellable: true, staged: stages.is_some() };
        let mut judge = self.judge().await?;
        let replicas = match followed(self.follow(target, wait, judge.as_mut()).await?) {
            Ok(observation) => observation.replicas,
            Err(stop) => return Ok(Err(stop)),
        };
        self.step(
            "rollout",
            StepState::Succeeded,
            text!("{ready} of {desired} instances are ready", ready = replicas.ready, desired = replicas.desired),
        )
        .await?;
        Ok(Ok(()))
    }

    /// How long the target may take for a change.
    pub(super) fn deadline(&self) -> Duration {
        Duration::from_secs(u64::from(self.claim.deadline_s.unsigned_abs()))
    }

    async fn succeed(&self, observation: Observation, message: Text) -> Result<()> {
        self.step("verify", StepState::Succeeded, message).await?;
        let ending = Ending {
            state: DeploymentState::Succeeded,
            failure: None,
            recorded_after: Some(observation.recorded.clone()),
            message: text!(
                "{version} runs in {environment}",
                version = self.version_text(),
                environment = &self.claim.environment
            ),
        };
        self.end(ending).await?;
        self.observed(&observation).await
    }

    /// A step failed after the target may have been changed: goes back by itself where the policy says so.
    async fn failed_at(&self, step: &str, target: &dyn Target, failure: Failure) -> Result<()> {
        self.store().step(self.claim, step, StepState::Failed, &failure.message).await?;
        let way_back = matches!(self.claim.operation.as_str(), "deploy" | "scale") && self.claim.auto_rollback;
        if way_back {
            let message = text!(
                "Failed ({cause}): going back to {version}",
                cause = failure.cause.as_str(),
                version = self.previous_text()
            );
            self.store().set_state(self.claim, DeploymentState::Running, Some(&failure), &message).await?;
            return self.roll_back(target, Some(failure)).await;
        }
        let state = if self.claim.operation == Operation::RollBack.as_str() {
            DeploymentState::NeedsPerson
        } else {
            DeploymentState::Failed
        };
        self.end_failed(failure, state).await
    }

    /// Puts back what was there. With a failure the deployment ends rolled back, without one cancelled.
    async fn roll_back(&self, target: &dyn Target, failure: Option<Failure>) -> Result<()> {
        let Some(recorded) = self.recorded_before().await? else {
            let failure =
                failure.unwrap_or_else(|| unknown(text!("what ran before was not recorded, so it cannot be put back")));
            return self.end_failed(failure, DeploymentState::NeedsPerson).await;
        };
        self.store().add_step(self.claim, ROLL_BACK_STEP).await?;
        self.step(ROLL_BACK_STEP, StepState::Running, text!("Putting back {version}", version = self.previous_text()))
            .await?;
        self.intent(ROLL_BACK_STEP).await?;
        // Somebody may have changed the number of instances meanwhile; only a change of scale takes it back.
        let change = if self.claim.operation == Operation::Scale.as_str() {
            Change::Restore { recorded }
        } else {
            Change::RestoreVersion { recorded }
        };
        if let Err(error) = self.effect(target, &change).await? {
            self.step(ROLL_BACK_STEP, StepState::Failed, error.text()).await?;
            return self.end_failed(failure.unwrap_or_else(|| error.to_failure()), DeploymentState::NeedsPerson).await;
        }
        // A way back may come true in stages as well: a pipeline's manual job has to be started.
        // One that does not say how long they take is followed all the same.
        let stages = self.patiently(|| target.stages()).await?.unwrap_or(Some(Duration::ZERO));
        let deadline = self.deadline() + stages.unwrap_or_default();
        let wait = Wait { deadline, stable_for: Duration::ZERO, cancellable: false, staged: stages.is_some() };
        match self.follow(target, wait, None).await? {
            Followed::Done(observation) => {
                let version = self.previous_text();
                let message = text!("{version} runs again", version = &version);
                self.settle(target).await?;
                self.step(ROLL_BACK_STEP, StepState::Succeeded, message).await?;
                let (state, message) = if failure.is_some() {
                    (DeploymentState::RolledBack, text!("Rolled back to {version}", version))
                } else {
                    (DeploymentState::Cancelled, text!("Cancelled; {version} runs again", version))
                };
                self.end(Ending { state, failure, recorded_after: None, message }).await?;
                self.observed(&observation).await
            }
            Followed::Failed(again) => {
                self.step(ROLL_BACK_STEP, StepState::Failed, again.message.clone()).await?;
                self.end_failed(failure.unwrap_or(again), DeploymentState::NeedsPerson).await
            }
            Followed::Foreign(why) => self.end_foreign(ROLL_BACK_STEP, why).await,
            Followed::Cancelled(by) => self.end_foreign(ROLL_BACK_STEP, text!("Cancelled by {by}", by)).await,
        }
    }

    /// The recorded state as it is in the rows now: this process may have written it after claiming.
    async fn recorded_before(&self) -> Result<Option<passerelle_targets::Recorded>> {
        match &self.claim.recorded_before {
            Some(recorded) => Ok(Some(recorded.0.clone())),
            None => self.store().recorded_before(self.claim.id).await,
        }
    }

    async fn effect(&self, target: &dyn Target, change: &Change) -> Result<Result<Applied, TargetError>> {
        self.patiently(|| target.apply(change, self.claim.fence())).await
    }

    /// Tries again while the target does not answer: everything a target does is idempotent.
    pub(super) async fn patiently<T, F: Future<Output = Result<T, TargetError>>>(
        &self,
        act: impl Fn() -> F,
    ) -> Result<Result<T, TargetError>> {
        let mut pause = Duration::from_secs(1);
        for attempt in 1..=EFFECT_TRIES {
            match act().await {
                Err(error) if error.is_transient() && attempt < EFFECT_TRIES => {
                    self.note(&text!(
                        "{error}; trying again in {seconds} s",
                        error = error.text(),
                        seconds = pause.as_secs()
                    ))
                    .await?;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(15));
                }
                done => return Ok(done),
            }
        }
        Ok(Err(TargetError::Unreachable(text!("gave up"))))
    }

    pub(super) async fn end_failed(&self, failure: Failure, state: DeploymentState) -> Result<()> {
        let message = if state == DeploymentState::NeedsPerson {
            text!("Needs a person: {why}", why = &failure.message)
        } else {
            text!("Failed: {why}", why = &failure.message)
        };
        self.end(Ending { state, failure: Some(failure), recorded_after: None, message }).await
    }

    pub(super) async fn end_cancelled(&self, by: &str) -> Result<()> {
        self.end_cancelled_with(text!("Cancelled by {by} before anything was changed", by)).await
    }

    pub(super) async fn end_foreign(&self, step: &str, why: Text) -> Result<()> {
        self.store().step(self.claim, step, StepState::Failed, &why).await?;
        self.end_failed(Failure { cause: Cause::Refused, ..unknown(why) }, DeploymentState::NeedsPerson).await
    }

    /// The end and its audit row are one transaction.
    pub(super) async fn end(&self, ending: Ending) -> Result<()> {
        let outcome = if ending.state == DeploymentState::Succeeded { Outcome::Success } else { Outcome::Failure };
        let entry = AuditEntry::new(outcome)
            .reason(ending.message.to_string())
            .before(json!({ "version": self.claim.previous_version }))
            .after(json!({ "state": ending.state, "version": self.claim.version, "image": self.claim.image, "failure": ending.failure }));
        let mut tx = self.store().db.write(&self.ctx, self.authorized().await?).await?;
        self.store().end(&mut tx, self.claim, &ending).await?;
        let (kind, told) = telling::ended(self.claim, &ending);
        tx.tell(kind, &told).await?;
        tx.commit(entry).await?;
        self.engine.feed.wake();
        Ok(())
    }

    /// The audit's intent row, committed before the effect.
    pub(super) async fn intent(&self, step: &str) -> Result<()> {
        let entry = AuditEntry::new(Outcome::Intent)
            .reason(format!("{}, for {}: {}", step, self.claim.requested_by, self.claim.reason))
            .after(json!({ "operation": self.claim.operation, "version": self.claim.version, "image": self.claim.image, "epoch": self.claim.epoch }));
        self.store().db.record(&self.ctx, &self.authorized().await?, entry).await.map(drop)
    }

    async fn authorized(&self) -> Result<Authorized> {
        let tier = self.tier()?;
        let object = Object::new("deployment", self.claim.id.to_string())
            .with_service(ServiceScope { key: self.claim.service_key.clone(), team: None, system: None })
            .with_environment(EnvironmentScope { name: self.claim.environment.clone(), tier });
        self.store().db.authorize(&self.ctx, Action::DeploymentRun, object).await
    }

    pub(super) async fn seen(&self, observation: &Observation) -> Result<()> {
        let replicas = observation.replicas;
        let message = text!(
            "{updated} of {desired} instances run the new version, {ready} ready",
            updated = replicas.updated,
            desired = replicas.desired,
            ready = replicas.ready
        );
        self.store().seen(self.claim, &observation.instances, replicas, &message).await?;
        self.engine.feed.wake();
        Ok(())
    }

    pub(super) async fn note(&self, message: &Text) -> Result<()> {
        self.store().note(self.claim, message).await?;
        self.engine.feed.wake();
        Ok(())
    }

    /// Waits for a wish to cancel; for ever when there is none.
    pub(super) async fn cancelled(&self) -> String {
        let mut cancel = self.cancel.clone();
        loop {
            let by = cancel.borrow_and_update().clone();
            if let Some(by) = by {
                return by;
            }
            if cancel.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    pub(super) async fn step(&self, name: &str, state: StepState, message: Text) -> Result<()> {
        self.store().step(self.claim, name, state, &message).await?;
        self.engine.feed.wake();
        Ok(())
    }

    pub(super) fn change(&self) -> Result<Change> {
        self.claim
            .change
            .as_ref()
            .map(|json| json.0.clone())
            .ok_or_else(|| AppError::internal("a deployment without a change"))
    }
}

pub(super) fn followed(followed: Followed) -> Step<Observation> {
    match followed {
        Followed::Done(observation) => Ok(*observation),
        Followed::Failed(failure) => Err(Stop::Failed(failure)),
        Followed::Cancelled(by) => Err(Stop::Cancelled(by)),
        Followed::Foreign(why) => Err(Stop::Foreign(why)),
    }
}

pub(super) const fn unknown(message: Text) -> Failure {
    Failure { cause: Cause::Unknown, message, instance: None, logs: Vec::new() }
}
