//! One object of the rendered manifests, and how it is known again. Pure.

use super::kinds::{Kind, known};
use kube::core::ApiResource;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// On every object that is applied: which workload it belongs to. Without it an object is somebody else's.
pub(super) const BINDING: &str = "passerelle.dev/binding";
pub(super) const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "passerelle");
/// A label's value is at most so long.
const MOST_LABEL: usize = 63;

/// Which object, in the namespace of the binding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Id {
    pub api_version: String,
    pub kind: String,
    pub plural: String,
    pub name: String,
}

impl Id {
    /// For example `ConfigMap web`.
    pub fn title(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// Whether both mean one object, in whatever version of its group.
    pub fn is_same(&self, other: &Self) -> bool {
        let group = |id: &Self| super::kinds::group_of(&id.api_version).to_owned();
        self.kind == other.kind && self.name == other.name && group(self) == group(other)
    }

    pub fn resource(&self) -> ApiResource {
        let group = super::kinds::group_of(&self.api_version).to_owned();
        let version = self.api_version.rsplit('/').next().unwrap_or_default().to_owned();
        ApiResource {
            group,
            version,
            api_version: self.api_version.clone(),
            kind: self.kind.clone(),
            plural: self.plural.clone(),
        }
    }
}

/// An object as it is to be, with its place in the order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Object {
    pub id: Id,
    pub order: u8,
    pub value: Value,
}

impl Object {
    pub fn is(&self, kind: &str, name: &str) -> bool {
        self.id.kind == kind && self.id.name == name
    }

    /// The Deployment of the group `apps` with this name.
    pub fn is_deployment(&self, name: &str) -> bool {
        self.is("Deployment", name) && super::kinds::group_of(&self.id.api_version) == "apps"
    }
}

/// The value of [`BINDING`]: the name of the Deployment, shortened so that no two become one.
pub(super) fn label_of(deployment: &str) -> String {
    short(deployment, MOST_LABEL)
}

/// A text of at most `most` characters; one that is cut ends with a digest of the whole.
pub(super) fn short(name: &str, most: usize) -> String {
    if name.len() <= most {
        return name.to_owned();
    }
    let digest = crate::fencing::hex(&Sha256::digest(name)[..4]);
    let start: String = name.chars().take(most - digest.len() - 1).collect();
    format!("{}-{digest}", start.trim_end_matches(['-', '.']))
}

/// What a manifest says that it is.
pub(super) fn said(value: &Value) -> Option<(&str, &str)> {
    Some((value["apiVersion"].as_str()?, value["kind"].as_str()?))
}

/// The kind of a manifest, when it needs no question to the cluster.
pub(super) fn kind_of(value: &Value) -> Option<Kind> {
    let (api_version, kind) = said(value)?;
    known(api_version, kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_become_labels_of_their_own() {
        assert_eq!(label_of("web.v1"), "web.v1");
        let (one, other) = (label_of(&"a".repeat(70)), label_of(&"a".repeat(71)));
        assert!(one.len() <= 63 && other.len() <= 63 && one != other, "{one} {other}");
    }

    #[test]
    fn another_version_of_a_group_is_the_same_object() {
        let id = |api_version: &str| Id {
            api_version: api_version.to_owned(),
            kind: "HorizontalPodAutoscaler".to_owned(),
            plural: "horizontalpodautoscalers".to_owned(),
            name: "web".to_owned(),
        };
        assert!(id("autoscaling/v1").is_same(&id("autoscaling/v2")));
        assert!(!id("autoscaling/v1").is_same(&id("v1")));
        assert_eq!(id("v1").resource().group, "");
    }
}
