//! Deletes what belonged to objects that are gone.

use super::kinds::{DEPLOYMENT, JOB, Kind, POD, REPLICA_SET, ROLLOUT};
use super::pod;
use super::state::State;
use crate::object::text;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use time::OffsetDateTime;

pub(crate) fn collect(state: &mut State, now: OffsetDateTime) {
    let uids = |state: &State, kinds: &[&'static Kind]| -> BTreeSet<String> {
        let objects = kinds.iter().flat_map(|kind| state.store.list(kind, ""));
        objects.map(|object| text(object, "/metadata/uid").to_owned()).collect()
    };
    let workloads = uids(state, &[&DEPLOYMENT, &ROLLOUT]);
    for set in orphans(state, &REPLICA_SET, &workloads) {
        state.store.delete(&REPLICA_SET, text(&set, "/metadata/namespace"), text(&set, "/metadata/name"));
    }
    let owners = uids(state, &[&REPLICA_SET, &JOB]);
    for orphan in orphans(state, &POD, &owners) {
        if text(&orphan, "/metadata/deletionTimestamp").is_empty() {
            pod::terminate(state, &orphan, now);
        }
    }
    state.progress.retain(|uid, _| workloads.contains(uid));
}

fn orphans(state: &State, kind: &'static Kind, owners: &BTreeSet<String>) -> Vec<Arc<Value>> {
    let is_orphan = |object: &&Arc<Value>| {
        let owner = text(object, "/metadata/ownerReferences/0/uid");
        !owner.is_empty() && !owners.contains(owner)
    };
    state.store.list(kind, "").filter(is_orphan).cloned().collect()
}
