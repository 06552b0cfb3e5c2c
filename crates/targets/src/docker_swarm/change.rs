//! Turns a change into the specification to write, and a specification into the record to go back to.

use super::fence::LABELS;
use super::spec;
use crate::{Change, ImageRef, Recorded, TargetError, same_image};
use passerelle_contract::{Text, text};
use serde_json::Value;

/// The part of a specification that is configuration: all but the name, our labels, and the counter that forces a restart.
pub(super) fn record(spec: &Value) -> Recorded {
    let mut kept = spec.clone();
    if let Some(fields) = kept.as_object_mut() {
        fields.shift_remove("Name");
    }
    if let Some(labels) = kept["Labels"].as_object_mut() {
        labels.retain(|name, _| !LABELS.are_ours(name));
    }
    if let Some(template) = kept["TaskTemplate"].as_object_mut() {
        template.shift_remove("ForceUpdate");
    }
    Recorded(kept)
}

/// The specification after the change.
///
/// # Errors
/// [`TargetError::Config`] for an image or a record that is none, [`TargetError::Refused`] for a change that this kind of
/// service cannot have.
pub(super) fn apply(spec: &Value, change: &Change) -> Result<Value, TargetError> {
    if spec::is_job(spec) {
        return Err(TargetError::Refused(text!(
            "the service is a job, which ends by itself; only services that stay up can be deployed to"
        )));
    }
    if spec::image(spec).is_empty() {
        return Err(TargetError::Refused(text!("the service runs no container")));
    }
    let mut next = spec.clone();
    match change {
        Change::Image { image, .. } => {
            let wanted = ImageRef::parse(image)
                .map_err(|error| TargetError::Config { pointer: "/image".to_owned(), message: error.text() })?;
            // A tag that is there with its digest stays as it is: a repeat must not be a rollout.
            let kept = !wanted.is_pinned() && same_image(image, spec::image(spec));
            if !kept {
                next["TaskTemplate"]["ContainerSpec"]["Image"] = image.as_str().into();
            }
        }
        Change::Restore { recorded } => next = restored(spec, &recorded.0)?,
        Change::RestoreVersion { recorded } => {
            next = restored(spec, &recorded.0)?;
            next["Mode"] = spec["Mode"].clone();
        }
        Change::Restart => {
            let count = spec["TaskTemplate"]["ForceUpdate"].as_u64().unwrap_or(0);
            next["TaskTemplate"]["ForceUpdate"] = count.wrapping_add(1).into();
        }
        Change::Scale { replicas } => {
            if !spec["Mode"]["Replicated"].is_object() {
                return Err(TargetError::Refused(text!(
                    "the service runs once on every node (global mode), so its number of tasks is not free"
                )));
            }
            next["Mode"]["Replicated"]["Replicas"] = (*replicas).into();
        }
    }
    Ok(next)
}

fn restored(spec: &Value, recorded: &Value) -> Result<Value, TargetError> {
    let wrong = |message: Text| TargetError::Config { pointer: "/recorded".to_owned(), message };
    if spec::image(recorded).is_empty() {
        return Err(wrong(text!("is not the record of a Swarm service: it holds no image")));
    }
    let mode = |spec: &Value| spec["Mode"].as_object().and_then(|mode| mode.keys().next().cloned());
    if mode(recorded) != mode(spec) {
        return Err(wrong(text!(
            "was recorded in another service mode (replicated or global), which Swarm cannot change"
        )));
    }
    // Cut to what a record holds, so that nothing else comes in with it.
    let mut next = record(recorded).0;
    next["Name"] = spec["Name"].clone();
    if let Some(count) = spec["TaskTemplate"].get("ForceUpdate") {
        next["TaskTemplate"]["ForceUpdate"] = count.clone();
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fence;
    use serde_json::json;
    use uuid::Uuid;

    fn web() -> Value {
        json!({ "Name": "shop_web", "Labels": { "traefik.enable": "true" }, "Mode": { "Replicated": { "Replicas": 2 } },
            "TaskTemplate": { "ContainerSpec": { "Image": "web:1", "FieldOfTheFuture": { "x": 1 } }, "ForceUpdate": 3 },
            "UpdateConfig": { "FailureAction": "rollback" } })
    }

    #[test]
    fn an_image_changes_nothing_else() {
        let next = apply(&web(), &Change::Image { image: "web:2".to_owned(), manifests: None }).unwrap();
        let mut expected = web();
        expected["TaskTemplate"]["ContainerSpec"]["Image"] = "web:2".into();
        assert_eq!(next, expected);
    }

    #[test]
    fn a_tag_that_runs_with_its_digest_stays() {
        let pinned = format!("web:1@sha256:{}", "a".repeat(64));
        let mut spec = web();
        spec["TaskTemplate"]["ContainerSpec"]["Image"] = pinned.as_str().into();
        assert_eq!(apply(&spec, &Change::Image { image: "web:1".to_owned(), manifests: None }).unwrap(), spec);
    }

    #[test]
    fn restore_puts_back_all_but_name_fence_and_restarts() {
        let before = record(&web());
        let mut now = apply(&web(), &Change::Image { image: "web:2".to_owned(), manifests: None }).unwrap();
        now["TaskTemplate"]["ContainerSpec"]["Env"] = json!(["A=1"]);
        now["TaskTemplate"]["ForceUpdate"] = 4.into();
        let change = Change::Restore { recorded: before.clone() };
        LABELS.stamp(&mut now, &change, Fence { deployment: Uuid::nil(), epoch: 1 });
        let next = apply(&now, &change).unwrap();
        assert_eq!(record(&next), before);
        now["Mode"]["Replicated"]["Replicas"] = 9.into();
        let version = apply(&now, &Change::RestoreVersion { recorded: before.clone() }).unwrap();
        assert_eq!((spec::replicas(&version), spec::image(&version)), (Some(9), "web:1"));
        assert_eq!((&next["Name"], &next["TaskTemplate"]["ForceUpdate"]), (&json!("shop_web"), &json!(4)));
        assert_eq!(LABELS.read(&next), None);
    }

    #[test]
    fn restart_counts_and_scale_needs_a_replicated_service() {
        assert_eq!(apply(&web(), &Change::Restart).unwrap()["TaskTemplate"]["ForceUpdate"], 4);
        let scaled = apply(&web(), &Change::Scale { replicas: 7 }).unwrap();
        assert_eq!(spec::replicas(&scaled), Some(7));
        let mut global = web();
        global["Mode"] = json!({ "Global": {} });
        assert!(matches!(apply(&global, &Change::Scale { replicas: 7 }), Err(TargetError::Refused(_))));
        assert!(matches!(
            apply(&global, &Change::Restore { recorded: record(&web()) }),
            Err(TargetError::Config { .. })
        ));
    }

    #[test]
    fn odd_records_are_refused() {
        for odd in [json!(null), json!([1]), json!({ "TaskTemplate": { "ContainerSpec": { "Image": 3 } } })] {
            let change = Change::Restore { recorded: Recorded(odd) };
            assert!(matches!(apply(&web(), &change), Err(TargetError::Config { .. })));
        }
    }
}
