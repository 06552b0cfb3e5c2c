//! What a binding says of the manifests of its releases.

use crate::folder::Folder;
use passerelle_contract::Text;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// Manifests that come with a release and are applied in the namespace of the binding.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "KubernetesManifests")]
pub struct Manifests {
    /// Folder in the bundle of a release; `.` for its top. With a kustomization.yaml it is rendered by kustomize, else its YAML files are
    /// applied as they are.
    #[schemars(title = "Folder", example = &"overlays/production")]
    pub path: ManifestFolder,
    /// Make the namespace when it is missing. It is never deleted.
    #[serde(default)]
    #[schemars(title = "Make the namespace")]
    pub create_namespace: bool,
    /// Objects of the kinds Role and RoleBinding may be among them; the portal must hold every right that they give.
    #[serde(default)]
    #[schemars(title = "Allow rights")]
    pub allow_rbac: bool,
}

/// A folder of a bundle. `.` is its top, so that an empty field of a form can mean that nothing is set.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ManifestFolder(Folder);

impl ManifestFolder {
    /// With a slash at its end; empty for the top.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl TryFrom<String> for ManifestFolder {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        if matches!(text.as_str(), "." | "./") {
            return Ok(Self(Folder::default()));
        }
        // Empty is no folder's name here.
        let text = if text.is_empty() { "/".to_owned() } else { text };
        Folder::try_from(text).map(Self)
    }
}

impl JsonSchema for ManifestFolder {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ManifestFolder".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 201 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_below_the_top_or_the_top() {
        for (text, read) in [(".", Some("")), ("overlays/production", Some("overlays/production/")), ("a/", Some("a/"))]
        {
            let found = ManifestFolder::try_from(text.to_owned()).ok();
            assert_eq!(found.as_ref().map(ManifestFolder::as_str), read, "{text}");
        }
        for text in ["", "/", "..", "../x", "/etc", "a//b", "./a"] {
            assert!(ManifestFolder::try_from(text.to_owned()).is_err(), "{text:?}");
        }
    }
}
