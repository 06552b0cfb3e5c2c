//! How a migration is doing, from its Job and its pods. Pure.

use super::super::snapshot::count;
use super::super::symptom::{Exit, Kind, Symptom, of_pod, unschedulable};
use crate::masking::shown;
use crate::{TaskSeen, TaskState};
use k8s_openapi::api::batch::v1::{Job, JobCondition};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use passerelle_contract::deployments::{Cause, Failure};
use passerelle_contract::{Text, text};

const MAX_QUOTE_CHARS: usize = 500;

/// The Job has come to an end, good or bad, or runs.
pub(super) fn is_over(job: &Job) -> bool {
    condition(job, "Complete").is_some() || condition(job, "Failed").is_some()
}

fn condition<'a>(job: &'a Job, kind: &str) -> Option<&'a JobCondition> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    conditions.iter().find(|one| one.type_ == kind && one.status == "True")
}

/// The pod of the newest try.
pub(super) fn newest(pods: &[Pod]) -> Option<&Pod> {
    let made = |pod: &&Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0.as_second());
    pods.iter().max_by_key(|pod| (made(pod), pod.metadata.name.clone()))
}

/// The container whose log tells most: the one that failed, else one that has started.
pub(super) fn logging(pod: &Pod) -> Option<String> {
    let status = pod.status.as_ref()?;
    let all = || status.container_statuses.iter().flatten();
    let started = |one: &&ContainerStatus| {
        let states = [one.state.as_ref(), one.last_state.as_ref()];
        states.into_iter().flatten().any(|state| state.running.is_some() || state.terminated.is_some())
    };
    let failed = all().find(|one| ended_with(one).is_some_and(|exit| exit.code != 0));
    let found = failed.or_else(|| all().find(started));
    found.map(|one| one.name.clone())
}

fn ended_with(container: &ContainerStatus) -> Option<Exit> {
    let end = container.state.as_ref()?.terminated.as_ref()?;
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    Some(Exit { code: end.exit_code, reason: text(&end.reason), message: text(&end.message) })
}

/// One look. `log` is the log of [`newest`] from its start, `last` are its last lines.
pub(super) fn seen(job: &Job, pods: &[Pod], log: Vec<String>, last: Vec<String>) -> TaskSeen {
    let pod = newest(pods);
    let instance = pod.and_then(|pod| pod.metadata.name.clone());
    let failed = |cause, message: Text| {
        let state = TaskState::Failed(Failure {
            cause,
            message: message.clone(),
            instance: instance.clone(),
            logs: last.clone(),
        });
        (state, message)
    };
    let (state, message) = if condition(job, "Complete").is_some() {
        (TaskState::Succeeded, text!("the migration is done"))
    } else if let Some(end) = condition(job, "Failed") {
        let (cause, message) = why_failed(job, end, pod);
        failed(cause, message)
    } else if let Some((cause, message)) = pod.and_then(hopeless) {
        failed(cause, message)
    } else {
        (TaskState::Running, progress(job, pod))
    };
    TaskSeen { state, message, instance, log }
}

fn why_failed(job: &Job, end: &JobCondition, pod: Option<&Pod>) -> (Cause, Text) {
    if end.reason.as_deref() == Some("DeadlineExceeded") {
        let seconds = job.spec.as_ref().and_then(|spec| spec.active_deadline_seconds).unwrap_or(0);
        return (Cause::Deadline, text!("the migration did not end within {seconds} s", seconds));
    }
    let containers = pod
        .and_then(|pod| pod.status.as_ref())
        .into_iter()
        .flat_map(|status| status.init_container_statuses.iter().chain(&status.container_statuses).flatten());
    let ended = containers.filter_map(|one| Some((one.name.as_str(), ended_with(one)?)));
    let mut ended = ended.filter(|(_, exit)| exit.code != 0);
    let tries = count(job.status.as_ref().and_then(|status| status.failed).unwrap_or(1));
    let why = match ended.next() {
        Some((container, exit)) if exit.reason == "OOMKilled" => {
            text!("container {container} was killed for using more memory than its limit (OOMKilled)", container)
        }
        Some((container, exit)) => {
            text!("container {container} ends with exit code {code}", container, code = exit.code)
        }
        None => Text::verbatim(quote(end.message.as_deref().unwrap_or_default())),
    };
    (
        Cause::Migration,
        if tries > 1 {
            text!("the migration failed {tries} times: {why}", tries, why)
        } else {
            text!("the migration failed: {why}", why)
        },
    )
}

/// What no further try of the Job would heal.
fn hopeless(pod: &Pod) -> Option<(Cause, Text)> {
    let Symptom { container, kind, certain: true, .. } = of_pod(pod)? else { return None };
    let container = container.unwrap_or_default();
    match kind {
        Kind::Config { message } => Some((
            Cause::MissingConfig,
            text!("container {container} of the migration cannot start: {why}", container, why = quote(&message)),
        )),
        Kind::Pull { image, message } => Some((
            Cause::ImagePull,
            text!(
                "image {image} of the migration cannot be pulled: {why}",
                image = shown(&image),
                why = quote(&message)
            ),
        )),
        // The Job's own back-off limit decides how often it is tried.
        Kind::Crash { .. } | Kind::NotReady | Kind::Unschedulable { .. } | Kind::NotStarted => None,
    }
}

fn progress(job: &Job, pod: Option<&Pod>) -> Text {
    let Some(pod) = pod else { return text!("the migration has no pod yet") };
    if let Some(why) = pod.status.as_ref().and_then(unschedulable) {
        return text!("no node takes the migration's pod: {why}", why = quote(&why));
    }
    let failed = count(job.status.as_ref().and_then(|status| status.failed).unwrap_or(0));
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    if failed > 0 {
        return text!("the migration runs in {name}, {failed} tries failed before", name, failed);
    }
    match pod.status.as_ref().and_then(|status| status.phase.as_deref()) {
        Some("Running") => text!("the migration runs in {name}", name),
        _ => text!("the migration's pod {name} starts", name),
    }
}

fn quote(text: &str) -> String {
    shown(text).chars().take(MAX_QUOTE_CHARS).collect()
}
