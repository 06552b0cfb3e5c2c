//! SLOs over a real database, measured by a real Prometheus where one is installed.
#![expect(clippy::unwrap_used, reason = "tests")]

mod faults;
mod files;
mod measuring;
mod support;
