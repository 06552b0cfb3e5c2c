//! Gates: whether a change may be deployed now, and if not, why, until when, and who can help.
//!
//! Invariants:
//! - a gate judges facts and nothing else (one pure file each); the facts are read in one place ([`GateService::decide`]);
//! - what is not known does not pass;
//! - a decision that starts a deployment is made inside the transaction that takes its lock, while the policy of the tier is
//!   held: policies, freezes, waivers and reports change only while no such transaction is under way;
//! - a roll back is never asked anything.
//!
//! Public surface: [`GateService`] (use cases, and the decision for `deployments`), [`BudgetSource`] (filled by what measures
//! objectives), [`routes`].

mod approval;
mod calendar;
mod error_budget;
mod freeze;
mod model;
mod preflight;
mod promotion_order;
mod reports;
pub mod routes;
mod service;
mod store;
mod vulnerability;

pub use calendar::{Schedule, Unclear, clock_in, moment_in};
pub use error_budget::{BudgetReading, BudgetSource, BudgetStep};
pub use model::{Case, Decided, Outside, Ruling};
pub use preflight::Look;
pub use promotion_order::{History, Run, Running};
pub use reports::read as read_report;
pub use service::{BrokenGlass, CONFIRMED_FOR, GateService};
