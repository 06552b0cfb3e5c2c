//! The engine's event stream.

use super::model::{Service, Task};
use crate::pace::stamp_nanos;
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::broadcast;

/// Events that a slow reader may be behind before it loses some.
const BACKLOG: usize = 1_024;

#[derive(Debug)]
pub(crate) struct Events(broadcast::Sender<Value>);

impl Events {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Value> {
        self.0.subscribe()
    }

    pub(crate) fn service(&self, action: &str, service: &Service, now: OffsetDateTime) {
        let mut attributes = json!({"name": service.name()});
        if let Some(update) = &service.update {
            attributes["updatestate.new"] = json!(update.state);
        }
        self.send("service", "swarm", action, &service.id, attributes, now);
    }

    pub(crate) fn container(&self, action: &str, task: &Task, now: OffsetDateTime) {
        let attributes = json!({
            "image": task.image(),
            "com.docker.swarm.service.id": task.service,
            "com.docker.swarm.task.id": task.id,
            "exitCode": task.exit_code.to_string(),
        });
        self.send("container", "local", action, &task.container, attributes, now);
    }

    fn send(&self, kind: &str, scope: &str, action: &str, id: &str, attributes: Value, now: OffsetDateTime) {
        let event = json!({
            "Type": kind, "Action": action, "Actor": {"ID": id, "Attributes": attributes}, "scope": scope,
            "time": now.unix_timestamp(), "timeNano": i64::try_from(now.unix_timestamp_nanos()).unwrap_or(0),
            "at": stamp_nanos(now),
        });
        // Nobody listening is no error.
        let _ = self.0.send(event);
    }
}
