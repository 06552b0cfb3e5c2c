//! What a pod's object shows of its stage.

use super::pod::{PodSim, Stage, container_name};
use super::state::set_condition;
use crate::object::{list, remove, set, text};
use crate::pace::stamp;
use serde_json::{Value, json};
use time::OffsetDateTime;

pub(crate) fn pull_error(image: &str) -> String {
    format!(
        "rpc error: code = NotFound desc = failed to pull and unpack image \"{image}\": failed to resolve reference \"{image}\": {image}: not found"
    )
}

/// `container=web pod=web-1_shop(uid)`, the end of the kubelet's message.
pub(crate) fn back_off(pod: &Value, sim: &PodSim) -> String {
    format!(
        "container={} pod={}_{}({})",
        container_name(pod, sim.focus),
        text(pod, "/metadata/name"),
        text(pod, "/metadata/namespace"),
        text(pod, "/metadata/uid")
    )
}

pub(crate) fn write(pod: &mut Value, sim: &PodSim, now: OffsetDateTime) {
    let phase = match &sim.stage {
        Stage::Unscheduled(_) | Stage::Creating | Stage::PullFailed | Stage::PullBackOff | Stage::ConfigError(_) => {
            "Pending"
        }
        Stage::Finished { ok: true } => "Succeeded",
        Stage::Finished { ok: false } => "Failed",
        _ => "Running",
    };
    pod["status"]["phase"] = json!(phase);
    conditions(pod, sim, now);
    if matches!(sim.stage, Stage::Unscheduled(_)) {
        remove(pod, &["status", "containerStatuses"]);
        return;
    }
    let containers = list(pod, "/spec/containers").to_vec();
    let statuses: Vec<Value> =
        containers.iter().enumerate().map(|(at, container)| container_status(pod, container, at, sim)).collect();
    set(pod, &["status", "containerStatuses"], Value::Array(statuses));
    pod["status"]["hostIP"] = json!("10.132.0.2");
}

fn conditions(pod: &mut Value, sim: &PodSim, now: OffsetDateTime) {
    if let Stage::Unscheduled(reason) = &sim.stage {
        let reason = reason.as_deref().unwrap_or_default();
        let code = if reason.is_empty() { "" } else { "Unschedulable" };
        set_condition(pod, "PodScheduled", "False", code, reason, now);
        return;
    }
    set_condition(pod, "PodScheduled", "True", "", "", now);
    set_condition(pod, "Initialized", "True", "", "", now);
    let unready = format!("containers with unready status: [{}]", container_name(pod, sim.focus));
    let (status, reason, message) = match sim.stage {
        Stage::Ready => ("True", "", ""),
        Stage::Finished { ok: true } => ("False", "PodCompleted", ""),
        _ => ("False", "ContainersNotReady", unready.as_str()),
    };
    set_condition(pod, "ContainersReady", status, reason, message, now);
    set_condition(pod, "Ready", status, reason, message, now);
}

fn container_status(pod: &Value, container: &Value, at: usize, sim: &PodSim) -> Value {
    let image = text(container, "/image");
    let focused = at == sim.focus;
    let state = if focused { focus_state(pod, image, sim) } else { other_state(sim) };
    let running = state.get("running").is_some();
    let mut status = json!({
        "name": container["name"],
        "image": image,
        "imageID": if sim.started.is_some() { image_id(image) } else { String::new() },
        "restartCount": if focused { sim.restarts } else { 0 },
        "ready": if focused { sim.stage == Stage::Ready } else { running },
        "started": running,
        "state": state,
        "lastState": {},
    });
    if sim.started.is_some() {
        let uid = text(pod, "/metadata/uid");
        let seed = crate::dice::digest(&format!("{uid}/{at}/{}", sim.restarts));
        status["containerID"] = json!(format!("containerd://{}", seed.trim_start_matches("sha256:")));
    }
    let over = !matches!(sim.stage, Stage::Ended | Stage::Finished { .. });
    if focused && over && sim.last_run.is_some() {
        status["lastState"] = json!({"terminated": terminated(sim, false)});
    }
    status
}

fn image_id(image: &str) -> String {
    let name = image.split('@').next().unwrap_or(image);
    let tag = format!(":{}", crate::behaviour::version_of(image));
    format!("{}@{}", name.strip_suffix(tag.as_str()).unwrap_or(name), crate::dice::digest(image))
}

fn terminated(sim: &PodSim, ok: bool) -> Value {
    let (started, finished) = sim.last_run.unwrap_or((OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH));
    // 137: killed after its liveness probe failed; 1: ended by itself.
    let code = match (ok, sim.behaviour) {
        (true, _) => 0,
        (false, crate::behaviour::Behaviour::Unhealthy) => 137,
        (false, _) => 1,
    };
    json!({"exitCode": code, "reason": if ok { "Completed" } else { "Error" },
           "startedAt": stamp(started), "finishedAt": stamp(finished)})
}

fn focus_state(pod: &Value, image: &str, sim: &PodSim) -> Value {
    let waiting = |reason: &str, message: String| json!({"waiting": {"reason": reason, "message": message}});
    match &sim.stage {
        Stage::Unscheduled(_) | Stage::Creating => json!({"waiting": {"reason": "ContainerCreating"}}),
        Stage::PullFailed => waiting("ErrImagePull", pull_error(image)),
        Stage::PullBackOff => waiting(
            "ImagePullBackOff",
            format!("Back-off pulling image \"{image}\": ErrImagePull: {}", pull_error(image)),
        ),
        Stage::ConfigError(reason) => waiting("CreateContainerConfigError", reason.clone()),
        Stage::CrashBackOff => {
            let wait = (10_u32 << sim.restarts.saturating_sub(1).min(5)).min(300);
            let text = if wait < 60 { format!("{wait}s") } else { format!("{}m{}s", wait / 60, wait % 60) };
            waiting("CrashLoopBackOff", format!("back-off {text} restarting failed {}", back_off(pod, sim)))
        }
        Stage::Ended | Stage::Finished { ok: false } => json!({"terminated": terminated(sim, false)}),
        Stage::Finished { ok: true } => json!({"terminated": terminated(sim, true)}),
        Stage::Running | Stage::Ready | Stage::Terminating => running(sim),
    }
}

fn running(sim: &PodSim) -> Value {
    match sim.started {
        Some(started) => json!({"running": {"startedAt": stamp(started)}}),
        None => json!({"waiting": {"reason": "ContainerCreating"}}),
    }
}

fn other_state(sim: &PodSim) -> Value {
    match sim.stage {
        Stage::ConfigError(_) | Stage::PullFailed | Stage::PullBackOff => {
            json!({"waiting": {"reason": "ContainerCreating"}})
        }
        _ => running(sim),
    }
}
