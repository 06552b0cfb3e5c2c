//! The namespace of a binding: looked for, made where the binding says so, never changed and never deleted.

use super::super::apply::FIELD_MANAGER;
use super::super::error::call;
use super::super::workload::Workload;
use super::config::Manifests;
use super::object::MANAGED_BY;
use crate::TargetError;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::PostParams;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::text;
use serde_json::{Value, json};

/// Whether it is there; nothing when that may not be looked up.
pub(super) async fn is_there(workload: &Workload) -> Result<Option<bool>, TargetError> {
    let api: Api<Namespace> = Api::all(workload.client.clone());
    let what = format!("Namespace {}", workload.namespace);
    match call(what, api.get_metadata_opt(&workload.namespace)).await {
        Ok(found) => Ok(Some(found.is_some())),
        Err(TargetError::Forbidden(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a plan says of it.
pub(super) fn finding(workload: &Workload, settings: &Manifests, there: Option<bool>) -> Option<Finding> {
    if there != Some(false) {
        return None;
    }
    let name = &workload.namespace;
    Some(if settings.create_namespace {
        let message = text!("Namespace {name} does not exist and is made", name);
        Finding { severity: Severity::Info, code: "namespace_made".to_owned(), message }
    } else {
        let message =
            text!("Namespace {name} does not exist; the binding can say that it is made (create_namespace)", name);
        Finding { severity: Severity::Error, code: "missing_namespace".to_owned(), message }
    })
}

/// Makes it when it is missing, with the labels that its manifest asks for.
pub(super) async fn ensure(workload: &Workload, manifest: Option<&Value>) -> Result<(), TargetError> {
    let there = is_there(workload).await?;
    if there == Some(true) {
        return Ok(());
    }
    let name = &workload.namespace;
    let mut metadata = json!({ "name": name, "labels": {} });
    for field in ["labels", "annotations"] {
        if let Some(given) = manifest.and_then(|manifest| manifest["metadata"][field].as_object()) {
            metadata[field] = json!(given);
        }
    }
    metadata["labels"][MANAGED_BY.0] = json!(MANAGED_BY.1);
    let object: Namespace = serde_json::from_value(json!({ "metadata": metadata }))
        .map_err(|_| TargetError::Artifact(text!("the manifest of Namespace {name} cannot be read", name)))?;
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let api: Api<Namespace> = Api::all(workload.client.clone());
    let request = async {
        match api.create(&params, &object).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(()),
            Err(error) => Err(error),
        }
    };
    match call(format!("Namespace {name}"), request).await {
        // It may be there and neither be seen nor made by us; the next write tells.
        Err(TargetError::Forbidden(_)) if there.is_none() => Ok(()),
        made => made,
    }
}
