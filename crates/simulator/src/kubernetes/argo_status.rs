//! The status of a Rollout: counts, conditions, phase.

use super::argo_sets;
use super::kinds::ROLLOUT;
use super::state::{Progress, State, set_condition};
use crate::object::{flag, int, list, remove, set, text};
use serde_json::{Value, json};
use time::OffsetDateTime;

pub(super) fn write(state: &mut State, mut rollout: Value, hash: &str, now: OffsetDateTime) {
    let sets = argo_sets::all(state, &rollout);
    let sum = |field: &str| sets.iter().map(|set| int(set, &format!("/status/{field}"), 0)).sum::<i64>();
    let new = sets.iter().find(|set| argo_sets::hash(set) == hash);
    let updated = new.map_or(0, |set| int(set, "/status/replicas", 0));
    let name = new.map_or("", |set| text(set, "/metadata/name")).to_owned();
    for (field, count) in [
        ("replicas", sum("replicas")),
        ("updatedReplicas", updated),
        ("readyReplicas", sum("readyReplicas")),
        ("availableReplicas", sum("availableReplicas")),
    ] {
        if count > 0 {
            set(&mut rollout, &["status", field], json!(count));
        } else {
            remove(&mut rollout, &["status", field]);
        }
    }
    // A text, as the controller writes it.
    let generation = int(&rollout, "/metadata/generation", 1).to_string();
    set(&mut rollout, &["status", "observedGeneration"], json!(generation));
    let exceeded = progress(state, &rollout, hash, now);
    let (phase, message) = phase(&rollout, exceeded);
    conditions(&mut rollout, &name, phase, exceeded, now);
    set(&mut rollout, &["status", "phase"], json!(phase));
    if message.is_empty() {
        remove(&mut rollout, &["status", "message"]);
    } else {
        set(&mut rollout, &["status", "message"], json!(message));
    }
    state.store.put(&ROLLOUT, rollout);
}

fn is_stable(rollout: &Value) -> bool {
    text(rollout, "/status/stableRS") == text(rollout, "/status/currentPodHash")
}

/// The first that holds, in the controller's order.
fn phase(rollout: &Value, exceeded: bool) -> (&'static str, &'static str) {
    let count = |field: &str| int(rollout, &format!("/status/{field}"), 0);
    let replicas = int(rollout, "/spec/replicas", 1);
    let (updated, available) = (count("updatedReplicas"), count("availableReplicas"));
    if flag(rollout, "/status/abort") && !is_stable(rollout) {
        return ("Degraded", "RolloutAborted: Rollout aborted update");
    }
    if exceeded {
        return ("Degraded", "ProgressDeadlineExceeded: the ReplicaSet has timed out progressing");
    }
    if flag(rollout, "/spec/paused") {
        return ("Paused", "manually paused");
    }
    if !list(rollout, "/status/pauseConditions").is_empty() {
        return ("Paused", "CanaryPauseStep");
    }
    let restarting = text(rollout, "/spec/restartAt") != text(rollout, "/status/restartedAt");
    let message = if restarting {
        "rollout is restarting"
    } else if updated < replicas {
        "more replicas need to be updated"
    } else if available < updated {
        "updated replicas are still becoming available"
    } else if count("replicas") > updated {
        "old replicas are pending termination"
    } else if !is_stable(rollout) {
        "waiting for all steps to complete"
    } else {
        return ("Healthy", "");
    };
    ("Progressing", message)
}

fn conditions(rollout: &mut Value, set_name: &str, phase: &str, exceeded: bool, now: OffsetDateTime) {
    let (status, reason, message) = match phase {
        "Degraded" if exceeded => {
            ("False", "ProgressDeadlineExceeded", format!("ReplicaSet \"{set_name}\" has timed out progressing."))
        }
        "Degraded" => ("False", "RolloutAborted", "Rollout aborted update".to_owned()),
        "Paused" => ("Unknown", "RolloutPaused", "Rollout is paused".to_owned()),
        "Healthy" => {
            ("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{set_name}\" has successfully progressed."))
        }
        _ => ("True", "ReplicaSetUpdated", format!("ReplicaSet \"{set_name}\" is progressing.")),
    };
    set_condition(rollout, "Progressing", status, reason, &message, now);
    let available = int(rollout, "/status/availableReplicas", 0) >= int(rollout, "/spec/replicas", 1);
    let (status, message) = if available {
        ("True", "Rollout has minimum availability")
    } else {
        ("False", "Rollout does not have minimum availability")
    };
    set_condition(rollout, "Available", status, "AvailableReason", message, now);
}

/// Whether the deadline has passed without anything moving. None runs while there is nothing to do or a pause lasts.
fn progress(state: &mut State, rollout: &Value, hash: &str, now: OffsetDateTime) -> bool {
    let count = |field: &str| int(rollout, &format!("/status/{field}"), 0);
    let resting = !list(rollout, "/status/pauseConditions").is_empty()
        || flag(rollout, "/spec/paused")
        || flag(rollout, "/status/abort")
        || phase(rollout, false).0 == "Healthy";
    // A step that was passed counts as movement.
    let seen = (
        format!("{hash}/{}", int(rollout, "/status/currentStepIndex", 0)),
        count("updatedReplicas"),
        count("availableReplicas"),
        count("replicas") - count("updatedReplicas"),
    );
    let deadline = state.pace.seconds(int(rollout, "/spec/progressDeadlineSeconds", 600) as f64);
    let fresh = || Progress { at: now, seen: seen.clone(), exceeded: false, complete: resting };
    let progress = state.progress.entry(text(rollout, "/metadata/uid").to_owned()).or_insert_with(fresh);
    let moved =
        progress.seen.0 != seen.0 || seen.1 > progress.seen.1 || seen.2 > progress.seen.2 || seen.3 < progress.seen.3;
    if moved || resting || progress.complete {
        progress.at = now;
        progress.exceeded = false;
    }
    progress.seen = seen;
    progress.complete = resting;
    progress.exceeded |= !resting && now - progress.at >= deadline;
    progress.exceeded
}

/// When the deadline passes, while one runs.
pub(super) fn deadline(state: &State, rollout: &Value) -> Option<OffsetDateTime> {
    let progress = state.progress.get(text(rollout, "/metadata/uid"))?;
    let deadline = state.pace.seconds(int(rollout, "/spec/progressDeadlineSeconds", 600) as f64);
    (!progress.exceeded && !progress.complete).then(|| progress.at + deadline)
}
