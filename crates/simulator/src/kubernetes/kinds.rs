//! The kinds of objects that the API server knows.

use serde_json::{Value, json};

/// One kind in one API group and version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    /// Empty for the core group.
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) namespaced: bool,
    /// Has a `spec` whose changes raise `metadata.generation`, and a `status` subresource.
    pub(crate) generation: bool,
}

const fn kind(group: &'static str, version: &'static str, kind: &'static str, plural: &'static str) -> Kind {
    Kind { group, version, kind, plural, namespaced: true, generation: false }
}

const fn with_generation(mut kind: Kind) -> Kind {
    kind.generation = true;
    kind
}

const fn cluster_wide(mut kind: Kind) -> Kind {
    kind.namespaced = false;
    kind
}

pub(crate) static NAMESPACE: Kind = cluster_wide(kind("", "v1", "Namespace", "namespaces"));
pub(crate) static NODE: Kind = cluster_wide(kind("", "v1", "Node", "nodes"));
pub(crate) static POD: Kind = kind("", "v1", "Pod", "pods");
pub(crate) static EVENT: Kind = kind("", "v1", "Event", "events");
pub(crate) static CONFIG_MAP: Kind = kind("", "v1", "ConfigMap", "configmaps");
pub(crate) static SECRET: Kind = kind("", "v1", "Secret", "secrets");
pub(crate) static QUOTA: Kind = kind("", "v1", "ResourceQuota", "resourcequotas");
pub(crate) static DEPLOYMENT: Kind = with_generation(kind("apps", "v1", "Deployment", "deployments"));
pub(crate) static REPLICA_SET: Kind = with_generation(kind("apps", "v1", "ReplicaSet", "replicasets"));
pub(crate) static ROLLOUT: Kind = with_generation(kind("argoproj.io", "v1alpha1", "Rollout", "rollouts"));
pub(crate) static JOB: Kind = with_generation(kind("batch", "v1", "Job", "jobs"));

static STORED_ONLY: [Kind; 18] = [
    kind("", "v1", "Service", "services"),
    kind("", "v1", "Endpoints", "endpoints"),
    kind("", "v1", "ServiceAccount", "serviceaccounts"),
    kind("", "v1", "LimitRange", "limitranges"),
    kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims"),
    with_generation(kind("apps", "v1", "StatefulSet", "statefulsets")),
    with_generation(kind("apps", "v1", "DaemonSet", "daemonsets")),
    with_generation(kind("batch", "v1", "CronJob", "cronjobs")),
    kind("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    kind("autoscaling", "v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    with_generation(kind("networking.k8s.io", "v1", "Ingress", "ingresses")),
    with_generation(kind("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies")),
    cluster_wide(kind("networking.k8s.io", "v1", "IngressClass", "ingressclasses")),
    cluster_wide(kind("storage.k8s.io", "v1", "StorageClass", "storageclasses")),
    with_generation(kind("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets")),
    with_generation(kind("cert-manager.io", "v1", "Certificate", "certificates")),
    kind("coordination.k8s.io", "v1", "Lease", "leases"),
    kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
];

pub(crate) fn all() -> impl Iterator<Item = &'static Kind> {
    let simulated =
        [&NAMESPACE, &NODE, &POD, &EVENT, &CONFIG_MAP, &SECRET, &QUOTA, &DEPLOYMENT, &ROLLOUT, &REPLICA_SET, &JOB];
    simulated.into_iter().chain(STORED_ONLY.iter())
}

pub(crate) fn by_plural(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

pub(crate) fn by_manifest(api_version: &str, name: &str) -> Option<&'static Kind> {
    all().find(|kind| kind.api_version() == api_version && kind.kind == name)
}

impl Kind {
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// For example `deployments.apps`, as error texts and the journal name it.
    pub(crate) fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// An entry of the discovery document.
    pub(crate) fn discovery(&self) -> Value {
        json!({
            "name": self.plural,
            "singularName": self.kind.to_ascii_lowercase(),
            "namespaced": self.namespaced,
            "kind": self.kind,
            "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
        })
    }
}
