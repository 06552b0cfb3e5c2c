//! An open connection to a cluster.

use super::argo::WorkloadKind;
use super::binding::BindingConfig;
use super::cloud;
use super::config::ConnectionConfig;
use super::error::{call, translate};
use super::running;
use super::workload::Workload;
use crate::bundle::Bundles;
use crate::guard::Guard;
use crate::running::Running;
use crate::{Connection, Target, TargetError};
use async_trait::async_trait;
use kube::Client;
use passerelle_contract::text;
use std::fmt;
use std::sync::Arc;

/// One cluster, with the credentials of the connection.
pub struct Cluster {
    client: Client,
    bundles: Bundles,
}

impl Cluster {
    pub(super) async fn open(config: &ConnectionConfig, guard: Guard) -> Result<Self, TargetError> {
        // The client needs a process-wide provider of cryptography and would panic without; a second installation is refused, which is fine.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let (way, bearer) = cloud::way(config).await?;
        let client = match bearer {
            Some(bearer) => cloud::with_bearer(way, bearer),
            None => Client::try_from(way),
        };
        let client = client.map_err(|error| match error {
            kube::Error::RustlsTls(_) | kube::Error::InferKubeconfig(_) => TargetError::Config {
                pointer: "/config".to_owned(),
                message: text!("the certificates of the connection cannot be used: {error}", error = error.to_string()),
            },
            other => translate(text!("the client"), &other),
        })?;
        Ok(Self { client, bundles: Bundles::new(guard) })
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

#[async_trait]
impl Connection for Cluster {
    type Binding = BindingConfig;

    async fn check(&self) -> Result<String, TargetError> {
        let version = call(text!("the API server"), self.client.apiserver_version()).await?;
        Ok(format!("Kubernetes {}", crate::masking::shown(&version.git_version)))
    }

    async fn running(&self, group: Option<&str>) -> Result<Vec<Running>, TargetError> {
        running::list(&self.client, group).await
    }

    fn bind(&self, binding: BindingConfig) -> Result<Arc<dyn Target>, TargetError> {
        if binding.manifests.is_some() && !binding.canary_steps.is_empty() {
            return Err(TargetError::Config {
                pointer: "/config/canary_steps".to_owned(),
                message: text!("canary steps do not go with manifests: their Deployment is written whole"),
            });
        }
        if binding.kind == WorkloadKind::Rollout {
            let wrong = |pointer: &str, message| TargetError::Config { pointer: pointer.to_owned(), message };
            if !binding.canary_steps.is_empty() {
                let message = text!("do not go with a Rollout: it has steps of its own (spec.strategy.canary.steps)");
                return Err(wrong("/config/canary_steps", message));
            }
            if binding.manifests.is_some() {
                return Err(wrong("/config/manifests", text!("do not go with a Rollout yet: only its image is set")));
            }
        }
        Ok(Arc::new(Workload::new(self.client.clone(), binding, self.bundles.clone())))
    }
}
