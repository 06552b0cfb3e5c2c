//! Taking the steps, and taking the second Deployment away.

use super::super::annotations;
use super::super::apply::{FIELD_MANAGER, write};
use super::super::change::{desired, merge_patch};
use super::super::error::call;
use super::super::snapshot::Snapshot;
use super::super::workload::Workload;
use super::manifest::{is_ours, object};
use super::mark::{ANNOTATION, Mark, read};
use super::name_of;
use super::step::{Due, due};
use crate::{Change, Fence, TargetError, fencing};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy};
use passerelle_contract::{Text, text};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

/// How often somebody else may change something between our reading and our writing.
const ATTEMPTS: u32 = 8;

/// Takes what is due until there is something to tell, or nothing is due.
/// Unless it is `agreed`, the share stays what it is.
pub(in crate::kubernetes) async fn advance(
    workload: &Workload,
    fence: Fence,
    agreed: bool,
) -> Result<Option<Text>, TargetError> {
    for _ in 0..ATTEMPTS {
        let (main, canary) = workload.both().await?;
        let Some(mark) = read(&main) else { return Ok(None) };
        let there = annotations::fence(main.metadata.annotations.as_ref());
        fencing::check(there, fence)?;
        if there.is_none_or(|there| there.deployment != fence.deployment) {
            return Ok(None);
        }
        if there != Some(fence) {
            // Before any step: the process before us is refused from now on.
            write(workload, marked(&main, &mark, fence, json!({}))).await?;
            continue;
        }
        let canary = canary.as_ref();
        if let Some(canary) = canary {
            owned(workload, canary)?;
            fencing::check(annotations::fence(canary.metadata.annotations.as_ref()), fence)?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let due = due(&main, canary, &mark, fence, &workload.canary, now);
        if !agreed && due.gives_more() {
            return Ok(None);
        }
        match take(workload, &main, canary, &mark, fence, due).await? {
            Taken::Said(said) => return Ok(Some(said)),
            Taken::Nothing => return Ok(None),
            Taken::Again => {}
        }
    }
    Err(TargetError::Unreachable(text!("{title} kept changing while it was to be written", title = workload.title())))
}

enum Taken {
    Said(Text),
    Nothing,
    /// Something was done that is not worth a line, or somebody was faster.
    Again,
}

async fn take(
    workload: &Workload,
    main: &Snapshot,
    canary: Option<&Snapshot>,
    mark: &Mark,
    fence: Fence,
    due: Due,
) -> Result<Taken, TargetError> {
    let said = |written: bool, said: Text| if written { Taken::Said(said) } else { Taken::Again };
    Ok(match (due, canary) {
        (Due::Make, _) => {
            let made = make(workload, main, mark, fence).await?;
            said(
                made,
                text!(
                    "{name} is made with {count} pods of {image}",
                    name = name_of(&workload.name),
                    count = mark.pods(),
                    image = &mark.image
                ),
            )
        }
        (Due::TakeAway, Some(canary)) => {
            delete(workload, canary).await?;
            Taken::Again
        }
        (Due::Resize(pods), Some(canary)) => {
            resize(workload, canary, pods, fence).await?;
            Taken::Nothing
        }
        (Due::Reached(mark), _) => {
            let spec = mark.rest().map_or_else(|| json!({}), |rest| json!({"replicas": rest}));
            let written = write(workload, marked(main, &mark, fence, spec)).await?;
            let (pods, all) = (mark.pods(), mark.replicas);
            said(
                written,
                text!(
                    "{pods} of {all} pods run {image} ({percent} %)",
                    pods,
                    all,
                    image = &mark.image,
                    percent = mark.percent
                ),
            )
        }
        (Due::Next(mark), _) => {
            write(workload, marked(main, &mark, fence, json!({}))).await?;
            Taken::Again
        }
        (Due::Finish(mark), _) => {
            let written = finish(workload, main, &mark, fence).await?;
            said(written, text!("every pod gets {image}", image = &mark.image))
        }
        (Due::Clear, Some(canary)) => {
            delete(workload, canary).await?;
            Taken::Again
        }
        (Due::End, _) => {
            let mut body = marked(main, mark, fence, json!({}));
            body["metadata"]["annotations"][ANNOTATION] = Value::Null;
            said(write(workload, body).await?, text!("{name} is taken away", name = name_of(&workload.name)))
        }
        _ => Taken::Nothing,
    })
}

/// A write on the first Deployment, conditional on what was read, with the mark and the epoch.
fn marked(main: &Snapshot, mark: &Mark, fence: Fence, spec: Value) -> Value {
    let mark = serde_json::to_string(mark).unwrap_or_default();
    let mut body = json!({ "metadata": {
        "resourceVersion": main.metadata.resource_version,
        "annotations": { annotations::EPOCH: fence.epoch.to_string(), ANNOTATION: mark },
    }});
    if spec.as_object().is_some_and(|fields| !fields.is_empty()) {
        body["spec"] = spec;
    }
    body
}

async fn finish(workload: &Workload, main: &Snapshot, mark: &Mark, fence: Fence) -> Result<bool, TargetError> {
    let after = desired(main, &Change::Image { image: mark.image.clone(), manifests: None }, fence.deployment)?;
    let mut spec = json!({});
    if let Some(template) = merge_patch(&main.template, &after.template) {
        spec["template"] = template;
    }
    if mark.gives_way {
        spec["replicas"] = json!(mark.replicas);
    }
    write(workload, marked(main, mark, fence, spec)).await
}

/// Not when somebody was faster.
async fn make(workload: &Workload, main: &Snapshot, mark: &Mark, fence: Fence) -> Result<bool, TargetError> {
    let object: DynamicObject = serde_json::from_value(object(main, mark, fence)?)
        .map_err(|_| TargetError::Refused(text!("the canary's Deployment cannot be written")))?;
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let deployments = workload.deployments();
    let request = async {
        match deployments.create(&params, &object).await {
            Ok(made) => Ok(Some(made)),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(error) => Err(error),
        }
    };
    let Some(made) = call(title(workload), request).await? else { return Ok(false) };
    // Two objects are not written as one: whoever went back meanwhile has not seen this one, so it is taken away again.
    let now = workload.deployment().await?;
    let there = annotations::fence(now.metadata.annotations.as_ref());
    let marked = now.metadata.annotations.is_some_and(|all| all.contains_key(ANNOTATION));
    if there == Some(fence) && marked {
        return Ok(true);
    }
    let only = Preconditions { uid: made.metadata.uid, resource_version: None };
    delete_by(workload, only).await?;
    fencing::check(there, fence)?;
    Ok(false)
}

async fn resize(workload: &Workload, canary: &Snapshot, pods: u32, fence: Fence) -> Result<(), TargetError> {
    let body = json!({
        "metadata": {
            "resourceVersion": canary.metadata.resource_version,
            "annotations": { annotations::EPOCH: fence.epoch.to_string() },
        },
        "spec": { "replicas": pods }
    });
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let (deployments, name, patch) = (workload.deployments(), name_of(&workload.name), Patch::Merge(body));
    let request = async {
        match deployments.patch(&name, &params, &patch).await {
            Ok(_) => Ok(()),
            // Changed or gone meanwhile: the next look decides anew.
            Err(kube::Error::Api(status)) if status.is_conflict() || status.code == 404 => Ok(()),
            Err(error) => Err(error),
        }
    };
    call(title(workload), request).await
}

fn title(workload: &Workload) -> String {
    format!("Deployment {}/{}", workload.namespace, name_of(&workload.name))
}

fn owned(workload: &Workload, canary: &Snapshot) -> Result<(), TargetError> {
    if is_ours(canary, &workload.name) {
        return Ok(());
    }
    Err(TargetError::Refused(text!("{title} is there, and this portal did not make it", title = title(workload))))
}

/// This one and no younger one of its name. Already gone is fine.
async fn delete(workload: &Workload, canary: &Snapshot) -> Result<(), TargetError> {
    delete_by(workload, Preconditions { uid: canary.metadata.uid.clone(), resource_version: None }).await
}

async fn delete_by(workload: &Workload, only: Preconditions) -> Result<(), TargetError> {
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(only),
        ..DeleteParams::default()
    };
    let (deployments, name) = (workload.deployments(), name_of(&workload.name));
    let request = async {
        match deployments.delete(&name, &params).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            Err(error) => Err(error),
        }
    };
    call(title(workload), request).await
}

/// Takes away what a canary has left, when it is ours and no younger writer's. The mark is gone already, so nobody makes it anew.
pub(in crate::kubernetes) async fn remove(workload: &Workload, fence: Fence) -> Result<(), TargetError> {
    let (_, canary) = workload.both().await?;
    let Some(canary) = canary.filter(|canary| is_ours(canary, &workload.name)) else { return Ok(()) };
    fencing::check(annotations::fence(canary.metadata.annotations.as_ref()), fence)?;
    delete(workload, &canary).await
}
