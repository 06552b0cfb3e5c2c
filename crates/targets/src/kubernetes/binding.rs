//! Which Deployment a service is bound to.

use super::argo::WorkloadKind;
use super::manifests::Manifests;
use super::migration::Migration;
use super::names::{Label, Name};
use super::wait::{Limit, WaitFor};
use crate::canary::{Pause, Steps};
use schemars::JsonSchema;
use serde::Deserialize;

/// A Deployment, and the container of it that carries the service.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingConfig {
    /// Namespace of the Deployment.
    #[schemars(title = "Namespace", example = &"shop-staging")]
    pub namespace: Label,
    /// Name of the Deployment, or of the Rollout.
    #[schemars(title = "Deployment", example = &"web")]
    pub deployment: Name,
    /// A Rollout of Argo Rollouts takes its own steps; the portal ends its pauses without an end.
    #[serde(default)]
    #[schemars(title = "Kind of workload")]
    pub kind: WorkloadKind,
    /// Container that runs the service's image. Not needed when the Deployment has only one.
    #[serde(default)]
    #[schemars(title = "Container", with = "Option<String>")]
    pub container: Option<Label>,
    /// A Job that runs to its end before each rollout, with the image of the new version. When it fails, the version before goes on.
    #[serde(default)]
    #[schemars(title = "Migration")]
    pub migration: Option<Migration>,
    /// What has to be ready before a new version comes, one a line: `statefulset/postgres`, `deployment/redis`, `job/seed`.
    #[serde(default)]
    #[schemars(title = "Wait for")]
    pub wait_for: WaitFor,
    /// Seconds to wait for it, 5 to 3600; 300 when absent. After that the deployment fails, and nothing was changed.
    #[serde(default)]
    #[schemars(title = "Wait at most (s)")]
    pub wait_timeout_s: Limit,
    /// Percentages of the pods that a new version gets one after the other before it gets all of them; all at once when absent.
    #[serde(default)]
    #[schemars(title = "Canary steps (%)")]
    pub canary_steps: Steps,
    /// Seconds between two steps, 5 to 3600; 60 when absent.
    #[serde(default)]
    #[schemars(title = "Pause between steps (s)")]
    pub canary_pause_s: Pause,
    /// Apply the manifests that come with a release. Without it only the image of the Deployment is set.
    #[serde(default)]
    #[schemars(title = "Manifests")]
    pub manifests: Option<Manifests>,
}

#[cfg(test)]
mod tests {
    use crate::{TargetError, platform};
    use serde_json::json;

    #[test]
    fn a_binding_error_points_at_its_field() {
        let kubernetes = platform("kubernetes").unwrap();
        assert_eq!(kubernetes.check_binding(&json!({"namespace": "shop", "deployment": "web"})), Ok(()));
        for (config, pointer) in [
            (json!({"namespace": "Shop", "deployment": "web"}), "/config/namespace"),
            (json!({"namespace": "shop", "deployment": "web/x"}), "/config/deployment"),
            (json!({"namespace": "shop", "deployment": "web", "container": "a_b"}), "/config/container"),
            (json!({"namespace": "shop", "deployment": "web", "extra": 1}), "/config/extra"),
            (json!({"namespace": "shop"}), "/config"),
            (json!({"namespace": "shop", "deployment": "web", "kind": "StatefulSet"}), "/config/kind"),
            (
                json!({"namespace": "shop", "deployment": "web", "manifests": {"path": "../x"}}),
                "/config/manifests/path",
            ),
            (json!({"namespace": "shop", "deployment": "web", "manifests": {"url": "x"}}), "/config/manifests/url"),
        ] {
            let Err(TargetError::Config { pointer: found, .. }) = kubernetes.check_binding(&config) else {
                panic!("{config} passed");
            };
            assert_eq!(found, pointer);
        }
    }

    #[test]
    fn the_form_has_names_and_descriptions() {
        let schema = platform("kubernetes").unwrap().binding_schema();
        assert_eq!(schema["properties"]["namespace"]["type"], "string");
        assert!(schema["properties"]["deployment"]["description"].is_string());
        assert_eq!(schema["additionalProperties"], false);
    }
}
