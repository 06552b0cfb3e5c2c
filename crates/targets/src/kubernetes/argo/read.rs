//! From the object to what a Deployment has, and to what only a Rollout has. Pure.

use super::status::{Argo, Pause, Step};
use crate::TargetError;
use k8s_openapi::api::apps::v1::{DeploymentCondition, DeploymentSpec, DeploymentStatus};
use kube::api::DynamicObject;
use passerelle_contract::text;
use serde::Deserialize as _;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The fields that a Rollout has as a Deployment has them. Its strategy is its own.
const SHARED: [&str; 7] = [
    "minReadySeconds",
    "paused",
    "progressDeadlineSeconds",
    "replicas",
    "revisionHistoryLimit",
    "selector",
    "template",
];

/// # Errors
/// [`TargetError::Refused`] when its pods are described elsewhere, and `Unreachable` when it is no Rollout.
pub(in crate::kubernetes) fn read(
    object: &DynamicObject,
) -> Result<(DeploymentSpec, DeploymentStatus, Argo), TargetError> {
    let name = object.metadata.name.as_deref().unwrap_or("?");
    let (spec, status) = (&object.data["spec"], &object.data["status"]);
    if spec["workloadRef"].is_object() {
        let kind = spec["workloadRef"]["kind"].as_str().unwrap_or("Deployment");
        let of = spec["workloadRef"]["name"].as_str().unwrap_or("?");
        return Err(TargetError::Refused(text!(
            "Rollout {name} takes its pods from {kind} {of} (spec.workloadRef), which the portal does not write; give the Rollout a template of its own",
            name,
            kind,
            of
        )));
    }
    let unreadable = || TargetError::Unreachable(text!("{name}: the answer is not a Rollout", name));
    let shared: Map<String, Value> =
        SHARED.iter().filter_map(|field| Some(((*field).to_owned(), spec.get(*field)?.clone()))).collect();
    let typed = DeploymentSpec::deserialize(&Value::Object(shared)).map_err(|_| unreadable())?;
    let generation = object.metadata.generation.unwrap_or(0);
    Ok((typed, counts(status, generation), argo(spec, status)))
}

fn counts(status: &Value, generation: i64) -> DeploymentStatus {
    let number = |field: &str| status[field].as_i64().and_then(|number| i32::try_from(number).ok());
    DeploymentStatus {
        observed_generation: Some(observed(&status["observedGeneration"], generation)),
        replicas: number("replicas"),
        updated_replicas: number("updatedReplicas"),
        ready_replicas: number("readyReplicas"),
        available_replicas: number("availableReplicas"),
        conditions: Vec::<DeploymentCondition>::deserialize(&status["conditions"]).ok(),
        ..DeploymentStatus::default()
    }
}

/// The controller writes a number as text. One that writes a hash there (before 0.10) says nothing by it, as one that writes a greater
/// number: such a hash may consist of digits.
fn observed(value: &Value, generation: i64) -> i64 {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    match (value, number) {
        (Value::Null, _) => 0,
        (_, Some(number)) => number.min(generation),
        (_, None) => generation,
    }
}

fn argo(spec: &Value, status: &Value) -> Argo {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let flag = |value: &Value| value.as_bool().unwrap_or(false);
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let pauses = list(&status["pauseConditions"]).into_iter().map(|pause| Pause {
        reason: text(&pause["reason"]),
        since: OffsetDateTime::parse(&text(&pause["startTime"]), &Rfc3339).ok().map(OffsetDateTime::unix_timestamp),
    });
    Argo {
        phase: text(&status["phase"]),
        message: text(&status["message"]),
        steps: list(&spec["strategy"]["canary"]["steps"]).iter().map(step).collect(),
        index: status["currentStepIndex"].as_u64().and_then(|index| usize::try_from(index).ok()),
        pauses: pauses.collect(),
        controller_pause: flag(&status["controllerPause"]),
        waits_for_promotion: spec["strategy"]["blueGreen"]["autoPromotionEnabled"] == false,
        promotes_itself_after: spec["strategy"]["blueGreen"]["autoPromotionSeconds"].as_u64(),
        aborted: flag(&status["abort"]),
        promote_full: flag(&status["promoteFull"]),
        stable: text(&status["stableRS"]),
        current: text(&status["currentPodHash"]),
        restarting: spec["restartAt"].is_string() && spec["restartAt"] != status["restartedAt"],
    }
}

fn step(step: &Value) -> Step {
    if let Some(weight) = step["setWeight"].as_u64() {
        return Step::Weight(weight.min(100));
    }
    if let Some(pause) = step.get("pause") {
        return Step::Pause(seconds(&pause["duration"]));
    }
    let name = step.as_object().and_then(|fields| fields.keys().next().cloned());
    Step::Other(name.unwrap_or_default())
}

/// A number of seconds, or a text such as `30`, `90s`, `5m` or `1h`.
fn seconds(duration: &Value) -> Option<u64> {
    let Some(text) = duration.as_str() else { return duration.as_u64() };
    let (number, unit) = text.split_at(text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(text.len()));
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Some(0),
    };
    Some(number.parse::<u64>().unwrap_or(0).saturating_mul(factor))
}
