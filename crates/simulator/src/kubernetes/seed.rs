//! The cluster at the start: what the world describes, already rolled out.

use super::cluster::reconcile;
use super::kinds::{self, CONFIG_MAP, DEPLOYMENT, Kind, NAMESPACE, NODE, SECRET};
use super::moment;
use super::state::State;
use super::write;
use crate::object::text;
use crate::world::{ClusterWorld, EnvWorld, WorkloadWorld};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::{Duration, OffsetDateTime};

/// The simulated past: long enough for every healthy workload to be ready.
const PAST: Duration = Duration::hours(6);

pub(crate) fn fill(state: &mut State, cluster: &str, world: &ClusterWorld, now: OffsetDateTime) {
    let start = now - PAST;
    for number in 1..=world.nodes.max(1) {
        add(state, &NODE, node(cluster, number, &world.version), start);
    }
    for name in ["default", "kube-system"].into_iter().chain(world.namespaces.keys().map(String::as_str)) {
        let labels = json!({"kubernetes.io/metadata.name": name});
        let object = json!({"metadata": {"name": name, "labels": labels}, "spec": {"finalizers": ["kubernetes"]},
                            "status": {"phase": "Active"}});
        add(state, &NAMESPACE, object, start);
    }
    for (namespace, content) in &world.namespaces {
        for (name, data) in &content.config_maps {
            add(state, &CONFIG_MAP, json!({"metadata": {"name": name, "namespace": namespace}, "data": data}), start);
        }
        for (name, data) in &content.secrets {
            add(state, &SECRET, secret(namespace, name, data), start);
        }
        for object in &content.objects {
            let kind = kinds::by_manifest(text(object, "/apiVersion"), text(object, "/kind"));
            let Some(kind) = kind else {
                tracing::warn!(namespace, kind = text(object, "/kind"), "this kind is not simulated, left out");
                continue;
            };
            let mut object = object.clone();
            moment::resolve(&mut object, now);
            if kind.namespaced {
                object["metadata"]["namespace"] = json!(namespace);
            }
            add(state, kind, object, start);
        }
        for (name, workload) in &content.deployments {
            add(state, &DEPLOYMENT, deployment(namespace, name, workload), start);
        }
    }
    settle(state, start, now);
    for (namespace, content) in &world.namespaces {
        for (name, data) in &content.rewritten_secrets {
            // Nothing is there to take away when the world makes it only here.
            let _before = write::delete(state, &SECRET, namespace, name, &Value::Null, now);
            add(state, &SECRET, secret(namespace, name, data), now);
        }
    }
}

fn secret(namespace: &str, name: &str, data: &BTreeMap<String, String>) -> Value {
    json!({"metadata": {"name": name, "namespace": namespace}, "stringData": data})
}

fn add(state: &mut State, kind: &'static Kind, object: Value, at: OffsetDateTime) {
    if let Err(refusal) = write::create(state, kind, object, at) {
        tracing::warn!(message = refusal.message, "an object of the world was refused");
    }
}

/// Lets the past happen. A workload that never settles (a crash loop) just gets older.
fn settle(state: &mut State, start: OffsetDateTime, now: OffsetDateTime) {
    let mut at = start;
    for _ in 0..20_000 {
        match reconcile(state, at) {
            Some(due) if due < now => at = due.max(at + Duration::MILLISECOND),
            _ => break,
        }
    }
}

fn node(cluster: &str, number: u32, version: &str) -> Value {
    let name = format!("{cluster}-node-{number}");
    let capacity = json!({"cpu": "4", "memory": "16Gi", "pods": "110"});
    json!({
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}},
        "spec": {},
        "status": {"capacity": capacity, "allocatable": capacity,
                   "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady"}],
                   "nodeInfo": {"kubeletVersion": version}},
    })
}

fn deployment(namespace: &str, name: &str, workload: &WorkloadWorld) -> Value {
    let container = workload.container.as_deref().unwrap_or(name);
    let probe = json!({"httpGet": {"path": workload.probe, "port": workload.port}});
    let mut labels = json!({"app": name, "app.kubernetes.io/name": name});
    for (key, value) in &workload.labels {
        labels[key] = json!(value);
    }
    let env: Vec<Value> = workload
        .env
        .iter()
        .map(|(name, value)| match value {
            EnvWorld::Value(value) => json!({"name": name, "value": value}),
            EnvWorld::Secret { secret, key } => {
                json!({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
            }
            EnvWorld::ConfigMap { config_map, key } => {
                json!({"name": name, "valueFrom": {"configMapKeyRef": {"name": config_map, "key": key}}})
            }
        })
        .collect();
    json!({
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "replicas": workload.replicas,
            "progressDeadlineSeconds": workload.progress_deadline_s,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{
                    "name": container, "image": workload.image, "env": env,
                    "ports": [{"containerPort": workload.port}],
                    "readinessProbe": probe, "livenessProbe": probe,
                    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
                }]},
            },
        },
    })
}
