//! Service level objectives: what was promised, what was measured, and what is left of the error budget.
//!
//! Invariants:
//! - A source's text is kept as it was given, and an export gives back its bytes.
//! - What is decided is decided by integers (`passerelle-slo-math`) over counts in our own tables; no source is asked in a gate's way.
//! - A minute without data is not a minute without failures: it stays unknown, and is never overwritten by "unknown" once it is known.
//! - A minute is counted once: minutes that are read again replace what was there, and running totals follow.
//!
//! What stands to the right of this asks [`SloService::reading_in`] (the gate, inside its own transaction), [`SloService::get_slo`],
//! [`SloService::list_slos`] and [`SloService::history`]; who brings a new version, [`SloService::errors_since`], which asks the source and opens no gate.

mod figures;
mod incidents;
mod jobs;
mod measure;
mod model;
mod outward;
mod routes;
mod service;
mod store;

pub use figures::Figures;
pub use jobs::Measurer;
pub use model::Slo;
pub use passerelle_slo_formats::draft::Draft;
pub use routes::router;
pub use service::{
    Blind, BudgetAround, BudgetChip, BudgetChips, BudgetReading, Burnt, Counted, Errors, SloReading, SloService,
    name_of,
};
