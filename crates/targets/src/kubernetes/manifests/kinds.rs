//! The kinds of objects: which are in a namespace, and what is applied before what. Pure.

use kube::core::ApiResource;

/// A kind of the API, and where it stands in the order of an apply.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Kind {
    pub resource: ApiResource,
    pub namespaced: bool,
    pub order: u8,
}

/// Limits and accounts first, then what pods read, what leads to them, pods themselves, and what stands in front of them.
const KNOWN: [(&str, &str, &str, u8); 24] = [
    ("", "LimitRange", "limitranges", 10),
    ("", "ResourceQuota", "resourcequotas", 10),
    ("networking.k8s.io", "NetworkPolicy", "networkpolicies", 10),
    ("", "ServiceAccount", "serviceaccounts", 11),
    (RBAC, "Role", "roles", 12),
    (RBAC, "RoleBinding", "rolebindings", 13),
    ("", "ConfigMap", "configmaps", 20),
    ("", "Secret", "secrets", 20),
    ("", "PersistentVolumeClaim", "persistentvolumeclaims", 21),
    ("", "Service", "services", 30),
    ("", "Endpoints", "endpoints", 31),
    ("discovery.k8s.io", "EndpointSlice", "endpointslices", 31),
    ("policy", "PodDisruptionBudget", "poddisruptionbudgets", 32),
    ("", "PodTemplate", "podtemplates", 50),
    ("", "Pod", "pods", 50),
    ("", "ReplicationController", "replicationcontrollers", 50),
    ("apps", "ReplicaSet", "replicasets", 50),
    ("apps", "StatefulSet", "statefulsets", 50),
    ("apps", "DaemonSet", "daemonsets", 50),
    ("apps", "Deployment", "deployments", 51),
    ("batch", "Job", "jobs", 52),
    ("batch", "CronJob", "cronjobs", 52),
    ("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", 60),
    ("networking.k8s.io", "Ingress", "ingresses", 70),
];

/// Of the cluster as a whole.
const CLUSTER_WIDE: [(&str, &str); 18] = [
    ("", "Namespace"),
    ("", "Node"),
    ("", "PersistentVolume"),
    (RBAC, "ClusterRole"),
    (RBAC, "ClusterRoleBinding"),
    ("storage.k8s.io", "StorageClass"),
    ("storage.k8s.io", "CSIDriver"),
    ("storage.k8s.io", "CSINode"),
    ("storage.k8s.io", "VolumeAttachment"),
    ("networking.k8s.io", "IngressClass"),
    ("scheduling.k8s.io", "PriorityClass"),
    ("node.k8s.io", "RuntimeClass"),
    ("policy", "PodSecurityPolicy"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("apiregistration.k8s.io", "APIService"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("certificates.k8s.io", "CertificateSigningRequest"),
];

pub(super) const RBAC: &str = "rbac.authorization.k8s.io";
/// Of kinds that the cluster was asked about: after the configuration, before the pods.
pub(super) const OTHERS: u8 = 40;

/// Empty for the core group.
pub(super) fn group_of(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// A kind that needs no question to the cluster.
pub(super) fn known(api_version: &str, kind: &str) -> Option<Kind> {
    let group = group_of(api_version);
    if CLUSTER_WIDE.contains(&(group, kind)) {
        return Some(Kind { resource: resource(api_version, kind, ""), namespaced: false, order: 0 });
    }
    let (.., plural, order) = *KNOWN.iter().find(|(known, name, ..)| *known == group && *name == kind)?;
    Some(Kind { resource: resource(api_version, kind, plural), namespaced: true, order })
}

fn resource(api_version: &str, kind: &str, plural: &str) -> ApiResource {
    let version = api_version.rsplit('/').next().unwrap_or(api_version);
    ApiResource {
        group: group_of(api_version).to_owned(),
        version: version.to_owned(),
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_need_comes_first() {
        let order = |api_version: &str, kind: &str| known(api_version, kind).unwrap().order;
        let all = [
            order("v1", "ServiceAccount"),
            order("v1", "ConfigMap"),
            order("v1", "Service"),
            OTHERS,
            order("apps/v1", "Deployment"),
            order("autoscaling/v2", "HorizontalPodAutoscaler"),
            order("networking.k8s.io/v1", "Ingress"),
        ];
        assert!(all.is_sorted() && all.windows(2).all(|two| two[0] != two[1]), "{all:?}");
        assert!(!known("v1", "Namespace").unwrap().namespaced);
        assert_eq!(known("extensions/v1beta1", "Deployment"), None, "a group that is not known is asked for");
        assert_eq!(known("apps/v1", "Deployment").unwrap().resource.plural, "deployments");
    }
}
