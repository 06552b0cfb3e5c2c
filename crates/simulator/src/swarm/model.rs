//! Services and tasks, and how the engine shows them.

use crate::behaviour::Behaviour;
use crate::dice::Dice;
use crate::object::{int, text};
use crate::pace::{Pace, stamp_nanos};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) pace: Pace,
    /// The raft index; each write takes the next.
    pub(crate) index: u64,
    /// By id.
    pub(crate) services: BTreeMap<String, Service>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) events: super::events::Events,
    pub(crate) nodes: u32,
}

#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) index: u64,
    pub(crate) created: OffsetDateTime,
    pub(crate) updated: OffsetDateTime,
    pub(crate) spec: Value,
    pub(crate) previous: Option<Value>,
    pub(crate) update: Option<Update>,
}

/// The newest rolling update or roll back.
#[derive(Debug, Clone)]
pub(crate) struct Update {
    /// As the engine names it: `updating`, `paused`, `completed`, `rollback_started`, ...
    pub(crate) state: &'static str,
    pub(crate) started: OffsetDateTime,
    pub(crate) completed: Option<OffsetDateTime>,
    pub(crate) message: String,
    /// Tasks to replace at the start, for the failure ratio.
    pub(crate) total: usize,
    pub(crate) failures: usize,
    /// Everything is replaced since; the monitoring time runs.
    pub(crate) replaced_at: Option<OffsetDateTime>,
    /// No further task before this time (`Delay`).
    pub(crate) not_before: OffsetDateTime,
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) service: String,
    pub(crate) index: u64,
    pub(crate) slot: u64,
    pub(crate) spec: Value,
    pub(crate) created: OffsetDateTime,
    pub(crate) state: &'static str,
    pub(crate) desired: &'static str,
    pub(crate) since: OffsetDateTime,
    pub(crate) err: String,
    pub(crate) exit_code: i64,
    pub(crate) container: String,
    pub(crate) started: Option<OffsetDateTime>,
    pub(crate) due: Option<OffsetDateTime>,
    /// Its failure was counted by the update it belongs to.
    pub(crate) counted: bool,
}

impl Service {
    pub(crate) fn name(&self) -> &str {
        text(&self.spec, "/Name")
    }

    pub(crate) fn replicas(&self) -> u64 {
        u64::try_from(int(&self.spec, "/Mode/Replicated/Replicas", 1)).unwrap_or(0)
    }

    pub(crate) fn show(&self) -> Value {
        let mut shown = json!({
            "ID": self.id,
            "Version": {"Index": self.index},
            "CreatedAt": stamp_nanos(self.created),
            "UpdatedAt": stamp_nanos(self.updated),
            "Spec": self.spec,
            "Endpoint": {"Spec": self.spec["EndpointSpec"]},
        });
        if let Some(previous) = &self.previous {
            shown["PreviousSpec"] = previous.clone();
        }
        if let Some(update) = &self.update {
            shown["UpdateStatus"] =
                json!({"State": update.state, "StartedAt": stamp_nanos(update.started), "Message": update.message});
            if let Some(completed) = update.completed {
                shown["UpdateStatus"]["CompletedAt"] = json!(stamp_nanos(completed));
            }
        }
        shown
    }
}

impl Task {
    pub(crate) fn image(&self) -> &str {
        text(&self.spec, "/ContainerSpec/Image")
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        Behaviour::of(self.image())
    }

    /// The scheduler or the engine has given it up, or it ended.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, "failed" | "rejected" | "complete" | "shutdown" | "orphaned")
    }

    pub(crate) fn is_wanted(&self) -> bool {
        self.desired == "running"
    }

    pub(crate) fn show(&self) -> Value {
        let mut status =
            json!({"Timestamp": stamp_nanos(self.since), "State": self.state, "Message": message(self.state)});
        if !self.err.is_empty() {
            status["Err"] = json!(self.err);
        }
        if !self.container.is_empty() {
            status["ContainerStatus"] = json!({"ContainerID": self.container, "PID": if self.is_over() { 0 } else { 4_242 }, "ExitCode": self.exit_code});
        }
        json!({
            "ID": self.id,
            "Version": {"Index": self.index},
            "CreatedAt": stamp_nanos(self.created),
            "UpdatedAt": stamp_nanos(self.since),
            "Labels": {},
            "Spec": self.spec,
            "ServiceID": self.service,
            "Slot": self.slot,
            "NodeID": if self.state == "pending" { "" } else { "simulatednode1" },
            "Status": status,
            "DesiredState": self.desired,
        })
    }
}

fn message(state: &str) -> &'static str {
    match state {
        "new" | "pending" => "pending task scheduling",
        "assigned" => "scheduler assigned task to node",
        "preparing" => "preparing",
        "starting" => "starting",
        "running" => "started",
        "complete" => "finished",
        "shutdown" => "shutdown",
        "rejected" => "preparing",
        _ => "started",
    }
}

impl State {
    pub(crate) fn next_index(&mut self) -> u64 {
        self.index += 1;
        self.index
    }

    /// By id, by name, or by the beginning of an id, as the engine looks.
    pub(crate) fn find(&self, wanted: &str) -> Option<&Service> {
        let all = || self.services.values();
        all()
            .find(|service| service.id == wanted || service.name() == wanted)
            .or_else(|| all().find(|service| !wanted.is_empty() && service.id.starts_with(wanted)))
    }

    pub(crate) fn create(&mut self, spec: Value, now: OffsetDateTime) -> String {
        let id = self.dice.swarm_id();
        let index = self.next_index();
        let service = Service { id: id.clone(), index, created: now, updated: now, spec, previous: None, update: None };
        self.events.service("create", &service, now);
        self.services.insert(id.clone(), service);
        id
    }
}
