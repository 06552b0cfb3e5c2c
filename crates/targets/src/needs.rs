//! What has to be ready on a platform before anything is changed there: a database, a broker, a job that fills them.
//!
//! Looking has no effect, so any process may look, and who takes a deployment over just looks again.

use passerelle_contract::Text;
use passerelle_contract::deployments::Failure;
use std::time::Duration;

/// What the binding names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// As people call them, for example `StatefulSet exai/postgres`.
    pub title: String,
    /// Not ready after this long, the deployment fails.
    pub limit: Duration,
}

/// Whether it is ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NeedsState {
    Ready,
    /// It may become ready.
    Waiting,
    /// It will not become ready by waiting.
    Failed(Failure),
}

/// One look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsSeen {
    pub state: NeedsState,
    /// What is not ready and why, in a few words.
    pub message: Text,
}
