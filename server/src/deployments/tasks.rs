//! A plan with what runs before the change.

use passerelle_contract::deployments::Severity;
use passerelle_targets::{Change, Target, TargetError, TargetPlan};

/// The plan of a change that brings a new version, with its migration's where the binding has one.
pub(super) async fn plan_with_task(target: &dyn Target, change: &Change) -> Result<TargetPlan, TargetError> {
    if target.task().is_none() {
        return target.plan(change).await;
    }
    let (mut plan, task) = tokio::try_join!(target.plan(change), target.plan_task(change))?;
    plan.diff.extend(task.diff);
    for finding in task.findings {
        if !plan.findings.contains(&finding) {
            plan.findings.push(finding);
        }
    }
    plan.findings.sort_by_key(|finding| match finding.severity {
        Severity::Error => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    });
    Ok(plan)
}
