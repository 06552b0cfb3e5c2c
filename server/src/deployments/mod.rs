//! Deployments: a state machine in Postgres, driven by an engine that any process can take over.
//!
//! Invariants:
//! - one active deployment per service and environment (a unique partial index decides, not code);
//! - every attempt is a row, refused ones too;
//! - an effect on a target comes after its intent row and is fenced by the deployment's epoch;
//! - who takes a deployment over looks at the target before doing anything.
//!
//! Public surface: [`DeploymentService`] (use cases), [`Engine`] (the worker), [`Observer`] (what runs), [`routes`].

mod approval_link;
mod approvals;
mod automatic;
mod burn;
mod compare;
mod engine;
mod events;
mod gate_routes;
mod gating;
mod history;
mod live;
mod matrix;
mod model;
mod observer;
mod plan;
mod releases;
mod roll_back;
pub mod routes;
mod service;
mod starting;
mod store;
mod tasks;
mod telling;

pub use approval_link::{ApprovalToken, LinkedApproval};
pub use engine::{Engine, EngineOptions};
pub use events::EventFeed;
pub use observer::Observer;
pub use service::DeploymentService;
