//! Which manifests are let through, and what they become: in the namespace of the binding, labelled, in order, with the release's image. Pure.

use super::super::change::set_image;
use super::super::names::Name;
use super::super::snapshot::{choose_container, without_nulls};
use super::config::Manifests;
use super::kinds::{Kind, RBAC, group_of};
use super::object::{BINDING, Id, MANAGED_BY, Object, label_of, said};
use crate::TargetError;
use crate::masking::shown;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use passerelle_contract::{Text, text};
use serde::Deserialize as _;
use serde_json::{Map, Value, json};

/// What the cluster writes, and no manifest says.
const NOT_OURS: [&str; 9] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "ownerReferences",
    "selfLink",
];

/// The place of a binding.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub namespace: &'a str,
    pub deployment: &'a str,
    pub container: Option<&'a str>,
}

/// What came of the manifests.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Admitted {
    /// In the order in which they are applied.
    pub objects: Vec<Object>,
    /// The manifest of the binding's own namespace, if there is one: only used where it is made.
    pub namespace: Option<Value>,
}

/// Reads what was rendered; `kind_of` knows the kinds.
///
/// # Errors
/// [`TargetError::Artifact`] with every object that is not let through.
pub(super) fn admit(
    rendered: Vec<Value>,
    settings: &Manifests,
    place: Place<'_>,
    kind_of: &dyn Fn(&str, &str) -> Option<Kind>,
) -> Result<Admitted, TargetError> {
    let mut objects: Vec<Object> = Vec::new();
    let (mut namespace, mut refused) = (None, Vec::new());
    for value in rendered {
        match one(without_nulls(&value), settings, place, kind_of) {
            Ok(One::Namespace(value)) => namespace = Some(value),
            Ok(One::Object(object)) if objects.iter().any(|other| other.id.is_same(&object.id)) => {
                refused.push(text!("{object} is there twice", object = object.id.title()));
            }
            Ok(One::Object(object)) => objects.push(object),
            Err(why) => refused.push(why),
        }
    }
    if !refused.is_empty() {
        return Err(TargetError::Artifact(text!("the manifests are refused: {why}", why = Text::List(refused))));
    }
    if !objects.iter().any(|object| object.is_deployment(place.deployment)) {
        let deployments: Vec<_> = objects
            .iter()
            .filter(|object| object.id.kind == "Deployment")
            .map(|object| object.id.name.as_str())
            .collect();
        return Err(TargetError::Artifact(text!(
            "the manifests have no Deployment {name}, which the binding names; they have: {found}",
            name = place.deployment,
            found = if deployments.is_empty() { "-".to_owned() } else { deployments.join(", ") }
        )));
    }
    // The Deployment that is followed comes after every other workload.
    objects.sort_by_key(|object| (object.order, object.is_deployment(place.deployment)));
    Ok(Admitted { objects, namespace })
}

enum One {
    Object(Object),
    Namespace(Value),
}

fn one(
    mut value: Value,
    settings: &Manifests,
    place: Place<'_>,
    kind_of: &dyn Fn(&str, &str) -> Option<Kind>,
) -> Result<One, Text> {
    let Some((api_version, kind_name)) = said(&value).map(|(one, two)| (one.to_owned(), two.to_owned())) else {
        return Err(text!("a document has no apiVersion and kind"));
    };
    let named = value["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    let title = shown(&format!("{kind_name} {named}"));
    // An RBAC object may be named with a colon; here it is one name for all.
    let name = Name::try_from(named).map_err(|why| text!("{object}: {why}", object = &title, why))?;
    let name = name.as_str().to_owned();
    let kind = kind_of(&api_version, &kind_name).ok_or_else(|| {
        text!(
            "{object}: the cluster does not know {kind}",
            object = &title,
            kind = shown(&format!("{api_version} {kind_name}"))
        )
    })?;
    if kind.resource.kind == "Namespace" && kind.resource.group.is_empty() && name == place.namespace {
        return Ok(One::Namespace(value));
    }
    if !kind.namespaced {
        return Err(text!(
            "{object} is of the whole cluster, and only objects of the binding's namespace are applied",
            object = &title
        ));
    }
    if group_of(&api_version) == RBAC && !settings.allow_rbac {
        return Err(text!("{object} gives rights, which the binding does not allow (allow_rbac)", object = &title));
    }
    let metadata =
        value["metadata"].as_object_mut().ok_or_else(|| text!("{object} has no metadata", object = &title))?;
    match metadata.get("namespace").map(|namespace| namespace.as_str().unwrap_or_default()) {
        None => {}
        Some(namespace) if namespace == place.namespace => {}
        Some(namespace) => {
            return Err(text!(
                "{object} is for the namespace {namespace}, and the binding's is {ours}",
                object = &title,
                namespace = shown(namespace),
                ours = place.namespace
            ));
        }
    }
    for field in NOT_OURS {
        metadata.shift_remove(field);
    }
    metadata.insert("namespace".to_owned(), json!(place.namespace));
    let labels = metadata.entry("labels").or_insert_with(|| Value::Object(Map::new()));
    let labels = labels.as_object_mut().ok_or_else(|| text!("{object} has labels that are none", object = &title))?;
    labels.insert(MANAGED_BY.0.to_owned(), json!(MANAGED_BY.1));
    labels.insert(BINDING.to_owned(), json!(label_of(place.deployment)));
    if let Some(fields) = value.as_object_mut() {
        fields.shift_remove("status");
    }
    let id = Id { api_version, kind: kind_name, plural: kind.resource.plural, name };
    Ok(One::Object(Object { id, order: kind.order, value }))
}

/// Puts the release's image into the Deployment of the binding, and into every other container of the manifests that names the same
/// placeholder.
///
/// # Errors
/// [`TargetError::Artifact`] when the container cannot be told.
pub(super) fn pin(objects: &mut [Object], place: Place<'_>, image: &str) -> Result<(), TargetError> {
    let ours = objects.iter().find(|object| object.is_deployment(place.deployment));
    let template = ours.and_then(|object| object.value.pointer("/spec/template")).cloned().unwrap_or(Value::Null);
    let unreadable = |why: Text| {
        let object = format!("Deployment {}", place.deployment);
        TargetError::Artifact(text!("{object}: {why}", object, why))
    };
    let typed = PodTemplateSpec::deserialize(&template)
        .map_err(|error| unreadable(Text::verbatim(shown(&error.to_string()))))?;
    let container = choose_container(&typed, place.container).map_err(|error| match error {
        TargetError::Config { message, .. } => unreadable(message),
        other => other,
    })?;
    let containers = template["spec"]["containers"].as_array().into_iter().flatten();
    let before = containers.into_iter().find(|one| one["name"] == container.as_str()).map(|one| one["image"].clone());
    for object in objects {
        let ours = object.is_deployment(place.deployment);
        let Some(template) = template_of(&mut object.value) else { continue };
        if ours {
            set_image(template, &container, image);
            continue;
        }
        for list in ["containers", "initContainers"] {
            for one in template["spec"][list].as_array_mut().into_iter().flatten() {
                if before.as_ref().is_some_and(|before| before.is_string() && one["image"] == *before) {
                    one["image"] = json!(image);
                }
            }
        }
    }
    Ok(())
}

/// The pod template of a workload.
pub(super) fn template_of(value: &mut Value) -> Option<&mut Value> {
    let pointer = template_pointer(value)?;
    value.pointer_mut(pointer).filter(|template| template.is_object())
}

/// Where the pod template of a kind stands.
pub(super) fn template_pointer(value: &Value) -> Option<&'static str> {
    match value["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => Some("/spec/template"),
        "CronJob" => Some("/spec/jobTemplate/spec/template"),
        _ => None,
    }
}

#[cfg(test)]
#[path = "admit_tests.rs"]
mod tests;
