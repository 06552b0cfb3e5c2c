//! Turns a change into the body of a patch, and a service into the record to go back to.

use super::config::BindingConfig;
use super::fence::ANNOTATIONS;
use super::{canary, migration, state};
use crate::fencing;
use crate::{Change, Fence, ImageRef, Recorded, TargetError, same_image};
use passerelle_contract::{Text, text};
use serde_json::{Value, json};

/// What a new revision writes.
pub(super) const FIELDS: &str = "template,traffic,annotations";
pub(super) const LATEST: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
pub(super) const REVISION: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";
const RESTART: &str = "passerelle.dev/restart";

/// The revision that serves most, and the template that made it.
pub(super) fn record(service: &Value, revisions: &[Value]) -> Recorded {
    let serving = state::serving(service);
    let elsewhere = serving.filter(|name| *name != state::short(&service["latestCreatedRevision"]));
    let revision = elsewhere.and_then(|name| revisions.iter().find(|revision| state::short(&revision["name"]) == name));
    let mut template = service["template"].clone();
    if let (Some(fields), Some(revision)) = (template.as_object_mut(), revision) {
        // The service's template belongs to a later revision, which failed or does not serve yet.
        for (name, value) in fields.iter_mut() {
            if let Some(ran) = revision.get(name) {
                *value = ran.clone();
            }
        }
    }
    if let Some(fields) = template.as_object_mut() {
        fields.shift_remove("revision");
    }
    Recorded(json!({ "revision": serving, "template": template }))
}

/// Index of the container whose image a deployment sets.
pub(super) fn container(template: &Value, binding: &BindingConfig) -> Result<usize, TargetError> {
    let wrong = |message: Text| TargetError::Config { pointer: "/config/container".to_owned(), message };
    let all = template["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !all.iter().all(Value::is_object) {
        return Err(wrong(text!("the service's containers cannot be read")));
    }
    match (&binding.container, all.len()) {
        (_, 0) => Err(wrong(text!("the service has no container"))),
        (None, 1) => Ok(0),
        (None, _) => Err(wrong(text!("the service has more than one container: name one"))),
        (Some(name), _) => all
            .iter()
            .position(|container| container["name"].as_str() == Some(name.as_str()))
            .ok_or_else(|| wrong(text!("the service has no container {name}", name = name.as_str()))),
    }
}

/// Body of the patch: etag, template, traffic and annotations.
///
/// # Errors
/// [`TargetError::Config`] for an image or a record that is none, [`TargetError::Refused`] for a change of the scale.
pub(super) fn body(
    service: &Value,
    revisions: &[Value],
    binding: &BindingConfig,
    change: &Change,
    fence: Fence,
) -> Result<Value, TargetError> {
    let name = format!("{}-p{}", binding.service.as_str(), revision_suffix(change, fence));
    // What serves is what is changed, not the template of a revision that failed.
    let mut template = record(service, revisions).0["template"].take();
    let index = container(&template, binding)?;
    let mut traffic = json!([{ "type": LATEST, "percent": 100 }]);
    match change {
        Change::Image { image, .. } => {
            ImageRef::parse(image)
                .map_err(|error| TargetError::Config { pointer: "/image".to_owned(), message: error.text() })?;
            let there = template["containers"][index]["image"].as_str().unwrap_or_default().to_owned();
            let pinned = ImageRef::parse(image).is_ok_and(|image| image.is_pinned());
            if pinned || !same_image(image, &there) {
                template["containers"][index]["image"] = image.as_str().into();
            }
            template["revision"] = name.into();
        }
        Change::Restart => {
            if !template["annotations"].is_object() {
                template["annotations"] = json!({});
            }
            template["annotations"][RESTART] = fence.deployment.to_string().into();
            template["revision"] = name.into();
        }
        // The number of instances follows the load, so both put the same thing back.
        Change::Restore { recorded } | Change::RestoreVersion { recorded } => {
            let wanted = recorded.0["template"].clone();
            container(&wanted, binding).map_err(|_| TargetError::Config {
                pointer: "/recorded".to_owned(),
                message: text!("is not the record of a Cloud Run service with this container"),
            })?;
            let earlier = recorded.0["revision"].as_str().filter(|name| {
                revisions.iter().any(|revision| state::short(&revision["name"]) == *name && state::is_ready(revision))
            });
            if let Some(earlier) = earlier {
                // Where it is the newest, what is deployed by hand next may take the traffic as before.
                if state::short(&service["latestCreatedRevision"]) != earlier {
                    traffic = json!([{ "type": REVISION, "revision": earlier, "percent": 100 }]);
                }
                template = service["template"].clone();
            } else {
                template = wanted;
                template["revision"] = name.into();
            }
        }
        Change::Scale { .. } => {
            let text = text!(
                "Cloud Run sets the number of instances by the load; change the service's minimum and maximum there"
            );
            return Err(TargetError::Refused(text));
        }
    }
    let body = json!({ "etag": service["etag"], "annotations": service["annotations"], "template": template, "traffic": traffic });
    Ok(marked(body, service, binding, change, fence))
}

/// The body with its writer's marks, and as the begin of a canary where the binding wants one.
fn marked(mut body: Value, service: &Value, binding: &BindingConfig, change: &Change, fence: Fence) -> Value {
    ANNOTATIONS.stamp(&mut body, change, fence);
    canary::set(&mut body, None);
    migration::clear(&mut body);
    let in_steps = matches!(change, Change::Image { .. }) && !binding.canary_steps.is_empty();
    if let Some(from) = state::serving(service).filter(|_| in_steps) {
        canary::begin(&mut body, from);
    }
    keep_tags(&mut body, service);
    body
}

/// Addresses of single revisions stay; they get no share of the traffic.
pub(super) fn keep_tags(body: &mut Value, service: &Value) {
    let Some(traffic) = body["traffic"].as_array_mut() else { return };
    for target in service["traffic"].as_array().into_iter().flatten().filter(|target| target["tag"].is_string()) {
        let mut kept = target.clone();
        kept["percent"] = 0.into();
        traffic.push(kept);
    }
}

/// Only the fence is written: the process before us is refused from now on.
pub(super) fn raise(service: &Value, change: &Change, fence: Fence) -> Value {
    let mut body = json!({ "etag": service["etag"], "annotations": service["annotations"],
        "template": service["template"], "traffic": service["traffic"] });
    if body["traffic"].is_null() {
        body["traffic"] = json!([{ "type": LATEST, "percent": 100 }]);
    }
    ANNOTATIONS.stamp(&mut body, change, fence);
    body
}

/// Two changes of one deployment (forward and back) need two revisions.
pub(super) fn revision_suffix(change: &Change, fence: Fence) -> String {
    let id = fence.deployment.simple().to_string();
    format!("{}{}", &id[id.len() - 6..], &fencing::hash(change)[..5])
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn binding() -> BindingConfig {
        serde_json::from_value(json!({ "service": "web" })).unwrap()
    }

    fn service() -> Value {
        json!({ "etag": "e", "annotations": { "owner": "a" }, "template": { "revision": "web-old", "timeout": "5s",
            "containers": [{ "image": "web:1", "future": 1 }] }, "trafficStatuses": [{ "revision": "web-old", "percent": 100 }] })
    }

    #[test]
    fn an_image_makes_a_revision_with_a_name_of_its_own() {
        let fence = Fence { deployment: Uuid::from_u128(7), epoch: 1 };
        let made = |image: &str| {
            body(&service(), &[], &binding(), &Change::Image { image: image.to_owned(), manifests: None }, fence)
                .unwrap()
        };
        let next = made("web:2");
        assert_eq!(next["template"]["containers"][0], json!({ "image": "web:2", "future": 1 }));
        assert_eq!((&next["traffic"][0]["type"], &next["annotations"]["owner"]), (&json!(LATEST), &json!("a")));
        assert_eq!(next["template"]["revision"], made("web:2")["template"]["revision"]);
        assert_ne!(next["template"]["revision"], made("web:3")["template"]["revision"]);
        assert!(next["template"]["revision"].as_str().unwrap().starts_with("web-p"));
    }

    #[test]
    fn restore_moves_traffic_while_the_revision_is_there() {
        let fence = Fence { deployment: Uuid::from_u128(7), epoch: 1 };
        let old = json!({ "name": "x/web-old", "containers": [{ "image": "web:1" }], "conditions": [{ "type": "Ready", "state": "CONDITION_SUCCEEDED" }] });
        let mut now = service();
        now["template"]["containers"][0]["image"] = "web:2".into();
        let recorded = record(&now, std::slice::from_ref(&old));
        assert_eq!(recorded.0["template"]["containers"][0]["image"], "web:1");
        let change = Change::Restore { recorded };
        let moved = body(&now, &[old], &binding(), &change, fence).unwrap();
        assert_eq!((&moved["traffic"][0]["revision"], &moved["template"]), (&json!("web-old"), &now["template"]));
        let again = body(&now, &[], &binding(), &change, fence).unwrap();
        assert_eq!(
            (&again["traffic"][0]["type"], &again["template"]["containers"][0]["image"]),
            (&json!(LATEST), &json!("web:1"))
        );
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let fence = Fence { deployment: Uuid::nil(), epoch: 1 };
        let refused = |change| body(&service(), &[], &binding(), &change, fence);
        assert!(matches!(refused(Change::Scale { replicas: 2 }), Err(TargetError::Refused(_))));
        assert!(matches!(
            refused(Change::Image { image: "-x".to_owned(), manifests: None }),
            Err(TargetError::Config { .. })
        ));
        assert!(matches!(
            refused(Change::Restore { recorded: Recorded(Value::Null) }),
            Err(TargetError::Config { .. })
        ));
    }
}
