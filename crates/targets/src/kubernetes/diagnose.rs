//! From symptoms and evidence to a verdict with a named cause. Pure.

use super::evidence::{Evidence, PodEvent};
use super::rollout::{Stage, keeps_all_old_pods, stage};
use super::snapshot::Snapshot;
use super::symptom::{Exit, Kind, Symptom, of_pod};
use crate::Rollout;
use crate::masking::shown;
use passerelle_contract::deployments::{Cause, Failure};
use passerelle_contract::{Text, text};

/// Longest part of a platform's text that goes into a message, in characters.
const MAX_QUOTE_CHARS: usize = 500;

/// The symptom that decides, if the rollout has failed (or may have): evidence is gathered for it alone.
pub(super) fn decisive(snapshot: &Snapshot) -> Option<Symptom> {
    let late = match stage(snapshot) {
        Stage::Unseen | Stage::Complete => return None,
        Stage::Progressing => false,
        Stage::DeadlineExceeded(_) | Stage::Stopped(_) => true,
    };
    let symptoms = snapshot.updated_pods().filter_map(of_pod);
    symptoms
        .filter(|symptom| symptom.certain || late)
        .min_by(|a, b| b.certain.cmp(&a.certain).then_with(|| a.kind.cmp(&b.kind)))
}

/// Whether the rollout is complete, goes on, or has failed and why.
pub(super) fn verdict(snapshot: &Snapshot, evidence: &Evidence) -> Rollout {
    let deadline = match stage(snapshot) {
        Stage::Complete => return Rollout::Complete,
        Stage::Unseen => return Rollout::Progressing,
        Stage::Progressing => None,
        Stage::DeadlineExceeded(message) => Some((Cause::Deadline, Text::verbatim(quote(&message)))),
        Stage::Stopped(message) => {
            Some((Cause::Refused, text!("Argo Rollouts has stopped the update: {why}", why = quote(&message))))
        }
    };
    if let Some(symptom) = decisive(snapshot)
        && let Some(failure) = named(&symptom, evidence)
    {
        return Rollout::Failed { failure };
    }
    if let Some(failure) = refused_pods(snapshot, deadline.is_some()) {
        return Rollout::Failed { failure };
    }
    match deadline {
        Some((cause, message)) => Rollout::Failed { failure: failure(cause, message, None) },
        None => Rollout::Progressing,
    }
}

fn named(symptom: &Symptom, evidence: &Evidence) -> Option<Failure> {
    let container = symptom.container.as_deref().unwrap_or("?");
    let (cause, message) = match &symptom.kind {
        Kind::Config { message } => {
            (Cause::MissingConfig, text!("container {container} cannot start: {why}", container, why = quote(message)))
        }
        Kind::Pull { image, message } => (Cause::ImagePull, pull_message(image, message, evidence)),
        Kind::Crash { restarts, exit } => match killed_by_probe(evidence) {
            Some(why) => {
                (Cause::Probe, text!("container {container} is killed again and again: {why}", container, why))
            }
            None => (Cause::CrashLoop, crash_message(container, *restarts, exit.as_ref())),
        },
        Kind::NotReady => {
            let probe = evidence.last("Unhealthy").map(|event| quote(&event.message))?;
            (Cause::Probe, text!("container {container} runs but does not become ready: {why}", container, why = probe))
        }
        Kind::Unschedulable { message } => {
            (Cause::Unschedulable, text!("no node takes the pod: {why}", why = quote(message)))
        }
        Kind::NotStarted => not_started(evidence)?,
    };
    Some(Failure { logs: evidence.logs.clone(), ..failure(cause, message, Some(&symptom.pod)) })
}

fn pull_message(image: &str, message: &str, evidence: &Evidence) -> Text {
    let told = evidence.events.iter().filter(|event| event.reason == "Failed" && event.message.contains("pull image"));
    // "Back-off pulling image" says less than the event of the attempt.
    let detail = told.max_by_key(|event| event.order).map_or(message, |event| event.message.as_str());
    text!("image {image} cannot be pulled: {why}", image = shown(image), why = quote(detail))
}

fn crash_message(container: &str, restarts: u32, exit: Option<&Exit>) -> Text {
    let ended = match exit {
        Some(exit) if exit.reason == "OOMKilled" => {
            text!("container {container} was killed for using more memory than its limit (OOMKilled)", container)
        }
        Some(exit) if matches!(exit.reason.as_str(), "StartError" | "ContainerCannotRun") => {
            text!("container {container} cannot start: {why}", container, why = quote(&exit.message))
        }
        Some(exit) => text!("container {container} ends with exit code {code}", container, code = exit.code),
        None => text!("container {container} ends right after its start", container),
    };
    if restarts == 1 {
        text!("{ended}, restarted once", ended)
    } else {
        text!("{ended}, restarted {restarts} times", ended, restarts)
    }
}

/// The kubelet says when it is a probe that ends a container; the exit code then says nothing.
fn killed_by_probe(evidence: &Evidence) -> Option<Text> {
    let killing = evidence.events.iter().any(|event| {
        event.reason == "Killing"
            && (event.message.contains("failed liveness probe") || event.message.contains("failed startup probe"))
    });
    if !killing {
        return None;
    }
    let said =
        evidence.events.iter().filter(|event| event.reason == "Unhealthy" && !event.message.starts_with("Readiness"));
    let last = said.max_by_key(|event| event.order);
    Some(last.map_or_else(|| text!("a probe fails"), |event| Text::verbatim(quote(&event.message))))
}

/// A pod that never got as far as a container: a volume, or the network.
fn not_started(evidence: &Evidence) -> Option<(Cause, Text)> {
    let missing = |event: &&PodEvent| event.reason == "FailedMount" && event.message.contains("not found");
    if let Some(event) = evidence.events.iter().find(missing) {
        return Some((Cause::MissingConfig, text!("a volume cannot be mounted: {why}", why = quote(&event.message))));
    }
    let event =
        evidence.events.iter().filter(|event| event.reason.starts_with("Failed")).max_by_key(|event| event.order)?;
    let why = format!("{}: {}", shown(&event.reason), quote(&event.message));
    Some((Cause::Deadline, text!("the pod does not start: {why}", why)))
}

/// Pods that the API server does not let the ReplicaSet make: a quota, an admission rule, a missing service account.
fn refused_pods(snapshot: &Snapshot, late: bool) -> Option<Failure> {
    let status = snapshot.current_set()?.status.as_ref()?;
    let refused = status.conditions.as_deref().unwrap_or_default().iter().find(|condition| {
        condition.type_ == "ReplicaFailure"
            && condition.status == "True"
            && condition.reason.as_deref() == Some("FailedCreate")
    })?;
    let message = refused.message.as_deref().unwrap_or_default();
    // An old pod that is still to go may make room; one that may not go, or is not there, cannot. A webhook that is away may come back.
    let said_no = message.contains("is forbidden") || message.contains("denied the request");
    let stopping = snapshot.pods.iter().any(|pod| pod.metadata.deletion_timestamp.is_some());
    let no_old = snapshot.pods.iter().all(|pod| snapshot.is_updated(pod));
    let kept = keeps_all_old_pods(snapshot) && snapshot.updated_pods().next().is_none();
    if !late && !(said_no && !stopping && (no_old || kept)) {
        return None;
    }
    let cause = if message.contains("exceeded quota") { Cause::Quota } else { Cause::Refused };
    Some(failure(cause, text!("the cluster refuses new pods: {why}", why = quote(message)), None))
}

fn failure(cause: Cause, message: Text, pod: Option<&str>) -> Failure {
    Failure { cause, message, instance: pod.map(str::to_owned), logs: Vec::new() }
}

fn quote(text: &str) -> String {
    shown(text).chars().take(MAX_QUOTE_CHARS).collect()
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
