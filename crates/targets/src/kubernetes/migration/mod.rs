//! The migration: a Job that runs to its end with the image of the new version before the Deployment is touched.
//!
//! The Job carries the fence of the deployment that made it, so that a process which takes over finds it and makes no second one; a
//! Job that another program made and that still runs is never taken away. `config` says what may be asked for, `manifest` makes the
//! Job, `verdict` reads it; only `run` and `preflight` talk to the cluster.

mod config;
mod manifest;
mod preflight;
mod run;
mod verdict;

#[cfg(test)]
mod verdict_tests;

pub(super) use config::Migration;
pub(super) use preflight::plan;
pub(super) use run::{clear, look, start, task};
