//! The life of a pod: scheduled, image pulled, started, ready; or one of the ways in which that fails.

use super::kinds::{NODE, POD};
use super::needs;
use super::state::State;
use crate::behaviour::Behaviour;
use crate::object::{int, list, text};
use crate::pace::stamp;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

/// Where a pod is in its life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stage {
    /// No node yet, with the scheduler's reason once it has tried.
    Unscheduled(Option<String>),
    Creating,
    PullFailed,
    PullBackOff,
    /// The container cannot be made: a key of a Secret or a ConfigMap is missing.
    ConfigError(String),
    Running,
    Ready,
    /// Ended, about to be started again.
    Ended,
    CrashBackOff,
    Terminating,
    /// A job's pod at its end.
    Finished {
        ok: bool,
    },
}

/// What a pod's object does not show.
#[derive(Debug, Clone)]
pub(crate) struct PodSim {
    pub(crate) stage: Stage,
    /// When the next stage begins.
    pub(crate) due: Option<OffsetDateTime>,
    pub(crate) restarts: u32,
    /// Failed attempts at the present stage; the waits double with them.
    pub(crate) tries: u32,
    /// The container whose image decides; the others just run.
    pub(crate) focus: usize,
    pub(crate) behaviour: Behaviour,
    pub(crate) started: Option<OffsetDateTime>,
    /// The run before: start and end.
    pub(crate) last_run: Option<(OffsetDateTime, OffsetDateTime)>,
    pub(crate) ready_since: Option<OffsetDateTime>,
}

impl PodSim {
    pub(crate) fn new(pod: &Value, due: OffsetDateTime) -> Self {
        let containers = list(pod, "/spec/containers");
        let behaviours: Vec<Behaviour> =
            containers.iter().map(|container| Behaviour::of(text(container, "/image"))).collect();
        let focus = behaviours.iter().position(|behaviour| *behaviour != Behaviour::Healthy).unwrap_or(0);
        Self {
            stage: Stage::Unscheduled(None),
            due: Some(due),
            restarts: 0,
            tries: 0,
            focus,
            behaviour: behaviours.get(focus).copied().unwrap_or(Behaviour::Healthy),
            started: None,
            last_run: None,
            ready_since: None,
        }
    }
}

/// Moves every pod whose time has come.
pub(crate) fn reconcile(state: &mut State, now: OffsetDateTime) {
    let all: Vec<Arc<Value>> = state.store.list(&POD, "").cloned().collect();
    for pod in all {
        let uid = text(&pod, "/metadata/uid").to_owned();
        let Some(mut sim) = state.pods.get(&uid).cloned() else { continue };
        if sim.due.is_none_or(|due| due > now) {
            continue;
        }
        if sim.stage == Stage::Terminating {
            state.pods.remove(&uid);
            state.store.delete(&POD, text(&pod, "/metadata/namespace"), text(&pod, "/metadata/name"));
            continue;
        }
        let mut object = (*pod).clone();
        advance(state, &mut object, &mut sim, now);
        super::pod_status::write(&mut object, &sim, now);
        state.pods.insert(uid, sim);
        state.store.put(&POD, object);
    }
}

/// Starts a pod's end; it is gone some seconds later.
pub(crate) fn terminate(state: &mut State, pod: &Value, now: OffsetDateTime) {
    let due = now + state.pace.seconds(state.dice.around(1.5));
    let mut object = pod.clone();
    if let Some(sim) = state.pods.get_mut(text(pod, "/metadata/uid")) {
        if sim.stage == Stage::Terminating {
            return;
        }
        sim.stage = Stage::Terminating;
        sim.due = Some(due);
        sim.ready_since = None;
    }
    object["metadata"]["deletionTimestamp"] = json!(stamp(now));
    object["metadata"]["deletionGracePeriodSeconds"] = object["spec"]["terminationGracePeriodSeconds"].clone();
    state.store.put(&POD, object.clone());
    let name = container_name(&object, 0);
    state.event(&object, false, "Killing", &format!("Stopping container {name}"), now);
}

pub(crate) fn container_name(pod: &Value, at: usize) -> String {
    text(pod, &format!("/spec/containers/{at}/name")).to_owned()
}

fn advance(state: &mut State, pod: &mut Value, sim: &mut PodSim, now: OffsetDateTime) {
    let after = |state: &mut State, seconds: f64| Some(now + state.pace.seconds(state.dice.around(seconds)));
    let image = text(pod, &format!("/spec/containers/{}/image", sim.focus)).to_owned();
    match sim.stage.clone() {
        Stage::Unscheduled(_) => schedule(state, pod, sim, now),
        Stage::Creating if sim.behaviour == Behaviour::Missing => {
            sim.stage = Stage::PullFailed;
            sim.tries += 1;
            sim.due = after(state, 2.0);
            let message = format!("Failed to pull image \"{image}\": {}", super::pod_status::pull_error(&image));
            state.event(pod, true, "Failed", &message, now);
            state.event(pod, true, "Failed", "Error: ErrImagePull", now);
        }
        Stage::PullFailed => {
            sim.stage = Stage::PullBackOff;
            sim.due = after(state, f64::from(10_u32 << sim.tries.min(5)).min(300.0));
            state.event(pod, false, "BackOff", &format!("Back-off pulling image \"{image}\""), now);
            state.event(pod, true, "Failed", "Error: ImagePullBackOff", now);
        }
        Stage::PullBackOff => {
            sim.stage = Stage::Creating;
            sim.due = after(state, 1.0);
            state.event(pod, false, "Pulling", &format!("Pulling image \"{image}\""), now);
        }
        Stage::Creating | Stage::ConfigError(_) => make(state, pod, sim, &image, now),
        Stage::Running => run(state, pod, sim, now),
        Stage::Ended if sim.restarts == 0 => start(state, pod, sim, now),
        Stage::Ended => {
            sim.stage = Stage::CrashBackOff;
            sim.due = after(state, f64::from(10_u32 << sim.restarts.saturating_sub(1).min(5)).min(300.0));
            let message = super::pod_status::back_off(pod, sim);
            state.event(pod, true, "BackOff", &format!("Back-off restarting failed {message}"), now);
        }
        Stage::CrashBackOff => start(state, pod, sim, now),
        Stage::Ready | Stage::Terminating | Stage::Finished { .. } => sim.due = None,
    }
}

fn schedule(state: &mut State, pod: &mut Value, sim: &mut PodSim, now: OffsetDateTime) {
    if let Some(reason) = needs::unschedulable(state, pod, sim.behaviour) {
        state.event(pod, true, "FailedScheduling", &reason, now);
        sim.stage = Stage::Unscheduled(Some(reason));
        sim.due = Some(now + state.pace.seconds(10.0));
        return;
    }
    let nodes = u32::try_from(state.nodes()).unwrap_or(1);
    let pick = state.dice.below(nodes) as usize;
    let node = state.store.list(&NODE, "").nth(pick).map(|node| text(node, "/metadata/name").to_owned());
    let node = node.unwrap_or_default();
    pod["spec"]["nodeName"] = json!(node);
    pod["status"]["podIP"] = json!(format!("10.8.{}.{}", pick, 2 + state.dice.below(250)));
    pod["status"]["startTime"] = json!(stamp(now));
    sim.stage = Stage::Creating;
    sim.due = Some(now + state.pace.seconds(state.dice.around(1.5)));
    let (namespace, name) = (text(pod, "/metadata/namespace").to_owned(), text(pod, "/metadata/name").to_owned());
    state.event(pod, false, "Scheduled", &format!("Successfully assigned {namespace}/{name} to {node}"), now);
    let image = text(pod, &format!("/spec/containers/{}/image", sim.focus)).to_owned();
    state.event(pod, false, "Pulling", &format!("Pulling image \"{image}\""), now);
}

fn make(state: &mut State, pod: &Value, sim: &mut PodSim, image: &str, now: OffsetDateTime) {
    if let Some(reason) = needs::missing_key(state, pod) {
        if sim.tries == 0 {
            state.event(pod, false, "Pulled", &format!("Successfully pulled image \"{image}\""), now);
        }
        state.event(pod, true, "Failed", &format!("Error: {reason}"), now);
        sim.stage = Stage::ConfigError(reason);
        sim.tries += 1;
        // The kubelet tries again; the pod starts by itself once the key is there.
        sim.due = Some(now + state.pace.seconds(10.0));
        return;
    }
    state.event(pod, false, "Pulled", &format!("Successfully pulled image \"{image}\""), now);
    sim.tries = 0;
    start(state, pod, sim, now);
}

fn start(state: &mut State, pod: &Value, sim: &mut PodSim, now: OffsetDateTime) {
    if sim.last_run.is_some() {
        sim.restarts += 1;
    }
    sim.stage = Stage::Running;
    sim.started = Some(now);
    let name = container_name(pod, sim.focus);
    state.event(pod, false, "Started", &format!("Started container {name}"), now);
    let seconds = match sim.behaviour {
        Behaviour::Crash => 1.0,
        _ if is_job(pod) => 4.0,
        _ => 2.5,
    };
    sim.due = Some(now + state.pace.seconds(state.dice.around(seconds)));
}

/// The end of the time between start and the first verdict about the container.
fn run(state: &mut State, pod: &Value, sim: &mut PodSim, now: OffsetDateTime) {
    let focus = format!("/spec/containers/{}", sim.focus);
    match sim.behaviour {
        Behaviour::Crash => end(sim, pod, now, state),
        Behaviour::Unready | Behaviour::Unhealthy => {
            sim.tries += 1;
            let path = text(pod, &format!("{focus}/readinessProbe/httpGet/path"));
            let path = if path.is_empty() { "/readyz" } else { path };
            let message = format!("Readiness probe failed: HTTP probe failed with statuscode: 503 ({path})");
            state.event(pod, true, "Unhealthy", &message, now);
            let limit = int(pod, &format!("{focus}/livenessProbe/failureThreshold"), i64::MAX);
            if sim.behaviour == Behaviour::Unhealthy && i64::from(sim.tries) > limit {
                let message = "Liveness probe failed: HTTP probe failed with statuscode: 503";
                state.event(pod, true, "Unhealthy", message, now);
                let name = text(pod, &format!("{focus}/name"));
                let killing = format!("Container {name} failed liveness probe, will be restarted");
                state.event(pod, false, "Killing", &killing, now);
                sim.tries = 0;
                end(sim, pod, now, state);
                return;
            }
            let period = int(pod, &format!("{focus}/readinessProbe/periodSeconds"), 10);
            sim.due = Some(now + state.pace.seconds(period as f64));
        }
        Behaviour::FailingTask if is_job(pod) => end(sim, pod, now, state),
        _ if is_job(pod) => {
            sim.stage = Stage::Finished { ok: true };
            sim.last_run = sim.started.map(|started| (started, now));
            sim.due = None;
        }
        _ => {
            sim.stage = Stage::Ready;
            sim.ready_since = Some(now);
            sim.due = None;
        }
    }
}

fn end(sim: &mut PodSim, pod: &Value, now: OffsetDateTime, state: &mut State) {
    sim.last_run = sim.started.map(|started| (started, now));
    if text(pod, "/spec/restartPolicy") == "Never" {
        sim.stage = Stage::Finished { ok: false };
        sim.due = None;
    } else {
        sim.stage = Stage::Ended;
        sim.due = Some(now + state.pace.seconds(0.5));
    }
}

pub(crate) fn is_job(pod: &Value) -> bool {
    text(pod, "/spec/restartPolicy") != "Always"
}
