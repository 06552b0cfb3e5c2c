//! What a pod needs and may not find: a node that fits, and the keys that its environment refers to.

use super::kinds::{CONFIG_MAP, Kind, NODE, SECRET};
use super::state::State;
use crate::behaviour::Behaviour;
use crate::object::{flag, list, text};
use serde_json::Value;

/// The scheduler's refusal, if no node fits.
pub(crate) fn unschedulable(state: &State, pod: &Value, behaviour: Behaviour) -> Option<String> {
    let nodes = state.nodes();
    if behaviour == Behaviour::Unschedulable {
        return Some(format!(
            "0/{nodes} nodes are available: {nodes} Insufficient cpu. preemption: 0/{nodes} nodes are available: {nodes} No preemption victims found for incoming pod."
        ));
    }
    let wanted = pod["spec"]["nodeSelector"].as_object()?;
    let fits = |node: &Value| wanted.iter().all(|(key, value)| node["metadata"]["labels"].get(key) == Some(value));
    if state.store.list(&NODE, "").any(|node| fits(node)) {
        return None;
    }
    Some(format!(
        "0/{nodes} nodes are available: {nodes} node(s) didn't match Pod's node affinity/selector. preemption: 0/{nodes} nodes are available: {nodes} Preemption is not helpful for scheduling."
    ))
}

/// The kubelet's complaint about the first reference that leads nowhere.
pub(crate) fn missing_key(state: &State, pod: &Value) -> Option<String> {
    let namespace = text(pod, "/metadata/namespace");
    for container in list(pod, "/spec/containers") {
        for variable in list(container, "/env") {
            let from = &variable["valueFrom"];
            let found = missing(state, namespace, &SECRET, "Secret", &from["secretKeyRef"])
                .or_else(|| missing(state, namespace, &CONFIG_MAP, "ConfigMap", &from["configMapKeyRef"]));
            if found.is_some() {
                return found;
            }
        }
        for source in list(container, "/envFrom") {
            let found = missing(state, namespace, &SECRET, "Secret", &source["secretRef"])
                .or_else(|| missing(state, namespace, &CONFIG_MAP, "ConfigMap", &source["configMapRef"]));
            if found.is_some() {
                return found;
            }
        }
    }
    None
}

fn missing(state: &State, namespace: &str, kind: &'static Kind, title: &str, reference: &Value) -> Option<String> {
    if !reference.is_object() || flag(reference, "/optional") {
        return None;
    }
    let name = text(reference, "/name");
    let Some(object) = state.store.get(kind, namespace, name) else {
        return Some(format!("{} \"{name}\" not found", title.to_ascii_lowercase()));
    };
    let key = reference["key"].as_str()?;
    let has = |field: &str| object[field].get(key).is_some();
    (!has("data") && !has("binaryData")).then(|| format!("couldn't find key {key} in {title} {namespace}/{name}"))
}
