//! Whether a rollout has come true, as `kubectl rollout status` decides it. Pure.

use super::argo;
use super::snapshot::{Snapshot, count};
use k8s_openapi::api::apps::v1::{DeploymentCondition, RollingUpdateDeployment};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Where the controller is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// The controller has not seen the newest specification yet.
    Unseen,
    Progressing,
    Complete,
    /// `progressDeadlineSeconds` passed without progress; the controller's message.
    DeadlineExceeded(String),
    /// The controller of a Rollout has given the update up; its message.
    Stopped(String),
}

pub(super) fn stage(snapshot: &Snapshot) -> Stage {
    let status = &snapshot.status;
    if status.observed_generation.unwrap_or(0) < snapshot.metadata.generation.unwrap_or(0) {
        return Stage::Unseen;
    }
    if let Some(argo) = &snapshot.argo {
        return argo::stage(snapshot, argo);
    }
    let desired = snapshot.replicas();
    let [all, updated, available] =
        [status.replicas, status.updated_replicas, status.available_replicas].map(|number| count(number.unwrap_or(0)));
    if updated >= desired && all <= updated && available >= updated {
        return Stage::Complete;
    }
    match condition(snapshot, "Progressing") {
        Some(progress)
            if progress.reason.as_deref() == Some("ProgressDeadlineExceeded")
                && is_about_current(snapshot, progress) =>
        {
            Stage::DeadlineExceeded(progress.message.clone().unwrap_or_default())
        }
        _ => Stage::Progressing,
    }
}

/// A rollout that was complete and has lost instances since: it is not progressing, it is ill.
pub(super) fn was_complete(snapshot: &Snapshot) -> bool {
    condition(snapshot, "Progressing")
        .is_some_and(|progress| progress.reason.as_deref() == Some("NewReplicaSetAvailable"))
}

/// Pods of the present template. The controller's own count is of the template before until it has seen the new one.
pub(super) fn updated(snapshot: &Snapshot) -> u32 {
    match stage(snapshot) {
        Stage::Unseen => u32::try_from(snapshot.updated_pods().count()).unwrap_or(u32::MAX),
        _ => count(snapshot.status.updated_replicas.unwrap_or(0)),
    }
}

pub(super) fn condition<'a>(snapshot: &'a Snapshot, kind: &str) -> Option<&'a DeploymentCondition> {
    snapshot.status.conditions.as_deref().unwrap_or_default().iter().find(|condition| condition.type_ == kind)
}

/// The condition may still tell of the rollout before; its message names the ReplicaSet that it means.
fn is_about_current(snapshot: &Snapshot, progress: &DeploymentCondition) -> bool {
    let message = progress.message.as_deref().unwrap_or_default();
    let names = |set: &str| message.contains(&format!("\"{set}\""));
    match &snapshot.current {
        Some(current) => {
            let others = snapshot.replica_sets.iter().filter_map(|set| set.metadata.name.as_deref());
            names(current) || !others.into_iter().any(names)
        }
        None => !message.contains("ReplicaSet"),
    }
}

/// Whether no old pod may go before a new one is there, so that a pod which cannot be made blocks the rollout for good.
pub(super) fn keeps_all_old_pods(snapshot: &Snapshot) -> bool {
    let strategy = snapshot.spec.strategy.as_ref();
    if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("Recreate") {
        return false;
    }
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    max_unavailable(rolling, snapshot.replicas()) == 0
}

/// Percentages of unavailable pods are rounded down; the default is 25 %.
fn max_unavailable(rolling: Option<&RollingUpdateDeployment>, replicas: u32) -> u32 {
    match rolling.and_then(|rolling| rolling.max_unavailable.as_ref()) {
        Some(IntOrString::Int(number)) => count(*number),
        Some(IntOrString::String(text)) => {
            let percent: u64 = text.trim_end_matches('%').parse().unwrap_or(25);
            u32::try_from(u64::from(replicas) * percent.min(100) / 100).unwrap_or(0)
        }
        None => replicas / 4,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;

    #[test]
    fn completeness_is_that_of_kubectl() {
        assert_eq!(stage(&fixtures::snapshot("complete")), Stage::Complete);
        assert_eq!(stage(&fixtures::snapshot("rolling")), Stage::Progressing);
        let with = |edit: fn(&mut Snapshot)| {
            let mut snapshot = fixtures::snapshot("complete");
            edit(&mut snapshot);
            stage(&snapshot)
        };
        assert_eq!(with(|s| s.metadata.generation = Some(99)), Stage::Unseen);
        assert_eq!(with(|s| s.status.updated_replicas = Some(1)), Stage::Progressing);
        assert_eq!(with(|s| s.status.replicas = Some(3)), Stage::Progressing);
        assert_eq!(with(|s| s.status.available_replicas = Some(1)), Stage::Progressing);
        assert_eq!(with(|s| s.status.available_replicas = Some(-1)), Stage::Progressing);
    }

    #[test]
    fn a_count_of_the_template_before_is_not_shown() {
        let mut snapshot = fixtures::snapshot("rolling");
        snapshot.status.updated_replicas = Some(2);
        snapshot.metadata.generation = Some(99);
        assert_eq!(updated(&snapshot), 1);
    }

    #[test]
    fn a_deadline_of_an_earlier_rollout_does_not_count() {
        let mut snapshot = fixtures::snapshot("deadline");
        assert!(matches!(stage(&snapshot), Stage::DeadlineExceeded(message) if message.contains("timed out")));
        let old = snapshot.replica_sets.iter().find(|set| set.metadata.name != snapshot.current).unwrap();
        snapshot.current = old.metadata.name.clone();
        assert_eq!(stage(&snapshot), Stage::Progressing);
    }

    #[test]
    fn percentages_are_rounded_down() {
        let rolling = |text: &str| RollingUpdateDeployment {
            max_unavailable: Some(IntOrString::String(text.into())),
            ..RollingUpdateDeployment::default()
        };
        assert_eq!(max_unavailable(Some(&rolling("25%")), 3), 0);
        assert_eq!(max_unavailable(Some(&rolling("25%")), 4), 1);
        assert_eq!(max_unavailable(Some(&rolling("nonsense")), 4), 1);
        assert_eq!(max_unavailable(None, 8), 2);
    }
}
