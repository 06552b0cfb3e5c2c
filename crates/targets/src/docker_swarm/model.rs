//! The parts of the Engine API's answers that we decide on. Everything else stays in the JSON it came in.

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Service {
    #[serde(rename = "ID")]
    pub id: String,
    pub version: Version,
    pub updated_at: String,
    pub spec: Value,
    pub update_status: Option<UpdateStatus>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Version {
    pub index: u64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct UpdateStatus {
    pub state: String,
    pub started_at: Option<String>,
    pub message: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Task {
    #[serde(rename = "ID")]
    pub id: String,
    #[serde(rename = "ServiceID")]
    pub service: String,
    pub created_at: String,
    pub slot: Option<u64>,
    #[serde(rename = "NodeID")]
    pub node: String,
    pub spec: Value,
    pub status: TaskStatus,
    pub desired_state: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct TaskStatus {
    pub timestamp: String,
    pub state: String,
    pub message: String,
    pub err: String,
    pub container_status: Option<ContainerStatus>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct ContainerStatus {
    #[serde(rename = "ContainerID")]
    pub container: String,
    pub exit_code: i64,
}

/// Where Swarm is with the newest update of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum UpdateState {
    /// No update since the service was made or since a write that needed none.
    None,
    Updating,
    Paused,
    Completed,
    RollbackStarted,
    RollbackPaused,
    RollbackCompleted,
}

impl UpdateState {
    /// Swarm has given the update up and goes, or went, back.
    pub const fn is_rollback(self) -> bool {
        matches!(self, Self::RollbackStarted | Self::RollbackPaused | Self::RollbackCompleted)
    }

    /// Swarm is still at work.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Updating | Self::RollbackStarted)
    }
}

impl Service {
    pub fn update_state(&self) -> UpdateState {
        match self.update_status.as_ref().map(|status| status.state.as_str()) {
            Some("updating") => UpdateState::Updating,
            Some("paused") => UpdateState::Paused,
            Some("completed") => UpdateState::Completed,
            Some("rollback_started") => UpdateState::RollbackStarted,
            Some("rollback_paused") => UpdateState::RollbackPaused,
            Some("rollback_completed") => UpdateState::RollbackCompleted,
            _ => UpdateState::None,
        }
    }

    /// When the newest rollout began: tasks made before it say nothing about it.
    pub fn rollout_start(&self) -> OffsetDateTime {
        let started = self.update_status.as_ref().and_then(|status| status.started_at.as_deref());
        instant(started.unwrap_or(&self.updated_at))
    }
}

impl Task {
    /// As the engine's own tools write it: `service.slot.task`, or with the node for a global service.
    pub fn name(&self, service: &str) -> String {
        match self.slot {
            Some(slot) if slot > 0 => format!("{service}.{slot}.{}", self.id),
            _ => format!("{service}.{}.{}", self.node, self.id),
        }
    }

    /// The place that the task fills; a task that replaces it fills the same.
    pub fn place(&self) -> (u64, &str) {
        match self.slot {
            Some(slot) if slot > 0 => (slot, ""),
            _ => (0, self.node.as_str()),
        }
    }

    pub fn created(&self) -> OffsetDateTime {
        instant(&self.created_at)
    }

    /// It should run, as far as Swarm is concerned.
    pub fn is_wanted(&self) -> bool {
        matches!(self.desired_state.as_str(), "running" | "ready")
    }

    pub fn is_ready(&self) -> bool {
        self.desired_state == "running" && self.status.state == "running"
    }

    /// It ended by itself; a task that Swarm stopped is `shutdown`.
    pub fn has_ended_by_itself(&self) -> bool {
        matches!(self.status.state.as_str(), "failed" | "rejected" | "complete" | "orphaned")
    }

    pub fn container(&self) -> Option<&str> {
        self.status.container_status.as_ref().map(|status| status.container.as_str()).filter(|id| !id.is_empty())
    }
}

/// A time as the engine writes it; the beginning of the epoch when it wrote none.
pub(super) fn instant(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &Rfc3339).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
