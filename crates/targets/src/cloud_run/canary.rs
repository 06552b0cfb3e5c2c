//! A new revision that gets the traffic in steps. Pure.
//!
//! The annotation `passerelle.dev/canary` says which revision gets it, from which, how much and since when. It is written with the
//! traffic in one conditional write and taken away by the last step, so a process that finds it knows all there is to know.

use super::change::{self, LATEST, REVISION};
use super::config::BindingConfig;
use super::fence::ANNOTATIONS;
use super::state;
use crate::{Fence, TargetError, fencing};
use passerelle_contract::{Text, text};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const ANNOTATION: &str = "passerelle.dev/canary";

/// Where a canary stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Canary {
    /// Short names of revisions.
    pub to: String,
    pub from: String,
    pub percent: u8,
    /// Seconds since 1970, when the percentage was set.
    pub since: u64,
}

/// A mark that somebody spoiled is none.
pub(super) fn read(service: &Value) -> Option<Canary> {
    serde_json::from_str(service["annotations"][ANNOTATION].as_str()?).ok()
}

/// Whether the new revision gets a share already.
pub(super) fn serves(service: &Value) -> bool {
    read(service).is_some_and(|canary| canary.percent > 0)
}

pub(super) fn set(body: &mut Value, canary: Option<&Canary>) {
    let Some(annotations) = body["annotations"].as_object_mut() else { return };
    match canary {
        Some(canary) => drop(annotations.insert(ANNOTATION.to_owned(), json!(canary).to_string().into())),
        None => drop(annotations.shift_remove(ANNOTATION)),
    }
}

/// Makes the write of a new revision one that leaves the traffic where it is.
pub(super) fn begin(body: &mut Value, from: &str) {
    let Some(to) = body["template"]["revision"].as_str() else { return };
    let canary = Canary { to: to.to_owned(), from: from.to_owned(), percent: 0, since: 0 };
    body["traffic"] = json!([{ "type": REVISION, "revision": from, "percent": 100 }]);
    set(body, Some(&canary));
}

/// The write of the next step, when it is due: the revision is ready, and the pause is over.
///
/// # Errors
/// [`TargetError::Fenced`] when a younger deployment or a later epoch has written.
pub(super) fn due(
    service: &Value,
    revisions: &[Value],
    binding: &BindingConfig,
    fence: Fence,
    now: u64,
) -> Result<Option<(Value, Text)>, TargetError> {
    let Some(mut canary) = read(service) else { return Ok(None) };
    let found = ANNOTATIONS.read(service);
    fencing::check(found, fence)?;
    let ours = found.is_some_and(|found| found.deployment == fence.deployment);
    let settled = service["reconciling"] != true && !state::is_failed(&service["terminalCondition"]);
    let ready = revisions.iter().any(|one| state::short(&one["name"]) == canary.to && state::is_ready(one));
    let paused = canary.percent > 0 && now.saturating_sub(canary.since) < binding.canary_pause_s.duration().as_secs();
    if !(ours && settled && ready) || paused {
        return Ok(None);
    }
    canary.percent = binding.canary_steps.after(canary.percent);
    canary.since = now;
    let said = text!("{revision} gets {percent} % of the traffic", revision = &canary.to, percent = canary.percent);
    let mut body =
        json!({ "etag": service["etag"], "annotations": service["annotations"], "traffic": split(service, &canary) });
    ANNOTATIONS.raise(&mut body, fence);
    set(&mut body, Some(&canary).filter(|canary| canary.percent < 100));
    change::keep_tags(&mut body, service);
    Ok(Some((body, said)))
}

fn split(service: &Value, canary: &Canary) -> Value {
    let share = |revision: &str, percent: u8| json!({ "type": REVISION, "revision": revision, "percent": percent });
    if canary.percent < 100 {
        return json!([share(&canary.to, canary.percent), share(&canary.from, 100 - canary.percent)]);
    }
    // As before the canary: what is deployed by hand next takes the traffic too.
    if state::short(&service["latestCreatedRevision"]) == canary.to {
        return json!([{ "type": LATEST, "percent": 100 }]);
    }
    json!([share(&canary.to, 100)])
}

/// What Cloud Run is at.
pub(super) fn said(service: &Value) -> Text {
    match read(service).filter(|canary| canary.percent > 0) {
        Some(canary) => {
            text!("{revision} gets {percent} % of the traffic", revision = canary.to, percent = canary.percent)
        }
        None => text!("Cloud Run is at work"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::body;
    use super::*;
    use crate::Change;
    use uuid::Uuid;

    fn binding(steps: &[u8]) -> BindingConfig {
        serde_json::from_value(json!({ "service": "web", "canary_steps": steps, "canary_pause_s": 30 })).unwrap()
    }

    fn revision(name: &str, state: &str) -> Value {
        json!({ "name": format!("p/{name}"), "containers": [{ "image": "web:1" }], "conditions": [{ "type": "Ready", "state": state }] })
    }

    fn fence(epoch: i64) -> Fence {
        Fence { deployment: Uuid::from_u128(7), epoch }
    }

    /// The service as Cloud Run would hold it after a write.
    fn written(service: &Value, body: &Value) -> Value {
        let mut after = service.clone();
        for (field, value) in body.as_object().unwrap() {
            after[field] = value.clone();
        }
        after["trafficStatuses"] = body["traffic"].clone();
        if let Some(name) = body["template"]["revision"].as_str() {
            after["latestCreatedRevision"] = format!("p/{name}").into();
        }
        after
    }

    fn service() -> Value {
        json!({ "etag": "e", "annotations": {}, "template": { "containers": [{ "image": "web:1" }] },
            "latestCreatedRevision": "p/web-1", "trafficStatuses": [{ "revision": "web-1", "percent": 100 }],
            "traffic": [{ "type": LATEST, "percent": 100 }, { "type": REVISION, "revision": "web-1", "tag": "live" }] })
    }

    #[test]
    fn traffic_moves_in_steps_and_ends_without_a_mark() {
        let binding = binding(&[10, 50]);
        let change = Change::Image { image: "web:2".to_owned(), manifests: None };
        let begun = body(&service(), &[], &binding, &change, fence(1)).unwrap();
        assert_eq!(begun["traffic"][0], json!({ "type": REVISION, "revision": "web-1", "percent": 100 }));
        assert_eq!(begun["traffic"][1]["tag"], "live");
        let mut now = written(&service(), &begun);
        let new = read(&now).unwrap().to;
        let step = |now: &Value, state: &str, at| due(now, &[revision(&new, state)], &binding, fence(2), at).unwrap();
        assert!(step(&now, "CONDITION_RECONCILING", 100).is_none(), "not before it is ready");
        let mut shares = Vec::new();
        for at in [100, 110, 130, 150, 160] {
            if let Some((body, _)) = step(&now, "CONDITION_SUCCEEDED", at) {
                assert!(body.get("template").is_none());
                shares.push((at, body["traffic"][0]["percent"].as_i64().unwrap()));
                now = written(&now, &body);
            }
        }
        assert_eq!(shares, [(100, 10), (130, 50), (160, 100)]);
        assert_eq!((read(&now), ANNOTATIONS.read(&now)), (None, Some(fence(2))));
        assert_eq!(now["traffic"][0]["type"], LATEST);
        assert!(step(&now, "CONDITION_SUCCEEDED", 900).is_none());
    }

    #[test]
    fn another_writer_takes_no_step_and_an_older_one_is_refused() {
        let binding = binding(&[10]);
        let change = Change::Image { image: "web:2".to_owned(), manifests: None };
        let now = written(&service(), &body(&service(), &[], &binding, &change, fence(3)).unwrap());
        let ready = [revision(&read(&now).unwrap().to, "CONDITION_SUCCEEDED")];
        assert!(matches!(due(&now, &ready, &binding, fence(2), 5), Err(TargetError::Fenced(_))));
        let younger = Fence { deployment: Uuid::from_u128(8), epoch: 1 };
        assert_eq!(due(&now, &ready, &binding, younger, 5), Ok(None));
        assert!(due(&now, &ready, &binding, fence(3), 5).unwrap().is_some());
    }

    #[test]
    fn only_a_new_image_goes_in_steps() {
        let binding = binding(&[10]);
        assert_eq!(read(&body(&service(), &[], &binding, &Change::Restart, fence(1)).unwrap()), None);
        let mut never_served = service();
        never_served["trafficStatuses"] = Value::Null;
        let change = Change::Image { image: "web:2".to_owned(), manifests: None };
        assert_eq!(read(&body(&never_served, &[], &binding, &change, fence(1)).unwrap()), None);
    }
}
