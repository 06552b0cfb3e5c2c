//! The job controller: one pod that runs to its end, tried again up to the back-off limit.

use super::kinds::{JOB, POD};
use super::replica_set;
use super::state::{State, set_condition};
use crate::object::{int, text};
use crate::pace::stamp;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

pub(crate) fn reconcile(state: &mut State, now: OffsetDateTime) {
    let all: Vec<Arc<Value>> = state.store.list(&JOB, "").cloned().collect();
    for job in all {
        one(state, &job, now);
    }
}

fn one(state: &mut State, job: &Value, now: OffsetDateTime) {
    let over = |name: &str| {
        crate::object::list(job, "/status/conditions").iter().any(|one| one["type"] == name && one["status"] == "True")
    };
    if over("Complete") || over("Failed") || crate::object::flag(job, "/spec/suspend") {
        return;
    }
    let pods = state.owned(&POD, job);
    let count = |phase: &str| pods.iter().filter(|pod| text(pod, "/status/phase") == phase).count() as i64;
    let (succeeded, failed) = (count("Succeeded"), count("Failed"));
    let restarts: i64 = pods.iter().map(|pod| int(pod, "/status/containerStatuses/0/restartCount", 0)).sum();
    let active = pods.len() as i64 - succeeded - failed;
    let limit = int(job, "/spec/backoffLimit", 6);
    let mut object = job.clone();
    object["status"]["active"] = json!(active);
    object["status"]["succeeded"] = json!(succeeded);
    object["status"]["failed"] = json!(failed);
    crate::object::default(&mut object, &["status", "startTime"], || json!(stamp(now)));
    if succeeded >= 1 {
        object["status"]["completionTime"] = json!(stamp(now));
        set_condition(
            &mut object,
            "Complete",
            "True",
            "CompletionsReached",
            "Reached expected number of succeeded pods",
            now,
        );
        state.event(job, false, "Completed", "Job completed", now);
    } else if failed + restarts > limit {
        let message = "Job has reached the specified backoff limit";
        set_condition(&mut object, "Failed", "True", "BackoffLimitExceeded", message, now);
        state.event(job, true, "BackoffLimitExceeded", message, now);
    } else if active == 0 {
        let pod = replica_set::create(state, &labelled(job), &format!("{}-", text(job, "/metadata/name")), now);
        state.event(job, false, "SuccessfulCreate", &format!("Created pod: {}", text(&pod, "/metadata/name")), now);
        object["status"]["active"] = json!(1);
    }
    state.store.put(&JOB, object);
}

/// The Job as its pods are made from it: they carry its name and uid as labels.
fn labelled(job: &Value) -> Value {
    let mut job = job.clone();
    let (name, uid) = (job["metadata"]["name"].clone(), job["metadata"]["uid"].clone());
    for prefix in ["", "batch.kubernetes.io/"] {
        let labels = &mut job["spec"]["template"]["metadata"]["labels"];
        labels[format!("{prefix}job-name")] = name.clone();
        labels[format!("{prefix}controller-uid")] = uid.clone();
    }
    job
}
