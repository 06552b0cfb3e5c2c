//! Alerts: what an Alertmanager tells by its webhook, told on as it came.
//!
//! Invariants:
//! - An occurrence is a set of labels and the time it began; told twice it is one row.
//! - Labels decide which service an alert is about, when it arrives; one that names none is kept, for those who may see everything.
//! - What was resolved is kept for 400 days, as long as the budgets it stands beside.

mod model;
mod routes;
mod service;
mod store;

pub use model::{check as check_message, service_named};
pub use routes::router;
pub use service::AlertService;
