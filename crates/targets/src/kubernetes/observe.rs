//! From a snapshot to the observation that the portal keeps. Pure.

use super::change::Desired;
use super::snapshot::{Snapshot, count};
use super::symptom::is_ready;
use super::{annotations, argo, env, health, instances, manifests, rollout};
use crate::{ImageRef, Observation, Recorded, Rollout};
use passerelle_contract::deployments::{Health, Replicas};
use serde_json::json;

/// Of one workload, with the verdict on its rollout.
pub(super) fn observation(snapshot: &Snapshot, verdict: Rollout) -> Observation {
    let (health, mut health_message) = health::of(snapshot, &verdict);
    if let Some(said) = snapshot.argo.as_ref().filter(|_| health == Health::Progressing).and_then(argo::said) {
        health_message = Some(said);
    }
    Observation {
        image: image(snapshot),
        replicas: Replicas {
            desired: snapshot.replicas(),
            updated: rollout::updated(snapshot),
            ready: count(snapshot.status.ready_replicas.unwrap_or(0)),
        },
        instances: instances::of(snapshot),
        env: snapshot.bound_container().map(env::of).unwrap_or_default(),
        rollout: verdict,
        health,
        health_message,
        fence: annotations::fence(snapshot.metadata.annotations.as_ref()),
        recorded: record(snapshot, Desired::present(snapshot)),
    }
}

/// With the revision of the manifests that describe it, where they do.
pub(super) fn record(snapshot: &Snapshot, desired: Desired) -> Recorded {
    let mut recorded = desired.record();
    if let Some(revision) = snapshot.metadata.annotations.as_ref().and_then(|all| all.get(manifests::REVISION)) {
        recorded.0["manifests"] = json!(revision);
    }
    recorded
}

/// The image of the template, with the digest that its ready pods agree on.
fn image(snapshot: &Snapshot) -> String {
    let image = snapshot.bound_container().and_then(|container| container.image.clone()).unwrap_or_default();
    let Ok(mut parsed) = ImageRef::parse(&image) else { return crate::masking::shown(&image) };
    if parsed.digest.is_none() {
        parsed.digest = digest(snapshot);
    }
    parsed.to_string()
}

fn digest(snapshot: &Snapshot) -> Option<String> {
    let ready = snapshot.updated_pods().filter_map(|pod| pod.status.as_ref()).filter(|status| is_ready(status));
    let ids = ready.filter_map(|status| {
        let containers = status.container_statuses.as_deref().unwrap_or_default();
        let bound = containers.iter().find(|container| container.name == snapshot.container)?;
        // `name@sha256:...` is the registry's digest; a bare `sha256:...` is the node's own id and means nothing elsewhere.
        Some(bound.image_id.rsplit_once('@').map(|(_, digest)| digest.to_owned()))
    });
    let mut ids = ids.collect::<Option<Vec<_>>>()?;
    ids.dedup();
    match ids.as_slice() {
        [one] => ImageRef::parse(&format!("x@{one}")).ok()?.digest,
        _ => None,
    }
}
