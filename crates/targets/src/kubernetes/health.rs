//! How what runs is doing, in a word and a few more. Pure.

use super::rollout::{updated, was_complete};
use super::snapshot::{Snapshot, count};
use super::symptom::{Kind, Symptom, has_been_ready, of_pod};
use crate::Rollout;
use passerelle_contract::deployments::{Cause, Health};
use passerelle_contract::{Text, text};

pub(super) fn of(snapshot: &Snapshot, rollout: &Rollout) -> (Health, Option<Text>) {
    let desired = snapshot.replicas();
    let ready = count(snapshot.status.ready_replicas.unwrap_or(0));
    let ill = if ready == 0 { Health::Failed } else { Health::Degraded };
    match rollout {
        Rollout::Complete if desired == 0 => (Health::Healthy, Some(text!("scaled to 0"))),
        Rollout::Complete => (Health::Healthy, None),
        Rollout::Failed { failure } => {
            let why = in_words(failure.cause);
            (ill, Some(text!("{why}, {ready} of {desired} ready", why, ready, desired)))
        }
        Rollout::Progressing if snapshot.spec.paused == Some(true) => {
            (Health::Degraded, Some(text!("rollouts of the Deployment are paused")))
        }
        Rollout::Progressing => {
            let with_trouble = |so_far: Text| match worst(snapshot) {
                Some(why) => text!("{so_far}, {why}", so_far, why),
                None => so_far,
            };
            if was_complete(snapshot) && ready < desired && lost_some(snapshot) {
                return (ill, Some(with_trouble(text!("{ready} of {desired} ready", ready, desired))));
            }
            let updated = updated(snapshot);
            let so_far = text!("{updated} of {desired} updated, {ready} ready", updated, desired, ready);
            (Health::Progressing, Some(with_trouble(so_far)))
        }
    }
}

/// Instances that were well and no longer are, as opposed to new ones on their way up.
fn lost_some(snapshot: &Snapshot) -> bool {
    snapshot.updated_pods().any(|pod| {
        let troubled = of_pod(pod).is_some_and(|symptom| words(&symptom).is_some());
        let restarted = pod
            .status
            .iter()
            .flat_map(|status| status.container_statuses.iter().flatten())
            .any(|one| one.restart_count > 0);
        of_pod(pod).is_some() && (troubled || restarted || has_been_ready(pod))
    })
}

fn worst(snapshot: &Snapshot) -> Option<Text> {
    let symptoms = snapshot.updated_pods().filter_map(of_pod);
    let words = symptoms.filter_map(|symptom| Some((!symptom.certain, words(&symptom)?)));
    words.min_by_key(|(certain, words)| (*certain, words.to_string())).map(|(_, words)| words)
}

/// What keeps a pod from being ready; nothing when it is only on its way.
fn words(symptom: &Symptom) -> Option<Text> {
    match symptom.kind {
        Kind::Config { .. } => Some(in_words(Cause::MissingConfig)),
        Kind::Pull { .. } => Some(in_words(Cause::ImagePull)),
        Kind::Crash { .. } => Some(text!("a container has ended")),
        Kind::Unschedulable { .. } => Some(in_words(Cause::Unschedulable)),
        Kind::NotReady | Kind::NotStarted => None,
    }
}

fn in_words(cause: Cause) -> Text {
    match cause {
        Cause::ImagePull => text!("image cannot be pulled"),
        Cause::CrashLoop => text!("crash loop"),
        Cause::Probe => text!("probe fails"),
        Cause::MissingConfig => text!("missing configuration"),
        Cause::Unschedulable => text!("no node takes the pod"),
        Cause::Quota => text!("quota exceeded"),
        Cause::Deadline => text!("no progress within the deadline"),
        Cause::Migration => text!("the migration failed"),
        Cause::Dependency => text!("something it depends on is not ready"),
        Cause::TargetUnreachable => text!("target does not answer"),
        Cause::Refused => text!("new pods are refused"),
        Cause::JobFailed | Cause::ErrorRatio | Cause::Unknown => text!("failed"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, Parts};
    use super::*;
    use serde_json::json;

    /// A complete rollout whose second pod is in this status, with one pod ready.
    fn with_pod(status: &serde_json::Value) -> (Health, Option<Text>) {
        let mut parts: Parts = fixtures::complete();
        parts.deployment["status"]["readyReplicas"] = json!(1);
        parts.deployment["status"]["availableReplicas"] = json!(1);
        parts.pods[1] = fixtures::pod("web-v1-2", "web-v1", status);
        of(&parts.snapshot(), &Rollout::Progressing)
    }

    #[test]
    fn a_new_pod_on_its_way_is_progress_and_a_lost_one_is_not() {
        let status = |since: &str, restarts: i32| {
            json!({"startTime": "2026-01-01T10:00:00Z",
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": since}],
                "containerStatuses": [{"name": "web", "image": "i", "imageID": "", "ready": false, "restartCount": restarts,
                    "state": {"running": {}}}]})
        };
        assert_eq!(with_pod(&status("2026-01-01T10:00:00Z", 0)).0, Health::Progressing);
        let lost = with_pod(&status("2026-01-01T11:00:00Z", 0));
        assert_eq!((lost.0, lost.1.map(|why| why.to_string()).as_deref()), (Health::Degraded, Some("1 of 2 ready")));
        assert_eq!(with_pod(&status("2026-01-01T10:00:00Z", 1)).0, Health::Degraded);
    }

    #[test]
    fn what_keeps_a_pod_is_said() {
        let refused = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}]});
        let (health, why) = with_pod(&refused);
        assert_eq!(
            (health, why.unwrap().to_string().as_str()),
            (Health::Degraded, "1 of 2 ready, no node takes the pod")
        );
    }

    #[test]
    fn a_complete_rollout_is_healthy() {
        assert_eq!(of(&fixtures::snapshot("complete"), &Rollout::Complete), (Health::Healthy, None));
        let mut none = fixtures::snapshot("complete");
        none.spec.replicas = Some(0);
        assert_eq!(of(&none, &Rollout::Complete).1.unwrap(), "scaled to 0");
    }
}
