//! Deployments in known states, in the shape in which the API server gives them.

use super::argo::WorkloadKind;
use super::snapshot::Snapshot;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use kube::api::DynamicObject;
use serde_json::{Value, json};
use std::sync::Arc;

/// The parts of a snapshot, to be changed before it is put together.
pub(super) struct Parts {
    pub deployment: Value,
    pub sets: Vec<Value>,
    pub pods: Vec<Pod>,
}

impl Parts {
    pub fn snapshot(self) -> Snapshot {
        let object: DynamicObject = serde_json::from_value(self.deployment).unwrap();
        let sets = self.sets.into_iter().map(|set| Arc::new(serde_json::from_value::<ReplicaSet>(set).unwrap()));
        let kind = match object.types.as_ref().map(|types| types.kind.as_str()) {
            Some("Rollout") => WorkloadKind::Rollout,
            _ => WorkloadKind::Deployment,
        };
        let pods = self.pods.into_iter().map(Arc::new).collect();
        Snapshot::new(kind, &object, sets.collect(), pods, Some("web")).unwrap()
    }
}

/// `complete`: two pods of v1. `migrating`: the same with a sidecar and an init container. `rolling`: on the way from v1 to v2,
/// no new pod ready. `deadline`: the same with the progress deadline passed.
pub(super) fn snapshot(name: &str) -> Snapshot {
    match name {
        "complete" => complete().snapshot(),
        "migrating" => {
            let mut parts = complete();
            let spec = &mut parts.deployment["spec"]["template"]["spec"];
            spec["containers"].as_array_mut().unwrap().push(json!({"name": "proxy", "image": "proxy:1"}));
            spec["initContainers"] = json!([{"name": "migrate", "image": "tinyweb:v1", "args": ["probe"]}]);
            parts.snapshot()
        }
        "rolling" => rolling(vec![starting("web-v2-1")]).snapshot(),
        "deadline" => deadline(vec![starting("web-v2-1")]).snapshot(),
        other => panic!("no fixture {other}"),
    }
}

pub(super) fn starting(name: &str) -> Pod {
    pod(
        name,
        "web-v2",
        &json!({"containerStatuses": [{"name": "web", "image": "tinyweb:v2", "imageID": "", "ready": false,
        "restartCount": 0, "state": {"waiting": {"reason": "ContainerCreating"}}}]}),
    )
}

pub(super) fn ready(name: &str, set: &str) -> Pod {
    pod(
        name,
        set,
        &json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [{"name": "web", "image": "tinyweb:v1", "imageID": "sha256:abc", "ready": true, "restartCount": 0,
            "state": {"running": {}}}]}),
    )
}

pub(super) fn pod(name: &str, set: &str, status: &Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": name, "ownerReferences": [owner("ReplicaSet", set)]},
        "spec": {"containers": [{"name": "web", "image": "tinyweb:v2"}]},
        "status": status
    }))
    .unwrap()
}

fn owner(kind: &str, name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": format!("uid-{name}"), "controller": true})
}

fn template(image: &str) -> Value {
    json!({
        "metadata": {"creationTimestamp": null, "labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": image,
            "env": [{"name": "SESSION_TTL", "value": "30"}, {"name": "API_TOKEN", "value": "abc"}]}]}
    })
}

fn set(name: &str, image: &str, revision: u32) -> Value {
    let mut template = template(image);
    template["metadata"]["labels"]["pod-template-hash"] = json!(name);
    json!({
        "metadata": {"name": name, "uid": format!("uid-{name}"), "ownerReferences": [owner("Deployment", "web")],
            "annotations": {"deployment.kubernetes.io/revision": revision.to_string()}},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template},
        "status": {"replicas": 1}
    })
}

fn deployment(image: &str, status: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "uid": "uid-web", "generation": 2, "resourceVersion": "41"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template(image)},
        "status": status
    })
}

fn progressing(reason: &str, message: &str) -> Value {
    json!([{"type": "Progressing", "status": "True", "reason": reason, "message": message}])
}

pub(super) fn complete() -> Parts {
    let status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "readyReplicas": 2,
        "conditions": progressing("NewReplicaSetAvailable", "ReplicaSet \"web-v1\" has successfully progressed.")});
    Parts {
        deployment: deployment("tinyweb:v1", &status),
        sets: vec![set("web-v1", "tinyweb:v1", 1)],
        pods: vec![ready("web-v1-1", "web-v1"), ready("web-v1-2", "web-v1")],
    }
}

pub(super) fn rolling(new: Vec<Pod>) -> Parts {
    let status = json!({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 1, "availableReplicas": 2, "readyReplicas": 2,
        "conditions": progressing("ReplicaSetUpdated", "ReplicaSet \"web-v2\" is progressing.")});
    Parts {
        deployment: deployment("tinyweb:v2", &status),
        sets: vec![set("web-v1", "tinyweb:v1", 1), set("web-v2", "tinyweb:v2", 2)],
        pods: [vec![ready("web-v1-1", "web-v1"), ready("web-v1-2", "web-v1")], new].concat(),
    }
}

pub(super) fn deadline(new: Vec<Pod>) -> Parts {
    let mut parts = rolling(new);
    parts.deployment["status"]["conditions"] =
        progressing("ProgressDeadlineExceeded", "ReplicaSet \"web-v2\" has timed out progressing.");
    parts
}
