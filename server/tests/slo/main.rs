//! SLOs over a real database, measured by a real Prometheus where one is installed.
#![expect(clippy::unwrap_used, reason = "tests")]

mod doors;
mod faults;
mod files;
mod incidents;
mod measuring;
mod peer;
mod support;
