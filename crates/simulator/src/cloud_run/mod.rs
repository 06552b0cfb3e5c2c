//! The Cloud Run Admin API v2: services, revisions, traffic, operations; and the log entries of revisions.
//!
//! Nothing moves by itself: each call first settles the operations whose time has come, which looks the same to a client.

mod api;
mod change;
mod jobs;
mod resource;

pub(crate) use api::{CloudRun, answer, injected};
