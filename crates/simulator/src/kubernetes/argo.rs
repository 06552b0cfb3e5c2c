//! The controller of Argo Rollouts by what its documents say: one ReplicaSet a pod template, and the steps of a canary.
//!
//! Weights are shares of the pods. Steps other than `setWeight` and `pause` are passed at once, and blue-green comes without its pause.

use super::argo_sets::{self, Sets};
use super::argo_status;
use super::deployment::template_hash;
use super::kinds::{POD, ROLLOUT};
use super::pod;
use super::state::State;
use crate::object::{flag, int, list, remove, set, text};
use crate::pace::stamp;
use serde_json::{Value, json};
use std::sync::Arc;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

pub(crate) fn reconcile(state: &mut State, now: OffsetDateTime) {
    let all: Vec<Arc<Value>> = state.store.list(&ROLLOUT, "").cloned().collect();
    for rollout in all {
        // What takes its pods from a Deployment is left alone.
        if text(&rollout, "/metadata/deletionTimestamp").is_empty() && rollout["spec"]["template"].is_object() {
            one(state, &rollout, now);
        }
    }
}

fn one(state: &mut State, before: &Value, now: OffsetDateTime) {
    let mut rollout = before.clone();
    let hash = template_hash(&rollout["spec"]["template"]);
    begin(&mut rollout, &hash);
    let sets = argo_sets::of(state, &mut rollout, &hash, now);
    if !flag(&rollout, "/spec/paused") {
        step(state, &mut rollout, &sets, now);
        restart(state, &mut rollout, now);
    }
    let weight = weight(&rollout);
    argo_sets::scale(state, &rollout, &sets, weight, now);
    argo_status::write(state, rollout, &hash, now);
}

fn steps(rollout: &Value) -> &[Value] {
    list(rollout, "/spec/strategy/canary/steps")
}

fn index(rollout: &Value) -> usize {
    usize::try_from(int(rollout, "/status/currentStepIndex", 0)).unwrap_or(0)
}

/// A new template begins at the first step, the stable one at the last.
fn begin(rollout: &mut Value, hash: &str) {
    if text(rollout, "/status/currentPodHash") == hash {
        return;
    }
    let stable = text(rollout, "/status/stableRS");
    let first = if stable.is_empty() || stable == hash { steps(rollout).len() } else { 0 };
    for field in ["abort", "abortedAt", "pauseConditions", "controllerPause", "promoteFull"] {
        remove(rollout, &["status", field]);
    }
    set(rollout, &["status", "currentPodHash"], json!(hash));
    set(rollout, &["status", "currentStepIndex"], json!(first));
}

/// Percent of the pods that the new template is to have.
fn weight(rollout: &Value) -> i64 {
    if is_aborted(rollout) {
        return 0;
    }
    let (steps, index) = (steps(rollout), index(rollout));
    if index >= steps.len() {
        return 100;
    }
    steps[..=index].iter().filter_map(|step| step["setWeight"].as_i64()).next_back().unwrap_or(0)
}

fn is_aborted(rollout: &Value) -> bool {
    flag(rollout, "/status/abort") && text(rollout, "/status/currentPodHash") != text(rollout, "/status/stableRS")
}

fn step(state: &State, rollout: &mut Value, sets: &Sets, now: OffsetDateTime) {
    if is_aborted(rollout) {
        remove(rollout, &["status", "pauseConditions"]);
        remove(rollout, &["status", "controllerPause"]);
        if text(rollout, "/status/abortedAt").is_empty() {
            set(rollout, &["status", "abortedAt"], json!(stamp(now)));
        }
        return;
    }
    if flag(rollout, "/status/promoteFull") {
        remove(rollout, &["status", "pauseConditions"]);
        remove(rollout, &["status", "controllerPause"]);
        let last = steps(rollout).len();
        set(rollout, &["status", "currentStepIndex"], json!(last));
    }
    let at = index(rollout);
    let Some(current) = steps(rollout).get(at).cloned() else {
        if sets.settled(rollout, 100) {
            let hash = rollout["status"]["currentPodHash"].clone();
            set(rollout, &["status", "stableRS"], hash);
            remove(rollout, &["status", "promoteFull"]);
        }
        return;
    };
    let done = match (current["setWeight"].as_i64(), current.get("pause")) {
        (Some(weight), _) => sets.settled(rollout, weight),
        (None, Some(pause)) => paused(state, rollout, pause, now),
        (None, None) => true,
    };
    if done {
        set(rollout, &["status", "currentStepIndex"], json!(at + 1));
    }
}

/// Whether a pause is over: its time has passed, or somebody has taken its condition away.
fn paused(state: &State, rollout: &mut Value, pause: &Value, now: OffsetDateTime) -> bool {
    let began = moment(text(rollout, "/status/pauseConditions/0/startTime"));
    let over = match began {
        None if flag(rollout, "/status/controllerPause") => true,
        None => {
            let condition = json!([{"reason": "CanaryPauseStep", "startTime": stamp(now)}]);
            set(rollout, &["status", "pauseConditions"], condition);
            set(rollout, &["status", "controllerPause"], json!(true));
            false
        }
        Some(began) => seconds(&pause["duration"]).is_some_and(|long| began + state.pace.seconds(long) <= now),
    };
    if over {
        remove(rollout, &["status", "pauseConditions"]);
        remove(rollout, &["status", "controllerPause"]);
    }
    over
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// A number of seconds, or a text such as `30s`, `5m`, `1h`.
fn seconds(duration: &Value) -> Option<f64> {
    let Some(text) = duration.as_str() else { return duration.as_f64() };
    let (number, unit) = text.split_at(text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(text.len()));
    let factor = match unit {
        "h" => 3600.0,
        "m" => 60.0,
        _ => 1.0,
    };
    Some(number.parse::<f64>().ok()? * factor)
}

/// Takes older pods away one by one, each when all are available.
fn restart(state: &mut State, rollout: &mut Value, now: OffsetDateTime) {
    let asked = text(rollout, "/spec/restartAt").to_owned();
    let Some(at) = moment(&asked).filter(|at| *at <= now) else { return };
    if text(rollout, "/status/restartedAt") == asked {
        return;
    }
    let pods: Vec<Arc<Value>> = argo_sets::all(state, rollout).iter().flat_map(|one| state.owned(&POD, one)).collect();
    let going = |pod: &Value| !text(pod, "/metadata/deletionTimestamp").is_empty();
    let old = |pod: &Value| moment(text(pod, "/metadata/creationTimestamp")).is_some_and(|made| made < at);
    match pods.iter().find(|pod| !going(pod) && old(pod)) {
        None => set(rollout, &["status", "restartedAt"], json!(asked)),
        Some(pod) if int(rollout, "/status/availableReplicas", 0) >= int(rollout, "/spec/replicas", 1) => {
            pod::terminate(state, pod, now);
        }
        Some(_) => {}
    }
}

/// When a pause, a deadline or the wait for a restart is over.
pub(crate) fn next_due(state: &State, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let dues = state.store.list(&ROLLOUT, "").flat_map(|rollout| {
        let pause = steps(rollout).get(index(rollout)).and_then(|step| seconds(&step["pause"]["duration"]));
        let began = moment(text(rollout, "/status/pauseConditions/0/startTime"));
        let pause = began.zip(pause).map(|(began, long)| began + state.pace.seconds(long));
        let restart = moment(text(rollout, "/spec/restartAt"));
        [pause, restart, argo_status::deadline(state, rollout)]
    });
    dues.flatten().filter(|due| *due > now).map(|due| due + Duration::MILLISECOND).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(index: usize) -> Value {
        json!({"spec": {"strategy": {"canary": {"steps": [
            {"setWeight": 20}, {"pause": {}}, {"analysis": {}}, {"setWeight": 60}, {"pause": {"duration": "1m"}}
        ]}}}, "status": {"currentStepIndex": index, "currentPodHash": "b", "stableRS": "a"}})
    }

    #[test]
    fn a_weight_holds_until_the_next() {
        let weights: Vec<i64> = (0..6).map(|index| weight(&rollout(index))).collect();
        assert_eq!(weights, [20, 20, 20, 60, 60, 100]);
        let mut aborted = rollout(3);
        aborted["status"]["abort"] = json!(true);
        assert_eq!(weight(&aborted), 0);
    }

    #[test]
    fn a_new_template_begins_anew_and_the_stable_one_skips_the_steps() {
        let mut new = rollout(3);
        new["status"]["abort"] = json!(true);
        begin(&mut new, "c");
        assert_eq!((index(&new), flag(&new, "/status/abort")), (0, false));
        let mut back = rollout(3);
        begin(&mut back, "a");
        assert_eq!(index(&back), 5);
    }

    #[test]
    fn durations_are_numbers_and_texts() {
        let read = |value: Value| seconds(&value);
        assert_eq!((read(json!(10)), read(json!("90s")), read(json!("2m"))), (Some(10.0), Some(90.0), Some(120.0)));
        assert_eq!((read(json!("1h")), read(json!("30")), read(Value::Null)), (Some(3600.0), Some(30.0), None));
    }
}
