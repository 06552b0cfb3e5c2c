//! Who wrote an object last, kept in the object's own labels or annotations and compared before every write.
//!
//! A write with an epoch lower than the one found there (same deployment), or by a deployment that is older than the one found
//! there (ids are UUID v7, so a greater one is younger), is refused.

use crate::{Change, Fence, TargetError};
use passerelle_contract::text;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What the three texts are called on a platform, and where in its specification they stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    /// The field that holds labels or annotations.
    pub field: &'static str,
    pub deployment: &'static str,
    pub epoch: &'static str,
    pub change: &'static str,
}

/// What a writer may do with a specification.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Make the change.
    Write,
    /// The change is there; only the epoch has to be raised, so that the process before us is refused from now on.
    Raise,
    /// The change is there with this very fence.
    Done,
}

impl Names {
    /// Whether a label is one of ours.
    pub fn are_ours(&self, label: &str) -> bool {
        [self.deployment, self.epoch, self.change].contains(&label)
    }

    /// The write that made this specification, if it was ours; texts that somebody spoiled are no fence.
    pub fn read(&self, spec: &Value) -> Option<Fence> {
        let texts = &spec[self.field];
        Some(Fence {
            deployment: Uuid::try_parse(texts[self.deployment].as_str()?).ok()?,
            epoch: texts[self.epoch].as_str()?.parse().ok()?,
        })
    }

    /// # Errors
    /// [`TargetError::Fenced`] when a younger deployment or a later epoch has written.
    pub fn turn(&self, spec: &Value, change: &Change, fence: Fence) -> Result<Turn, TargetError> {
        let found = self.read(spec);
        check(found, fence)?;
        let Some(found) = found.filter(|found| found.deployment == fence.deployment) else { return Ok(Turn::Write) };
        if spec[self.field][self.change].as_str() != Some(hash(change).as_str()) {
            return Ok(Turn::Write);
        }
        Ok(if found.epoch == fence.epoch { Turn::Done } else { Turn::Raise })
    }

    /// Writes the epoch of a writer that goes on with the change that is there.
    pub fn raise(&self, spec: &mut Value, fence: Fence) {
        spec[self.field][self.epoch] = fence.epoch.to_string().into();
    }

    /// Writes the fence.
    pub fn stamp(&self, spec: &mut Value, change: &Change, fence: Fence) {
        if !spec[self.field].is_object() {
            spec[self.field] = Value::Object(Map::new());
        }
        spec[self.field][self.deployment] = fence.deployment.to_string().into();
        spec[self.field][self.epoch] = fence.epoch.to_string().into();
        spec[self.field][self.change] = hash(change).into();
    }
}

/// Refuses to write over something newer.
pub(crate) fn check(found: Option<Fence>, ours: Fence) -> Result<(), TargetError> {
    let Some(found) = found else { return Ok(()) };
    if found.deployment > ours.deployment {
        return Err(TargetError::Fenced(text!("deployment {deployment} is newer", deployment = found.deployment)));
    }
    if found.deployment == ours.deployment && found.epoch > ours.epoch {
        let text = text!(
            "this deployment was taken over (epoch {theirs}, ours is {ours})",
            theirs = found.epoch,
            ours = ours.epoch
        );
        return Err(TargetError::Fenced(text));
    }
    Ok(())
}

/// A short name of a change, equal for equal changes however a database has ordered their keys.
pub(crate) fn hash(change: &Change) -> String {
    let value = serde_json::to_value(change).unwrap_or_default();
    let digest = Sha256::digest(sorted(&value).to_string());
    hex(&digest[..12])
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn sorted(value: &Value) -> Value {
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

    const NAMES: Names = Names { field: "Labels", deployment: "d", epoch: "e", change: "c" };

    fn fence(deployment: u128, epoch: i64) -> Fence {
        Fence { deployment: Uuid::from_u128(deployment), epoch }
    }

    #[test]
    fn older_writers_are_refused_and_repeats_are_found() {
        let change = Change::Scale { replicas: 2 };
        let mut spec = json!({ "Labels": null });
        let turn = |spec: &Value, change: &Change, fence| NAMES.turn(spec, change, fence);
        assert_eq!(turn(&spec, &change, fence(5, 1)), Ok(Turn::Write));
        NAMES.stamp(&mut spec, &change, fence(5, 2));
        assert_eq!(NAMES.read(&spec), Some(fence(5, 2)));
        assert_eq!(turn(&spec, &change, fence(5, 2)), Ok(Turn::Done));
        assert_eq!(turn(&spec, &change, fence(5, 3)), Ok(Turn::Raise));
        assert_eq!(turn(&spec, &Change::Restart, fence(5, 2)), Ok(Turn::Write));
        assert_eq!(turn(&spec, &change, fence(6, 1)), Ok(Turn::Write));
        assert!(matches!(turn(&spec, &change, fence(5, 1)), Err(TargetError::Fenced(_))));
        assert!(matches!(turn(&spec, &change, fence(4, 9)), Err(TargetError::Fenced(_))));
    }

    #[test]
    fn the_order_of_keys_does_not_matter() {
        let of = |text: &str| hash(&Change::Restore { recorded: crate::Recorded(serde_json::from_str(text).unwrap()) });
        assert_eq!(of(r#"{"a":1,"b":{"c":2,"d":[{"x":1,"y":2}]}}"#), of(r#"{"b":{"d":[{"y":2,"x":1}],"c":2},"a":1}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
        assert_ne!(hash(&Change::Restart), hash(&Change::Scale { replicas: 1 }));
    }

    #[test]
    fn labels_that_somebody_spoiled_are_no_fence() {
        assert_eq!(NAMES.read(&json!({ "Labels": { "d": "x", "e": "1" } })), None);
        assert_eq!(NAMES.read(&json!({ "Labels": { "d": Uuid::nil().to_string(), "e": "one" } })), None);
    }
}
