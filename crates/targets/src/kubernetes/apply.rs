//! Writes a change: read, check the fence, compute, write with the version that was read; again when somebody was faster.
//!
//! The write is a JSON merge patch with `metadata.resourceVersion`, not a server-side apply: a restore has to take away fields that
//! others own, and an apply that leaves out `replicas` would give it up.

use super::annotations;
use super::argo;
use super::canary::{self, Mark};
use super::change::{Desired, desired, merge_patch};
use super::error::{CALL_TIMEOUT, translate};
use super::manifests;
use super::preflight::autoscaler;
use super::snapshot::Snapshot;
use super::workload::Workload;
use crate::fencing;
use crate::{Applied, Change, Fence, Recorded, TargetError};
use kube::api::{Patch, PatchParams};
use passerelle_contract::{Text, text};
use serde_json::{Map, Value, json};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Writes are attempted this often before the object counts as too busy.
const ATTEMPTS: u32 = 8;
pub(super) const FIELD_MANAGER: &str = "passerelle";

pub(super) async fn apply(workload: &Workload, change: &Change, fence: Fence) -> Result<Applied, TargetError> {
    if let Some(settings) = &workload.manifests
        && let Some(applied) = manifests::apply(workload, settings, change, fence).await?
    {
        return Ok(applied);
    }
    // Where an autoscaler decides the number of pods, a restore and a canary leave it alone.
    let asks = matches!(change, Change::Restore { .. }) || !workload.canary.steps.is_empty();
    let autoscaled = asks && autoscaler(workload).await.is_some();
    for attempt in 0..ATTEMPTS {
        let snapshot = workload.snapshot().await?;
        let there = annotations::fence(snapshot.metadata.annotations.as_ref());
        fencing::check(there, fence)?;
        let mut after = desired(&snapshot, change, fence.deployment)?;
        if autoscaled && matches!(change, Change::Restore { .. }) {
            after.replicas = canary::pods_before(&snapshot);
        }
        let back = matches!(change, Change::Restore { .. } | Change::RestoreVersion { .. });
        if back && after.template != snapshot.template && argo::abort(workload, &snapshot, fence).await? {
            continue;
        }
        let carried = annotations::carries(snapshot.metadata.annotations.as_ref(), change, fence.deployment);
        // This very change is on its way in steps, and they go on.
        let under_way = carried && canary::read(&snapshot).is_some();
        let done = carried && (under_way || after.template == snapshot.template);
        let cleared = async {
            match under_way {
                true => Ok(()),
                false => clear(workload, &snapshot, fence).await,
            }
        };
        if done && there == Some(fence) {
            cleared.await?;
            return Ok(Applied {
                before: before_that(&snapshot),
                unchanged: true,
                message: text!("the change was there already"),
            });
        }
        let way = if done {
            // Another process takes the deployment over: only the fence is new.
            Way::Raise
        } else {
            canary::begin(&workload.canary, &snapshot, change, &after.template, autoscaled)
                .map_or(Way::Whole, Way::Steps)
        };
        if write(workload, body(&snapshot, &after, change, fence, &way)).await? {
            let before = if done { before_that(&snapshot) } else { Desired::present(&snapshot).record() };
            let message = message(&snapshot, &after, change, &way);
            if !matches!(way, Way::Steps(_)) {
                cleared.await?;
            }
            return Ok(Applied { before, unchanged: done, message });
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt.min(4))).await;
    }
    Err(TargetError::Unreachable(text!("{title} kept changing while it was to be written", title = workload.title())))
}

/// How a change is written.
enum Way {
    /// It is there; only the epoch is new.
    Raise,
    /// As the mark of a canary, which makes it come true step by step.
    Steps(Mark),
    Whole,
}

/// What a canary has left beside a Deployment that goes without it.
async fn clear(workload: &Workload, snapshot: &Snapshot, fence: Fence) -> Result<(), TargetError> {
    if workload.canary.steps.is_empty() && !canary::is_marked(&snapshot.metadata) {
        return Ok(());
    }
    canary::remove(workload, fence).await
}

/// The merge patch; the version that was read makes a write over something unseen a conflict.
fn body(snapshot: &Snapshot, after: &Desired, change: &Change, fence: Fence, way: &Way) -> Value {
    let mut body = json!({
        "metadata": {
            "resourceVersion": snapshot.metadata.resource_version,
            "annotations": annotations::patch(change, fence),
        }
    });
    match way {
        Way::Raise => return body,
        Way::Steps(mark) => {
            body["metadata"]["annotations"][canary::ANNOTATION] =
                json!(serde_json::to_string(mark).unwrap_or_default());
            return body;
        }
        Way::Whole if canary::is_marked(&snapshot.metadata) => {
            body["metadata"]["annotations"][canary::ANNOTATION] = Value::Null;
        }
        Way::Whole => {}
    }
    // What is written here is no more as the manifests say.
    let described = snapshot.metadata.annotations.as_ref().is_some_and(|all| all.contains_key(manifests::REVISION));
    if described && !matches!(change, Change::Restart | Change::Scale { .. }) {
        body["metadata"]["annotations"][manifests::REVISION] = Value::Null;
    }
    let mut spec = Map::new();
    if let Some(template) = merge_patch(&snapshot.template, &after.template) {
        spec.insert("template".to_owned(), template);
    }
    if after.replicas != snapshot.replicas() {
        spec.insert("replicas".to_owned(), json!(after.replicas));
    }
    if snapshot.argo.is_some() {
        about_rollout(&mut body, &mut spec, change);
    }
    if !spec.is_empty() {
        body["spec"] = Value::Object(spec);
    }
    body
}

/// What is written otherwise on a Rollout.
fn about_rollout(body: &mut Value, spec: &mut Map<String, Value>, change: &Change) {
    match change {
        Change::Image { .. } => body["metadata"]["annotations"][argo::FULL] = Value::Null,
        Change::Restore { .. } | Change::RestoreVersion { .. } => {
            body["metadata"]["annotations"][argo::FULL] = json!("true");
        }
        // The second that begins next: the pods of this one were all made before it.
        Change::Restart => {
            let soon = OffsetDateTime::now_utc() + Duration::from_secs(1);
            let soon = soon.replace_nanosecond(0).unwrap_or(soon);
            spec.insert("restartAt".to_owned(), json!(soon.format(&Rfc3339).unwrap_or_default()));
        }
        Change::Scale { .. } => {}
    }
}

/// Whether the write went through; not when the object has changed since it was read.
pub(super) async fn write(workload: &Workload, body: Value) -> Result<bool, TargetError> {
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let deployments = workload.deployments();
    let patch = Patch::Merge(body);
    let request = deployments.patch(&workload.name, &params, &patch);
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

/// What ran before a change that is there already: the cluster keeps the last templates as ReplicaSets. Without one, the present state.
fn before_that(snapshot: &Snapshot) -> Recorded {
    let mut record = Desired::present(snapshot);
    // A canary leaves the template as it was until its last step.
    if canary::read(snapshot).is_some_and(|mark| !mark.is_last()) {
        return record.record();
    }
    if let Some(template) = snapshot.previous_template() {
        record.template = template;
    }
    record.record()
}

fn message(snapshot: &Snapshot, after: &Desired, change: &Change, way: &Way) -> Text {
    match way {
        Way::Raise => return text!("the change was there already; the deployment was taken over"),
        Way::Steps(mark) => {
            return text!("{image} gets its pods in steps, beside the version before", image = &mark.image);
        }
        Way::Whole => {}
    }
    let what = match change {
        Change::Image { image, .. } => {
            text!("image of container {container} set to {image}", container = &snapshot.container, image)
        }
        Change::Restore { .. } | Change::RestoreVersion { .. } => {
            text!("recorded pod template put back, {replicas} replicas", replicas = after.replicas)
        }
        Change::Restart => return text!("all pods are being replaced"),
        Change::Scale { replicas } => {
            return text!("scaled from {before} to {after}", before = snapshot.replicas(), after = *replicas);
        }
    };
    if after.template == snapshot.template && after.replicas == snapshot.replicas() {
        return text!("{what}; it ran already", what);
    }
    what
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_write_carries_its_version_and_touches_nothing_else() {
        let snapshot = fixtures::snapshot("complete");
        let fence = Fence { deployment: Uuid::from_u128(3), epoch: 4 };
        let change = Change::Scale { replicas: 5 };
        let after = desired(&snapshot, &change, fence.deployment).unwrap();
        let body = body(&snapshot, &after, &change, fence, &Way::Whole);
        assert_eq!(body["metadata"]["resourceVersion"], json!(snapshot.metadata.resource_version));
        assert_eq!(body["metadata"]["annotations"][annotations::EPOCH], "4");
        assert_eq!(body["spec"], json!({"replicas": 5}));
    }

    #[test]
    fn what_ran_before_is_found_in_the_replica_sets() {
        let snapshot = fixtures::snapshot("rolling");
        let before = before_that(&snapshot);
        assert_eq!(before.0.pointer("/template/spec/containers/0/image"), Some(&json!("tinyweb:v1")));
        assert_eq!(before.0.pointer("/template/metadata/labels"), Some(&json!({"app": "web"})));
    }
}
