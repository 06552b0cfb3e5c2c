//! The status of a Deployment: counts, conditions, progress deadline.

use super::kinds::{DEPLOYMENT, REPLICA_SET};
use super::rollout::Limits;
use super::state::{Progress, State, set_condition};
use crate::object::{int, set, text};
use serde_json::{Value, json};
use time::OffsetDateTime;

const REVISION: &str = "deployment.kubernetes.io/revision";

struct Counts {
    replicas: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

pub(crate) fn write(state: &mut State, deployment: &Value, hash: &str, now: OffsetDateTime) {
    let sets = state.owned(&REPLICA_SET, deployment);
    let is_new = |set: &Value| text(set, "/metadata/labels/pod-template-hash") == hash;
    let sum = |field: &str| sets.iter().map(|set| int(set, &format!("/status/{field}"), 0)).sum::<i64>();
    let Some(new) = sets.iter().find(|set| is_new(set)) else { return };
    let counts = Counts {
        replicas: sum("replicas"),
        updated: int(new, "/status/replicas", 0),
        ready: sum("readyReplicas"),
        available: sum("availableReplicas"),
    };
    let desired = int(deployment, "/spec/replicas", 1);
    let mut object = deployment.clone();
    let status = &mut object["status"];
    status["observedGeneration"] = deployment["metadata"]["generation"].clone();
    for (field, count) in [
        ("replicas", counts.replicas),
        ("updatedReplicas", counts.updated),
        ("readyReplicas", counts.ready),
        ("availableReplicas", counts.available),
        ("unavailableReplicas", (desired.max(counts.replicas) - counts.available).max(0)),
    ] {
        // Zero is left out, as the platform does.
        if count > 0 {
            status[field] = json!(count);
        } else {
            crate::object::remove(status, &[field]);
        }
    }
    let revision = new["metadata"]["annotations"][REVISION].clone();
    set(&mut object, &["metadata", "annotations", REVISION], revision);
    available(&mut object, &counts, now);
    progressing(state, &mut object, &counts, text(new, "/metadata/name"), hash, now);
    failure(&mut object, new, now);
    state.store.put(&DEPLOYMENT, object);
}

fn available(object: &mut Value, counts: &Counts, now: OffsetDateTime) {
    let limits = Limits::of(object);
    if counts.available >= limits.desired - limits.unavailable {
        let message = "Deployment has minimum availability.";
        set_condition(object, "Available", "True", "MinimumReplicasAvailable", message, now);
    } else {
        let message = "Deployment does not have minimum availability.";
        set_condition(object, "Available", "False", "MinimumReplicasUnavailable", message, now);
    }
}

fn progressing(
    state: &mut State,
    object: &mut Value,
    counts: &Counts,
    set_name: &str,
    hash: &str,
    now: OffsetDateTime,
) {
    let desired = int(object, "/spec/replicas", 1);
    let complete = counts.updated == desired && counts.replicas == desired && counts.available == desired;
    let uid = text(object, "/metadata/uid").to_owned();
    let seen = (hash.to_owned(), counts.updated, counts.available, counts.replicas - counts.updated);
    let fresh = || Progress { at: now, seen: seen.clone(), exceeded: false, complete };
    let progress = state.progress.entry(uid).or_insert_with(fresh);
    let moved =
        progress.seen.0 != seen.0 || seen.1 > progress.seen.1 || seen.2 > progress.seen.2 || seen.3 < progress.seen.3;
    if moved || complete {
        progress.at = now;
        progress.exceeded = false;
    }
    progress.seen = seen;
    progress.complete = complete;
    let deadline = state.pace.seconds(int(object, "/spec/progressDeadlineSeconds", 600) as f64);
    if !complete && now - progress.at >= deadline {
        progress.exceeded = true;
    }
    let exceeded = progress.exceeded;
    let (status, reason, message) = if complete {
        ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{set_name}\" has successfully progressed."))
    } else if exceeded {
        ("False", "ProgressDeadlineExceeded", format!("ReplicaSet \"{set_name}\" has timed out progressing."))
    } else {
        ("True", "ReplicaSetUpdated", format!("ReplicaSet \"{set_name}\" is progressing."))
    };
    set_condition(object, "Progressing", status, reason, &message, now);
}

/// Repeats the replica set's failure to create pods (a quota), or takes the condition away.
fn failure(object: &mut Value, new: &Value, now: OffsetDateTime) {
    let found = crate::object::list(new, "/status/conditions").iter().find(|one| one["type"] == "ReplicaFailure");
    if let Some(condition) = found {
        let (reason, message) = (text(condition, "/reason"), text(condition, "/message"));
        set_condition(object, "ReplicaFailure", "True", reason, message, now);
    } else if let Some(conditions) = object["status"]["conditions"].as_array_mut() {
        conditions.retain(|one| one["type"] != "ReplicaFailure");
    }
}

/// When the next deadline passes.
pub(crate) fn next_due(state: &State, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let deadlines = state.store.list(&DEPLOYMENT, "").filter_map(|deployment| {
        let progress = state.progress.get(text(deployment, "/metadata/uid"))?;
        let deadline = state.pace.seconds(int(deployment, "/spec/progressDeadlineSeconds", 600) as f64);
        (!progress.exceeded && !progress.complete).then(|| progress.at + deadline).filter(|due| *due > now)
    });
    deadlines.min()
}
