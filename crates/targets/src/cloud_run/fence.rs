//! Who wrote a service last, kept in the annotations of the service and compared before every write.

use crate::{Change, Fence, TargetError};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

const DEPLOYMENT: &str = "passerelle.dev/deployment";
const EPOCH: &str = "passerelle.dev/epoch";
const CHANGE: &str = "passerelle.dev/change";

/// The write that made this specification, if it was ours.
pub(super) fn read(spec: &Value) -> Option<Fence> {
    let annotations = &spec["annotations"];
    Some(Fence {
        deployment: Uuid::try_parse(text(&annotations[DEPLOYMENT])).ok()?,
        epoch: text(&annotations[EPOCH]).parse().ok()?,
    })
}

/// What a writer may do with a specification.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Make the change.
    Write,
    /// The change is there; only the epoch has to be raised, so that the process before us is refused from now on.
    Raise,
    /// The change is there with this very fence.
    Done,
}

/// # Errors
/// [`TargetError::Fenced`] when a younger deployment or a later epoch has written.
pub(super) fn turn(spec: &Value, change: &Change, fence: Fence) -> Result<Turn, TargetError> {
    let Some(found) = read(spec) else { return Ok(Turn::Write) };
    if found.deployment > fence.deployment {
        return Err(TargetError::Fenced(format!("deployment {} is newer", found.deployment)));
    }
    if found.deployment < fence.deployment {
        return Ok(Turn::Write);
    }
    if found.epoch > fence.epoch {
        return Err(TargetError::Fenced(format!("epoch {} has taken the deployment over", found.epoch)));
    }
    if text(&spec["annotations"][CHANGE]) != hash(change) {
        return Ok(Turn::Write);
    }
    Ok(if found.epoch == fence.epoch { Turn::Done } else { Turn::Raise })
}

/// Writes the fence into the annotations.
pub(super) fn stamp(spec: &mut Value, change: &Change, fence: Fence) {
    if !spec["annotations"].is_object() {
        spec["annotations"] = Value::Object(Map::new());
    }
    spec["annotations"][DEPLOYMENT] = fence.deployment.to_string().into();
    spec["annotations"][EPOCH] = fence.epoch.to_string().into();
    spec["annotations"][CHANGE] = hash(change).into();
}

/// A short name of a change, equal for equal changes however a database has ordered their keys.
pub(super) fn hash(change: &Change) -> String {
    let value = serde_json::to_value(change).unwrap_or_default();
    let digest = Sha256::digest(sorted(&value).to_string());
    digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut all: Vec<_> = fields.iter().collect();
            all.sort_by_key(|(key, _)| key.as_str());
            all.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fence(deployment: u128, epoch: i64) -> Fence {
        Fence { deployment: Uuid::from_u128(deployment), epoch }
    }

    #[test]
    fn older_writers_are_refused_and_repeats_are_found() {
        let change = Change::Scale { replicas: 2 };
        let mut spec = json!({ "annotations": null });
        assert_eq!(turn(&spec, &change, fence(5, 1)), Ok(Turn::Write));
        stamp(&mut spec, &change, fence(5, 2));
        assert_eq!(read(&spec), Some(fence(5, 2)));
        assert_eq!(turn(&spec, &change, fence(5, 2)), Ok(Turn::Done));
        assert_eq!(turn(&spec, &change, fence(5, 3)), Ok(Turn::Raise));
        assert_eq!(turn(&spec, &Change::Restart, fence(5, 2)), Ok(Turn::Write));
        assert_eq!(turn(&spec, &change, fence(6, 1)), Ok(Turn::Write));
        assert!(matches!(turn(&spec, &change, fence(5, 1)), Err(TargetError::Fenced(_))));
        assert!(matches!(turn(&spec, &change, fence(4, 9)), Err(TargetError::Fenced(_))));
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let restore = |text| Change::Restore { recorded: crate::Recorded(serde_json::from_str(text).unwrap()) };
        assert_eq!(hash(&restore(r#"{"a":1,"b":{"c":2,"d":3}}"#)), hash(&restore(r#"{"b":{"d":3,"c":2},"a":1}"#)));
        assert_ne!(hash(&restore(r#"{"a":1}"#)), hash(&restore(r#"{"a":2}"#)));
    }

    #[test]
    fn annotations_that_somebody_spoiled_are_no_fence() {
        assert_eq!(read(&json!({ "annotations": { DEPLOYMENT: "x", EPOCH: "1" } })), None);
        assert_eq!(read(&json!({ "annotations": { DEPLOYMENT: Uuid::nil().to_string(), EPOCH: "one" } })), None);
    }
}
