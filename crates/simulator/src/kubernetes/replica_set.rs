//! The replica set controller: as many pods as wanted, within the namespace's quota.

use super::kinds::{POD, QUOTA, REPLICA_SET};
use super::pod::{self, PodSim};
use super::state::{State, set_condition};
use crate::object::{int, set, text};
use crate::pace::stamp;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

pub(crate) fn reconcile(state: &mut State, now: OffsetDateTime) {
    let all: Vec<Arc<Value>> = state.store.list(&REPLICA_SET, "").cloned().collect();
    for set in all {
        one(state, &set, now);
    }
}

fn one(state: &mut State, set_object: &Value, now: OffsetDateTime) {
    let wanted = usize::try_from(int(set_object, "/spec/replicas", 0)).unwrap_or(0);
    let mut live = state.owned(&POD, set_object);
    live.retain(|pod| text(pod, "/metadata/deletionTimestamp").is_empty());
    let mut refused = None;
    for _ in live.len()..wanted {
        if let Err(message) = within_quota(state, set_object) {
            refused = Some(message);
            break;
        }
        let pod = create(state, set_object, &format!("{}-", text(set_object, "/metadata/name")), now);
        state.event(
            set_object,
            false,
            "SuccessfulCreate",
            &format!("Created pod: {}", text(&pod, "/metadata/name")),
            now,
        );
    }
    if live.len() > wanted {
        // Not ready ones first, then the youngest: what the platform does with pods of equal rank.
        live.sort_by_key(|pod| (is_ready(pod), std::cmp::Reverse(text(pod, "/metadata/creationTimestamp").to_owned())));
        let surplus = live.len() - wanted;
        for pod in live.drain(..surplus) {
            let name = text(&pod, "/metadata/name").to_owned();
            pod::terminate(state, &pod, now);
            state.event(set_object, false, "SuccessfulDelete", &format!("Deleted pod: {name}"), now);
        }
    }
    status(state, set_object, refused, now);
}

fn status(state: &mut State, set_object: &Value, refused: Option<String>, now: OffsetDateTime) {
    let mut pods = state.owned(&POD, set_object);
    pods.retain(|pod| text(pod, "/metadata/deletionTimestamp").is_empty());
    let wait = state.pace.seconds(int(set_object, "/spec/minReadySeconds", 0) as f64);
    let available = |pod: &&Arc<Value>| {
        let since = state.pods.get(text(pod, "/metadata/uid")).and_then(|sim| sim.ready_since);
        is_ready(pod) && since.is_some_and(|since| since + wait <= now)
    };
    let counts = [
        ("fullyLabeledReplicas", pods.len()),
        ("readyReplicas", pods.iter().filter(|pod| is_ready(pod)).count()),
        ("availableReplicas", pods.iter().filter(available).count()),
    ];
    let mut object = set_object.clone();
    object["status"]["replicas"] = json!(pods.len());
    object["status"]["observedGeneration"] = object["metadata"]["generation"].clone();
    for (field, count) in counts {
        if count > 0 {
            object["status"][field] = json!(count);
        } else {
            crate::object::remove(&mut object["status"], &[field]);
        }
    }
    match refused {
        Some(message) => {
            let known = object["status"].to_string().contains(&message);
            set_condition(&mut object, "ReplicaFailure", "True", "FailedCreate", &message, now);
            if !known {
                state.event(set_object, true, "FailedCreate", &format!("Error creating: {message}"), now);
            }
        }
        None => drop(crate::object::remove(&mut object["status"], &["conditions"])),
    }
    state.store.put(&REPLICA_SET, object);
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    crate::object::list(pod, "/status/conditions").iter().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn within_quota(state: &State, owner: &Value) -> Result<(), String> {
    let namespace = text(owner, "/metadata/namespace");
    let used = state.store.list(&POD, namespace).count();
    for quota in state.store.list(&QUOTA, namespace) {
        let hard = &quota["spec"]["hard"]["pods"];
        let Some(limit) = hard.as_u64().or_else(|| hard.as_str()?.parse().ok()) else { continue };
        if used as u64 >= limit {
            let name = text(quota, "/metadata/name");
            return Err(format!(
                "pods \"{}-\" is forbidden: exceeded quota: {name}, requested: pods=1, used: pods={used}, limited: pods={limit}",
                text(owner, "/metadata/name")
            ));
        }
    }
    Ok(())
}

/// Makes a pod from the owner's template.
pub(crate) fn create(state: &mut State, owner: &Value, prefix: &str, now: OffsetDateTime) -> Arc<Value> {
    let template = &owner["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    let uid = state.dice.uuid();
    for (field, value) in [
        ("name", json!(format!("{prefix}{}", state.dice.suffix(5)))),
        ("generateName", json!(prefix)),
        ("namespace", owner["metadata"]["namespace"].clone()),
        ("uid", json!(uid)),
        ("creationTimestamp", json!(stamp(now))),
        (
            "ownerReferences",
            json!([{
                "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
                "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
            }]),
        ),
    ] {
        set(&mut metadata, &[field], value);
    }
    let mut pod = json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": template["spec"],
                         "status": {"phase": "Pending", "qosClass": "Burstable"}});
    let due = now + state.pace.seconds(state.dice.around(0.2));
    let sim = PodSim::new(&pod, due);
    super::pod_status::write(&mut pod, &sim, now);
    state.pods.insert(uid, sim);
    state.store.put(&POD, pod)
}

/// When a ready pod becomes available (`minReadySeconds`).
pub(crate) fn next_due(state: &State, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let waits = state.store.list(&REPLICA_SET, "").filter(|set| int(set, "/spec/minReadySeconds", 0) > 0);
    let dues = waits.flat_map(|set_object| {
        let wait = state.pace.seconds(int(set_object, "/spec/minReadySeconds", 0) as f64);
        let pods = state.owned(&POD, set_object);
        let since = |pod: &Arc<Value>| state.pods.get(text(pod, "/metadata/uid")).and_then(|sim| sim.ready_since);
        pods.iter().filter_map(since).map(|since| since + wait).filter(|due| *due > now).collect::<Vec<_>>()
    });
    dues.min()
}
