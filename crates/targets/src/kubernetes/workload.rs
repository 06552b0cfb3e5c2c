//! The bound Deployment: where each part of the [`Target`] lives.

use super::binding::BindingConfig;
use super::error::call;
use super::migration::{self, Migration};
use super::snapshot::Snapshot;
use super::{apply, drift, evidence, logs, observe, plan, surroundings, watch};
use crate::{Applied, Change, Fence, Observation, Recorded, Target, TargetError, TargetPlan, Task, TaskSeen};
use async_trait::async_trait;
use futures::stream::BoxStream;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client, Resource};
use passerelle_contract::deployments::{Drift, Surroundings};
use passerelle_contract::text;
use std::sync::Arc;

/// Most ReplicaSets and Pods that are looked at; the counts of a rollout come from the Deployment itself.
const MAX_OBJECTS: u32 = 500;

/// A Deployment in a cluster.
#[derive(Clone)]
pub(super) struct Workload {
    pub client: Client,
    pub namespace: String,
    pub name: String,
    pub container: Option<String>,
    /// What runs before a rollout.
    pub migration: Option<Migration>,
}

impl Workload {
    pub fn new(client: Client, binding: BindingConfig) -> Self {
        Self {
            client,
            namespace: binding.namespace.as_str().to_owned(),
            name: binding.deployment.as_str().to_owned(),
            container: binding.container.map(|container| container.as_str().to_owned()),
            migration: binding.migration,
        }
    }

    pub fn title(&self) -> String {
        format!("Deployment {}/{}", self.namespace, self.name)
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The Deployment without a schema, so that fields which this program does not know survive a restore.
    pub fn deployments(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &Self::resource())
    }

    fn needed_migration(&self) -> Result<&Migration, TargetError> {
        self.migration
            .as_ref()
            .ok_or_else(|| TargetError::Missing(text!("the migration of {title}", title = self.title())))
    }

    pub fn resource() -> ApiResource {
        ApiResource::erase::<Deployment>(&())
    }

    pub async fn deployment(&self) -> Result<DynamicObject, TargetError> {
        call(&self.title(), self.deployments().get(&self.name)).await
    }

    /// Reads the Deployment and what it has made.
    pub async fn snapshot(&self) -> Result<Snapshot, TargetError> {
        let object = self.deployment().await?;
        let selector = Snapshot::selector(&object)?;
        let list = ListParams::default().labels(&selector).limit(MAX_OBJECTS);
        let (sets, pods) = (self.api::<ReplicaSet>(), self.api::<Pod>());
        let (sets, pods) = tokio::try_join!(
            call(text!("the ReplicaSets"), sets.list(&list)),
            call(text!("the Pods"), pods.list(&list))
        )?;
        let sets = sets.items.into_iter().map(Arc::new).collect();
        let pods = pods.items.into_iter().map(Arc::new).collect();
        Snapshot::new(&object, sets, pods, self.container.as_deref())
    }
}

#[async_trait]
impl Target for Workload {
    async fn observe(&self) -> Result<Observation, TargetError> {
        let snapshot = self.snapshot().await?;
        let evidence = evidence::gather(self, &snapshot).await;
        Ok(observe::observation(&snapshot, &evidence))
    }

    fn watch(&self) -> BoxStream<'static, Result<Observation, TargetError>> {
        watch::watch(self.clone())
    }

    async fn plan(&self, change: &Change) -> Result<TargetPlan, TargetError> {
        plan::plan(self, change).await
    }

    async fn apply(&self, change: &Change, fence: Fence) -> Result<Applied, TargetError> {
        apply::apply(self, change, fence).await
    }

    async fn logs(&self, instance: &str, lines: u32) -> Result<Vec<String>, TargetError> {
        logs::of_instance(self, instance, lines).await
    }

    async fn surroundings(&self) -> Result<Surroundings, TargetError> {
        surroundings::gather(self).await
    }

    async fn drift(&self, deployed: &Recorded) -> Result<Vec<Drift>, TargetError> {
        drift::drift(self, deployed).await
    }

    fn task(&self) -> Option<Task> {
        migration::task(self)
    }

    async fn plan_task(&self, change: &Change) -> Result<TargetPlan, TargetError> {
        match &self.migration {
            Some(migration) => migration::plan(self, migration, change).await,
            None => Ok(TargetPlan { diff: Vec::new(), env: Vec::new(), findings: Vec::new() }),
        }
    }

    async fn start_task(&self, change: &Change, fence: Fence) -> Result<(), TargetError> {
        migration::start(self, self.needed_migration()?, change, fence).await
    }

    async fn look_at_task(&self, fence: Fence) -> Result<TaskSeen, TargetError> {
        migration::look(self, self.needed_migration()?, fence).await
    }

    async fn clear_task(&self, fence: Fence) -> Result<(), TargetError> {
        match &self.migration {
            Some(migration) => migration::clear(self, migration, fence).await,
            None => Ok(()),
        }
    }
}
