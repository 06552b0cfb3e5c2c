//! From a change to the specification it asks for, and from two specifications to the patch between them. Pure.

use super::annotations::RESTART;
use super::canary::pods_before;
use super::snapshot::{Snapshot, choose_container, without_nulls};
use crate::{Change, ImageRef, Recorded, TargetError};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use passerelle_contract::{Argument, text};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// What a change may touch: the pod template and the number of pods.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Desired {
    pub template: Value,
    pub replicas: u32,
}

impl Desired {
    /// What is asked for at present; with as many pods as before a canary that is under way.
    pub fn present(snapshot: &Snapshot) -> Self {
        Self { template: snapshot.template.clone(), replicas: pods_before(snapshot) }
    }

    /// As it is kept for later.
    pub fn record(&self) -> Recorded {
        Recorded(json!({ "template": self.template, "replicas": self.replicas }))
    }

    pub fn typed_template(&self) -> Result<PodTemplateSpec, TargetError> {
        PodTemplateSpec::deserialize(&self.template)
            .map_err(|error| invalid_record(crate::masking::shown(&error.to_string())))
    }
}

/// # Errors
/// An image name that breaks the grammar, or a record that is not one of this platform; the pointer names it.
pub(super) fn desired(snapshot: &Snapshot, change: &Change, deployment: Uuid) -> Result<Desired, TargetError> {
    let mut desired = Desired::present(snapshot);
    match change {
        Change::Image { image, .. } => {
            let image = ImageRef::parse(image)
                .map_err(|error| TargetError::Config { pointer: "/image".to_owned(), message: error.text() })?;
            set_image(&mut desired.template, &snapshot.container, &image.to_string());
        }
        Change::Restore { recorded } => desired = restored(snapshot, recorded)?,
        Change::RestoreVersion { recorded } => desired.template = restored(snapshot, recorded)?.template,
        // A new template would go through all steps again; a Rollout has a field of its own for it.
        Change::Restart if snapshot.argo.is_some() => {}
        Change::Restart => {
            merge(&mut desired.template, &json!({"metadata": {"annotations": {RESTART: deployment.to_string()}}}));
        }
        Change::Scale { replicas } => {
            if i32::try_from(*replicas).is_err() {
                return Err(TargetError::Config {
                    pointer: "/replicas".to_owned(),
                    message: text!("at most 2147483647"),
                });
            }
            desired.replicas = *replicas;
        }
    }
    Ok(desired)
}

/// Sets the image of the bound container, and of those (such as a migration in an init container) that ran the same one.
pub(super) fn set_image(template: &mut Value, container: &str, image: &str) {
    let containers =
        |template: &Value, list: &str| template.pointer(&format!("/spec/{list}")).and_then(Value::as_array).cloned();
    let before = containers(template, "containers")
        .and_then(|all| all.into_iter().find(|one| one["name"] == container))
        .map_or(Value::Null, |one| one["image"].clone());
    for list in ["containers", "initContainers"] {
        let Some(all) = template.pointer_mut(&format!("/spec/{list}")).and_then(Value::as_array_mut) else { continue };
        for one in all.iter_mut() {
            let bound = list == "containers" && one["name"] == container;
            if bound || (!before.is_null() && one["image"] == before) {
                one["image"] = json!(image);
            }
        }
    }
}

fn restored(snapshot: &Snapshot, recorded: &Recorded) -> Result<Desired, TargetError> {
    let template =
        without_nulls(recorded.0.get("template").ok_or_else(|| invalid_record(text!("it has no pod template")))?);
    let replicas = recorded.0.get("replicas").and_then(Value::as_i64).and_then(|number| u32::try_from(number).ok());
    let replicas = replicas.ok_or_else(|| invalid_record(text!("it has no number of replicas")))?;
    let desired = Desired { template, replicas };
    let typed = desired.typed_template()?;
    choose_container(&typed, Some(&snapshot.container))
        .map_err(|error| invalid_record(crate::masking::shown(&error.to_string())))?;
    Ok(desired)
}

fn invalid_record(reason: impl Argument) -> TargetError {
    TargetError::Config {
        pointer: "/recorded".to_owned(),
        message: text!("the recorded state cannot be put back: {reason}", reason),
    }
}

/// The JSON merge patch (RFC 7396) that turns `before` into `after`; nothing when they are equal.
pub(super) fn merge_patch(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else { return Some(after.clone()) };
    let mut patch = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        match old.get(key) {
            Some(before) => {
                if let Some(inner) = merge_patch(before, value) {
                    patch.insert(key.clone(), inner);
                }
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Some(Value::Object(patch))
}

/// Applies a merge patch.
fn merge(target: &mut Value, patch: &Value) {
    let Some(fields) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in fields {
        if value.is_null() {
            if let Some(object) = target.as_object_mut() {
                object.shift_remove(key);
            }
        } else {
            merge(&mut target[key.as_str()], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use k8s_openapi::api::apps::v1::DeploymentSpec;

    #[test]
    fn an_image_change_moves_every_container_with_the_same_image() {
        let snapshot = fixtures::snapshot("migrating");
        let change = Change::Image { image: "tinyweb:v2".into(), manifests: None };
        let after = desired(&snapshot, &change, Uuid::nil()).unwrap();
        let images = |list: &str| -> Vec<String> {
            after.template["spec"][list]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["image"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(images("containers"), ["tinyweb:v2", "proxy:1"]);
        assert_eq!(images("initContainers"), ["tinyweb:v2"]);
        assert_eq!(after.replicas, snapshot.replicas());
    }

    #[test]
    fn a_record_of_something_else_is_refused() {
        let snapshot = fixtures::snapshot("complete");
        for record in [
            json!({}),
            json!({"template": 5, "replicas": 1}),
            json!({"template": {"spec": {"containers": []}}, "replicas": 1}),
            json!({"template": snapshot.template, "replicas": -1}),
        ] {
            let change = Change::Restore { recorded: Recorded(record) };
            assert!(
                matches!(desired(&snapshot, &change, Uuid::nil()), Err(TargetError::Config { pointer, .. }) if pointer == "/recorded")
            );
        }
    }

    #[test]
    fn the_patch_between_two_values_leads_from_one_to_the_other() {
        for (before, after) in [
            (json!({"a": 1, "b": {"c": 2, "d": [1]}}), json!({"a": 1, "b": {"d": [1, 2], "e": {"f": 1}}})),
            (json!({"a": {"b": 1}}), json!({"a": 5})),
            (json!({}), json!({"a": {"b": {}}})),
        ] {
            let mut patched = before.clone();
            merge(&mut patched, &merge_patch(&before, &after).unwrap());
            assert_eq!(patched, after);
        }
        assert_eq!(merge_patch(&json!({"a": [1]}), &json!({"a": [1]})), None);
    }

    #[test]
    fn a_restored_record_is_exact_and_a_restart_is_repeatable() {
        let snapshot = fixtures::snapshot("complete");
        let record = Desired::present(&snapshot).record();
        let version = Change::RestoreVersion { recorded: record.clone() };
        let scaled =
            Snapshot { spec: DeploymentSpec { replicas: Some(9), ..snapshot.spec.clone() }, ..snapshot.clone() };
        assert_eq!(desired(&scaled, &version, Uuid::nil()).unwrap().replicas, 9);
        let back = desired(&snapshot, &Change::Restore { recorded: record }, Uuid::nil()).unwrap();
        assert_eq!(back, Desired::present(&snapshot));
        let id = Uuid::from_u128(7);
        let once = desired(&snapshot, &Change::Restart, id).unwrap();
        assert_eq!(once.template["metadata"]["annotations"][RESTART], json!(id.to_string()));
        assert_ne!(once.template, snapshot.template);
    }
}
