//! What decides the number of pods. Pure.

use super::super::snapshot::count;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use passerelle_contract::deployments::Autoscaler;

/// The one that scales this workload.
pub(super) fn of((kind, name): (&str, &str), all: &[HorizontalPodAutoscaler]) -> Option<Autoscaler> {
    let (scaler, spec) = all.iter().find_map(|scaler| {
        let spec = scaler.spec.as_ref()?;
        let target = &spec.scale_target_ref;
        (target.kind == kind && target.name == name).then_some((scaler, spec))
    })?;
    let status = scaler.status.clone().unwrap_or_default();
    let metrics = match (status.current_cpu_utilization_percentage, spec.target_cpu_utilization_percentage) {
        (Some(now), Some(wanted)) => vec![format!("cpu {now} % / {wanted} %")],
        (None, Some(wanted)) => vec![format!("cpu ? / {wanted} %")],
        _ => Vec::new(),
    };
    Some(Autoscaler {
        name: scaler.metadata.name.clone().unwrap_or_default(),
        min: count(spec.min_replicas.unwrap_or(1)),
        max: count(spec.max_replicas),
        current: count(status.current_replicas),
        desired: count(status.desired_replicas),
        metrics,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_scaler_of_this_deployment_is_found() {
        let scaler = |target: &str| -> HorizontalPodAutoscaler {
            serde_json::from_value(json!({"metadata": {"name": format!("{target}-hpa")},
                "spec": {"scaleTargetRef": {"kind": "Deployment", "name": target}, "minReplicas": 2, "maxReplicas": 8, "targetCPUUtilizationPercentage": 80},
                "status": {"currentReplicas": 3, "desiredReplicas": 4, "currentCPUUtilizationPercentage": 91}}))
            .unwrap()
        };
        let found = of(("Deployment", "web"), &[scaler("api"), scaler("web")]).unwrap();
        assert_eq!((found.name.as_str(), found.min, found.max, found.current, found.desired), ("web-hpa", 2, 8, 3, 4));
        assert_eq!(found.metrics, ["cpu 91 % / 80 %"]);
        assert_eq!(of(("Deployment", "web"), &[scaler("api")]), None);
    }
}
