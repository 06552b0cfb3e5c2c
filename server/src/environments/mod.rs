//! Where services run: environments (stages), connections (places with credentials) and bindings (which object on which
//! connection is a service in an environment), and the hold that keeps automation off a binding.
//!
//! Invariants:
//! - A secret is stored sealed for its own place, and leaves this capability only towards the target adapter.
//! - A binding's kind is its connection's kind, and its configuration has been checked by that kind.
//! - No two bindings of one connection name the same object.
//! - A binding is neither moved nor taken away while a deployment runs through it.
//! - Saving what is there already changes nothing and writes no audit row, so an import can be repeated.

mod busy;
mod model;
mod routes;
mod service;
mod store;

pub use busy::BusyBindings;
pub use model::{BindingRow, Change, ConnectionRow, Etag, IfMatch, OpenError};
pub use routes::{if_match, router, with_etag};
pub use service::{EnvironmentService, Runs};
pub use store::connections::SealedConnections;
