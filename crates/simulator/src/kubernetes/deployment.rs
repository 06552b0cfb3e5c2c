//! The deployment controller: one ReplicaSet per pod template, scaled step by step.

use super::kinds::{DEPLOYMENT, REPLICA_SET};
use super::rollout::Limits;
use super::state::State;
use crate::object::{int, set, text};
use crate::pace::stamp;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

const REVISION: &str = "deployment.kubernetes.io/revision";

pub(crate) fn reconcile(state: &mut State, now: OffsetDateTime) {
    let all: Vec<Arc<Value>> = state.store.list(&DEPLOYMENT, "").cloned().collect();
    for deployment in all {
        if text(&deployment, "/metadata/deletionTimestamp").is_empty() {
            one(state, &deployment, now);
        }
    }
}

fn one(state: &mut State, deployment: &Value, now: OffsetDateTime) {
    let hash = template_hash(&deployment["spec"]["template"]);
    let sets = state.owned(&REPLICA_SET, deployment);
    let (new, old): (Vec<_>, Vec<_>) =
        sets.into_iter().partition(|set| text(set, "/metadata/labels/pod-template-hash") == hash);
    let newest = old.iter().map(|set| revision(set)).max().unwrap_or(0);
    let new = match new.into_iter().next() {
        Some(set) if revision(&set) > newest => set,
        Some(set) => with_revision(state, &set, newest + 1),
        None => create(state, deployment, &hash, newest + 1, now),
    };
    if !crate::object::flag(deployment, "/spec/paused") {
        if deployment["spec"]["strategy"]["type"] == "Recreate" {
            recreate(state, deployment, &new, &old, now);
        } else {
            roll(state, deployment, &new, &old, now);
        }
    }
    forget_old_sets(state, deployment, old);
    super::deployment_status::write(state, deployment, &hash, now);
}

/// Changes with anything in the template, and with nothing else.
pub(crate) fn template_hash(template: &Value) -> String {
    let digest = crate::dice::digest(&template.to_string());
    // The real hash has letters and digits of one safe alphabet; so does this one.
    digest.trim_start_matches("sha256:").chars().take(10).map(|sign| if sign == 'a' { 'x' } else { sign }).collect()
}

fn revision(set: &Value) -> i64 {
    text(&set["metadata"]["annotations"], &format!("/{}", REVISION.replace('/', "~1"))).parse().unwrap_or(0)
}

fn with_revision(state: &mut State, set_object: &Value, revision: i64) -> Arc<Value> {
    let mut changed = set_object.clone();
    set(&mut changed, &["metadata", "annotations", REVISION], json!(revision.to_string()));
    state.store.put(&REPLICA_SET, changed)
}

fn create(state: &mut State, deployment: &Value, hash: &str, revision: i64, now: OffsetDateTime) -> Arc<Value> {
    let name = format!("{}-{hash}", text(deployment, "/metadata/name"));
    let mut template = deployment["spec"]["template"].clone();
    set(&mut template, &["metadata", "labels", "pod-template-hash"], json!(hash));
    let mut selector = deployment["spec"]["selector"].clone();
    set(&mut selector, &["matchLabels", "pod-template-hash"], json!(hash));
    let object = json!({
        "kind": "ReplicaSet",
        "apiVersion": "apps/v1",
        "metadata": {
            "name": name,
            "namespace": deployment["metadata"]["namespace"],
            "uid": state.dice.uuid(),
            "generation": 1,
            "creationTimestamp": stamp(now),
            "labels": template["metadata"]["labels"],
            "annotations": {REVISION: revision.to_string()},
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"],
                "uid": deployment["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }],
        },
        "spec": {"replicas": 0, "selector": selector, "template": template,
                 "minReadySeconds": int(deployment, "/spec/minReadySeconds", 0)},
        "status": {"replicas": 0},
    });
    state.store.put(&REPLICA_SET, object)
}

fn recreate(state: &mut State, deployment: &Value, new: &Value, old: &[Arc<Value>], now: OffsetDateTime) {
    let running: i64 = old.iter().map(|set| int(set, "/status/replicas", 0)).sum();
    for set in old {
        scale(state, deployment, set, 0, now);
    }
    if running == 0 {
        scale(state, deployment, new, int(deployment, "/spec/replicas", 1), now);
    }
}

fn roll(state: &mut State, deployment: &Value, new: &Value, old: &[Arc<Value>], now: OffsetDateTime) {
    let limits = Limits::of(deployment);
    let wanted = |set: &Value| int(set, "/spec/replicas", 0);
    let available = |set: &Value| int(set, "/status/availableReplicas", 0);
    let mut total: i64 = wanted(new) + old.iter().map(|set| wanted(set)).sum::<i64>();
    let grown = limits.grow(wanted(new), total);
    if grown != wanted(new) {
        total += grown - wanted(new);
        scale(state, deployment, new, grown, now);
    }
    let mut may_lose = limits.shrink(total, (grown - available(new)).max(0));
    let mut remaining: Vec<(Arc<Value>, i64)> = old.iter().map(|set| (Arc::clone(set), wanted(set))).collect();
    // Those that are not available go first: losing them costs nothing.
    for (set, count) in &mut remaining {
        let dead = (*count - available(set)).clamp(0, may_lose);
        *count -= dead;
        may_lose -= dead;
    }
    let spare =
        available(new) + old.iter().map(|set| available(set)).sum::<i64>() - (limits.desired - limits.unavailable);
    let mut healthy = spare.clamp(0, may_lose);
    for (_, count) in &mut remaining {
        let gone = (*count).min(healthy);
        *count -= gone;
        healthy -= gone;
    }
    for (set, count) in remaining {
        scale(state, deployment, &set, count, now);
    }
}

fn scale(state: &mut State, deployment: &Value, set_object: &Value, count: i64, now: OffsetDateTime) {
    let desired = json!(deployment["spec"]["replicas"].to_string());
    resize(state, deployment, (set_object, "replica set"), count, now, |changed| {
        set(changed, &["metadata", "annotations", "deployment.kubernetes.io/desired-replicas"], desired);
    });
}

/// Gives a set so many replicas, in the name of its owner, which calls it `called` in its event.
pub(super) fn resize(
    state: &mut State,
    owner: &Value,
    (set_object, called): (&Value, &str),
    count: i64,
    now: OffsetDateTime,
    mark: impl FnOnce(&mut Value),
) {
    let before = int(set_object, "/spec/replicas", 0);
    if before == count {
        return;
    }
    let mut changed = set_object.clone();
    changed["spec"]["replicas"] = json!(count);
    changed["metadata"]["generation"] = json!(int(&changed, "/metadata/generation", 1) + 1);
    mark(&mut changed);
    let name = text(set_object, "/metadata/name").to_owned();
    state.store.put(&REPLICA_SET, changed);
    let direction = if count > before { "up" } else { "down" };
    let message = format!("Scaled {direction} {called} {name} from {before} to {count}");
    state.event(owner, false, "ScalingReplicaSet", &message, now);
}

fn forget_old_sets(state: &mut State, deployment: &Value, mut old: Vec<Arc<Value>>) {
    let keep = usize::try_from(int(deployment, "/spec/revisionHistoryLimit", 10)).unwrap_or(10);
    old.retain(|set| int(set, "/spec/replicas", 0) == 0 && int(set, "/status/replicas", 0) == 0);
    old.sort_by_key(|set| revision(set));
    let surplus = old.len().saturating_sub(keep);
    for set in old.into_iter().take(surplus) {
        state.store.delete(&REPLICA_SET, text(&set, "/metadata/namespace"), text(&set, "/metadata/name"));
    }
}
