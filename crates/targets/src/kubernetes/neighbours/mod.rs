//! What a rollout needs of the namespace besides keys: accounts, claims, classes, room in the quotas, and somebody who serves its
//! Ingress.
//!
//! What may not be looked up is left out: the plan says so for keys, and a rollout that fails all the same is named then.

mod limits;
mod objects;
mod removed;
mod served;

use super::canary;
use super::change::Desired;
use super::manifests::Brought;
use super::rollout::keeps_all_old_pods;
use super::snapshot::Snapshot;
use super::surroundings::all;
use super::workload::Workload;
use crate::Change;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{LimitRange, PodTemplateSpec, ResourceQuota, Service};
use k8s_openapi::api::networking::v1::Ingress;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};

pub(super) async fn check(
    workload: &Workload,
    snapshot: &Snapshot,
    (after, template): (&Desired, &PodTemplateSpec),
    change: &Change,
    brought: &Brought,
) -> Vec<Finding> {
    let (mut findings, quotas, ranges, services, ingresses, scalers) = tokio::join!(
        objects::check(workload, template, brought),
        all::<ResourceQuota>(workload, text!("the quotas")),
        all::<LimitRange>(workload, text!("the limit ranges")),
        all::<Service>(workload, text!("the Services")),
        all::<Ingress>(workload, text!("the Ingresses")),
        all::<HorizontalPodAutoscaler>(workload, text!("the autoscalers"))
    );
    let (quotas, ranges) = (quotas.1.unwrap_or_default(), ranges.1.unwrap_or_default());
    let room = limits::Room { severity: no_room(snapshot, change), beside: beside(workload, snapshot, after, change) };
    findings.extend(limits::of(snapshot, after, template, (&quotas, &ranges), room));
    let (services, ingresses) = (services.1.unwrap_or_default(), ingresses.1.unwrap_or_default());
    findings.extend(served::check(workload, snapshot, &services, &ingresses).await);
    findings.extend(removed::of(snapshot, &ingresses, &scalers.1.unwrap_or_default()));
    findings
}

/// A way back is never stopped by a count, and pods of a rollout that is under way may go and make room.
fn no_room(snapshot: &Snapshot, change: &Change) -> Severity {
    let settled = snapshot.pods.iter().all(|pod| snapshot.is_updated(pod));
    match change {
        Change::Image { .. } | Change::Scale { .. } if settled => Severity::Error,
        _ => Severity::Warning,
    }
}

/// Where every old pod stays until a new one is ready, one more has to fit. At the end of a canary the pods of its last step stand beside as
/// many as before, which are replaced one by one.
fn beside(workload: &Workload, snapshot: &Snapshot, after: &Desired, change: &Change) -> u32 {
    let surge = u32::from(keeps_all_old_pods(snapshot));
    // Whether the old ones give way in between makes no difference here.
    match canary::begin(&workload.canary, snapshot, change, &after.template, false) {
        Some(mark) => canary::Mark { percent: workload.canary.steps.last(), ..mark }.pods().saturating_add(surge),
        None => surge,
    }
}

fn finding(severity: Severity, code: &str, message: Text) -> Finding {
    Finding { severity, code: code.to_owned(), message }
}
