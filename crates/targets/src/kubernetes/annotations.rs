//! What we write on a Deployment about ourselves: who changed it last (the fence) and what the change was.

use crate::fencing::hash;
use crate::{Change, Fence};
use serde_json::{Value, json};
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

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn text_that_is_no_fence_counts_as_none() {
        let of = |id: &str, epoch: &str| {
            Annotations::from([(DEPLOYMENT.to_owned(), id.to_owned()), (EPOCH.to_owned(), epoch.to_owned())])
        };
        assert_eq!(fence(Some(&of("nonsense", "1"))), None);
        assert_eq!(fence(Some(&of(&Uuid::nil().to_string(), "one"))), None);
        assert_eq!(fence(Some(&of(&Uuid::nil().to_string(), "7"))).map(|f| f.epoch), Some(7));
    }
}
