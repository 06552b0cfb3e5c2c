//! All SQL of the deployments, split by what it serves.

mod attempts;
mod automatic;
mod cells;
mod events;
mod gating;
mod progress;
mod read;
mod releases;
mod task_log;
mod watched;

pub use attempts::NewDeployment;
pub use automatic::Due;
pub use cells::{DeployedHere, ObservedState, unbound};
pub use gating::{Artifact, Awaiting, Changed};
pub use progress::{Claim, Ending, LEASE_TTL_S, StepRow};
pub use read::{ListFilter, Position};
pub use releases::ReleaseRow;
pub use watched::Watched;

use crate::kernel::Db;

#[derive(Debug, Clone)]
pub struct Store {
    pub(super) db: Db,
}

impl Store {
    #[must_use]
    pub const fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Reads a text column that only our own code writes.
fn known<T>(parsed: Option<T>, what: &str, text: &str) -> crate::kernel::Result<T> {
    parsed.ok_or_else(|| crate::kernel::AppError::internal(format!("unknown {what} '{text}' in the database")))
}
