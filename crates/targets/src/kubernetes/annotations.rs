//! What we write on a Deployment about ourselves: who changed it last (the fence) and what the change was.

use crate::{Change, Fence, TargetError};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// On the Deployment: id of the portal's deployment that wrote last.
pub(super) const DEPLOYMENT: &str = "passerelle.dev/deployment";
/// On the Deployment: its epoch.
pub(super) const EPOCH: &str = "passerelle.dev/epoch";
/// On the Deployment: SHA-256 of the change it wrote.
pub(super) const CHANGE: &str = "passerelle.dev/change";
/// On the pod template: id of the portal's deployment that asked for a restart.
pub(super) const RESTART: &str = "passerelle.dev/restart";

type Annotations = BTreeMap<String, String>;

/// The fence that is there; text that is not a fence counts as none.
pub(super) fn fence(annotations: Option<&Annotations>) -> Option<Fence> {
    let annotations = annotations?;
    Some(Fence {
        deployment: Uuid::parse_str(annotations.get(DEPLOYMENT)?).ok()?,
        epoch: annotations.get(EPOCH)?.parse().ok()?,
    })
}

/// Refuses to write over something newer. Ids are UUID v7, so a greater one is younger.
pub(super) fn check(found: Option<Fence>, ours: Fence) -> Result<(), TargetError> {
    let Some(found) = found else { return Ok(()) };
    if found.deployment > ours.deployment {
        return Err(TargetError::Fenced(format!("deployment {} is newer", found.deployment)));
    }
    if found.deployment == ours.deployment && found.epoch > ours.epoch {
        return Err(TargetError::Fenced(format!(
            "this deployment was taken over (epoch {}, ours is {})",
            found.epoch, ours.epoch
        )));
    }
    Ok(())
}

/// Whether the last change written was this one, by this deployment.
pub(super) fn carries(annotations: Option<&Annotations>, change: &Change, deployment: Uuid) -> bool {
    let Some(annotations) = annotations else { return false };
    fence(Some(annotations)).is_some_and(|found| found.deployment == deployment)
        && annotations.get(CHANGE).is_some_and(|found| *found == hash(change))
}

/// The annotations of a write, as the body of a merge patch.
pub(super) fn patch(change: &Change, fence: Fence) -> Value {
    json!({ DEPLOYMENT: fence.deployment.to_string(), EPOCH: fence.epoch.to_string(), CHANGE: hash(change) })
}

/// The same for the same change, whatever the order of the keys in its JSON.
fn hash(change: &Change) -> String {
    let canonical = serde_json::to_value(change).map(|value| sorted(&value)).unwrap_or_default();
    let digest = Sha256::digest(canonical.to_string().as_bytes());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let ordered: BTreeMap<_, _> = fields.iter().collect();
            ordered.into_iter().map(|(key, field)| (key.clone(), sorted(field))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recorded;

    fn fence_of(deployment: u128, epoch: i64) -> Fence {
        Fence { deployment: Uuid::from_u128(deployment), epoch }
    }

    #[test]
    fn older_writers_are_refused() {
        assert_eq!(check(None, fence_of(1, 1)), Ok(()));
        assert_eq!(check(Some(fence_of(1, 5)), fence_of(2, 1)), Ok(()));
        assert_eq!(check(Some(fence_of(2, 1)), fence_of(2, 1)), Ok(()));
        assert!(matches!(check(Some(fence_of(2, 1)), fence_of(1, 9)), Err(TargetError::Fenced(_))));
        assert!(matches!(check(Some(fence_of(2, 3)), fence_of(2, 2)), Err(TargetError::Fenced(_))));
    }

    #[test]
    fn text_that_is_no_fence_counts_as_none() {
        let of = |id: &str, epoch: &str| {
            Annotations::from([(DEPLOYMENT.to_owned(), id.to_owned()), (EPOCH.to_owned(), epoch.to_owned())])
        };
        assert_eq!(fence(Some(&of("nonsense", "1"))), None);
        assert_eq!(fence(Some(&of(&Uuid::nil().to_string(), "one"))), None);
        assert_eq!(fence(Some(&of(&Uuid::nil().to_string(), "7"))).map(|f| f.epoch), Some(7));
    }

    #[test]
    fn the_hash_does_not_depend_on_key_order() {
        let of = |text: &str| hash(&Change::Restore { recorded: Recorded(serde_json::from_str(text).unwrap()) });
        assert_eq!(of(r#"{"a":1,"b":{"c":2,"d":[{"x":1,"y":2}]}}"#), of(r#"{"b":{"d":[{"y":2,"x":1}],"c":2},"a":1}"#));
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"a":2}"#));
        assert_ne!(hash(&Change::Restart), hash(&Change::Scale { replicas: 1 }));
    }
}
