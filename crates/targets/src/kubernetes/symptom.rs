//! What is wrong with a pod, from its status alone. Pure; the cause takes [`super::evidence`] as well.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Pod, PodStatus};

/// One thing wrong with one container, worst first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Symptom {
    pub pod: String,
    /// Absent when the pod as a whole is stuck.
    pub container: Option<String>,
    pub kind: Kind,
    /// It will not pass by itself; otherwise only the deadline makes it a failure.
    pub certain: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Config {
        message: String,
    },
    Pull {
        image: String,
        message: String,
    },
    Crash {
        restarts: u32,
        exit: Option<Exit>,
    },
    /// Runs, but is not ready.
    NotReady,
    Unschedulable {
        message: String,
    },
    /// Not started, for a reason that only events tell.
    NotStarted,
}

/// How a container ended.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Exit {
    pub code: i32,
    pub reason: String,
    pub message: String,
}

/// Restarts after which a container that is not ready counts as crashing, whatever state it is in at this moment.
const CRASHING_RESTARTS: i32 = 2;

/// The worst symptom of a pod that should be ready; nothing when it is.
pub(super) fn of_pod(pod: &Pod) -> Option<Symptom> {
    let status = pod.status.as_ref()?;
    if is_ready(status) {
        return None;
    }
    let name = pod.metadata.name.clone().unwrap_or_default();
    let init = status.init_container_statuses.as_deref().unwrap_or_default().iter().map(|container| (container, true));
    let main = status.container_statuses.as_deref().unwrap_or_default().iter().map(|container| (container, false));
    let found = init.chain(main).filter_map(|(container, init)| {
        let (kind, certain) = of_container(container, init)?;
        Some(Symptom { pod: name.clone(), container: Some(container.name.clone()), kind, certain })
    });
    let worst = found.min_by(|a, b| b.certain.cmp(&a.certain).then_with(|| a.kind.cmp(&b.kind)));
    worst.or_else(|| {
        let kind = unschedulable(status).map_or(Kind::NotStarted, |message| Kind::Unschedulable { message });
        Some(Symptom { pod: name, container: None, kind, certain: false })
    })
}

fn of_container(container: &ContainerStatus, init: bool) -> Option<(Kind, bool)> {
    let state = container.state.as_ref();
    let waiting = state.and_then(|state| state.waiting.as_ref());
    let reason = waiting.and_then(|waiting| waiting.reason.as_deref()).unwrap_or_default();
    let message = waiting.and_then(|waiting| waiting.message.clone()).unwrap_or_default();
    let pull = |certain| Some((Kind::Pull { image: container.image.clone(), message: message.clone() }, certain));
    match reason {
        // The first failure may be a hiccup of the registry; the back-off means that it failed again.
        "ErrImagePull" | "RegistryUnavailable" => return pull(false),
        "ImagePullBackOff" | "InvalidImageName" | "ErrImageNeverPull" => return pull(true),
        "CreateContainerConfigError" => return Some((Kind::Config { message }, true)),
        _ => {}
    }
    let exit = last_exit(container).map(exit);
    let restarts = super::snapshot::count(container.restart_count);
    let crash = |certain| Some((Kind::Crash { restarts, exit: exit.clone() }, certain));
    let terminated = state.and_then(|state| state.terminated.as_ref());
    let failed = terminated.is_some_and(|end| !init || end.exit_code != 0);
    if reason == "CrashLoopBackOff"
        || (container.restart_count >= CRASHING_RESTARTS && !container.ready && (!init || failed))
    {
        return crash(true);
    }
    if failed || matches!(reason, "RunContainerError" | "CreateContainerError") {
        return crash(false);
    }
    let running = state.is_some_and(|state| state.running.is_some());
    (running && !container.ready && !init).then_some((Kind::NotReady, false))
}

/// The end that explains a restart: of this run when it is over, else of the one before.
fn last_exit(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    let ended = |state: Option<&'_ ContainerState>| state.is_some_and(|state| state.terminated.is_some());
    let state = if ended(container.state.as_ref()) { &container.state } else { &container.last_state };
    state.as_ref().and_then(|state| state.terminated.as_ref())
}

fn exit(end: &ContainerStateTerminated) -> Exit {
    Exit {
        code: end.exit_code,
        reason: end.reason.clone().unwrap_or_default(),
        message: end.message.clone().unwrap_or_default(),
    }
}

pub(super) fn is_ready(status: &PodStatus) -> bool {
    is_true(status, "Ready") == Some(true)
}

/// A pod begins not ready; a change of that condition later on means that it was ready in between.
pub(super) fn has_been_ready(pod: &Pod) -> bool {
    const FIRST_SYNC_SECONDS: i64 = 2;
    let Some(status) = &pod.status else { return false };
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let changed = conditions
        .iter()
        .find(|condition| condition.type_ == "Ready")
        .and_then(|ready| ready.last_transition_time.as_ref());
    match (changed, &status.start_time) {
        (Some(changed), Some(start)) => changed.0.as_second().saturating_sub(start.0.as_second()) > FIRST_SYNC_SECONDS,
        _ => false,
    }
}

pub(super) fn unschedulable(status: &PodStatus) -> Option<String> {
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let scheduled = conditions.iter().find(|condition| condition.type_ == "PodScheduled")?;
    let refused = scheduled.status == "False" && scheduled.reason.as_deref() == Some("Unschedulable");
    refused.then(|| scheduled.message.clone().unwrap_or_default())
}

fn is_true(status: &PodStatus, kind: &str) -> Option<bool> {
    let conditions = status.conditions.as_deref().unwrap_or_default();
    conditions.iter().find(|condition| condition.type_ == kind).map(|condition| condition.status == "True")
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::pod;
    use super::*;
    use serde_json::json;

    fn kind_of(status: serde_json::Value) -> Option<(Kind, bool)> {
        of_pod(&pod("web-1", "set", &status)).map(|symptom| (symptom.kind, symptom.certain))
    }

    fn waiting(reason: &str, restarts: i32) -> serde_json::Value {
        json!({"containerStatuses": [{"name": "web", "image": "tinyweb:v9", "imageID": "", "ready": false, "restartCount": restarts,
            "state": {"waiting": {"reason": reason, "message": "why"}}}]})
    }

    #[test]
    fn a_pull_is_certain_with_its_back_off() {
        let pull = Kind::Pull { image: "tinyweb:v9".into(), message: "why".into() };
        assert_eq!(kind_of(waiting("ErrImagePull", 0)), Some((pull.clone(), false)));
        assert_eq!(kind_of(waiting("ImagePullBackOff", 0)), Some((pull, true)));
    }

    #[test]
    fn a_crash_is_certain_with_its_back_off_or_the_second_restart() {
        assert!(matches!(kind_of(waiting("CrashLoopBackOff", 1)), Some((Kind::Crash { restarts: 1, .. }, true))));
        let ended = |restarts: i32| {
            json!({"containerStatuses": [{"name": "web", "image": "i", "imageID": "", "ready": false, "restartCount": restarts,
                "state": {"terminated": {"exitCode": 1, "reason": "Error"}}}]})
        };
        assert!(matches!(kind_of(ended(0)), Some((Kind::Crash { exit: Some(Exit { code: 1, .. }), .. }, false))));
        assert!(matches!(kind_of(ended(2)), Some((Kind::Crash { .. }, true))));
    }

    #[test]
    fn a_finished_init_container_is_no_crash() {
        let status = json!({
            "initContainerStatuses": [{"name": "migrate", "image": "i", "imageID": "", "ready": true, "restartCount": 2,
                "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}],
            "containerStatuses": [{"name": "web", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
                "state": {"running": {}}}]
        });
        assert_eq!(kind_of(status), Some((Kind::NotReady, false)));
    }

    #[test]
    fn a_ready_pod_has_no_symptom_and_a_stuck_one_has() {
        assert_eq!(kind_of(json!({"conditions": [{"type": "Ready", "status": "True"}]})), None);
        let refused = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]});
        assert_eq!(kind_of(refused), Some((Kind::Unschedulable { message: "0/1 nodes".into() }, false)));
        assert_eq!(kind_of(json!({})), Some((Kind::NotStarted, false)));
    }

    #[test]
    fn a_missing_key_is_certain_at_once() {
        assert_eq!(
            kind_of(waiting("CreateContainerConfigError", 0)),
            Some((Kind::Config { message: "why".into() }, true))
        );
    }
}
