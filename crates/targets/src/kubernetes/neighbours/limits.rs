//! Whether the pods fit: each container into the limit ranges, all of them into the quotas. Pure.

use super::super::change::Desired;
use super::super::snapshot::Snapshot;
use super::super::surroundings::quantity::value;
use super::finding;
use k8s_openapi::api::core::v1::{Container, LimitRange, LimitRangeItem, PodSpec, PodTemplateSpec, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::text;
use std::collections::BTreeMap;

/// What a rollout needs of the quotas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    /// Of a quota that has too little.
    pub severity: Severity,
    /// New pods that stand beside all the old ones for a time.
    pub beside: u32,
}

type Quantities = BTreeMap<String, Quantity>;

pub(super) fn of(
    snapshot: &Snapshot,
    after: &Desired,
    template: &PodTemplateSpec,
    (quotas, ranges): (&[ResourceQuota], &[LimitRange]),
    room: Room,
) -> Vec<Finding> {
    let ranges: Vec<&LimitRangeItem> = ranges
        .iter()
        .filter_map(|range| range.spec.as_ref())
        .flat_map(|spec| &spec.limits)
        .filter(|item| item.type_ == "Container")
        .collect();
    let mut findings: Vec<Finding> = containers(template).flat_map(|container| outside(container, &ranges)).collect();
    for quota in quotas {
        let spec = quota.spec.clone().unwrap_or_default();
        // A quota for some pods only (by priority, by class) is not guessed at.
        if spec.scopes.is_none() && spec.scope_selector.is_none() {
            findings.extend(beyond(snapshot, after, template, (quota, &ranges), room));
        }
    }
    findings
}

fn containers(template: &PodTemplateSpec) -> impl Iterator<Item = &Container> {
    template.spec.iter().flat_map(|spec| &spec.containers)
}

/// What the pods that are there take. One that says nothing takes nothing: it was made before the quota.
fn taken(snapshot: &Snapshot, counted: &str) -> f64 {
    let pods = snapshot.pods.iter().filter_map(|pod| of_pod(pod.spec.as_ref()?, counted, &[]));
    pods.filter_map(Result::ok).sum()
}

fn asked(container: &Container, limits: bool, resource: &str, ranges: &[&LimitRangeItem]) -> Option<f64> {
    let resources = container.resources.as_ref();
    let of = |all: Option<&Quantities>| all.and_then(|all| all.get(resource)).and_then(|quantity| value(&quantity.0));
    let limit = of(resources.and_then(|all| all.limits.as_ref()));
    let by_default = |pick: fn(&LimitRangeItem) -> Option<&Quantities>| ranges.iter().find_map(|item| of(pick(item)));
    if limits {
        return limit.or_else(|| by_default(|item| item.default.as_ref()));
    }
    // A limit without a request is a request too.
    of(resources.and_then(|all| all.requests.as_ref()))
        .or(limit)
        .or_else(|| by_default(|item| item.default_request.as_ref()))
}

/// What a limit range refuses of a container.
fn outside(container: &Container, ranges: &[&LimitRangeItem]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let name = &container.name;
    for (resource, max) in ranges.iter().flat_map(|item| item.max.iter().flatten()) {
        if let (Some(asked), Some(most)) = (asked(container, true, resource, ranges), value(&max.0))
            && asked > most
        {
            let message = text!(
                "container {name} has a limit of {resource} above the namespace's {max}: no pod would be made",
                name,
                resource,
                max = &max.0
            );
            findings.push(finding(Severity::Error, "limit_range", message));
        }
    }
    for (resource, min) in ranges.iter().flat_map(|item| item.min.iter().flatten()) {
        if let (Some(asked), Some(least)) = (asked(container, false, resource, ranges), value(&min.0))
            && asked < least
        {
            let message = text!(
                "container {name} asks for less {resource} than the namespace's {min}: no pod would be made",
                name,
                resource,
                min = &min.0
            );
            findings.push(finding(Severity::Error, "limit_range", message));
        }
    }
    findings
}

/// What one pod takes of a resource as quotas count it; `Err` names a container that says nothing although the quota wants it.
fn of_pod(pod: &PodSpec, counted: &str, ranges: &[&LimitRangeItem]) -> Option<Result<f64, String>> {
    let (limits, resource) = match counted {
        "pods" | "count/pods" => return Some(Ok(1.0)),
        "cpu" | "memory" => (false, counted),
        _ => match counted.split_once('.')? {
            ("requests", resource @ ("cpu" | "memory")) => (false, resource),
            ("limits", resource @ ("cpu" | "memory")) => (true, resource),
            _ => return None,
        },
    };
    let mut sum = 0.0;
    for container in &pod.containers {
        match asked(container, limits, resource, ranges) {
            Some(quantity) => sum += quantity,
            None => return Some(Err(container.name.clone())),
        }
    }
    Some(Ok(sum))
}

/// What a quota has no room for.
fn beyond(
    snapshot: &Snapshot,
    after: &Desired,
    template: &PodTemplateSpec,
    (quota, ranges): (&ResourceQuota, &[&LimitRangeItem]),
    room: Room,
) -> Vec<Finding> {
    let name = quota.metadata.name.as_deref().unwrap_or_default();
    let status = quota.status.clone().unwrap_or_default();
    let hard = status.hard.or_else(|| quota.spec.as_ref()?.hard.clone()).unwrap_or_default();
    let used = status.used.unwrap_or_default();
    let mut findings = Vec::new();
    let Some(pod) = &template.spec else { return findings };
    for (resource, most) in &hard {
        let (Some(new), Some(most_value)) = (of_pod(pod, resource, ranges), value(&most.0)) else { continue };
        let new = match new {
            Ok(new) => new,
            Err(container) => {
                let message = text!(
                    "quota {name} counts {resource}, and container {container} does not say how much: no pod would be made",
                    name,
                    resource,
                    container
                );
                findings.push(finding(Severity::Error, "quota", message));
                continue;
            }
        };
        let now = used.get(resource).and_then(|quantity| value(&quantity.0)).unwrap_or(0.0);
        let at_the_end = now - taken(snapshot, resource) + new * f64::from(after.replicas);
        let on_the_way = if changes(snapshot, after) { now + new * f64::from(room.beside) } else { now };
        if at_the_end.max(on_the_way) > most_value + f64::EPSILON * most_value {
            let used = used.get(resource).map_or("0", |quantity| quantity.0.as_str());
            let message = text!(
                "quota {name} has no room for the new pods: {resource} is used to {used} of {most}",
                name,
                resource,
                used,
                most = &most.0
            );
            findings.push(finding(room.severity, "quota", message));
        }
    }
    findings
}

fn changes(snapshot: &Snapshot, after: &Desired) -> bool {
    after.template != snapshot.template && after.replicas > 0
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;
    use serde_json::{Value, json};

    fn found(resources: &Value, quota: &Value, range: &Value, replicas: u32) -> Vec<String> {
        let snapshot = fixtures::snapshot("complete");
        let mut after = Desired::present(&snapshot);
        after.template["spec"]["containers"][0]["resources"] = resources.clone();
        after.replicas = replicas;
        let template = after.typed_template().unwrap();
        let quotas: Vec<ResourceQuota> =
            vec![serde_json::from_value(json!({"metadata": {"name": "team"}, "spec": {}, "status": quota})).unwrap()];
        let ranges: Vec<LimitRange> = vec![serde_json::from_value(json!({"spec": {"limits": [range]}})).unwrap()];
        of(&snapshot, &after, &template, (&quotas, &ranges), Room { severity: Severity::Error, beside: 1 })
            .into_iter()
            .map(|finding| finding.message.to_string())
            .collect()
    }

    #[test]
    fn pods_that_do_not_fit_a_quota_are_told() {
        let none = json!({"type": "Container"});
        let cpu = |text: &str| json!({"requests": {"cpu": text}});
        let quota = |hard: &str, used: &str| json!({"hard": {"requests.cpu": hard}, "used": {"requests.cpu": used}});
        assert!(found(&cpu("100m"), &quota("1", "200m"), &none, 2).is_empty());
        let full = found(&cpu("500m"), &quota("1", "900m"), &none, 2);
        assert_eq!(full, ["quota team has no room for the new pods: requests.cpu is used to 900m of 1"]);
        assert_eq!(found(&cpu("100m"), &json!({"hard": {"pods": "4"}, "used": {"pods": "2"}}), &none, 9).len(), 1);
        let silent = found(&json!({}), &quota("1", "0"), &none, 2);
        assert!(silent[0].contains("container web does not say how much"), "{silent:?}");
        let by_default = json!({"type": "Container", "defaultRequest": {"cpu": "50m"}});
        assert!(found(&json!({}), &quota("1", "0"), &by_default, 2).is_empty());
        assert!(
            found(&json!({}), &json!({"hard": {"count/secrets": "1"}, "used": {"count/secrets": "1"}}), &none, 2)
                .is_empty()
        );
    }

    #[test]
    fn containers_outside_of_a_limit_range_are_told() {
        let range = json!({"type": "Container", "max": {"memory": "1Gi"}, "min": {"cpu": "100m"}});
        let large = found(&json!({"limits": {"memory": "2Gi"}, "requests": {"cpu": "10m"}}), &json!({}), &range, 2);
        assert_eq!(large.len(), 2, "{large:?}");
        assert!(
            large[0].contains("memory above the namespace's 1Gi")
                && large[1].contains("less cpu than the namespace's 100m"),
            "{large:?}"
        );
        assert!(
            found(&json!({"limits": {"memory": "512Mi"}, "requests": {"cpu": "1"}}), &json!({}), &range, 2).is_empty()
        );
    }
}
