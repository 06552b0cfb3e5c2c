//! The second Deployment. Pure.

use super::super::annotations;
use super::super::change::desired;
use super::super::snapshot::Snapshot;
use super::mark::Mark;
use super::name_of;
use crate::{Change, Fence, TargetError};
use serde_json::{Map, Value, json};

/// On the second Deployment: the first one's name. Without it a Deployment of that name is another program's.
pub(super) const WORKLOAD: &str = "passerelle.dev/workload";
/// On its pods, beside the labels of the first one's; the first one's selector holds for them too, and owners keep them apart.
const TRACK: &str = "passerelle.dev/track";

/// As it is made for a step.
pub(super) fn object(main: &Snapshot, mark: &Mark, fence: Fence) -> Result<Value, TargetError> {
    let change = Change::Image { image: mark.image.clone(), manifests: None };
    let mut template = desired(main, &change, fence.deployment)?.template;
    let name = main.metadata.name.clone().unwrap_or_default();
    if !template["metadata"].is_object() {
        template["metadata"] = json!({});
    }
    template["metadata"]["labels"][TRACK] = json!("canary");
    let mut selector = serde_json::to_value(&main.spec.selector).unwrap_or_default();
    selector["matchLabels"][TRACK] = json!("canary");
    let mut spec = Map::new();
    spec.insert("replicas".to_owned(), json!(mark.pods()));
    spec.insert("selector".to_owned(), selector);
    spec.insert("template".to_owned(), template);
    for (field, value) in [
        ("minReadySeconds", main.spec.min_ready_seconds),
        ("progressDeadlineSeconds", main.spec.progress_deadline_seconds),
    ] {
        if let Some(value) = value {
            spec.insert(field.to_owned(), json!(value));
        }
    }
    let mut marks = annotations::patch(&change, fence);
    marks[WORKLOAD] = json!(name);
    Ok(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": name_of(&name), "namespace": main.metadata.namespace,
            "labels": {"app.kubernetes.io/managed-by": "passerelle"}, "annotations": marks,
            // It goes with the first one, whoever takes that away.
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": main.metadata.uid}],
        },
        "spec": spec
    }))
}

/// Whether this portal made it, for this Deployment.
pub(super) fn is_ours(canary: &Snapshot, deployment: &str) -> bool {
    let annotations = canary.metadata.annotations.as_ref();
    annotations.and_then(|all| all.get(WORKLOAD)).is_some_and(|name| name == deployment)
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;
    use uuid::Uuid;

    #[test]
    fn its_pods_are_behind_the_same_service_and_its_selector_is_its_own() {
        let main = fixtures::snapshot("complete");
        let mark = Mark { image: "tinyweb:v2".into(), percent: 50, since: 0, replicas: 2, gives_way: true };
        let object = object(&main, &mark, Fence { deployment: Uuid::from_u128(7), epoch: 3 }).unwrap();
        let labels = &object["spec"]["template"]["metadata"]["labels"];
        assert_eq!((&labels["app"], &labels[TRACK]), (&json!("web"), &json!("canary")));
        assert_eq!(object["spec"]["selector"]["matchLabels"], json!({"app": "web", TRACK: "canary"}));
        assert_eq!(object["spec"]["template"]["spec"]["containers"][0]["image"], "tinyweb:v2");
        assert_eq!((&object["metadata"]["name"], &object["spec"]["replicas"]), (&json!("web-canary"), &json!(1)));
        assert_eq!(object["metadata"]["annotations"][annotations::EPOCH], "3");
        assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "uid-web");
    }
}
