//! Deleting what the version that runs has no more.
//!
//! Only an object of the ledger's inventory, that still carries the label of this binding, while the ledger is ours, and on the condition of
//! what was read. Claims on storage and the namespace stay.

use super::super::annotations;
use super::super::error::call;
use super::super::workload::Workload;
use super::ledger::{self, REVISIONS};
use super::object::{BINDING, Id, label_of};
use super::revision;
use crate::{Fence, TargetError, fencing};
use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Preconditions, PropagationPolicy};
use kube::core::ObjectMeta;
use passerelle_contract::{Text, text};

/// Kinds whose objects are never deleted: what they hold cannot be made again.
pub(super) fn is_spared(id: &Id) -> bool {
    matches!(id.kind.as_str(), "PersistentVolumeClaim" | "PersistentVolume" | "Namespace")
}

/// Deletes what is gone from the manifests of this deployment, if they are applied, and says what that was.
pub(in super::super) async fn settle(workload: &Workload, fence: Fence) -> Result<Option<Text>, TargetError> {
    let Some(ledger) = ledger::read(workload).await? else { return Ok(None) };
    fencing::check(ledger.fence, fence)?;
    if ledger.fence != Some(fence) || !ledger.content.applied {
        return Ok(None);
    }
    let content = ledger.content;
    let (mut deleted, mut done): (Vec<String>, Vec<Id>) = (Vec::new(), Vec::new());
    for id in content.gone(&content.current) {
        if is_spared(id) {
            // It stays for good, and was told of in the plan.
            done.push(id.clone());
            continue;
        }
        match remove(workload, id, fence).await? {
            Removed::Yes => {
                deleted.push(id.title());
                done.push(id.clone());
            }
            Removed::NotOurs => done.push(id.clone()),
            Removed::Changed => {}
        }
    }
    let old = content.revisions.get(REVISIONS..).unwrap_or_default().to_vec();
    if !done.is_empty() || !old.is_empty() {
        ledger::update(workload, fence, |content| {
            content.inventory.retain(|known| !done.iter().any(|id| id.is_same(known)));
            content.revisions.retain(|known| !old.contains(known));
        })
        .await?;
        revision::forget(workload, &old).await;
    }
    let objects = deleted.join(", ");
    Ok((!deleted.is_empty()).then(|| text!("Deleted, because the manifests have them no more: {objects}", objects)))
}

enum Removed {
    Yes,
    /// It is gone, or somebody has taken it from us.
    NotOurs,
    /// Somebody writes it; it is looked at again by the next deployment.
    Changed,
}

/// Whether an object is one that this binding has made and nobody has taken over since.
fn is_ours(found: &ObjectMeta, deployment: &str) -> bool {
    found.labels.as_ref().and_then(|labels| labels.get(BINDING)) == Some(&label_of(deployment))
}

async fn remove(workload: &Workload, id: &Id, fence: Fence) -> Result<Removed, TargetError> {
    let api: Api<DynamicObject> = Api::namespaced_with(workload.client.clone(), &workload.namespace, &id.resource());
    let title = format!("{} {}/{}", id.kind, workload.namespace, id.name);
    let found = match call(&title, api.get_metadata_opt(&id.name)).await {
        // The kind itself is gone.
        Ok(None) | Err(TargetError::Missing(_)) => return Ok(Removed::NotOurs),
        Ok(Some(found)) => found.metadata,
        Err(error) => return Err(error),
    };
    if !is_ours(&found, &workload.name) {
        return Ok(Removed::NotOurs);
    }
    fencing::check(annotations::fence(found.annotations.as_ref()), fence)?;
    ledger::ours(workload, fence).await?;
    let only = Preconditions { uid: found.uid.clone(), resource_version: found.resource_version.clone() };
    let params = DeleteParams {
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: Some(only),
        ..DeleteParams::default()
    };
    let request = async {
        match api.delete(&id.name, &params).await {
            Ok(_) => Ok(Removed::Yes),
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(Removed::NotOurs),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(Removed::Changed),
            Err(error) => Err(error),
        }
    };
    call(title, request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_carries_our_label_is_deleted() {
        let with =
            |labels: serde_json::Value| -> ObjectMeta { serde_json::from_value(json!({"labels": labels})).unwrap() };
        assert!(is_ours(&with(json!({BINDING: "web"})), "web"));
        assert!(!is_ours(&with(json!({BINDING: "api"})), "web"));
        assert!(!is_ours(&with(json!({"app": "web"})), "web"));
        assert!(!is_ours(&ObjectMeta::default(), "web"));
    }

    #[test]
    fn claims_on_storage_stay() {
        let id = |kind: &str| Id {
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: String::new(),
            name: "data".to_owned(),
        };
        assert!(is_spared(&id("PersistentVolumeClaim")) && !is_spared(&id("ConfigMap")));
    }
}
