//! What a plan says of a change that comes in steps.

use super::super::error::call;
use super::super::snapshot::Snapshot;
use super::super::workload::Workload;
use super::manifest::{WORKLOAD, object};
use super::mark::begin;
use super::name_of;
use crate::{Change, Fence, TargetError};
use kube::api::{DynamicObject, PostParams};
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};
use serde_json::Value;
use uuid::Uuid;

/// The steps, and what would keep the second Deployment from being made. `after` is the template with the change.
pub(in crate::kubernetes) async fn plan(
    workload: &Workload,
    snapshot: &Snapshot,
    change: &Change,
    after: &Value,
    autoscaled: bool,
) -> Result<Vec<Finding>, TargetError> {
    let settings = &workload.canary;
    let Some(mark) = begin(settings, snapshot, change, after, autoscaled) else { return Ok(Vec::new()) };
    let message = text!(
        "the new version gets its pods in steps: {steps} of {count}, then all; {seconds} s of pauses in all",
        steps = settings.steps.shown(),
        count = mark.replicas,
        seconds = settings.steps.pauses(settings.pause).as_secs()
    );
    let mut findings = vec![finding(Severity::Info, "canary", message)];
    if autoscaled {
        let message = text!("an autoscaler decides the number of pods: the version before keeps all of its own");
        findings.push(finding(Severity::Info, "canary_beside", message));
    }
    let name = name_of(&workload.name);
    let there = call(format!("Deployment {name}"), workload.deployments().get_opt(&name)).await?;
    if let Some(there) = there {
        let ours = there.metadata.annotations.as_ref().and_then(|all| all.get(WORKLOAD)) == Some(&workload.name);
        let message = match ours {
            true => text!("{name} was left by an earlier deployment, and is replaced", name),
            false => text!("{title} is there, and this portal did not make it", title = format!("Deployment {name}")),
        };
        let severity = if ours { Severity::Info } else { Severity::Error };
        findings.push(finding(severity, "canary_there", message));
    } else {
        let fence = Fence { deployment: Uuid::max(), epoch: 0 };
        findings.extend(dry_run(workload, object(snapshot, &mark, fence)?).await?);
    }
    Ok(findings)
}

fn finding(severity: Severity, code: &str, message: Text) -> Finding {
    Finding { severity, code: code.to_owned(), message }
}

/// The API server says what it would say: rights, validation, admission.
async fn dry_run(workload: &Workload, object: Value) -> Result<Option<Finding>, TargetError> {
    let object: DynamicObject = serde_json::from_value(object)
        .map_err(|_| TargetError::Refused(text!("the canary's Deployment cannot be written")))?;
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let deployments = workload.deployments();
    let name = name_of(&workload.name);
    match call(format!("Deployment {name}"), deployments.create(&params, &object)).await {
        Ok(_) => Ok(None),
        Err(TargetError::Forbidden(why)) => {
            let message = text!("{name} could not be made: {why}", name, why);
            Ok(Some(finding(Severity::Error, "no_right", message)))
        }
        // An admission webhook with side effects cannot be asked beforehand.
        Err(TargetError::Refused(why)) if why.to_string().contains("dry run") => Ok(None),
        Err(TargetError::Refused(why)) => {
            let message = text!("{name} would be refused: {why}", name, why);
            Ok(Some(finding(Severity::Error, "canary_refused", message)))
        }
        Err(error) => Err(error),
    }
}
