//! From symptoms and evidence to a verdict with a named cause. Pure.

use super::evidence::{Evidence, PodEvent};
use super::rollout::{Stage, keeps_all_old_pods, stage};
use super::snapshot::Snapshot;
use super::symptom::{Exit, Kind, Symptom, of_pod};
use crate::Rollout;
use crate::masking::shown;
use passerelle_contract::deployments::{Cause, Failure};

/// Longest part of a platform's text that goes into a message, in characters.
const MAX_QUOTE_CHARS: usize = 500;

/// The symptom that decides, if the rollout has failed (or may have): evidence is gathered for it alone.
pub(super) fn decisive(snapshot: &Snapshot) -> Option<Symptom> {
    let late = match stage(snapshot) {
        Stage::Unseen | Stage::Complete => return None,
        Stage::Progressing => false,
        Stage::DeadlineExceeded(_) => true,
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
        Stage::DeadlineExceeded(message) => Some(message),
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
        Some(message) => Rollout::Failed { failure: failure(Cause::Deadline, quote(&message), None) },
        None => Rollout::Progressing,
    }
}

fn named(symptom: &Symptom, evidence: &Evidence) -> Option<Failure> {
    let container = symptom.container.as_deref().unwrap_or("?");
    let (cause, message) = match &symptom.kind {
        Kind::Config { message } => {
            (Cause::MissingConfig, format!("container {container} cannot start: {}", quote(message)))
        }
        Kind::Pull { image, message } => (Cause::ImagePull, pull_message(image, message, evidence)),
        Kind::Crash { restarts, exit } => match killed_by_probe(evidence) {
            Some(message) => (Cause::Probe, format!("container {container} is killed again and again: {message}")),
            None => (Cause::CrashLoop, crash_message(container, *restarts, exit.as_ref())),
        },
        Kind::NotReady => {
            let probe = evidence.last("Unhealthy").map(|event| quote(&event.message))?;
            (Cause::Probe, format!("container {container} runs but does not become ready: {probe}"))
        }
        Kind::Unschedulable { message } => (Cause::Unschedulable, format!("no node takes the pod: {}", quote(message))),
        Kind::NotStarted => not_started(evidence)?,
    };
    Some(Failure { logs: evidence.logs.clone(), ..failure(cause, message, Some(&symptom.pod)) })
}

fn pull_message(image: &str, message: &str, evidence: &Evidence) -> String {
    let told = evidence.events.iter().filter(|event| event.reason == "Failed" && event.message.contains("pull image"));
    // "Back-off pulling image" says less than the event of the attempt.
    let detail = told.max_by_key(|event| event.order).map_or(message, |event| event.message.as_str());
    format!("image {} cannot be pulled: {}", shown(image), quote(detail))
}

fn crash_message(container: &str, restarts: u32, exit: Option<&Exit>) -> String {
    let times = if restarts == 1 { "once".to_owned() } else { format!("{restarts} times") };
    let ended = match exit {
        Some(exit) if exit.reason == "OOMKilled" => {
            "was killed for using more memory than its limit (OOMKilled)".to_owned()
        }
        Some(exit) if matches!(exit.reason.as_str(), "StartError" | "ContainerCannotRun") => {
            format!("cannot start: {}", quote(&exit.message))
        }
        Some(exit) => format!("ends with exit code {}", exit.code),
        None => "ends right after its start".to_owned(),
    };
    format!("container {container} {ended}, restarted {times}")
}

/// The kubelet says when it is a probe that ends a container; the exit code then says nothing.
fn killed_by_probe(evidence: &Evidence) -> Option<String> {
    let killing = evidence.events.iter().any(|event| {
        event.reason == "Killing"
            && (event.message.contains("failed liveness probe") || event.message.contains("failed startup probe"))
    });
    if !killing {
        return None;
    }
    let said =
        evidence.events.iter().filter(|event| event.reason == "Unhealthy" && !event.message.starts_with("Readiness"));
    Some(said.max_by_key(|event| event.order).map_or_else(|| "a probe fails".to_owned(), |event| quote(&event.message)))
}

/// A pod that never got as far as a container: a volume, or the network.
fn not_started(evidence: &Evidence) -> Option<(Cause, String)> {
    let missing = |event: &&PodEvent| event.reason == "FailedMount" && event.message.contains("not found");
    if let Some(event) = evidence.events.iter().find(missing) {
        return Some((Cause::MissingConfig, format!("a volume cannot be mounted: {}", quote(&event.message))));
    }
    let event =
        evidence.events.iter().filter(|event| event.reason.starts_with("Failed")).max_by_key(|event| event.order)?;
    Some((Cause::Deadline, format!("the pod does not start: {}: {}", shown(&event.reason), quote(&event.message))))
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
    Some(failure(cause, format!("the cluster refuses new pods: {}", quote(message)), None))
}

fn failure(cause: Cause, message: String, pod: Option<&str>) -> Failure {
    Failure { cause, message, instance: pod.map(str::to_owned), logs: Vec::new() }
}

fn quote(text: &str) -> String {
    shown(text).chars().take(MAX_QUOTE_CHARS).collect()
}

#[cfg(test)]
#[path = "diagnose_tests.rs"]
mod tests;
