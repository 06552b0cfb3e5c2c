//! The Docker Engine API of a Swarm manager: services, tasks, events, logs, and the orchestrator that rolls updates out.

mod api;
mod engine;
mod events;
mod logs;
mod model;
mod orchestrator;
mod task;

pub(crate) use api::{answer, injected};
pub(crate) use engine::Engine;
