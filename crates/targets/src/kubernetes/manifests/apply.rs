//! Applying what a change asks for: kept, claimed, written in order, and marked as done.

use super::super::annotations;
use super::super::canary::pods_before;
use super::super::change::Desired;
use super::super::preflight::autoscaler;
use super::super::snapshot::Snapshot;
use super::super::workload::Workload;
use super::config::Manifests;
use super::ledger::{self, Ledger};
use super::object::Object;
use super::source::{Count, Prepared, prepare};
use super::write::{Writer, put};
use super::{namespace, record_of_nothing, revision};
use crate::{Applied, Change, Fence, Recorded, TargetError, fencing};
use passerelle_contract::text;
use serde_json::Value;

/// Nothing when the change is no matter of manifests.
pub(in super::super) async fn apply(
    workload: &Workload,
    settings: &Manifests,
    change: &Change,
    fence: Fence,
) -> Result<Option<Applied>, TargetError> {
    let ledger = ledger::read(workload).await?;
    fencing::check(ledger.as_ref().and_then(|ledger| ledger.fence), fence)?;
    let live = workload.found().await?;
    if let Some(live) = &live {
        fencing::check(annotations::fence(live.metadata.annotations.as_ref()), fence)?;
    }
    let carried = ledger.as_ref().filter(|ledger| ledger.carries(change, fence.deployment));
    let Some(prepared) = wanted(workload, settings, ledger.as_ref(), carried, change).await? else {
        if ledger.is_some() {
            // An older writer of manifests is refused from now on.
            ledger::touch(workload, change, fence).await?;
        }
        return Ok(None);
    };
    let before = live.as_ref().map_or_else(record_of_nothing, record);
    let there = carried.is_some_and(|ledger| ledger.content.applied);
    if there && carried.is_some_and(|ledger| ledger.fence == Some(fence)) {
        return Ok(Some(Applied { before, unchanged: true, message: text!("the change was there already") }));
    }
    if settings.create_namespace {
        namespace::ensure(workload, prepared.namespace.as_ref()).await?;
    }
    revision::keep(workload, &prepared.revision, &prepared.objects).await?;
    ledger::claim(workload, change, fence, &prepared.revision, &prepared.objects).await?;
    let replicas = replicas(workload, &prepared, live.as_ref()).await;
    let writer = Writer { change, fence, revision: &prepared.revision, replicas };
    for object in &prepared.objects {
        put(workload, object, &writer).await?;
    }
    ledger::update(workload, fence, |content| content.applied = true).await?;
    let message = if there {
        text!("the change was there already; the deployment was taken over")
    } else {
        let count = prepared.objects.len();
        text!(
            "{count} objects of the manifests are applied, {name} last of the workloads",
            count,
            name = workload.title()
        )
    };
    Ok(Some(Applied { before, unchanged: there, message }))
}

/// What this very deployment has claimed is taken from what it kept, so that it goes on with the same even when the bundle is gone.
async fn wanted(
    workload: &Workload,
    settings: &Manifests,
    ledger: Option<&Ledger>,
    carried: Option<&Ledger>,
    change: &Change,
) -> Result<Option<Prepared>, TargetError> {
    let is_ours = !matches!(change, Change::Restart | Change::Scale { .. });
    if let Some(claimed) = carried.filter(|ledger| is_ours && !ledger.content.revision.is_empty()) {
        match Prepared::kept(workload, &claimed.content.revision, change).await {
            Err(TargetError::Missing(_)) => {}
            kept => return kept.map(Some),
        }
    }
    prepare(workload, settings, ledger, change).await
}

/// What runs, with the revision that describes it.
fn record(live: &Snapshot) -> Recorded {
    super::super::observe::record(live, Desired::present(live))
}

/// How many pods the Deployment is to have; nothing where its manifest and the cluster decide.
pub(super) async fn replicas(workload: &Workload, prepared: &Prepared, live: Option<&Snapshot>) -> Option<u32> {
    let live = live?;
    let now = pods_before(live);
    if brings_autoscaler(&prepared.objects, &workload.name) || autoscaler(workload).await.is_some() {
        return Some(now);
    }
    Some(match prepared.count {
        Count::Exactly(count) => count,
        Count::Now => now,
        Count::Manifest => given(&prepared.objects, &workload.name).unwrap_or(now),
    })
}

fn given(objects: &[Object], deployment: &str) -> Option<u32> {
    let object = objects.iter().find(|object| object.is_deployment(deployment))?;
    object.value["spec"]["replicas"].as_u64().and_then(|number| u32::try_from(number).ok())
}

fn brings_autoscaler(objects: &[Object], deployment: &str) -> bool {
    objects.iter().filter(|object| object.id.kind == "HorizontalPodAutoscaler").any(|object| {
        let target: &Value = &object.value["spec"]["scaleTargetRef"];
        target["kind"] == "Deployment" && target["name"] == deployment
    })
}
