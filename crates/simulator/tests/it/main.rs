//! The simulator over real HTTP.

#![expect(clippy::unwrap_used, reason = "tests")]

mod cloud_run;
mod demo;
mod kubernetes;
mod support;
mod swarm;
