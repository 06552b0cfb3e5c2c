//! What is seen while two Deployments run one service. Pure.

use super::super::diagnose::verdict;
use super::super::evidence::Evidence;
use super::super::snapshot::{Snapshot, count};
use super::super::{annotations, health, instances, observe};
use super::mark::{Mark, pods_before, read};
use crate::{Observation, Rollout};
use passerelle_contract::deployments::{Health, Replicas};
use passerelle_contract::{Text, text};

/// The Deployment, and the one beside it.
#[derive(Debug, Clone)]
pub(in crate::kubernetes) struct Looked {
    pub main: Snapshot,
    /// That of the canary under way; one that an earlier deployment has left does not count.
    canary: Option<Snapshot>,
    mark: Option<Mark>,
}

impl Looked {
    pub fn new(main: Snapshot, canary: Option<Snapshot>) -> Self {
        let writer = |snapshot: &Snapshot| {
            annotations::fence(snapshot.metadata.annotations.as_ref()).map(|fence| fence.deployment)
        };
        let mark = read(&main);
        let canary =
            canary.filter(|canary| mark.is_some() && writer(canary).is_some() && writer(canary) == writer(&main));
        Self { main, canary, mark }
    }

    /// The one whose pods decide now.
    pub fn deciding(&self) -> &Snapshot {
        match (&self.mark, &self.canary) {
            (Some(mark), Some(canary)) if !mark.is_last() => canary,
            _ => &self.main,
        }
    }

    pub fn snapshots(&self) -> impl Iterator<Item = &Snapshot> {
        std::iter::once(&self.main).chain(&self.canary)
    }
}

/// `evidence` is about [`Looked::deciding`].
fn verdict_of(looked: &Looked, evidence: &Evidence) -> Rollout {
    match (&looked.mark, &looked.canary) {
        (None, _) => verdict(&looked.main, evidence),
        (Some(mark), Some(canary)) if !mark.is_last() => on_its_way(verdict(canary, evidence)),
        (Some(mark), None) if !mark.is_last() => Rollout::Progressing,
        (Some(_), _) => on_its_way(verdict(&looked.main, evidence)),
    }
}

/// What is complete is one step, and not the end of it.
fn on_its_way(verdict: Rollout) -> Rollout {
    match verdict {
        Rollout::Complete => Rollout::Progressing,
        other => other,
    }
}

pub(in crate::kubernetes) fn observation(looked: &Looked, evidence: &Evidence) -> Observation {
    let verdict = verdict_of(looked, evidence);
    let mut seen = observe::observation(&looked.main, verdict);
    let Some(mark) = &looked.mark else { return seen };
    let (pods, ready) = looked.canary.as_ref().map_or((0, 0), |canary| {
        let status = &canary.status;
        (count(status.replicas.unwrap_or(0)), count(status.ready_replicas.unwrap_or(0)))
    });
    if !mark.is_last() {
        seen.instances.iter_mut().for_each(|instance| instance.updated = false);
        seen.replicas.updated = pods;
    }
    seen.replicas = Replicas {
        desired: pods_before(&looked.main),
        updated: seen.replicas.updated,
        ready: seen.replicas.ready.saturating_add(ready),
    };
    let beside = looked.canary.iter().flat_map(instances::of);
    seen.instances = beside.chain(seen.instances).take(instances::MAX_INSTANCES).collect();
    (seen.health, seen.health_message) = match &seen.rollout {
        Rollout::Failed { .. } => health::of(&looked.main, &seen.rollout),
        _ => (Health::Progressing, Some(said(mark, ready))),
    };
    seen
}

fn said(mark: &Mark, ready: u32) -> Text {
    if mark.is_last() {
        return text!("every pod gets the new version");
    }
    text!(
        "{ready} of {wanted} new pods are ready beside the version before ({percent} %)",
        ready,
        wanted = mark.pods(),
        percent = mark.percent
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::super::ANNOTATION;
    use super::*;
    use crate::{Change, Fence};
    use uuid::Uuid;

    fn with(mut snapshot: Snapshot, deployment: u128, mark: Option<&Mark>) -> Snapshot {
        let fence = Fence { deployment: Uuid::from_u128(deployment), epoch: 1 };
        let mut marks = annotations::patch(&Change::Image { image: "tinyweb:v2".into(), manifests: None }, fence);
        if let Some(mark) = mark {
            marks[ANNOTATION] = serde_json::to_string(mark).unwrap().into();
        }
        snapshot.metadata.annotations = serde_json::from_value(marks).ok();
        snapshot
    }

    fn mark(percent: u8) -> Mark {
        Mark { image: "tinyweb:v2".into(), percent, since: 1, replicas: 4, gives_way: true }
    }

    #[test]
    fn both_are_seen_and_complete_is_only_a_step() {
        let complete = || fixtures::snapshot("complete");
        let looked = Looked::new(with(complete(), 7, Some(&mark(50))), Some(with(complete(), 7, None)));
        let seen = observation(&looked, &Evidence::default());
        assert_eq!((seen.rollout, seen.health), (Rollout::Progressing, Health::Progressing));
        assert_eq!((seen.replicas.desired, seen.replicas.updated, seen.replicas.ready), (4, 2, 4));
        assert_eq!(seen.instances.iter().filter(|one| one.updated).count(), 2);
        assert!(seen.health_message.unwrap().to_string().starts_with("2 of 2 new pods are ready"));
        assert_eq!(seen.recorded.0["replicas"], 4, "as many as before, not those that are left");
        let last = Looked::new(with(complete(), 7, Some(&mark(100))), Some(with(complete(), 7, None)));
        assert_eq!(verdict_of(&last, &Evidence::default()), Rollout::Progressing);
        let none = Looked::new(with(complete(), 7, None), None);
        assert_eq!(verdict_of(&none, &Evidence::default()), Rollout::Complete);
    }

    #[test]
    fn a_failing_canary_fails_and_one_that_was_left_does_not_count() {
        let complete = || with(fixtures::snapshot("complete"), 7, Some(&mark(10)));
        let late = || fixtures::snapshot("deadline");
        let looked = Looked::new(complete(), Some(with(late(), 7, None)));
        assert!(matches!(verdict_of(&looked, &Evidence::default()), Rollout::Failed { .. }));
        let seen = observation(&looked, &Evidence::default());
        assert!(matches!(seen.health, Health::Degraded), "the version before serves: {seen:?}");
        let left = Looked::new(complete(), Some(with(late(), 6, None)));
        assert_eq!(verdict_of(&left, &Evidence::default()), Rollout::Progressing);
        let unmarked = Looked::new(with(fixtures::snapshot("complete"), 7, None), Some(with(late(), 7, None)));
        assert_eq!(verdict_of(&unmarked, &Evidence::default()), Rollout::Complete);
    }
}
