//! What is around a Deployment: what scales it, leads to it, limits it, and what the cluster noted about it.
//!
//! Each part is asked for by itself. What the account may not read, or what the cluster does not have, is told and never an error.

mod autoscaler;
mod certificates;
mod events;
pub(super) mod quantity;
mod quotas;
pub(super) mod routes;

use super::error::call;
use super::snapshot::Snapshot;
use super::workload::Workload;
use crate::TargetError;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, ResourceQuota, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams};
use passerelle_contract::deployments::Surroundings;
use passerelle_contract::{Text, text};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Most objects of one kind that are looked at.
const MAX_OBJECTS: u32 = 500;

pub(super) async fn gather(workload: &Workload) -> Result<Surroundings, TargetError> {
    let snapshot = workload.snapshot().await?;
    let mut unseen = Vec::new();
    let (scalers, services, ingresses, quotas, events, certificates) = tokio::join!(
        all::<HorizontalPodAutoscaler>(workload, text!("the autoscalers")),
        all::<Service>(workload, text!("the Services")),
        all::<Ingress>(workload, text!("the Ingresses")),
        all::<ResourceQuota>(workload, text!("the quotas")),
        all::<Event>(workload, text!("the events")),
        of_cert_manager(workload)
    );
    let mut seen = |result: Result<(), TargetError>, what: Text| {
        if let Err(error) = result {
            unseen.push(text!("{what} could not be looked up: {why}", what, why = error.text()));
        }
    };
    let (scalers, services) = (keep(scalers, &mut seen), keep(services, &mut seen));
    let (ingresses, quotas, events) = (keep(ingresses, &mut seen), keep(quotas, &mut seen), keep(events, &mut seen));
    let certificates = keep(certificates, &mut seen);
    let found = routes::of(snapshot.pod_labels(), &services, &ingresses);
    Ok(Surroundings {
        autoscaler: autoscaler::of((workload.kind.as_str(), &workload.name), &scalers),
        certificates: certificates::of(&found, &certificates),
        routes: found.into_iter().map(|found| found.route).collect(),
        quotas: quotas::of(&quotas),
        events: events::of(&about(workload, &snapshot), &events),
        unseen,
    })
}

/// A list with the words for its kind.
type Listed<K> = (Text, Result<Vec<K>, TargetError>);

fn keep<K>((what, found): Listed<K>, seen: &mut impl FnMut(Result<(), TargetError>, Text)) -> Vec<K> {
    match found {
        Ok(found) => found,
        Err(error) => {
            seen(Err(error), what);
            Vec::new()
        }
    }
}

pub(super) async fn all<K>(workload: &Workload, what: Text) -> Listed<K>
where
    K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()> + Clone + DeserializeOwned + Debug,
{
    let api = workload.api::<K>();
    let list = ListParams::default().limit(MAX_OBJECTS);
    let found = call(what.clone(), api.list(&list)).await.map(|found| found.items);
    (what, found)
}

/// A cluster without cert-manager does not know the kind: then there is nothing to tell.
async fn of_cert_manager(workload: &Workload) -> Listed<DynamicObject> {
    let kind = ApiResource {
        group: "cert-manager.io".to_owned(),
        version: "v1".to_owned(),
        api_version: "cert-manager.io/v1".to_owned(),
        kind: "Certificate".to_owned(),
        plural: "certificates".to_owned(),
    };
    let api: Api<DynamicObject> = Api::namespaced_with(workload.client.clone(), &workload.namespace, &kind);
    let list = ListParams::default().limit(MAX_OBJECTS);
    let what = text!("the certificates");
    let found = match call(what.clone(), api.list(&list)).await {
        Err(TargetError::Missing(_)) => Ok(Vec::new()),
        other => other.map(|found| found.items),
    };
    (what, found)
}

/// The objects whose events are about this Deployment.
fn about(workload: &Workload, snapshot: &Snapshot) -> Vec<(&'static str, String)> {
    let names = |all: Vec<Option<&String>>, kind: &'static str| {
        all.into_iter().flatten().map(|name| (kind, name.clone())).collect::<Vec<_>>()
    };
    let sets = names(snapshot.replica_sets.iter().map(|set| set.metadata.name.as_ref()).collect(), "ReplicaSet");
    let pods = names(snapshot.pods.iter().map(|pod| pod.metadata.name.as_ref()).collect(), "Pod");
    let name = &workload.name;
    let own = vec![(workload.kind.as_str(), name.clone()), ("HorizontalPodAutoscaler", name.clone())];
    [own, sets, pods].concat()
}
