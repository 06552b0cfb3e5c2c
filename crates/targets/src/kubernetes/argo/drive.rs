//! What a person would do with the plug-in of Argo Rollouts: promote, promote in full, abort.

use super::super::annotations;
use super::super::apply::{FIELD_MANAGER, write};
use super::super::error::{CALL_TIMEOUT, call, translate};
use super::super::rollout::{Stage, stage};
use super::super::snapshot::Snapshot;
use super::super::workload::Workload;
use super::status::Argo;
use super::{FULL, resource};
use crate::{Fence, TargetError, fencing};
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams};
use passerelle_contract::{Text, text};
use serde_json::{Value, json};
use std::time::Duration;
use time::OffsetDateTime;

/// How often the controller may write its status between our reading and our writing.
const ATTEMPTS: u32 = 8;

/// How long its steps pause on purpose.
pub(in crate::kubernetes) async fn stages(workload: &Workload) -> Result<Option<Duration>, TargetError> {
    let snapshot = workload.snapshot().await?;
    let Some(argo) = &snapshot.argo else { return Ok(None) };
    let (endless, timed) = argo.planned_pauses();
    let each = workload.canary.pause.duration();
    let endless = each.saturating_mul(u32::try_from(endless).unwrap_or(u32::MAX));
    Ok(Some(endless.saturating_add(Duration::from_secs(timed))))
}

/// Ends a pause without an end, once it has lasted as long as the binding says and the new version may have more; skips the steps of a
/// way back.
pub(in crate::kubernetes) async fn advance(
    workload: &Workload,
    fence: Fence,
    agreed: bool,
) -> Result<Option<Text>, TargetError> {
    for _ in 0..ATTEMPTS {
        let snapshot = workload.snapshot().await?;
        let Some(argo) = &snapshot.argo else { return Ok(None) };
        let there = annotations::fence(snapshot.metadata.annotations.as_ref());
        fencing::check(there, fence)?;
        if there.is_none_or(|there| there.deployment != fence.deployment) {
            return Ok(None);
        }
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let Some((status, said)) = due(&snapshot, argo, workload.canary.pause.duration(), agreed, now) else {
            return Ok(None);
        };
        if there != Some(fence) {
            // Before any step: the process before us is refused from now on.
            write(workload, raised(&snapshot, fence)).await?;
            continue;
        }
        if patch_status(workload, &snapshot, status).await? {
            return Ok(Some(said));
        }
    }
    // The controller is at work; there is a next look.
    Ok(None)
}

/// The status to write, and what to tell of it. `now` in seconds since 1970.
pub(super) fn due(snapshot: &Snapshot, argo: &Argo, pause: Duration, agreed: bool, now: i64) -> Option<(Value, Text)> {
    let seen = !matches!(stage(snapshot), Stage::Unseen | Stage::Complete | Stage::Stopped(_));
    if !seen || !argo.is_under_way() || argo.is_unpausing() || snapshot.spec.paused == Some(true) {
        return None;
    }
    let back = snapshot.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(FULL));
    if back {
        let said = text!("Argo Rollouts is told to skip the steps: this is a way back");
        return (!argo.promote_full).then(|| (json!({"promoteFull": true}), said));
    }
    let since = argo.endless_pause()?;
    let long = u64::try_from(now.saturating_sub(since)).unwrap_or(0);
    if !agreed || long < pause.as_secs() {
        return None;
    }
    let said = text!(
        "the pause at {percent} % is over (step {step} of {steps})",
        percent = argo.weight(),
        step = argo.index.unwrap_or(0) + 1,
        steps = argo.steps.len()
    );
    Some((json!({"pauseConditions": null}), said))
}

fn raised(snapshot: &Snapshot, fence: Fence) -> Value {
    json!({ "metadata": {
        "resourceVersion": snapshot.metadata.resource_version,
        "annotations": { annotations::DEPLOYMENT: fence.deployment.to_string(), annotations::EPOCH: fence.epoch.to_string() },
    }})
}

/// Before the version of before is put back: the controller gives it its pods and its traffic at once. Answers whether something was
/// written, and what was read is of no use any more.
pub(in crate::kubernetes) async fn abort(
    workload: &Workload,
    snapshot: &Snapshot,
    fence: Fence,
) -> Result<bool, TargetError> {
    let Some(argo) = &snapshot.argo else { return Ok(false) };
    let runs = matches!(stage(snapshot), Stage::Progressing | Stage::DeadlineExceeded(_));
    if !runs || !argo.is_under_way() || argo.aborted {
        return Ok(false);
    }
    if annotations::fence(snapshot.metadata.annotations.as_ref()) != Some(fence) {
        write(workload, raised(snapshot, fence)).await?;
        return Ok(true);
    }
    patch_status(workload, snapshot, json!({"abort": true})).await?;
    Ok(true)
}

/// Not when something was written meanwhile.
async fn patch_status(workload: &Workload, snapshot: &Snapshot, status: Value) -> Result<bool, TargetError> {
    let body = json!({ "metadata": { "resourceVersion": snapshot.metadata.resource_version }, "status": status });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let (rollouts, patch) = (api(workload), Patch::Merge(body));
    let request = rollouts.patch_status(&workload.name, &params, &patch);
    match tokio::time::timeout(CALL_TIMEOUT, request).await {
        Ok(Ok(_)) => Ok(true),
        Ok(Err(kube::Error::Api(status))) if status.is_conflict() => Ok(false),
        Ok(Err(error)) => Err(translate(workload.title(), &error)),
        Err(_) => Err(TargetError::Unreachable(text!(
            "no answer to the write within {seconds} s",
            seconds = CALL_TIMEOUT.as_secs()
        ))),
    }
}

/// Asks the API server whether a step could be taken, without taking one.
pub(super) async fn may_promote(workload: &Workload) -> Result<(), TargetError> {
    let params = PatchParams { dry_run: true, field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let (rollouts, patch) = (api(workload), Patch::Merge(json!({ "status": {} })));
    call(workload.title(), rollouts.patch_status(&workload.name, &params, &patch)).await.map(drop)
}

fn api(workload: &Workload) -> Api<DynamicObject> {
    Api::namespaced_with(workload.client.clone(), &workload.namespace, &resource())
}
