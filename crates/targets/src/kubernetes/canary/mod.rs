//! A new version beside the one that serves: a second Deployment `NAME-canary` whose pods carry the labels of the first one's, so that the
//! same Service leads to both, with so many pods as the step asks for.
//!
//! Where it stands is one annotation of the first Deployment ([`Mark`]). Each step is a write that is conditional on the version that was
//! read and carries the fence, so any process goes on where another died; the second Deployment follows the mark, and is taken away when
//! the mark is gone. `mark`, `step`, `manifest` and `overlay` are pure; only `drive` and `preflight` talk to the cluster.

mod drive;
mod manifest;
mod mark;
mod overlay;
mod preflight;
mod step;

#[cfg(test)]
mod step_tests;

pub(super) use drive::{advance, remove};
pub(super) use mark::{ANNOTATION, Mark, begin, is_marked, pods_before, read};
pub(super) use overlay::{Looked, observation};
pub(super) use preflight::plan;

use crate::canary::{Pause, Steps};
use std::time::Duration;

/// What the binding asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub steps: Steps,
    pub pause: Pause,
}

impl Settings {
    /// How long a rollout pauses on purpose; nothing when it comes at once.
    pub fn pauses(&self) -> Option<Duration> {
        (!self.steps.is_empty()).then(|| self.steps.pauses(self.pause))
    }
}

/// The second Deployment of a Deployment.
pub(super) fn name_of(deployment: &str) -> String {
    format!("{deployment}-canary")
}
