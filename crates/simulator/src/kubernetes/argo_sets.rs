//! The ReplicaSets of a Rollout: made, numbered, and scaled to the share that a step gives them.

use super::admission::admit;
use super::deployment;
use super::kinds::{REPLICA_SET, ROLLOUT};
use super::state::State;
use crate::object::{int, set, text};
use crate::pace::stamp;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

pub(super) const HASH: &str = "rollouts-pod-template-hash";
const REVISION: &str = "rollout.argoproj.io/revision";

/// That of the template, and all others.
#[derive(Debug)]
pub(super) struct Sets {
    new: Option<Arc<Value>>,
    old: Vec<Arc<Value>>,
}

impl Sets {
    /// Whether the pods are shared out as a weight says, and serve.
    pub(super) fn settled(&self, rollout: &Value, weight: i64) -> bool {
        let (new, old) = shares(rollout, weight);
        let available = self.new.as_ref().map_or(0, |set| int(set, "/status/availableReplicas", 0));
        let others: i64 = self.old.iter().map(|set| int(set, "/status/replicas", 0)).sum();
        available == new && others == old
    }
}

pub(super) fn all(state: &State, rollout: &Value) -> Vec<Arc<Value>> {
    state.owned(&REPLICA_SET, rollout)
}

pub(super) fn hash(set: &Value) -> &str {
    set["metadata"]["labels"][HASH].as_str().unwrap_or_default()
}

fn revision(set: &Value) -> i64 {
    set["metadata"]["annotations"][REVISION].as_str().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Makes the template's own when there is none, and gives it the newest number.
pub(super) fn of(state: &mut State, rollout: &mut Value, wanted: &str, now: OffsetDateTime) -> Sets {
    let (new, old): (Vec<_>, Vec<_>) = all(state, rollout).into_iter().partition(|set| hash(set) == wanted);
    let newest = old.iter().map(|set| revision(set)).max().unwrap_or(0);
    let new = match new.into_iter().next() {
        Some(set) if revision(&set) > newest => Some(set),
        Some(found) => {
            let mut changed = (*found).clone();
            set(&mut changed, &["metadata", "annotations", REVISION], json!((newest + 1).to_string()));
            Some(state.store.put(&REPLICA_SET, changed))
        }
        None => create(state, rollout, wanted, newest + 1, now),
    };
    if let Some(new) = &new {
        let number = revision(new).to_string();
        set(rollout, &["metadata", "annotations", REVISION], json!(number));
    }
    Sets { new, old }
}

fn create(state: &mut State, rollout: &Value, hash: &str, revision: i64, now: OffsetDateTime) -> Option<Arc<Value>> {
    let mut template = rollout["spec"]["template"].clone();
    set(&mut template, &["metadata", "labels", HASH], json!(hash));
    let mut selector = rollout["spec"]["selector"].clone();
    set(&mut selector, &["matchLabels", HASH], json!(hash));
    let mut object = json!({
        "metadata": {
            "name": format!("{}-{hash}", text(rollout, "/metadata/name")),
            "namespace": rollout["metadata"]["namespace"],
            "uid": state.dice.uuid(),
            "generation": 1,
            "creationTimestamp": stamp(now),
            "labels": template["metadata"]["labels"],
            "annotations": {REVISION: revision.to_string()},
            "ownerReferences": [{
                "apiVersion": ROLLOUT.api_version(), "kind": ROLLOUT.kind, "name": rollout["metadata"]["name"],
                "uid": rollout["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template,
                 "minReadySeconds": int(rollout, "/spec/minReadySeconds", 0)},
        "status": {"replicas": 0},
    });
    // What a custom resource holds has no defaults; a ReplicaSet gets them, or is refused.
    match admit(&REPLICA_SET, &mut object, None) {
        Ok(()) => Some(state.store.put(&REPLICA_SET, object)),
        Err(refusal) => {
            state.event(rollout, true, "FailedRSCreate", &refusal.message, now);
            None
        }
    }
}

/// Pods of the new template and of all others, both rounded up.
fn shares(rollout: &Value, weight: i64) -> (i64, i64) {
    let replicas = int(rollout, "/spec/replicas", 1);
    let share = |percent: i64| (replicas * percent + 99) / 100;
    (share(weight), share(100 - weight))
}

/// One step towards the shares: what is to serve comes first, and the others go as it is available.
pub(super) fn scale(state: &mut State, rollout: &Value, sets: &Sets, weight: i64, now: OffsetDateTime) {
    let Some(new) = &sets.new else { return };
    let replicas = int(rollout, "/spec/replicas", 1);
    let (for_new, for_old) = shares(rollout, weight);
    let stable = text(rollout, "/status/stableRS");
    let (stable, rest): (Vec<&Arc<Value>>, Vec<&Arc<Value>>) = sets.old.iter().partition(|set| hash(set) == stable);
    let available = |set: &Value| int(set, "/status/availableReplicas", 0);
    let wanted = |set: &Value| int(set, "/spec/replicas", 0);
    let serving = |sets: &[&Arc<Value>]| sets.iter().map(|set| available(set)).sum::<i64>();
    // The new one does not shrink before the stable one is back.
    let new_count = if for_new < wanted(new) && serving(&stable) < for_old { wanted(new) } else { for_new };
    resize(state, rollout, new, new_count, now);
    for set in &stable {
        let least = for_old.max(replicas - available(new)).min(replicas);
        let count = if for_old > wanted(set) { for_old } else { wanted(set).min(least) };
        resize(state, rollout, set, count, now);
    }
    let covered = serving(&stable) + available(new) >= replicas;
    for set in rest.iter().filter(|set| covered || available(set) == 0) {
        resize(state, rollout, set, 0, now);
    }
}

fn resize(state: &mut State, rollout: &Value, set: &Value, count: i64, now: OffsetDateTime) {
    deployment::resize(state, rollout, (set, "ReplicaSet"), count, now, |_| ());
}
