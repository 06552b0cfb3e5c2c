//! API versions that Kubernetes has removed, in what was last applied: the next `kubectl apply` from the repository would fail. Pure.

use super::super::snapshot::Snapshot;
use super::finding;
use crate::masking::shown;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::text;
use serde_json::Value;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Version, since which release it is gone, and what takes its place. From Kubernetes' deprecation guide.
const REMOVED: [(&str, &str, &str, &str); 10] = [
    ("Deployment", "extensions/v1beta1", "1.16", "apps/v1"),
    ("Deployment", "apps/v1beta1", "1.16", "apps/v1"),
    ("Deployment", "apps/v1beta2", "1.16", "apps/v1"),
    ("Ingress", "extensions/v1beta1", "1.22", "networking.k8s.io/v1"),
    ("Ingress", "networking.k8s.io/v1beta1", "1.22", "networking.k8s.io/v1"),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta1", "1.25", "autoscaling/v2"),
    ("HorizontalPodAutoscaler", "autoscaling/v2beta2", "1.26", "autoscaling/v2"),
    ("CronJob", "batch/v1beta1", "1.25", "batch/v1"),
    ("PodDisruptionBudget", "policy/v1beta1", "1.25", "policy/v1"),
    ("PodSecurityPolicy", "policy/v1beta1", "1.25", "Pod Security Admission"),
];

pub(super) fn of(snapshot: &Snapshot, ingresses: &[Ingress], scalers: &[HorizontalPodAutoscaler]) -> Vec<Finding> {
    let scaled = |scaler: &&HorizontalPodAutoscaler| {
        let target = scaler.spec.as_ref().map(|spec| &spec.scale_target_ref);
        target.is_some_and(|target| Some(target.name.as_str()) == snapshot.metadata.name.as_deref())
    };
    let scalers = scalers.iter().filter(scaled).map(|scaler| &scaler.metadata);
    let all = [&snapshot.metadata].into_iter().chain(ingresses.iter().map(|ingress| &ingress.metadata)).chain(scalers);
    all.filter_map(one).collect()
}

fn one(metadata: &ObjectMeta) -> Option<Finding> {
    let applied: Value = serde_json::from_str(metadata.annotations.as_ref()?.get(LAST_APPLIED)?).ok()?;
    let (kind, version) = (applied["kind"].as_str()?, applied["apiVersion"].as_str()?);
    let (_, _, release, instead) = REMOVED.iter().find(|(known, old, ..)| *known == kind && *old == version)?;
    let object = format!("{kind} {}", shown(metadata.name.as_deref().unwrap_or_default()));
    let message = text!(
        "{object} was last applied as {version}, which Kubernetes removed in {release}; use {instead}",
        object,
        version,
        release,
        instead
    );
    Some(finding(Severity::Warning, "removed_api", message))
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_applied_with_a_removed_version_is_told() {
        let ingress = |version: &str| -> Ingress {
            let applied = json!({"apiVersion": version, "kind": "Ingress"}).to_string();
            serde_json::from_value(json!({"metadata": {"name": "apps", "annotations": {LAST_APPLIED: applied}}}))
                .unwrap()
        };
        let snapshot = fixtures::snapshot("complete");
        let found = of(&snapshot, &[ingress("networking.k8s.io/v1beta1"), ingress("networking.k8s.io/v1")], &[]);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.to_string().ends_with("removed in 1.22; use networking.k8s.io/v1"), "{found:?}");
    }
}
