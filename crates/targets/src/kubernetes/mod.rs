//! Kubernetes: a service is bound to a Deployment.
//!
//! What runs is read from the Deployment, its ReplicaSets and their Pods, by watch. A change is one JSON merge patch that carries the
//! `resourceVersion` it was computed from and the fence in annotations, so that two writers cannot both succeed. All
//! decisions (is it complete, why did it fail, what is different) are pure functions over a [`snapshot`]; only `apply`, `evidence`,
//! `preflight`, `logs` and `watch` talk to the cluster.
//!
//! Invariants: values of Secrets are never requested; no command named in a kubeconfig is ever run; only Pods of the ReplicaSet
//! that the Deployment asks for now count for or against a rollout. A binding may apply whole manifests: see [`manifests`];
//! or name a Rollout of Argo Rollouts instead of the Deployment: see [`argo`].

mod annotations;
mod apply;
mod argo;
mod binding;
mod canary;
mod change;
mod cloud;
mod cluster;
mod config;
mod diagnose;
mod diff;
mod drift;
mod env;
mod error;
mod evidence;
mod health;
mod instances;
mod kubeconfig;
mod logs;
mod manifests;
mod migration;
mod names;
mod neighbours;
mod observe;
mod plan;
mod preflight;
mod references;
mod rollout;
mod running;
mod snapshot;
mod surroundings;
mod symptom;
mod wait;
mod watch;
mod workload;

#[cfg(test)]
mod fixtures;

pub use argo::WorkloadKind;
pub use binding::BindingConfig;
pub use cloud::{Aks, Eks, Gke, Login};
pub use cluster::Cluster;
pub use config::{Access, Certificate, ConnectionConfig};
pub use manifests::{ManifestFolder, Manifests};
pub use names::{Label, Name};

use crate::guard::Guard;
use crate::{Platform, TargetError};
use async_trait::async_trait;

/// Any cluster that speaks the Kubernetes API with Deployments (`apps/v1`).
#[derive(Debug)]
pub struct Kubernetes;

#[async_trait]
impl Platform for Kubernetes {
    const KIND: &'static str = "kubernetes";
    const TITLE: &'static str = "Kubernetes";
    const TELLS_WHAT_RUNS: bool = true;
    type ConnectionConfig = ConnectionConfig;
    type BindingConfig = BindingConfig;
    type Connection = Cluster;

    async fn connect(config: ConnectionConfig) -> Result<Cluster, TargetError> {
        Self::connect_through(config, Guard::default()).await
    }

    async fn connect_through(config: ConnectionConfig, guard: Guard) -> Result<Cluster, TargetError> {
        Cluster::open(&config, guard).await
    }
}
