//! What a plan says of a change that Argo Rollouts brings.

use super::super::snapshot::Snapshot;
use super::super::workload::Workload;
use super::drive::may_promote;
use super::status::{Argo, Step};
use crate::{Change, TargetError};
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};
use serde_json::Value;

/// The steps, who ends their pauses, and what would keep the portal from it. `after` is the template with the change.
pub(in crate::kubernetes) async fn plan(
    workload: &Workload,
    snapshot: &Snapshot,
    change: &Change,
    after: &Value,
) -> Result<Vec<Finding>, TargetError> {
    let Some(argo) = &snapshot.argo else { return Ok(Vec::new()) };
    let brings = matches!(change, Change::Image { .. }) && *after != snapshot.template;
    let mut findings = about(argo, brings, workload.canary.pause.duration().as_secs());
    let steps_by_us = argo.planned_pauses().0 > 0 || !matches!(change, Change::Image { .. } | Change::Scale { .. });
    if steps_by_us && !matches!(change, Change::Restart) {
        match may_promote(workload).await {
            Ok(()) => {}
            Err(TargetError::Forbidden(why)) => {
                let message = text!("the portal could neither promote nor abort the Rollout: {why}", why);
                findings.push(finding(Severity::Error, "no_right", message));
            }
            // Admission that cannot be asked beforehand, or a controller from before 0.10.
            Err(TargetError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(findings)
}

fn about(argo: &Argo, brings: bool, pause: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    if brings && !argo.steps.is_empty() {
        let steps = argo.steps.iter().map(in_words).collect::<Vec<_>>();
        findings.push(finding(
            Severity::Info,
            "argo_steps",
            text!("Argo Rollouts brings the new version in steps: {steps}", steps = Text::List(steps)),
        ));
    }
    if brings && argo.planned_pauses().0 > 0 {
        let message = text!(
            "the portal ends a pause without an end after {seconds} s, when nothing speaks against it",
            seconds = pause
        );
        findings.push(finding(Severity::Info, "argo_pauses", message));
    }
    if argo.aborted && !argo.is_promoted() {
        let message = text!("the last update of the Rollout was aborted; a new template begins anew");
        findings.push(finding(Severity::Warning, "argo_aborted", message));
    }
    findings
}

fn in_words(step: &Step) -> Text {
    match step {
        Step::Weight(percent) => text!("{percent} %", percent = *percent),
        Step::Pause(Some(seconds)) => text!("a pause of {seconds} s", seconds = *seconds),
        Step::Pause(None) => text!("a pause without an end"),
        Step::Other(name) => Text::verbatim(crate::masking::shown(name)),
    }
}

fn finding(severity: Severity, code: &str, message: Text) -> Finding {
    Finding { severity, code: code.to_owned(), message }
}
