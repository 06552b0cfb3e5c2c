//! Objects that the pods name besides ConfigMaps and Secrets with keys: the service account, claims, storage classes, pull secrets.

use super::super::error::call;
use super::super::manifests::Brought;
use super::super::workload::Workload;
use super::finding;
use crate::TargetError;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PodSpec, PodTemplateSpec, Secret, ServiceAccount};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::Api;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::text;
use std::collections::BTreeSet;

/// Most of one kind that are looked up.
const MAX_NAMES: usize = 10;

/// What the change brings itself is there.
pub(super) async fn check(workload: &Workload, template: &PodTemplateSpec, brought: &Brought) -> Vec<Finding> {
    let Some(spec) = &template.spec else { return Vec::new() };
    let (account, pulls, claims) =
        tokio::join!(account(workload, spec, brought), pulls(workload, spec, brought), claims(workload, spec, brought));
    account.into_iter().chain(pulls).chain(claims).collect()
}

/// Whether it is there; nothing when that may not be looked up.
fn there<T>(found: Result<Option<T>, TargetError>) -> Option<Option<T>> {
    match found {
        Ok(found) => Some(found),
        Err(TargetError::Missing(_)) => Some(None),
        Err(_) => None,
    }
}

async fn account(workload: &Workload, spec: &PodSpec, brought: &Brought) -> Option<Finding> {
    let name = spec.service_account_name.as_deref().filter(|name| !name.is_empty() && *name != "default")?;
    if brought.has("ServiceAccount", name) {
        return None;
    }
    let found = call(text!("ServiceAccount {name}", name), workload.api::<ServiceAccount>().get_opt(name)).await;
    there(found)?.is_none().then(|| {
        let message = text!("ServiceAccount {name} does not exist: no pod would be made", name);
        finding(Severity::Error, "missing_object", message)
    })
}

/// Without its pull secret a node still tries to pull, as anybody.
async fn pulls(workload: &Workload, spec: &PodSpec, brought: &Brought) -> Vec<Finding> {
    let mut findings = Vec::new();
    let names: BTreeSet<&str> = spec.image_pull_secrets.iter().flatten().map(|secret| secret.name.as_str()).collect();
    for name in names.into_iter().filter(|name| !name.is_empty() && !brought.has("Secret", name)).take(MAX_NAMES) {
        let found = call(text!("Secret {name}", name), workload.api::<Secret>().get_metadata_opt(name)).await;
        if there(found).is_some_and(|found| found.is_none()) {
            let message = text!("Secret {name} does not exist; images would be pulled without credentials", name);
            findings.push(finding(Severity::Warning, "missing_pull_secret", message));
        }
    }
    findings
}

async fn claims(workload: &Workload, spec: &PodSpec, brought: &Brought) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut classes = BTreeSet::new();
    for volume in spec.volumes.iter().flatten().take(MAX_NAMES) {
        let template = volume.ephemeral.as_ref().and_then(|one| one.volume_claim_template.as_ref());
        classes.extend(template.and_then(|template| template.spec.storage_class_name.clone()));
        let Some(claim) = &volume.persistent_volume_claim else { continue };
        let name = claim.claim_name.as_str();
        if brought.has("PersistentVolumeClaim", name) {
            continue;
        }
        let api = workload.api::<PersistentVolumeClaim>();
        match there(call(text!("PersistentVolumeClaim {name}", name), api.get_opt(name)).await) {
            Some(None) => {
                let message = text!(
                    "PersistentVolumeClaim {name} does not exist; volume {volume} needs it",
                    name,
                    volume = &volume.name
                );
                findings.push(finding(Severity::Error, "missing_object", message));
            }
            // One that is bound needs its class no more.
            Some(Some(claim)) if claim.status.as_ref().and_then(|status| status.phase.as_deref()) != Some("Bound") => {
                classes.extend(claim.spec.and_then(|spec| spec.storage_class_name));
            }
            _ => {}
        }
    }
    for name in classes.iter().filter(|name| !name.is_empty()) {
        let api: Api<StorageClass> = Api::all(workload.client.clone());
        if matches!(there(call(text!("StorageClass {name}", name), api.get_opt(name)).await), Some(None)) {
            let message = text!("StorageClass {name} does not exist: its claims would wait for ever", name);
            findings.push(finding(Severity::Error, "missing_object", message));
        }
    }
    findings
}
