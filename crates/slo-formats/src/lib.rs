//! SLO files: read ([`read_documents`]: OpenSLO v1 and the five-line format), written ([`openslo::write`]), told in a sentence ([`reading`]),
//! and turned into Prometheus rules ([`rules`]).
//!
//! The text that somebody wrote is kept by the caller and is what an export gives back, byte for byte; a [`Definition`] is what it means.
//! Nothing is guessed silently: a field that is not known is refused with its line, and what is assumed comes back as a warning.

mod document;
pub mod draft;
pub mod duration;
mod fields;
mod five_line;
mod model;
pub mod openslo;
mod promql;
pub mod reading;
pub mod rules;
mod told;

pub use document::{Format, ReadOutcome, SourceDocument, read_documents};
pub use five_line::Conventions;
pub use model::{Definition, Op, Problem, Query, Sli, Window, slug};
pub use promql::{MatchOp, Matcher, Selector};
