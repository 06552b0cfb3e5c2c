//! What has to be ready before a new version comes: StatefulSets, Deployments and Jobs of the same namespace.
//!
//! `config` says what may be named, `ready` reads one object and its pods, and only `look` and `preflight` talk to the cluster.

mod config;
mod look;
mod preflight;
mod ready;

pub(super) use config::{Limit, WaitFor};
pub(super) use look::{look, needs};
pub(super) use preflight::plan;
