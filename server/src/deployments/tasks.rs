//! A plan with what runs before the change, and with what the registry says of the image.

use passerelle_contract::deployments::{Finding, Severity};
use passerelle_targets::{Change, Target, TargetError, TargetPlan};

/// A tag where a digest could be.
const TAG: &str = "mutable_tag";
/// The registry has no such image.
pub(super) const IMAGE_MISSING: &str = "image_missing";

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
    sort(&mut plan.findings);
    Ok(plan)
}

/// What the registry knows stands in the place of what the name alone tells.
pub(super) fn with_image(mut plan: TargetPlan, found: Option<Finding>) -> TargetPlan {
    let Some(found) = found else { return plan };
    if found.code == TAG {
        plan.findings.retain(|finding| finding.code != TAG);
    }
    plan.findings.push(found);
    sort(&mut plan.findings);
    plan
}

fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| match finding.severity {
        Severity::Error => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::Text;

    #[test]
    fn the_registry_knows_more_of_a_tag_than_its_name() {
        let finding = |severity, code: &str| Finding { severity, code: code.to_owned(), message: Text::verbatim(code) };
        let plan = TargetPlan {
            diff: Vec::new(),
            env: Vec::new(),
            findings: vec![finding(Severity::Warning, "no_probe"), finding(Severity::Info, TAG)],
        };
        let codes =
            |plan: &TargetPlan| plan.findings.iter().map(|one| (one.severity, one.code.clone())).collect::<Vec<_>>();
        let warned = with_image(plan.clone(), Some(finding(Severity::Warning, TAG)));
        assert_eq!(codes(&warned), [(Severity::Warning, "no_probe".to_owned()), (Severity::Warning, TAG.to_owned())]);
        let missing = with_image(plan.clone(), Some(finding(Severity::Error, IMAGE_MISSING)));
        assert_eq!(codes(&missing)[0], (Severity::Error, IMAGE_MISSING.to_owned()));
        assert_eq!(codes(&missing).len(), 3);
        assert_eq!(with_image(plan.clone(), None), plan);
    }
}
