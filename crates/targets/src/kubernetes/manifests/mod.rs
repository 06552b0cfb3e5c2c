//! Manifests that come with a release: rendered, checked, kept, applied, and what they no longer have deleted.
//!
//! The way of an apply: the bundle is fetched and pinned (`crate::bundle`), rendered (`render`, `program`, `kustomization`), checked and
//! labelled with the release's image put in (`admit`), kept as a revision in the namespace (`revision`), claimed in the ledger (`ledger`),
//! and written object by object (`write`). What is gone is deleted when the new version is healthy (`prune`).
//!
//! Invariants: nothing outside of the binding's namespace is written, but the namespace itself where it is to be made; an object of another
//! binding is never written; only objects of the ledger that still carry our label are deleted, and never a claim on storage; each
//! write is conditional on what was read before the ledger was looked at, so an older writer cannot write over a younger one. Why so:
//! `docs/adr/0017-manifests.md`.

mod admit;
mod apply;
mod brought;
mod changes;
mod config;
mod kinds;
mod kustomization;
mod ledger;
mod namespace;
mod object;
mod plan;
mod program;
mod prune;
mod render;
mod revision;
mod source;
mod write;

pub(super) use apply::apply;
pub(super) use brought::Brought;
pub use config::{ManifestFolder, Manifests};
pub(super) use plan::plan;
pub(super) use prune::settle;

use crate::Observation;
use crate::Recorded;
use crate::Rollout;
use passerelle_contract::deployments::{Health, Replicas};
use passerelle_contract::text;
use serde_json::json;

/// On the Deployment: the revision of the manifests that describe it. Absent where it was changed in another way since.
pub(super) const REVISION: &str = "passerelle.dev/manifests";
/// What is said to run where nothing was deployed yet.
const NOTHING: &str = "manifests:nothing";

/// Where nothing has been deployed yet.
pub(super) fn nothing() -> Observation {
    Observation {
        image: NOTHING.to_owned(),
        replicas: Replicas { desired: 0, updated: 0, ready: 0 },
        instances: Vec::new(),
        env: Vec::new(),
        rollout: Rollout::Progressing,
        health: Health::Unknown,
        health_message: Some(text!("nothing has been deployed here yet")),
        fence: None,
        recorded: record_of_nothing(),
    }
}

fn record_of_nothing() -> Recorded {
    Recorded(json!({ "nothing": true }))
}
