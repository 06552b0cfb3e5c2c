//! What runs to its end on a target before a new version is written there: a migration, with the code of the new version.
//!
//! Invariant: a task is started once for a deployment. Who takes the deployment over finds the one that runs, or has run.

use passerelle_contract::Text;
use passerelle_contract::deployments::Failure;
use std::time::Duration;

/// What the binding asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// As people call it, for example `Job exai/exai-migrate`.
    pub title: String,
    /// After this long it counts as failed.
    pub limit: Duration,
}

/// Where a task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskState {
    Running,
    Succeeded,
    /// It will not come to a good end.
    Failed(Failure),
}

/// One look at a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSeen {
    pub state: TaskState,
    /// Where it is, in a few words.
    pub message: Text,
    /// The pod or execution whose log this is; another try has another one.
    pub instance: Option<String>,
    /// Its log from the first line on, cleaned; what is beyond [`MAX_LOG_BYTES`] is left out.
    pub log: Vec<String>,
}

/// Most bytes of a task's log that are read.
pub const MAX_LOG_BYTES: usize = 256 * 1024;
