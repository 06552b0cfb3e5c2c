//! Following a target until it is where it should be, has failed, takes too long, or somebody cancels.

use super::judge::Judge;
use super::run::Run;
use crate::deployments::model::{Progress, deadline_failure, progress};
use crate::kernel::Result;
use futures::StreamExt;
use passerelle_contract::deployments::{Failure, Health, Instance, Replicas};
use passerelle_contract::{Text, text};
use passerelle_targets::{Observation, Target, TargetError};
use std::time::Duration;
use tokio::time::Instant;

/// How long the target may show somebody else's write before it counts: watches may start with an older state.
const FOREIGN_GRACE: Duration = Duration::from_secs(10);
/// The same for a failure under an earlier fence that we have not seen ours before.
const FAILED_GRACE: Duration = Duration::from_secs(5);
/// The pause before a broken watch is opened again.
const REOPEN: Duration = Duration::from_secs(1);

/// How often a rollout that comes true in stages is asked whether the next one is due.
const STAGE_LOOK: Duration = Duration::from_secs(2);

/// How following ended.
#[derive(Debug)]
pub enum Followed {
    Done(Box<Observation>),
    Failed(Failure),
    Cancelled(String),
    Foreign(Text),
}

/// What to wait for.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    pub deadline: Duration,
    /// It must stay complete for so long.
    pub stable_for: Duration,
    /// A wish to cancel ends the wait.
    pub cancellable: bool,
    /// The target's stages are taken meanwhile.
    pub staged: bool,
}

/// What was written last, so that only changes are written.
#[derive(Debug, Default)]
struct Seen {
    last: Option<Observation>,
    written: Option<(Vec<Instance>, Replicas)>,
    done_since: Option<Instant>,
    foreign_since: Option<Instant>,
    /// The target has shown our own write.
    ours: bool,
    unreachable: bool,
}

impl Run<'_> {
    /// # Errors
    /// When the lease is lost or the database is away; the target's troubles are part of the answer.
    pub async fn follow(&self, target: &dyn Target, wait: Wait, mut judge: Option<&mut Judge>) -> Result<Followed> {
        let end = Instant::now() + wait.deadline;
        let mut seen = Seen::default();
        let mut stream = target.watch();
        let mut next_stage = Instant::now();
        loop {
            let next_look = seen.done_since.map_or(end, |since| (since + wait.stable_for).min(end));
            let next_question = judge.as_ref().map_or(end, |judge| judge.due());
            tokio::select! {
                item = stream.next() => match item {
                    Some(Ok(observation)) => {
                        if let Some(ended) = self.look(observation, &mut seen, wait).await? {
                            return Ok(ended);
                        }
                    }
                    broken => {
                        self.note_break(broken, &mut seen).await?;
                        tokio::time::sleep(REOPEN.min(end.saturating_duration_since(Instant::now()))).await;
                        stream = target.watch();
                    }
                },
                () = tokio::time::sleep_until(next_look) => {}
                () = tokio::time::sleep_until(next_stage), if wait.staged => {
                    if let Some(ended) = self.advance(target, judge.as_deref_mut()).await? {
                        return Ok(ended);
                    }
                    next_stage = Instant::now() + STAGE_LOOK;
                }
                () = tokio::time::sleep_until(next_question), if judge.is_some() => {
                    if let Some(judge) = judge.as_deref_mut()
                        && let Some(failure) = self.heard(judge).await?
                    {
                        return Ok(Followed::Failed(failure));
                    }
                }
                by = self.cancelled(), if wait.cancellable => return Ok(Followed::Cancelled(by)),
            }
            if let (Some(since), Some(observation)) = (seen.done_since, &seen.last)
                && since.elapsed() >= wait.stable_for
            {
                return Ok(Followed::Done(Box::new(observation.clone())));
            }
            if Instant::now() >= end {
                return Ok(Followed::Failed(late(&seen, wait, judge.as_deref())));
            }
        }
    }

    /// Takes the next stage when it is due and the judge agrees. Of a target that does not answer the watch tells.
    async fn advance(&self, target: &dyn Target, judge: Option<&mut Judge>) -> Result<Option<Followed>> {
        let mut judge = judge;
        if let Some(judge) = judge.as_deref_mut()
            && let Some(failure) = self.heard(judge).await?
        {
            return Ok(Some(Followed::Failed(failure)));
        }
        let agreed = judge.as_ref().is_none_or(|judge| judge.agrees());
        match target.advance(self.claim.fence(), agreed).await {
            Ok(Some(said)) => {
                self.note(&said).await?;
                if let Some(judge) = judge {
                    self.tell(judge).await?;
                }
                Ok(None)
            }
            Ok(None) => Ok(None),
            Err(error) if error.is_transient() => Ok(None),
            Err(TargetError::Fenced(why)) => Ok(Some(Followed::Foreign(why))),
            Err(error) => Ok(Some(Followed::Failed(error.to_failure()))),
        }
    }

    /// Writes down what changed, and says whether it ends the wait.
    async fn look(&self, observation: Observation, seen: &mut Seen, wait: Wait) -> Result<Option<Followed>> {
        seen.unreachable = false;
        let now = (observation.instances.clone(), observation.replicas);
        if seen.written.as_ref() != Some(&now) {
            self.seen(&observation).await?;
            seen.written = Some(now);
        }
        let progress = progress(&observation, self.claim.id);
        seen.ours |= !matches!(progress, Progress::Foreign(_));
        let ended = match progress {
            Progress::Done if observation.health == Health::Healthy || wait.stable_for.is_zero() => {
                seen.done_since.get_or_insert_with(Instant::now);
                seen.foreign_since = None;
                None
            }
            Progress::Done | Progress::Going => {
                seen.done_since = None;
                seen.foreign_since = None;
                None
            }
            Progress::Failed(failure) => Some(Followed::Failed(failure)),
            Progress::Foreign(failure) => {
                seen.done_since = None;
                let for_so_long = seen.foreign_since.get_or_insert_with(Instant::now).elapsed();
                match failure {
                    Some(failure) if seen.ours || for_so_long >= FAILED_GRACE => Some(Followed::Failed(failure)),
                    None if for_so_long >= FOREIGN_GRACE => Some(Followed::Foreign(text!(
                        "somebody else has changed the target while this deployment was rolling out"
                    ))),
                    _ => None,
                }
            }
        };
        seen.last = Some(observation);
        Ok(ended)
    }

    async fn note_break(&self, broken: Option<Result<Observation, TargetError>>, seen: &mut Seen) -> Result<()> {
        // Said once per break, not at each try.
        if !seen.unreachable {
            let why = match broken {
                Some(Err(error)) => error.text(),
                _ => text!("the watch has ended"),
            };
            self.note(&text!("Lost sight of the target, trying again: {why}", why)).await?;
        }
        seen.unreachable = true;
        seen.done_since = None;
        Ok(())
    }
}

/// A version that was held back because nobody could judge it is told so, rather than that it took long.
fn late(seen: &Seen, wait: Wait, judge: Option<&Judge>) -> Failure {
    let seconds = i32::try_from(wait.deadline.as_secs()).unwrap_or(i32::MAX);
    judge
        .filter(|_| wait.staged)
        .and_then(Judge::unjudged)
        .unwrap_or_else(|| deadline_failure(seen.last.as_ref().filter(|_| !seen.unreachable), seconds))
}
