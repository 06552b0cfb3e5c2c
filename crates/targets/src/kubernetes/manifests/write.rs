//! Writing one object: made when it is not there, then applied by the server, each on the condition of what was read.
//!
//! A server-side apply creates what is missing without any condition, so a writer that slept would make again what a younger one has replaced.
//! Hence an object is created by a plain request first, which fails when it is there, and the fields that this request owns are given over to
//! the apply, so that a later apply may take them away.

use super::super::annotations;
use super::super::apply::FIELD_MANAGER;
use super::super::error::call;
use super::super::workload::Workload;
use super::object::{BINDING, Object, label_of};
use super::{REVISION, ledger};
use crate::{Change, Fence, TargetError, fencing};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::Api;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use passerelle_contract::text;
use serde_json::{Value, json};
use std::time::Duration;

/// Who creates; its fields go to [`FIELD_MANAGER`].
const CREATOR: &str = "passerelle-create";
/// How often somebody else may change an object between our reading and our writing.
const ATTEMPTS: u32 = 8;

/// What is written on the objects of one apply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer<'a> {
    pub change: &'a Change,
    pub fence: Fence,
    pub revision: &'a str,
    /// Of the Deployment of the binding, where it is decided here.
    pub replicas: Option<u32>,
}

impl Writer<'_> {
    /// The object with our marks on it.
    pub fn body(&self, workload: &Workload, object: &Object) -> Value {
        let mut body = object.value.clone();
        if !body["metadata"]["annotations"].is_object() {
            body["metadata"]["annotations"] = json!({});
        }
        let mut marks = annotations::patch(self.change, self.fence);
        if object.is_deployment(&workload.name) {
            marks[REVISION] = json!(self.revision);
            if let Some(replicas) = self.replicas {
                body["spec"]["replicas"] = json!(replicas);
            }
        }
        for (name, value) in marks.as_object().into_iter().flatten() {
            // What the change was is only asked of the Deployment.
            if name != annotations::CHANGE || object.is_deployment(&workload.name) {
                body["metadata"]["annotations"][name] = value.clone();
            }
        }
        body
    }
}

pub(super) fn api(workload: &Workload, object: &Object) -> Api<DynamicObject> {
    Api::namespaced_with(workload.client.clone(), &workload.namespace, &object.id.resource())
}

pub(super) fn title(workload: &Workload, object: &Object) -> String {
    format!("{} {}/{}", object.id.kind, workload.namespace, object.id.name)
}

/// Refuses to write over another binding's object, and over a younger write.
pub(super) fn check(workload: &Workload, title: &str, live: &ObjectMeta, fence: Fence) -> Result<(), TargetError> {
    let owner = live.labels.as_ref().and_then(|labels| labels.get(BINDING));
    if let Some(owner) = owner.filter(|owner| **owner != label_of(&workload.name)) {
        return Err(TargetError::Refused(text!(
            "{object} belongs to the manifests of {owner}, which another binding applies",
            object = title,
            owner = owner.as_str()
        )));
    }
    fencing::check(annotations::fence(live.annotations.as_ref()), fence)
}

/// Makes or changes an object, while the ledger is ours.
pub(super) async fn put(workload: &Workload, object: &Object, writer: &Writer<'_>) -> Result<(), TargetError> {
    let (api, title) = (api(workload, object), title(workload, object));
    let body = writer.body(workload, object);
    for attempt in 0..ATTEMPTS {
        let live = call(&title, api.get_opt(&object.id.name)).await?;
        if let Some(live) = &live {
            check(workload, &title, &live.metadata, writer.fence)?;
        }
        ledger::ours(workload, writer.fence).await?;
        let there = match live {
            Some(live) => Some(live.metadata),
            None => create(&api, &title, &body).await?,
        };
        if let Some(there) = there
            && apply(&api, &title, &object.id.name, &body, &there).await?
        {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt.min(4))).await;
    }
    Err(TargetError::Unreachable(text!("{title} kept changing while it was to be written", title)))
}

/// Nothing when somebody was faster.
async fn create(api: &Api<DynamicObject>, title: &str, body: &Value) -> Result<Option<ObjectMeta>, TargetError> {
    let object: DynamicObject = serde_json::from_value(body.clone())
        .map_err(|_| TargetError::Artifact(text!("{object} cannot be written", object = title)))?;
    let params = PostParams { field_manager: Some(CREATOR.to_owned()), ..PostParams::default() };
    let request = async {
        match api.create(&params, &object).await {
            Ok(made) => Ok(Some(made.metadata)),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(None),
            Err(error) => Err(error),
        }
    };
    call(title, request).await
}

/// Not when the object has changed since it was read.
async fn apply(
    api: &Api<DynamicObject>,
    title: &str,
    name: &str,
    body: &Value,
    there: &ObjectMeta,
) -> Result<bool, TargetError> {
    let mut body = body.clone();
    body["metadata"]["resourceVersion"] = json!(there.resource_version);
    body["metadata"]["uid"] = json!(there.uid);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let request = async {
        match api.patch(name, &params, &Patch::Apply(&body)).await {
            Ok(written) => Ok(Some(written.metadata)),
            // Somebody was faster, or it was deleted.
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let Some(written) = call(title, request).await? else { return Ok(false) };
    give_over(api, title, name, &written).await?;
    Ok(true)
}

/// Takes the creator out of the record of who set which field; the apply has set the same.
async fn give_over(api: &Api<DynamicObject>, title: &str, name: &str, written: &ObjectMeta) -> Result<(), TargetError> {
    let is_creator = |entry: &ManagedFieldsEntry| entry.manager.as_deref() == Some(CREATOR);
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let mut there = written.clone();
    // Controllers write their status right after an object is made. What is left of it is done by the next apply.
    for _ in 0..ATTEMPTS {
        let entries = there.managed_fields.unwrap_or_default();
        if !entries.iter().any(is_creator) {
            return Ok(());
        }
        let rest: Vec<_> = entries.into_iter().filter(|entry| !is_creator(entry)).collect();
        let body = json!({ "metadata": { "resourceVersion": there.resource_version, "managedFields": rest } });
        let request = async {
            match api.patch(name, &params, &Patch::Merge(&body)).await {
                Ok(_) => Ok(None),
                Err(kube::Error::Api(status)) if status.code == 409 => api.get_metadata_opt(name).await,
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
                Err(error) => Err(error),
            }
        };
        match call(title, request).await? {
            Some(found) => there = found.metadata,
            None => return Ok(()),
        }
    }
    Ok(())
}

/// What an apply would make of an object, without doing it; `Err` with the reason when the cluster would refuse it.
pub(super) async fn dry_run(
    workload: &Workload,
    object: &Object,
    writer: &Writer<'_>,
) -> Result<DynamicObject, TargetError> {
    let params = PatchParams::apply(FIELD_MANAGER).force().dry_run();
    let body = writer.body(workload, object);
    call(title(workload, object), api(workload, object).patch(&object.id.name, &params, &Patch::Apply(&body))).await
}
