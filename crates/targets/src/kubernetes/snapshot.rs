//! One consistent look at a Deployment or a Rollout with its ReplicaSets and Pods. Pure: made from what was read or watched.

use super::argo::{self, Argo, WorkloadKind};
use crate::TargetError;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStatus, ReplicaSet};
use k8s_openapi::api::core::v1::{Container, Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use kube::api::DynamicObject;
use kube::core::Selector;
use passerelle_contract::text;
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

const HASH_LABEL: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

static NONE: BTreeMap<String, String> = BTreeMap::new();

/// The labels of a template.
pub(super) fn labels_of(template: &PodTemplateSpec) -> &BTreeMap<String, String> {
    template.metadata.as_ref().and_then(|metadata| metadata.labels.as_ref()).unwrap_or(&NONE)
}

/// What the cluster says about one Deployment, or about what a Rollout has as a Deployment has it.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    pub metadata: ObjectMeta,
    pub spec: DeploymentSpec,
    pub status: DeploymentStatus,
    /// The pod template as the server has it, without the fields that are null.
    pub template: Value,
    /// Those that this Deployment controls.
    pub replica_sets: Vec<Arc<ReplicaSet>>,
    /// Those that its ReplicaSets control.
    pub pods: Vec<Arc<Pod>>,
    /// The bound container.
    pub container: String,
    /// Name of the ReplicaSet of the present template, once the cluster has made it.
    pub current: Option<String>,
    /// What only a Rollout has.
    pub argo: Option<Argo>,
}

impl Snapshot {
    /// # Errors
    /// When the object is not of its kind, or the bound container is not in it.
    pub fn new(
        kind: WorkloadKind,
        object: &DynamicObject,
        replica_sets: Vec<Arc<ReplicaSet>>,
        pods: Vec<Arc<Pod>>,
        container: Option<&str>,
    ) -> Result<Self, TargetError> {
        let (spec, status, argo) = match kind {
            WorkloadKind::Deployment => {
                let deployment = Deployment::deserialize(&object.data).map_err(|_| unreadable(object))?;
                let spec = deployment.spec.ok_or_else(|| unreadable(object))?;
                (spec, deployment.status.unwrap_or_default(), None)
            }
            WorkloadKind::Rollout => {
                let (spec, status, argo) = argo::read(object)?;
                (spec, status, Some(argo))
            }
        };
        let container = choose_container(&spec.template, container)?;
        let uid = object.metadata.uid.as_deref();
        let replica_sets: Vec<_> =
            replica_sets.into_iter().filter(|set| owner(&set.metadata) == uid && uid.is_some()).collect();
        let owned = |pod: &Arc<Pod>| {
            replica_sets
                .iter()
                .any(|set| set.metadata.uid.is_some() && owner(&pod.metadata) == set.metadata.uid.as_deref())
        };
        let mut pods: Vec<_> = pods.into_iter().filter(owned).collect();
        pods.sort_by(|a, b| a.metadata.name.cmp(&b.metadata.name));
        let seen = status.observed_generation >= object.metadata.generation;
        let current = match &argo {
            Some(argo) => seen.then(|| set_of_hash(&argo.current, &replica_sets)).flatten(),
            None => current_set(&spec.template, &replica_sets),
        };
        Ok(Self {
            metadata: object.metadata.clone(),
            template: without_nulls(object.data.pointer("/spec/template").unwrap_or(&Value::Null)),
            status,
            spec,
            replica_sets,
            pods,
            container,
            current,
            argo,
        })
    }

    /// Those that its pods get.
    pub fn pod_labels(&self) -> &BTreeMap<String, String> {
        labels_of(&self.spec.template)
    }

    /// The label selector of the workload, as a query.
    pub fn selector(object: &DynamicObject) -> Result<String, TargetError> {
        let selector = LabelSelector::deserialize(&object.data["spec"]["selector"]).map_err(|_| unreadable(object))?;
        let selector = Selector::try_from(selector).map_err(|_| unreadable(object))?;
        Ok(selector.to_string())
    }

    pub fn replicas(&self) -> u32 {
        count(self.spec.replicas.unwrap_or(1))
    }

    /// The bound container of the template; it is there, `new` has looked.
    pub fn bound_container(&self) -> Option<&Container> {
        container_named(&self.spec.template, &self.container)
    }

    /// Whether a pod belongs to the present template.
    pub fn is_updated(&self, pod: &Pod) -> bool {
        let current = self.current_set();
        current.is_some_and(|set| owner(&pod.metadata) == set.metadata.uid.as_deref())
    }

    pub fn current_set(&self) -> Option<&ReplicaSet> {
        let name = self.current.as_deref()?;
        self.replica_sets.iter().find(|set| set.metadata.name.as_deref() == Some(name)).map(AsRef::as_ref)
    }

    /// Pods of the present template that are meant to stay.
    pub fn updated_pods(&self) -> impl Iterator<Item = &Pod> {
        self.pods
            .iter()
            .map(AsRef::as_ref)
            .filter(|pod| self.is_updated(pod) && pod.metadata.deletion_timestamp.is_none())
    }

    /// The template that ran before the present one, as its ReplicaSet keeps it.
    pub fn previous_template(&self) -> Option<Value> {
        let others = self.replica_sets.iter().filter(|set| set.metadata.name != self.current);
        let newest = others.max_by_key(|set| revision(&set.metadata))?;
        let mut template = serde_json::to_value(newest.spec.as_ref()?.template.as_ref()?).ok()?;
        if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
            labels.shift_remove(HASH_LABEL);
            labels.shift_remove(argo::HASH_LABEL);
        }
        Some(without_nulls(&template))
    }
}

/// A count of the API is never negative; one that is anyway counts as none.
pub(super) fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

fn unreadable(object: &DynamicObject) -> TargetError {
    let name = object.metadata.name.as_deref().unwrap_or("?");
    TargetError::Unreachable(text!("{name}: the answer is not a workload", name))
}

fn owner(metadata: &ObjectMeta) -> Option<&str> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    owners.iter().find(|owner| owner.controller == Some(true)).map(|owner| owner.uid.as_str())
}

fn revision(metadata: &ObjectMeta) -> u64 {
    let annotations = metadata.annotations.as_ref();
    annotations
        .and_then(|all| all.get(REVISION).or_else(|| all.get(argo::REVISION)))
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// The ReplicaSet of a Rollout is named by its hash: it has defaults that the Rollout's template lacks.
fn set_of_hash(hash: &str, sets: &[Arc<ReplicaSet>]) -> Option<String> {
    let carries = |set: &&Arc<ReplicaSet>| {
        set.metadata.labels.as_ref().and_then(|all| all.get(argo::HASH_LABEL)).is_some_and(|found| found == hash)
    };
    sets.iter().find(carries).and_then(|set| set.metadata.name.clone())
}

/// The Deployment controller's own rule: the ReplicaSet whose template is the Deployment's, but for the hash label.
fn current_set(template: &PodTemplateSpec, sets: &[Arc<ReplicaSet>]) -> Option<String> {
    let wanted = normalised(template);
    let same = sets.iter().filter(|set| {
        let template = set.spec.as_ref().and_then(|spec| spec.template.as_ref());
        template.is_some_and(|template| normalised(template) == wanted)
    });
    same.max_by_key(|set| revision(&set.metadata)).and_then(|set| set.metadata.name.clone())
}

fn normalised(template: &PodTemplateSpec) -> PodTemplateSpec {
    let mut template = template.clone();
    let metadata = template.metadata.get_or_insert_default();
    metadata.labels.get_or_insert_default().remove(HASH_LABEL);
    metadata.annotations.get_or_insert_default();
    metadata.creation_timestamp = None;
    template
}

pub(super) fn container_named<'a>(template: &'a PodTemplateSpec, name: &str) -> Option<&'a Container> {
    template.spec.as_ref()?.containers.iter().find(|container| container.name == name)
}

/// The named container, or the only one.
pub(super) fn choose_container(template: &PodTemplateSpec, wanted: Option<&str>) -> Result<String, TargetError> {
    let all = template.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let names = || all.iter().map(|container| container.name.as_str()).collect::<Vec<_>>().join(", ");
    let refuse = |message| Err(TargetError::Config { pointer: "/config/container".to_owned(), message });
    match (wanted, all) {
        (Some(wanted), _) if all.iter().any(|container| container.name == wanted) => Ok(wanted.to_owned()),
        (Some(wanted), _) => {
            refuse(text!("the Deployment has no container '{wanted}'; it has: {names}", wanted, names = names()))
        }
        (None, [only]) => Ok(only.name.clone()),
        (None, _) => {
            refuse(text!("the Deployment has several containers, so one must be named: {names}", names = names()))
        }
    }
}

/// Null means absent to the API, so both are made equal.
pub(super) fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, field)| !field.is_null())
            .map(|(key, field)| (key.clone(), without_nulls(field)))
            .collect(),
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}
