//! How what runs is doing, in a word and a few more. Pure.

use super::rollout::{updated, was_complete};
use super::snapshot::{Snapshot, count};
use crate::Rollout;
use passerelle_contract::deployments::{Cause, Health};

pub(super) fn of(snapshot: &Snapshot, rollout: &Rollout) -> (Health, Option<String>) {
    let desired = snapshot.replicas();
    let ready = count(snapshot.status.ready_replicas.unwrap_or(0));
    match rollout {
        Rollout::Complete if desired == 0 => (Health::Healthy, Some("scaled to 0".to_owned())),
        Rollout::Complete => (Health::Healthy, None),
        Rollout::Failed { failure } => {
            let health = if ready == 0 { Health::Failed } else { Health::Degraded };
            (health, Some(format!("{}, {ready} of {desired} ready", in_words(failure.cause))))
        }
        Rollout::Progressing if snapshot.spec.paused == Some(true) => {
            (Health::Degraded, Some("rollouts of the Deployment are paused".to_owned()))
        }
        // It was complete once and nobody changed it: instances have gone away.
        Rollout::Progressing if was_complete(snapshot) && ready < desired => {
            let health = if ready == 0 { Health::Failed } else { Health::Degraded };
            (health, Some(format!("{ready} of {desired} ready")))
        }
        Rollout::Progressing => {
            let updated = updated(snapshot);
            (Health::Progressing, Some(format!("{updated} of {desired} updated, {ready} ready")))
        }
    }
}

const fn in_words(cause: Cause) -> &'static str {
    match cause {
        Cause::ImagePull => "image cannot be pulled",
        Cause::CrashLoop => "crash loop",
        Cause::Probe => "probe fails",
        Cause::MissingConfig => "missing configuration",
        Cause::Unschedulable => "no node takes the pod",
        Cause::Quota => "quota exceeded",
        Cause::Deadline => "no progress within the deadline",
        Cause::TargetUnreachable => "target does not answer",
        Cause::Refused => "new pods are refused",
        Cause::Unknown => "failed",
    }
}
