//! Has what was asked for come true? Decided from the service's update status and its tasks, without talking to anybody.

use super::model::{Service, Task, UpdateState};
use super::spec;
use time::{Duration, OffsetDateTime};

/// How long a task may wait for a node before we say that there is none.
const PLACEMENT_PATIENCE: Duration = Duration::seconds(15);
/// How long after a write Swarm may need to begin an update.
const START_PATIENCE: Duration = Duration::seconds(5);
/// Tasks that must have ended before we call it a failure ourselves, when Swarm's update goes on in spite of them.
const ENDED_WHILE_UPDATING: usize = 3;
/// The same when no update is running, so that Swarm starts new tasks for ever.
const ENDED_AFTERWARDS: usize = 2;

/// The verdict, before its cause is looked for.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    Progressing,
    Complete,
    Failed {
        /// The task that shows why, when there is one.
        suspect: Option<&'a Task>,
    },
}

/// Tasks of one service, sorted by what they mean for the newest rollout.
#[derive(Debug)]
pub(super) struct Tasks<'a> {
    pub service: &'a Service,
    pub all: &'a [Task],
    /// A task may differ from the specification in its placement rules: Swarm has let it be.
    any_placement: bool,
}

impl<'a> Tasks<'a> {
    pub fn new(service: &'a Service, all: &'a [Task], now: OffsetDateTime) -> Self {
        let any_placement = match service.update_state() {
            UpdateState::Completed => true,
            UpdateState::None => now - super::model::instant(&service.updated_at) > START_PATIENCE,
            _ => false,
        };
        Self { service, all, any_placement }
    }

    /// Runs the present specification.
    pub fn is_current(&self, task: &Task) -> bool {
        spec::runs(&self.service.spec["TaskTemplate"], &task.spec, self.any_placement)
    }

    /// Belongs to the version being rolled out. When Swarm goes back, that version is no longer the service's own.
    pub fn is_updated(&self, task: &Task) -> bool {
        if self.service.update_state().is_rollback() {
            task.created() >= self.service.rollout_start() && !self.is_current(task)
        } else {
            self.is_current(task)
        }
    }

    /// Ready tasks, of any version.
    pub fn ready(&self) -> usize {
        self.all.iter().filter(|task| task.is_ready()).count()
    }

    pub fn updated_ready(&self) -> usize {
        self.all.iter().filter(|task| task.is_ready() && self.is_updated(task)).count()
    }

    pub fn desired(&self) -> usize {
        match spec::replicas(&self.service.spec) {
            Some(replicas) => usize::try_from(replicas).unwrap_or(usize::MAX),
            None => {
                let mut places: Vec<_> = self.all.iter().filter(|task| task.is_wanted()).map(Task::place).collect();
                places.sort_unstable();
                places.dedup();
                places.len()
            }
        }
    }

    /// Tasks of this rollout that ended by themselves, the newest first.
    pub fn ended(&self) -> Vec<&'a Task> {
        let start = self.service.rollout_start();
        let mut ended: Vec<_> = self
            .all
            .iter()
            .filter(|task| task.has_ended_by_itself() && task.created() >= start && self.is_updated(task))
            .collect();
        ended.sort_by_key(|task| std::cmp::Reverse(super::model::instant(&task.status.timestamp)));
        ended
    }

    fn unplaced(&self, now: OffsetDateTime) -> Option<&'a Task> {
        self.all.iter().find(|task| {
            let waits = task.is_wanted() && task.status.state == "pending" && self.is_updated(task);
            waits && task.status.err.contains("no suitable node") && now - task.created() > PLACEMENT_PATIENCE
        })
    }

    /// All wanted tasks are there, ready and of the version asked for, and no other runs any more.
    fn is_complete(&self) -> bool {
        let desired = self.desired();
        let wanted = self.all.iter().filter(|task| task.is_wanted()).count();
        let running = self.all.iter().filter(|task| task.status.state == "running").count();
        self.updated_ready() == desired && wanted == desired && running == desired
    }

    /// Swarm has stopped replacing tasks that ended.
    fn has_given_up(&self) -> bool {
        !self.all.iter().any(Task::is_wanted) && self.desired() > 0
    }

    pub fn verdict(&self, now: OffsetDateTime) -> Verdict<'a> {
        let ended = self.ended();
        let failed = |suspect| Verdict::Failed { suspect };
        match self.service.update_state() {
            UpdateState::RollbackStarted
            | UpdateState::RollbackPaused
            | UpdateState::RollbackCompleted
            | UpdateState::Paused => failed(self.named(&ended).or_else(|| ended.first().copied())),
            UpdateState::Updating => {
                let goes_on = spec::failure_action(&self.service.spec) == Some("continue");
                if let Some(task) = self.unplaced(now) {
                    failed(Some(task))
                } else if goes_on && ended.len() >= ENDED_WHILE_UPDATING && self.updated_ready() == 0 {
                    failed(ended.first().copied())
                } else {
                    Verdict::Progressing
                }
            }
            UpdateState::None | UpdateState::Completed => {
                if self.is_complete() {
                    Verdict::Complete
                } else if let Some(task) = self.unplaced(now) {
                    failed(Some(task))
                } else if ended.len() >= ENDED_AFTERWARDS || (self.has_given_up() && !ended.is_empty()) {
                    failed(ended.first().copied())
                } else {
                    Verdict::Progressing
                }
            }
        }
    }

    /// The task that Swarm's own message names.
    fn named(&self, ended: &[&'a Task]) -> Option<&'a Task> {
        let message = &self.service.update_status.as_ref()?.message;
        let id = message.rsplit(' ').next()?;
        ended.iter().copied().find(|task| task.id == id)
    }
}
