//! The target: one pipeline that deploys one service in one environment.

use super::config::{BindingConfig, Kind, wrong};
use super::model::{Attempt, JobState, Ledger, Mark, Turn};
use super::provider::{Order, Provider};
use super::state;
use crate::polling;
use crate::{
    Applied, Change, Fence, ImageRef, Observation, Recorded, Rollout, Target, TargetError, TargetPlan, masking,
    same_image,
};
use async_trait::async_trait;
use futures::stream::BoxStream;
use passerelle_contract::deployments::{DiffLine, Drift, Finding, Severity};
use passerelle_contract::{Text, text};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// So long after a claim a run that was ordered before a crash may still appear.
const SETTLE_S: i64 = 20;
/// Between two looks while nothing moves.
const IDLE: Duration = Duration::from_secs(15);
/// Lines of a failed job that are kept with the failure.
const LOG_LINES: u32 = 50;
/// Most logs that are kept.
const MOST_LOGS: usize = 32;

/// What a connection shares among its bindings.
pub(super) struct Shared {
    pub provider: Box<dyn Provider>,
    pub kind: Kind,
    /// Between two looks while a run is under way.
    pub busy: Duration,
    /// The end of the logs of failed jobs, which do not change any more.
    pub logs: Mutex<HashMap<u64, Vec<String>>>,
}

#[derive(Clone)]
pub(super) struct Pipeline {
    pub shared: Arc<Shared>,
    pub binding: Arc<BindingConfig>,
}

impl Pipeline {
    fn provider(&self) -> &dyn Provider {
        &*self.shared.provider
    }

    async fn ledger(&self) -> Result<Ledger, TargetError> {
        self.provider().ledger(&self.binding).await
    }

    /// What the change is to deploy.
    fn wanted(change: &Change) -> Result<String, TargetError> {
        let image = match change {
            Change::Image { image, .. } => image.as_str(),
            Change::Restore { recorded } | Change::RestoreVersion { recorded } => {
                recorded.0["image"].as_str().ok_or_else(|| {
                    TargetError::Refused(text!(
                        "no pipeline has deployed anything here before, so there is nothing to go back to"
                    ))
                })?
            }
            Change::Restart => {
                let why = text!("a pipeline deploys and does not run anything; deploy the same version again instead");
                return Err(TargetError::Refused(why));
            }
            Change::Scale { .. } => {
                return Err(TargetError::Refused(text!("a pipeline has no number of instances")));
            }
        };
        ImageRef::parse(image).map_err(|error| wrong("/image", error.text()))?;
        Ok(image.to_owned())
    }

    /// Ends what is under way: one pipeline at a time.
    async fn stop_others(&self, ledger: &Ledger) -> Result<(), TargetError> {
        for run in ledger.going() {
            self.provider().cancel(&self.binding, run).await?;
        }
        Ok(())
    }

    /// The last lines of the job that failed; without them the failure is told all the same.
    async fn failure_log(&self, ledger: &Ledger) -> Vec<String> {
        let run = ledger.current().and_then(|current| current.run.as_ref());
        let Some(job) = run.and_then(state::failed_job) else { return Vec::new() };
        let held = self.shared.logs.lock().unwrap_or_else(PoisonError::into_inner).get(&job.id).cloned();
        if let Some(lines) = held {
            return lines;
        }
        let Ok(log) = self.provider().log(&self.binding, job).await else { return Vec::new() };
        let lines = masking::last_lines(&log, LOG_LINES);
        let mut logs = self.shared.logs.lock().unwrap_or_else(PoisonError::into_inner);
        if logs.len() >= MOST_LOGS {
            logs.clear();
        }
        logs.insert(job.id, lines.clone());
        lines
    }

    /// Starts the manual job when its turn has come. Somebody else may be faster.
    async fn play(&self, current: &Attempt) -> Result<Option<Text>, TargetError> {
        let Some(wanted) = self.binding.manual_job.as_ref().map(super::Label::as_str) else { return Ok(None) };
        let jobs = current.run.iter().flat_map(|run| &run.jobs);
        let Some(job) = jobs.into_iter().find(|job| job.name == wanted && job.state == JobState::Manual) else {
            return Ok(None);
        };
        match self.provider().play(&self.binding, job).await {
            Ok(()) => Ok(Some(text!("manual job {job} is started", job = &job.name))),
            Err(error @ TargetError::Refused(_)) => {
                let now = self.ledger().await?;
                let jobs = now.current().and_then(|current| current.run.as_ref()).map(|run| &run.jobs);
                let waits = |jobs: &Vec<super::model::Job>| {
                    jobs.iter().any(|one| one.id == job.id && one.state == JobState::Manual)
                };
                if jobs.is_some_and(waits) { Err(error) } else { Ok(None) }
            }
            Err(error) => Err(error),
        }
    }
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[async_trait]
impl Target for Pipeline {
    async fn observe(&self) -> Result<Observation, TargetError> {
        let ledger = self.ledger().await?;
        let mut seen = state::observation(&ledger, now());
        if let Rollout::Failed { failure } = &mut seen.rollout
            && failure.instance.is_some()
        {
            failure.logs = self.failure_log(&ledger).await;
        }
        Ok(seen)
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, TargetError>> {
        polling::watch(self.clone(), self.shared.busy, IDLE)
    }

    async fn plan(&self, change: &Change) -> Result<TargetPlan, TargetError> {
        let image = match change {
            Change::Restart | Change::Scale { .. } => None,
            _ => Some(Self::wanted(change)?),
        };
        let ledger = self.ledger().await?;
        let before = ledger.deployed().map(str::to_owned);
        let same = before.as_deref().zip(image.as_deref()).is_some_and(|(before, after)| same_image(before, after));
        let diff = image.clone().filter(|_| !same).and_then(|after| DiffLine::of_values("image", before, Some(after)));
        let mut findings = self.provider().findings(&self.binding).await?;
        let mutable = image.filter(|image| ImageRef::parse(image).is_ok_and(|image| !image.is_pinned()));
        if let Some(image) = mutable {
            let message = text!("{image} names a tag, which another push can move; a digest cannot change", image);
            findings.push(Finding { severity: Severity::Info, code: "mutable_tag".to_owned(), message });
        }
        if let Some(job) = &self.binding.manual_job {
            let message = text!("the portal starts the manual job {job} when its turn has come", job = job.as_str());
            findings.push(Finding { severity: Severity::Info, code: "manual_job".to_owned(), message });
        }
        Ok(TargetPlan { diff: diff.into_iter().collect(), env: Vec::new(), findings })
    }

    async fn apply(&self, change: &Change, fence: Fence) -> Result<Applied, TargetError> {
        let mark = Mark::of(change, fence);
        let ledger = self.ledger().await?;
        let applied = |unchanged, message| Applied { before: state::record(&ledger), unchanged, message };
        let there = text!("a run of this change was ordered already");
        let claim = match ledger.turn(&mark)? {
            Turn::Done(_) => return Ok(applied(true, there)),
            Turn::Raise(attempt) => {
                self.provider().raise(&self.binding, attempt, fence.epoch).await?;
                return Ok(applied(true, there));
            }
            Turn::Unsure(attempt) if now() - attempt.asked_at < SETTLE_S => {
                let why = text!("it is not known yet whether the run was ordered before; looking again");
                return Err(TargetError::Unreachable(why));
            }
            Turn::Unsure(attempt) => Some(attempt),
            Turn::Write => None,
        };
        let wanted = Self::wanted(change);
        // A way back to nothing cannot be ordered, and stops what is under way all the same.
        if wanted.is_ok() || matches!(change, Change::Restore { .. } | Change::RestoreVersion { .. }) {
            self.stop_others(&ledger).await?;
        }
        let order = Order { mark, image: wanted? };
        let repository = self.binding.repository.as_str();
        let message = match self.provider().order(&self.binding, &order, claim).await? {
            Some(url) => text!("a run was ordered in {repository}: {url}", repository, url),
            None => text!("a run was ordered in {repository}", repository),
        };
        Ok(applied(false, message))
    }

    async fn stages(&self) -> Result<Option<Duration>, TargetError> {
        Ok(Some(self.binding.timeout_s.duration()))
    }

    async fn advance(&self, fence: Fence, _: bool) -> Result<Option<Text>, TargetError> {
        let ledger = self.ledger().await?;
        ledger.check(fence)?;
        for stray in ledger.strays() {
            if let Some(run) = stray.run.as_ref().filter(|run| !run.state.is_over()) {
                self.provider().cancel(&self.binding, run).await?;
                return Ok(Some(text!(
                    "run {id} was started by a process that another had overtaken; it is cancelled",
                    id = run.id
                )));
            }
        }
        let ours = |one: &&Attempt| one.mark.as_ref().is_some_and(|mark| mark.fence.deployment == fence.deployment);
        let Some(current) = ledger.current().filter(ours) else { return Ok(None) };
        if let Some(said) = self.play(current).await? {
            return Ok(Some(said));
        }
        let seen = current.run.as_ref().filter(|run| !run.state.is_over());
        if let Some(run) = seen
            && self.provider().tell(&self.binding, current).await?
        {
            return Ok(Some(text!("run {id} is under way: {url}", id = run.id, url = &run.url)));
        }
        Ok(None)
    }

    async fn conclude(&self, fence: Fence) -> Result<(), TargetError> {
        for attempt in &self.ledger().await?.0 {
            let ours = attempt.mark.as_ref().is_some_and(|mark| mark.fence.deployment == fence.deployment);
            if ours && attempt.run.as_ref().is_some_and(|run| run.state.is_over()) {
                self.provider().tell(&self.binding, attempt).await?;
            }
        }
        Ok(())
    }

    async fn logs(&self, instance: &str, lines: u32) -> Result<Vec<String>, TargetError> {
        let ledger = self.ledger().await?;
        let jobs = ledger
            .current()
            .and_then(|current| current.run.as_ref())
            .map(|run| run.jobs.as_slice())
            .unwrap_or_default();
        let job = jobs.iter().find(|job| job.label() == instance);
        let missing = || TargetError::Missing(text!("job {name}", name = masking::shown(instance)));
        let log = self.provider().log(&self.binding, job.ok_or_else(missing)?).await?;
        Ok(masking::last_lines(&log, lines))
    }

    async fn drift(&self, _: &Recorded) -> Result<Vec<Drift>, TargetError> {
        // Runs are all that is known here; what they have made is not looked at.
        Ok(Vec::new())
    }
}
