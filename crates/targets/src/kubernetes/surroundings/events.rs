//! What the cluster noted about the Deployment and what it made. Pure.

use super::super::snapshot::count;
use crate::masking::shown;
use k8s_openapi::api::core::v1::Event;
use passerelle_contract::deployments::PlatformEvent;
use time::OffsetDateTime;

/// Most that are told.
const MAX_EVENTS: usize = 30;
const MAX_MESSAGE_CHARS: usize = 400;

/// Newest first.
pub(super) fn of(about: &[(&'static str, String)], all: &[Event]) -> Vec<PlatformEvent> {
    let ours = |event: &&Event| {
        let object = &event.involved_object;
        about.iter().any(|(kind, name)| object.kind.as_deref() == Some(kind) && object.name.as_deref() == Some(name))
    };
    let mut found: Vec<_> = all.iter().filter(ours).map(told).collect();
    found.sort_by_key(|event| std::cmp::Reverse(event.at));
    found.truncate(MAX_EVENTS);
    found
}

fn told(event: &Event) -> PlatformEvent {
    let last = event.last_timestamp.as_ref().map(|time| time.0.as_second());
    let last = last.or_else(|| event.event_time.as_ref().map(|time| time.0.as_second()));
    let text = |part: &Option<String>| shown(part.as_deref().unwrap_or_default());
    PlatformEvent {
        at: last.and_then(|second| OffsetDateTime::from_unix_timestamp(second).ok()),
        warning: event.type_.as_deref() == Some("Warning"),
        reason: text(&event.reason),
        object: format!("{} {}", text(&event.involved_object.kind), text(&event.involved_object.name)),
        message: text(&event.message).chars().take(MAX_MESSAGE_CHARS).collect(),
        count: count(event.count.unwrap_or(1)).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_of_others_are_left_out_and_the_newest_comes_first() {
        let event = |name: &str, at: &str| -> Event {
            serde_json::from_value(json!({"metadata": {"name": "e"}, "involvedObject": {"kind": "Pod", "name": name},
                "reason": "BackOff", "message": "again", "type": "Warning", "count": 3, "lastTimestamp": at}))
            .unwrap()
        };
        let all = [
            event("web-1", "2026-01-01T10:00:00Z"),
            event("api-1", "2026-01-01T12:00:00Z"),
            event("web-1", "2026-01-01T11:00:00Z"),
        ];
        let found = of(&[("Pod", "web-1".to_owned())], &all);
        assert_eq!(found.iter().map(|one| one.at.unwrap().hour()).collect::<Vec<_>>(), [11, 10]);
        assert!(found[0].warning && found[0].count == 3 && found[0].object == "Pod web-1");
    }
}
