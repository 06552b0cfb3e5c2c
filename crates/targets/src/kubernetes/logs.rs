//! Logs of the pods of this Deployment, and of no other.

use super::error::call;
use super::symptom::is_ready;
use super::workload::Workload;
use crate::TargetError;
use crate::masking::{MAX_LINE_BYTES, MAX_LOG_LINES, last_lines};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::LogParams;
use passerelle_contract::text;

/// The last lines of a pod's log; of the run before when the container is between two runs or not ready after a restart.
pub(super) async fn of_instance(workload: &Workload, instance: &str, lines: u32) -> Result<Vec<String>, TargetError> {
    let looked = workload.looked().await?;
    // The name goes no further unless it is one of ours: it comes from outside.
    let mut pods = looked.snapshots().flat_map(|snapshot| &snapshot.pods);
    let Some(pod) = pods.find(|pod| pod.metadata.name.as_deref() == Some(instance)) else {
        return Err(TargetError::Missing(text!(
            "instance {name}",
            name = crate::masking::shown(instance).chars().take(80).collect::<String>()
        )));
    };
    let (container, previous) = choose(pod, &looked.main.container);
    read(workload, instance, &container, previous, lines).await
}

/// The bound container, or the one that keeps the pod from starting; and whether the run before is the one to show.
fn choose(pod: &Pod, bound: &str) -> (String, bool) {
    let Some(status) = &pod.status else { return (bound.to_owned(), false) };
    let init = status.init_container_statuses.as_deref().unwrap_or_default();
    let failing = init.iter().find(|container| !container.ready && container.restart_count > 0);
    let main = status.container_statuses.as_deref().unwrap_or_default();
    let shown = failing.or_else(|| main.iter().find(|container| container.name == bound));
    let between = |container: &ContainerStatus| {
        let state = container.state.as_ref();
        container.restart_count > 0 && (state.is_some_and(|state| state.waiting.is_some()) || !is_ready(status))
    };
    shown.map_or_else(|| (bound.to_owned(), false), |container| (container.name.clone(), between(container)))
}

/// Reads a log; when the run before has left none, that of the present run.
pub(super) async fn read(
    workload: &Workload,
    pod: &str,
    container: &str,
    previous: bool,
    lines: u32,
) -> Result<Vec<String>, TargetError> {
    let lines = lines.min(u32::try_from(MAX_LOG_LINES).unwrap_or(u32::MAX));
    let params = |previous| LogParams {
        container: Some(container.to_owned()),
        previous,
        tail_lines: Some(i64::from(lines)),
        limit_bytes: i64::try_from(MAX_LINE_BYTES * MAX_LOG_LINES).ok(),
        ..LogParams::default()
    };
    let pods = workload.api::<Pod>();
    if previous
        && let Ok(text) = call(text!("the log"), pods.logs(pod, &params(true))).await
        && !text.trim().is_empty()
    {
        return Ok(last_lines(&text, lines));
    }
    let text = call(text!("the log"), pods.logs(pod, &params(false))).await?;
    Ok(last_lines(&text, lines))
}
