//! Puts service, tasks and evidence together into one observation. Pure.

use super::evidence::Evidence;
use super::fence::LABELS;
use super::model::{Service, Task};
use super::rollout::{Tasks, Verdict};
use super::{cause, change, instances, spec};
use crate::{Observation, Rollout};
use passerelle_contract::deployments::{Health, Replicas};
use passerelle_contract::{Text, text};
use time::OffsetDateTime;

/// What was read from the engine in one look.
#[derive(Debug)]
pub(super) struct Look {
    pub service: Service,
    pub tasks: Vec<Task>,
    /// The engine's clock, since all times in the tasks are the Swarm's own.
    pub now: OffsetDateTime,
}

impl Look {
    pub fn sorted(&self) -> Tasks<'_> {
        Tasks::new(&self.service, &self.tasks, self.now)
    }

    /// The task whose container and log would tell why the rollout failed.
    pub fn suspect(&self) -> Option<&Task> {
        match self.sorted().verdict(self.now) {
            Verdict::Failed { suspect } => suspect,
            Verdict::Progressing | Verdict::Complete => None,
        }
    }
}

/// The observation; `evidence` is about [`Look::suspect`].
pub(super) fn observation(name: &str, look: &Look, evidence: Option<&Evidence>) -> Observation {
    let tasks = look.sorted();
    let rollout = match tasks.verdict(look.now) {
        Verdict::Progressing => Rollout::Progressing,
        Verdict::Complete => Rollout::Complete,
        Verdict::Failed { suspect } => {
            Rollout::Failed { failure: cause::failure(name, &look.service, suspect, evidence) }
        }
    };
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let replicas = Replicas {
        desired: count(tasks.desired()),
        updated: count(tasks.updated_ready()),
        ready: count(tasks.ready()),
    };
    let (health, health_message) = health(&rollout, &replicas, &tasks);
    let spec = &look.service.spec;
    Observation {
        image: spec::image(spec).to_owned(),
        replicas,
        instances: instances::list(name, &tasks),
        env: spec::env(spec),
        rollout,
        health,
        health_message,
        fence: LABELS.read(spec),
        recorded: change::record(spec),
    }
}

fn health(rollout: &Rollout, replicas: &Replicas, tasks: &Tasks<'_>) -> (Health, Option<Text>) {
    let ready = text!("{ready} of {desired} tasks ready", ready = replicas.ready, desired = replicas.desired);
    match rollout {
        Rollout::Failed { failure } if replicas.ready == 0 && replicas.desired > 0 => {
            (Health::Failed, Some(text!("{ready}: {why}", ready, why = &failure.message)))
        }
        Rollout::Failed { failure } => (Health::Degraded, Some(failure.message.clone())),
        Rollout::Complete => (Health::Healthy, None),
        // No update is under way, yet something has ended: it is not progress but trouble.
        Rollout::Progressing if !tasks.service.update_state().is_running() && !tasks.ended().is_empty() => {
            (Health::Degraded, Some(ready))
        }
        Rollout::Progressing => (Health::Progressing, Some(ready)),
    }
}
