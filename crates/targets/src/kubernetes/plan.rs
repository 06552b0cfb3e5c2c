//! What a change would do, and what speaks against it.

use super::change::{Desired, desired};
use super::manifests::{self, Brought};
use super::preflight::{self, autoscaler};
use super::references::Reference;
use super::snapshot::{Snapshot, container_named};
use super::workload::Workload;
use super::{argo, canary, diff, env, neighbours, references, rollout, wait};
use crate::{Change, ImageRef, TargetError, TargetPlan};
use k8s_openapi::api::core::v1::Container;
use passerelle_contract::deployments::{DiffLine, Finding, Severity};
use passerelle_contract::{Text, text};
use uuid::Uuid;

/// What would run, to be looked at.
pub(super) struct Outlook<'a> {
    /// What runs now, or what would be the first to run.
    pub snapshot: &'a Snapshot,
    pub runs: bool,
    pub after: Desired,
    /// What comes with the change.
    pub brought: Brought,
    /// Keys that other pods of the change need.
    pub more: Vec<Reference>,
}

pub(super) async fn plan(workload: &Workload, change: &Change) -> Result<TargetPlan, TargetError> {
    if let Some(settings) = &workload.manifests
        && let Some(plan) = manifests::plan(workload, settings, change).await?
    {
        return Ok(plan);
    }
    let snapshot = workload.snapshot().await?;
    // A restart is marked with a deployment's id; there is none yet, and the mark is not shown.
    let after = desired(&snapshot, change, Uuid::nil())?;
    let diff = diff::lines(&Desired::present(&snapshot), &after, &snapshot.container)?;
    let outlook = Outlook { snapshot: &snapshot, runs: true, after, brought: Brought::default(), more: Vec::new() };
    judged(workload, change, outlook, diff).await
}

/// The plan of a change whose difference is known.
pub(super) async fn judged(
    workload: &Workload,
    change: &Change,
    outlook: Outlook<'_>,
    mut diff: Vec<DiffLine>,
) -> Result<TargetPlan, TargetError> {
    let Outlook { snapshot, runs, after, brought, more } = outlook;
    let template = after.typed_template()?;
    let container = container_named(&template, &snapshot.container);
    let mut needs = references::of(&template);
    needs.extend(more);
    let (missing, around, autoscaler, waits) = tokio::join!(
        preflight::check(workload, &needs, &brought),
        neighbours::check(workload, snapshot, (&after, &template), change, &brought),
        autoscaler(workload),
        wait::plan(workload, change)
    );
    let mut findings = missing;
    findings.extend(around);
    if runs {
        findings.extend(about_state(snapshot));
    }
    findings.extend(about_change(change, &diff, autoscaler.as_deref()));
    findings.extend(container.into_iter().flat_map(about_container));
    findings.extend(canary::plan(workload, snapshot, change, &after.template, autoscaler.is_some()).await?);
    findings.extend(argo::plan(workload, snapshot, change, &after.template).await?);
    let (waits, not_ready) = waits?;
    diff.extend(waits);
    findings.extend(not_ready);
    sort(&mut findings);
    Ok(TargetPlan { diff, env: container.map(env::of).unwrap_or_default(), findings })
}

/// The worst first.
pub(super) fn sort(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| match finding.severity {
        Severity::Error => 0,
        Severity::Warning => 1,
        Severity::Info => 2,
    });
}

fn finding(severity: Severity, code: &str, message: Text) -> Finding {
    Finding { severity, code: code.to_owned(), message }
}

/// Findings about the Deployment as it is.
fn about_state(snapshot: &Snapshot) -> Vec<Finding> {
    let mut findings = Vec::new();
    if snapshot.spec.paused == Some(true) {
        findings.push(finding(
            Severity::Error,
            "paused",
            text!("rollouts of the Deployment are paused (spec.paused): nothing would start"),
        ));
    }
    if snapshot.spec.strategy.as_ref().and_then(|strategy| strategy.type_.as_deref()) == Some("Recreate") {
        findings.push(finding(
            Severity::Warning,
            "recreate",
            text!("the strategy is Recreate: all instances stop before a new one starts"),
        ));
    }
    if matches!(rollout::stage(snapshot), rollout::Stage::Progressing | rollout::Stage::Unseen)
        && !rollout::was_complete(snapshot)
    {
        findings.push(finding(Severity::Warning, "rollout_in_progress", text!("another rollout is still going on")));
    }
    findings
}

fn about_change(change: &Change, diff: &[DiffLine], autoscaler: Option<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if diff.is_empty() {
        findings.push(finding(Severity::Info, "no_change", text!("this runs already: nothing would change")));
    }
    if let (Change::Scale { .. }, Some(autoscaler)) = (change, autoscaler) {
        let message =
            text!("the autoscaler {autoscaler} decides the number of instances and will change it again", autoscaler);
        findings.push(finding(Severity::Warning, "autoscaled", message));
    }
    findings
}

/// Findings about the container that would run.
fn about_container(container: &Container) -> Vec<Finding> {
    let mut findings = Vec::new();
    let image = container.image.as_deref().unwrap_or_default();
    match ImageRef::parse(image) {
        Ok(parsed) if parsed.is_pinned() => {}
        Ok(parsed) if matches!(parsed.tag.as_deref(), None | Some("latest")) => {
            let message = text!("{image} has no version: what runs depends on when a node pulls it", image);
            findings.push(finding(Severity::Warning, "mutable_tag", message));
        }
        Ok(_) => {
            let message = text!("{image} is a tag, which may move; a digest (@sha256:...) cannot", image);
            findings.push(finding(Severity::Info, "mutable_tag", message));
        }
        // It runs already, so the cluster takes it.
        Err(_) => {}
    }
    if container.readiness_probe.is_none() {
        let message = text!(
            "container {name} has no readiness probe: it gets traffic as soon as it starts, and a bad version looks good",
            name = &container.name
        );
        findings.push(finding(Severity::Warning, "no_probe", message));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use serde_json::json;

    fn codes(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    #[test]
    fn the_container_is_looked_at() {
        let with = |image: &str| -> Container {
            serde_json::from_value(json!({"name": "web", "image": image, "readinessProbe": {"tcpSocket": {"port": 1}}}))
                .unwrap()
        };
        let digest = "a".repeat(64);
        assert!(about_container(&with(&format!("web@sha256:{digest}"))).is_empty());
        assert_eq!(about_container(&with("web:1"))[0].severity, Severity::Info);
        assert_eq!(about_container(&with("web"))[0].severity, Severity::Warning);
        let bare = Container { readiness_probe: None, ..with("web:1") };
        assert_eq!(codes(&about_container(&bare)), ["mutable_tag", "no_probe"]);
    }

    #[test]
    fn the_state_is_looked_at() {
        assert!(about_state(&fixtures::snapshot("complete")).is_empty());
        assert_eq!(codes(&about_state(&fixtures::snapshot("rolling"))), ["rollout_in_progress"]);
        let mut paused = fixtures::snapshot("complete");
        paused.spec.paused = Some(true);
        assert_eq!(codes(&about_state(&paused)), ["paused"]);
    }

    #[test]
    fn an_autoscaler_and_an_empty_change_are_told() {
        assert_eq!(codes(&about_change(&Change::Scale { replicas: 3 }, &[], Some("web"))), ["no_change", "autoscaled"]);
    }
}
