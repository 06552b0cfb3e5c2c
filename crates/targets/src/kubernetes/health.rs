//! How what runs is doing, in a word and a few more. Pure.

use super::rollout::{updated, was_complete};
use super::snapshot::{Snapshot, count};
use super::symptom::{Kind, Symptom, has_been_ready, of_pod};
use crate::Rollout;
use passerelle_contract::deployments::{Cause, Health};

pub(super) fn of(snapshot: &Snapshot, rollout: &Rollout) -> (Health, Option<String>) {
    let desired = snapshot.replicas();
    let ready = count(snapshot.status.ready_replicas.unwrap_or(0));
    let ill = if ready == 0 { Health::Failed } else { Health::Degraded };
    match rollout {
        Rollout::Complete if desired == 0 => (Health::Healthy, Some("scaled to 0".to_owned())),
        Rollout::Complete => (Health::Healthy, None),
        Rollout::Failed { failure } => (ill, Some(format!("{}, {ready} of {desired} ready", in_words(failure.cause)))),
        Rollout::Progressing if snapshot.spec.paused == Some(true) => {
            (Health::Degraded, Some("rollouts of the Deployment are paused".to_owned()))
        }
        Rollout::Progressing => {
            let trouble = worst(snapshot).map_or_else(String::new, |words| format!(", {words}"));
            if was_complete(snapshot) && ready < desired && lost_some(snapshot) {
                return (ill, Some(format!("{ready} of {desired} ready{trouble}")));
            }
            let updated = updated(snapshot);
            (Health::Progressing, Some(format!("{updated} of {desired} updated, {ready} ready{trouble}")))
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

fn worst(snapshot: &Snapshot) -> Option<&'static str> {
    let symptoms = snapshot.updated_pods().filter_map(of_pod);
    symptoms.filter_map(|symptom| Some((!symptom.certain, words(&symptom)?))).min().map(|(_, words)| words)
}

/// What keeps a pod from being ready; nothing when it is only on its way.
fn words(symptom: &Symptom) -> Option<&'static str> {
    match symptom.kind {
        Kind::Config { .. } => Some(in_words(Cause::MissingConfig)),
        Kind::Pull { .. } => Some(in_words(Cause::ImagePull)),
        Kind::Crash { .. } => Some("a container has ended"),
        Kind::Unschedulable { .. } => Some(in_words(Cause::Unschedulable)),
        Kind::NotReady | Kind::NotStarted => None,
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

#[cfg(test)]
mod tests {
    use super::super::fixtures::{self, Parts};
    use super::*;
    use serde_json::json;

    /// A complete rollout whose second pod is in this status, with one pod ready.
    fn with_pod(status: &serde_json::Value) -> (Health, Option<String>) {
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
        assert_eq!((lost.0, lost.1.as_deref()), (Health::Degraded, Some("1 of 2 ready")));
        assert_eq!(with_pod(&status("2026-01-01T10:00:00Z", 1)).0, Health::Degraded);
    }

    #[test]
    fn what_keeps_a_pod_is_said() {
        let refused = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1"}]});
        assert_eq!(with_pod(&refused), (Health::Degraded, Some("1 of 2 ready, no node takes the pod".to_owned())));
    }

    #[test]
    fn a_complete_rollout_is_healthy() {
        assert_eq!(of(&fixtures::snapshot("complete"), &Rollout::Complete), (Health::Healthy, None));
        let mut none = fixtures::snapshot("complete");
        none.spec.replicas = Some(0);
        assert_eq!(of(&none, &Rollout::Complete).1.as_deref(), Some("scaled to 0"));
    }
}
