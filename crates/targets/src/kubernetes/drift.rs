//! Where what runs differs from what was deployed, and who wrote it, as `managedFields` tell.

use super::change::{Desired, merge_patch};
use super::diff;
use super::preflight::autoscaler;
use super::snapshot::{Snapshot, without_nulls};
use super::workload::Workload;
use crate::masking::shown;
use crate::{Recorded, TargetError};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use passerelle_contract::deployments::Drift;
use serde_json::Value;
use time::OffsetDateTime;

/// The name under which our own writes are recorded.
const OURS: &str = "passerelle";

pub(super) async fn drift(workload: &Workload, deployed: &Recorded) -> Result<Vec<Drift>, TargetError> {
    let snapshot = workload.snapshot().await?;
    let present = Desired::present(&snapshot);
    let Some(mut then) = read(deployed) else { return Ok(Vec::new()) };
    if merge_patch(&then.template, &present.template).is_none() && then.replicas == present.replicas {
        return Ok(Vec::new());
    }
    // Where an autoscaler decides the number of pods, it is meant to change.
    if then.replicas != present.replicas && autoscaler(workload).await.is_some() {
        then.replicas = present.replicas;
    }
    of(&snapshot, &then, &present)
}

fn read(deployed: &Recorded) -> Option<Desired> {
    let template = without_nulls(deployed.0.get("template")?);
    let replicas = deployed.0.get("replicas").and_then(Value::as_u64).and_then(|number| u32::try_from(number).ok())?;
    Some(Desired { template, replicas })
}

fn of(snapshot: &Snapshot, then: &Desired, present: &Desired) -> Result<Vec<Drift>, TargetError> {
    let managed = snapshot.metadata.managed_fields.as_deref().unwrap_or_default();
    let lines = diff::lines(then, present, &snapshot.container)?;
    let told = lines.into_iter().map(|line| {
        let writer = writer(managed, &path(&line.field, &snapshot.container));
        Drift {
            deployed: line.before.map(|value| value.to_string()),
            runs: line.after.map(|value| value.to_string()),
            by: writer.as_ref().map(|(name, _)| name.clone()),
            at: writer.and_then(|(_, at)| at),
            field: line.field,
        }
    });
    Ok(told.collect())
}

/// The way to a field of a difference in the record of who set what; as far as it is known.
fn path(field: &str, bound: &str) -> Vec<String> {
    let template = ["f:spec", "f:template", "f:spec"];
    let named = |name: &str| format!("k:{{\"name\":\"{name}\"}}");
    let of = |rest: &[String]| template.iter().map(|part| (*part).to_owned()).chain(rest.iter().cloned()).collect();
    let containers = "f:containers".to_owned();
    if field == "replicas" {
        return vec!["f:spec".to_owned(), "f:replicas".to_owned()];
    }
    if let Some(container) = field.strip_prefix("image ") {
        return of(&[containers, named(container), "f:image".to_owned()]);
    }
    if let Some(variable) = field.strip_prefix("env ") {
        let (variable, container) = match variable.split_once(" (") {
            Some((variable, container)) => (variable, container.trim_end_matches(')')),
            None => (variable, bound),
        };
        return of(&[containers, named(container), "f:env".to_owned(), named(variable)]);
    }
    // A path such as `spec.containers[web].resources.limits.cpu` or `metadata.annotations.x`.
    let mut way = vec!["f:spec".to_owned(), "f:template".to_owned()];
    for part in field.split('.') {
        match part.split_once('[') {
            Some((list, item)) => {
                way.push(format!("f:{list}"));
                way.push(named(item.trim_end_matches(']')));
            }
            None => way.push(format!("f:{part}")),
        }
    }
    way
}

/// Who wrote a field last, if it was not us. A field that was taken away is in nobody's record any more.
fn writer(managed: &[ManagedFieldsEntry], path: &[String]) -> Option<(String, Option<OffsetDateTime>)> {
    // A list of a custom resource is recorded as a whole.
    let holds = |entry: &ManagedFieldsEntry| {
        let mut at = entry.fields_v1.as_ref().map(|fields| &fields.0);
        for part in path {
            at = match at {
                Some(Value::Object(fields)) if fields.is_empty() && part.starts_with("k:") => return true,
                Some(fields) => fields.get(part),
                None => return false,
            };
        }
        at.is_some()
    };
    let at = |entry: &ManagedFieldsEntry| entry.time.as_ref().map(|time| time.0.as_second());
    let exact = managed.iter().filter(|entry| holds(entry)).max_by_key(|entry| at(entry))?;
    let name = shown(exact.manager.as_deref()?);
    let when = at(exact).and_then(|second| OffsetDateTime::from_unix_timestamp(second).ok());
    (name != OURS).then_some((name, when))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use serde_json::json;

    fn managed() -> Vec<ManagedFieldsEntry> {
        let image = |manager: &str, time: &str| {
            json!({"manager": manager, "operation": "Update", "time": time, "fieldsV1":
                {"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"web\"}": {"f:image": {}}}}}}}})
        };
        let replicas = json!({"manager": "kubectl", "operation": "Update", "time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}});
        serde_json::from_value(json!([
            image("passerelle", "2026-01-01T00:00:00Z"),
            image("kubectl-set", "2026-01-02T00:00:00Z"),
            replicas
        ]))
        .unwrap()
    }

    #[test]
    fn a_change_past_the_portal_is_told_with_its_writer() {
        let mut snapshot = fixtures::snapshot("complete");
        snapshot.metadata.managed_fields = Some(managed());
        let then = Desired::present(&snapshot);
        let mut now = then.clone();
        now.template["spec"]["containers"][0]["image"] = json!("tinyweb:hotfix");
        now.template["spec"]["containers"][0]["env"][0]["value"] = json!("60");
        now.replicas = 5;
        let drift = of(&snapshot, &then, &now).unwrap();
        let told: Vec<_> =
            drift.iter().map(|one| (one.field.as_str(), one.runs.as_deref(), one.by.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("image web", Some("tinyweb:hotfix"), Some("kubectl-set")),
                ("env SESSION_TTL", Some("60"), None),
                ("replicas", Some("5"), Some("kubectl"))
            ]
        );
        assert_eq!(drift[0].at.unwrap().day(), 2);
        assert!(of(&snapshot, &then, &then.clone()).unwrap().is_empty());
    }

    #[test]
    fn fields_are_found_in_the_record_of_who_set_them() {
        assert_eq!(path("env A (proxy)", "web").last().unwrap(), "k:{\"name\":\"A\"}");
        assert_eq!(
            path("spec.containers[web].resources.limits.cpu", "web")[3..],
            ["f:containers", "k:{\"name\":\"web\"}", "f:resources", "f:limits", "f:cpu"]
        );
        assert_eq!(writer(&managed(), &path("replicas", "web")).unwrap().0, "kubectl");
        assert_eq!(writer(&managed(), &path("metadata.labels.x", "web")), None);
        let whole: Vec<ManagedFieldsEntry> =
            serde_json::from_value(json!([{"manager": "kubectl-edit", "operation": "Update",
            "time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": {}}}}}}]))
            .unwrap();
        assert_eq!(writer(&whole, &path("image web", "web")).unwrap().0, "kubectl-edit");
    }
}
