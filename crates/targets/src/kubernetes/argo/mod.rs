//! A service that is bound to a Rollout of Argo Rollouts instead of a Deployment.
//!
//! A Rollout has the replicas, the selector and the pod template of a Deployment, so everything that reads or writes those is the
//! Deployment's own. What is particular is here: its status ([`Argo`]), which is read once into a snapshot, and the writes that a
//! person would make with its plug-in: promote past a pause without an end, promote in full on a way back, abort.
//!
//! Each of those is a patch of the status subresource that carries the `resourceVersion` of what was read, after the fence was raised on
//! the object, so a writer that was overtaken is refused. The portal never shortens a pause that has a duration.

mod drive;
mod preflight;
mod read;
mod status;

pub(super) use drive::{abort, advance, stages};
pub(super) use preflight::plan;
pub(super) use read::read;
pub(super) use status::{Argo, said, stage};

use super::workload::Workload;
use crate::TargetError;
use kube::api::ApiResource;
use passerelle_contract::text;
use schemars::JsonSchema;
use serde::Deserialize;

const GROUP_VERSION: &str = "argoproj.io/v1alpha1";
/// On the Rollout, while it is on a way back: its steps are skipped.
pub(super) const FULL: &str = "passerelle.dev/full";
/// On a ReplicaSet that a Rollout has made.
pub(super) const HASH_LABEL: &str = "rollouts-pod-template-hash";
pub(super) const REVISION: &str = "rollout.argoproj.io/revision";

/// What carries the pods of a service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum WorkloadKind {
    #[default]
    Deployment,
    Rollout,
}

impl WorkloadKind {
    /// As Kubernetes writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::Rollout => "Rollout",
        }
    }
}

pub(super) fn resource() -> ApiResource {
    ApiResource {
        group: "argoproj.io".to_owned(),
        version: "v1alpha1".to_owned(),
        api_version: GROUP_VERSION.to_owned(),
        kind: "Rollout".to_owned(),
        plural: "rollouts".to_owned(),
    }
}

/// Whether the Rollout is missing, or Argo Rollouts itself.
pub(super) async fn missing(workload: &Workload, error: TargetError) -> TargetError {
    match workload.client.list_api_group_resources(GROUP_VERSION).await {
        Err(kube::Error::Api(status)) if status.code == 404 => TargetError::Refused(text!(
            "the cluster serves no Rollouts (argoproj.io/v1alpha1): Argo Rollouts is not installed there"
        )),
        _ => error,
    }
}

#[cfg(test)]
mod tests;
