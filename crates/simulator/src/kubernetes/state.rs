//! Everything that one cluster remembers.

use super::kinds::{self, Kind};
use super::pod::PodSim;
use super::store::Store;
use crate::dice::Dice;
use crate::object::text;
use crate::pace::{Pace, stamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use time::OffsetDateTime;

/// Events kept in a cluster; the oldest go first.
const EVENTS: usize = 600;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) store: Store,
    pub(crate) dice: Dice,
    pub(crate) pace: Pace,
    /// What the objects do not show of a pod, by its uid.
    pub(crate) pods: BTreeMap<String, PodSim>,
    /// Of each deployment, by its uid.
    pub(crate) progress: BTreeMap<String, Progress>,
    /// What each field manager applied last, by object uid and manager.
    pub(crate) applied: BTreeMap<(String, String), Value>,
}

/// When a rollout last moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) at: OffsetDateTime,
    /// Template hash, updated, available, replicas of old versions.
    pub(crate) seen: (String, i64, i64, i64),
    pub(crate) exceeded: bool,
    /// Nothing is left to do, so no deadline runs.
    pub(crate) complete: bool,
}

impl State {
    pub(crate) fn new(dice: Dice, pace: Pace) -> Self {
        Self {
            store: Store::new(),
            dice,
            pace,
            pods: BTreeMap::new(),
            progress: BTreeMap::new(),
            applied: BTreeMap::new(),
        }
    }

    /// Objects of a kind that name `owner` as their controller.
    pub(crate) fn owned(&self, kind: &'static Kind, owner: &Value) -> Vec<Arc<Value>> {
        let uid = text(owner, "/metadata/uid");
        self.store
            .list(kind, text(owner, "/metadata/namespace"))
            .filter(|object| text(object, "/metadata/ownerReferences/0/uid") == uid)
            .cloned()
            .collect()
    }

    pub(crate) fn nodes(&self) -> usize {
        self.store.list(&kinds::NODE, "").count()
    }

    /// Records an event about an object, or counts it up when the same was recorded before.
    pub(crate) fn event(&mut self, about: &Value, warning: bool, reason: &str, message: &str, now: OffsetDateTime) {
        let namespace = text(about, "/metadata/namespace").to_owned();
        let uid = text(about, "/metadata/uid");
        let known = self.store.list(&kinds::EVENT, &namespace).find(|event| {
            text(event, "/involvedObject/uid") == uid
                && text(event, "/reason") == reason
                && text(event, "/message") == message
        });
        if let Some(event) = known {
            let mut event = (**event).clone();
            event["count"] = json!(event["count"].as_i64().unwrap_or(1) + 1);
            event["lastTimestamp"] = json!(stamp(now));
            self.store.put(&kinds::EVENT, event);
            return;
        }
        let name = format!("{}.{}", text(about, "/metadata/name"), self.dice.hex(8));
        let component = match text(about, "/kind") {
            "Deployment" => "deployment-controller",
            "Rollout" => "rollouts-controller",
            "ReplicaSet" => "replicaset-controller",
            "Job" => "job-controller",
            _ if reason.contains("chedul") => "default-scheduler",
            _ => "kubelet",
        };
        let event = json!({
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "uid": self.dice.uuid(), "creationTimestamp": stamp(now)},
            "involvedObject": {
                "kind": about["kind"], "namespace": namespace, "name": about["metadata"]["name"],
                "uid": uid, "apiVersion": about["apiVersion"], "resourceVersion": about["metadata"]["resourceVersion"],
            },
            "reason": reason,
            "message": message,
            "type": if warning { "Warning" } else { "Normal" },
            "source": {"component": component},
            "reportingComponent": component,
            "reportingInstance": "",
            "firstTimestamp": stamp(now),
            "lastTimestamp": stamp(now),
            "eventTime": null,
            "count": 1,
        });
        self.store.put(&kinds::EVENT, event);
        self.forget_old_events();
    }

    fn forget_old_events(&mut self) {
        let all: Vec<Arc<Value>> = self.store.list(&kinds::EVENT, "").cloned().collect();
        if all.len() <= EVENTS {
            return;
        }
        let oldest = all.iter().min_by_key(|event| text(event, "/lastTimestamp"));
        if let Some(event) = oldest {
            self.store.delete(&kinds::EVENT, text(event, "/metadata/namespace"), text(event, "/metadata/name"));
        }
    }
}

/// Sets a condition; its transition time moves only when its status does.
pub(crate) fn set_condition(
    object: &mut Value,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: OffsetDateTime,
) {
    if !object["status"]["conditions"].is_array() {
        object["status"]["conditions"] = json!([]);
    }
    let Some(conditions) = object["status"]["conditions"].as_array_mut() else { return };
    let old = conditions.iter().position(|condition| condition["type"] == kind);
    let transition = old
        .filter(|at| conditions[*at]["status"] == status)
        .map_or_else(|| json!(stamp(now)), |at| conditions[at]["lastTransitionTime"].clone());
    let mut condition = json!({"type": kind, "status": status, "lastTransitionTime": transition});
    if !reason.is_empty() {
        condition["reason"] = json!(reason);
    }
    if !message.is_empty() {
        condition["message"] = json!(message);
    }
    match old {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
}
