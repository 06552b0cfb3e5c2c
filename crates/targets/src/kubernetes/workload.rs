//! The bound Deployment or Rollout: where each part of the [`Target`] lives.

use super::argo::{self, WorkloadKind};
use super::binding::BindingConfig;
use super::canary::{self, Looked};
use super::error::call;
use super::manifests::{self, Manifests};
use super::migration::{self, Migration};
use super::snapshot::Snapshot;
use super::wait::{self, WaitFor};
use super::{apply, drift, evidence, logs, plan, surroundings, watch};
use crate::bundle::Bundles;
use crate::{
    Applied, Change, Fence, Needs, NeedsSeen, Observation, Recorded, Target, TargetError, TargetPlan, Task, TaskSeen,
};
use async_trait::async_trait;
use futures::stream::BoxStream;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::{Api, Client, Resource};
use passerelle_contract::deployments::{Drift, Surroundings};
use passerelle_contract::{Text, text};
use std::sync::Arc;
use std::time::Duration;

/// Most ReplicaSets and Pods that are looked at; the counts of a rollout come from the Deployment itself.
const MAX_OBJECTS: u32 = 500;

type Sets = Vec<Arc<ReplicaSet>>;
type Pods = Vec<Arc<Pod>>;

/// A Deployment, or a Rollout, in a cluster.
#[derive(Clone)]
pub(super) struct Workload {
    pub client: Client,
    pub kind: WorkloadKind,
    pub namespace: String,
    pub name: String,
    pub container: Option<String>,
    /// What runs before a rollout.
    pub migration: Option<Migration>,
    /// What has to be ready before a new version comes, and for how long that may take.
    pub wait_for: WaitFor,
    pub wait_limit: wait::Limit,
    /// How a new version comes.
    pub canary: canary::Settings,
    /// What comes with a release, and where it is fetched from.
    pub manifests: Option<Manifests>,
    pub bundles: Bundles,
}

impl Workload {
    pub fn new(client: Client, binding: BindingConfig, bundles: Bundles) -> Self {
        Self {
            client,
            kind: binding.kind,
            namespace: binding.namespace.as_str().to_owned(),
            name: binding.deployment.as_str().to_owned(),
            container: binding.container.map(|container| container.as_str().to_owned()),
            migration: binding.migration,
            wait_for: binding.wait_for,
            wait_limit: binding.wait_timeout_s,
            canary: canary::Settings { steps: binding.canary_steps, pause: binding.canary_pause_s },
            manifests: binding.manifests,
            bundles,
        }
    }

    pub fn title(&self) -> String {
        format!("{} {}/{}", self.kind.as_str(), self.namespace, self.name)
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Those of its kind without a schema, so that fields which this program does not know survive a restore.
    pub fn deployments(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), &self.namespace, &self.resource())
    }

    fn needed_migration(&self) -> Result<&Migration, TargetError> {
        self.migration
            .as_ref()
            .ok_or_else(|| TargetError::Missing(text!("the migration of {title}", title = self.title())))
    }

    pub fn resource(&self) -> ApiResource {
        match self.kind {
            WorkloadKind::Deployment => ApiResource::erase::<Deployment>(&()),
            WorkloadKind::Rollout => argo::resource(),
        }
    }

    pub async fn deployment(&self) -> Result<DynamicObject, TargetError> {
        match call(&self.title(), self.deployments().get(&self.name)).await {
            Err(error @ TargetError::Missing(_)) if self.kind == WorkloadKind::Rollout => {
                Err(argo::missing(self, error).await)
            }
            answer => answer,
        }
    }

    /// Reads the Deployment and what it has made.
    pub async fn snapshot(&self) -> Result<Snapshot, TargetError> {
        self.read(&self.deployment().await?).await.map(|(snapshot, ..)| snapshot)
    }

    /// The same for one that may not be there yet.
    pub async fn found(&self) -> Result<Option<Snapshot>, TargetError> {
        match call(&self.title(), self.deployments().get_opt(&self.name)).await? {
            Some(object) => self.read(&object).await.map(|(snapshot, ..)| Some(snapshot)),
            None => Ok(None),
        }
    }

    /// The same with the Deployment beside it, whoever made that.
    pub async fn both(&self) -> Result<(Snapshot, Option<Snapshot>), TargetError> {
        let name = canary::name_of(&self.name);
        let deployments = self.deployments();
        let (main, beside) =
            tokio::try_join!(self.deployment(), call(format!("Deployment {name}"), deployments.get_opt(&name)))?;
        // The labels of the first one's pods are those of the other's too.
        let (main, sets, pods) = self.read(&main).await?;
        let beside =
            beside.map(|beside| Snapshot::new(self.kind, &beside, sets, pods, Some(&main.container))).transpose()?;
        Ok((main, beside))
    }

    /// As it is seen: with the canary under way.
    pub async fn looked(&self) -> Result<Looked, TargetError> {
        let main = self.deployment().await?;
        if self.canary.steps.is_empty() && !canary::is_marked(&main.metadata) {
            return Ok(Looked::new(self.read(&main).await?.0, None));
        }
        let (main, beside) = self.both().await?;
        Ok(Looked::new(main, beside))
    }

    async fn read(&self, object: &DynamicObject) -> Result<(Snapshot, Sets, Pods), TargetError> {
        let selector = Snapshot::selector(object)?;
        let list = ListParams::default().labels(&selector).limit(MAX_OBJECTS);
        let (sets, pods) = (self.api::<ReplicaSet>(), self.api::<Pod>());
        let (sets, pods) = tokio::try_join!(
            call(text!("the ReplicaSets"), sets.list(&list)),
            call(text!("the Pods"), pods.list(&list))
        )?;
        let sets: Sets = sets.items.into_iter().map(Arc::new).collect();
        let pods: Pods = pods.items.into_iter().map(Arc::new).collect();
        let snapshot = Snapshot::new(self.kind, object, sets.clone(), pods.clone(), self.container.as_deref())?;
        Ok((snapshot, sets, pods))
    }
}

#[async_trait]
impl Target for Workload {
    async fn observe(&self) -> Result<Observation, TargetError> {
        let looked = match self.looked().await {
            // The first release makes it.
            Err(TargetError::Missing(_)) if self.manifests.is_some() => return Ok(manifests::nothing()),
            looked => looked?,
        };
        let evidence = evidence::gather(self, looked.deciding()).await;
        Ok(canary::observation(&looked, &evidence))
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

    async fn stages(&self) -> Result<Option<Duration>, TargetError> {
        match self.kind {
            WorkloadKind::Deployment => Ok(self.canary.pauses()),
            WorkloadKind::Rollout => argo::stages(self).await,
        }
    }

    async fn advance(&self, fence: Fence, agreed: bool) -> Result<Option<Text>, TargetError> {
        match self.kind {
            WorkloadKind::Deployment => canary::advance(self, fence, agreed).await,
            WorkloadKind::Rollout => argo::advance(self, fence, agreed).await,
        }
    }

    fn settles(&self) -> bool {
        self.manifests.is_some()
    }

    async fn settle(&self, fence: Fence) -> Result<Option<Text>, TargetError> {
        match self.manifests {
            Some(_) => manifests::settle(self, fence).await,
            None => Ok(None),
        }
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

    fn needs(&self) -> Option<Needs> {
        wait::needs(self)
    }

    async fn look_at_needs(&self) -> Result<NeedsSeen, TargetError> {
        wait::look(self).await
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
