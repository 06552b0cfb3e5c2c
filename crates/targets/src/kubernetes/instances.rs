//! Pods as instances. Pure.

use super::snapshot::{Snapshot, count};
use super::symptom::{Kind, is_ready, of_pod};
use crate::masking::shown;
use k8s_openapi::api::core::v1::Pod;
use passerelle_contract::deployments::{Instance, InstanceState};
use passerelle_contract::{Text, text};

/// Most instances that are listed, and longest message of one, in characters.
pub(super) const MAX_INSTANCES: usize = 200;
const MAX_MESSAGE_CHARS: usize = 300;

/// Those of the version being rolled out first.
pub(super) fn of(snapshot: &Snapshot) -> Vec<Instance> {
    let mut all: Vec<_> = snapshot.pods.iter().map(|pod| instance(snapshot, pod)).collect();
    all.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.name.cmp(&b.name)));
    all.truncate(MAX_INSTANCES);
    all
}

fn instance(snapshot: &Snapshot, pod: &Pod) -> Instance {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    let init = pod.status.as_ref().and_then(|status| status.init_container_statuses.as_deref()).unwrap_or_default();
    let spec = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.containers.iter().find(|container| container.name == snapshot.container));
    let restarts =
        statuses.iter().chain(init).map(|container| count(container.restart_count)).fold(0, u32::saturating_add);
    Instance {
        name: pod.metadata.name.clone().unwrap_or_default(),
        state: state(pod),
        image: spec.and_then(|container| container.image.clone()).unwrap_or_default(),
        updated: snapshot.is_updated(pod),
        restarts,
        message: message(pod),
    }
}

fn state(pod: &Pod) -> InstanceState {
    if pod.metadata.deletion_timestamp.is_some() {
        return InstanceState::Stopping;
    }
    let Some(status) = &pod.status else { return InstanceState::Pending };
    if status.phase.as_deref() == Some("Failed") {
        return InstanceState::Failing;
    }
    if is_ready(status) {
        return InstanceState::Ready;
    }
    match of_pod(pod).map(|symptom| symptom.kind) {
        Some(Kind::Config { .. } | Kind::Pull { .. } | Kind::Crash { .. }) => InstanceState::Failing,
        Some(Kind::Unschedulable { .. }) => InstanceState::Pending,
        Some(Kind::NotStarted) if status.start_time.is_none() => InstanceState::Pending,
        _ => InstanceState::Starting,
    }
}

fn message(pod: &Pod) -> Option<Text> {
    let status = pod.status.as_ref()?;
    if let Some(reason) = &status.reason {
        return Some(Text::verbatim(joined(reason, status.message.as_deref())));
    }
    let all = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    let waiting = all
        .clone()
        .filter_map(|container| container.state.as_ref()?.waiting.as_ref())
        .find(|waiting| !matches!(waiting.reason.as_deref(), None | Some("ContainerCreating" | "PodInitializing")));
    if let Some(waiting) = waiting {
        return Some(Text::verbatim(joined(waiting.reason.as_deref().unwrap_or_default(), waiting.message.as_deref())));
    }
    match of_pod(pod)?.kind {
        Kind::Unschedulable { message } => Some(Text::verbatim(joined("Unschedulable", Some(&message)))),
        Kind::Crash { exit: Some(exit), .. } => {
            Some(text!("{reason}: exit code {code}", reason = shown(&exit.reason), code = exit.code))
        }
        _ => None,
    }
}

fn joined(reason: &str, message: Option<&str>) -> String {
    let text = match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{reason}: {message}"),
        None => reason.to_owned(),
    };
    shown(&text).chars().take(MAX_MESSAGE_CHARS).collect()
}
