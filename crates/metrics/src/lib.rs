//! Where the events of an SLO are counted.
//!
//! A [`MetricSource`] answers many questions at once, so that one that speaks PromQL can put them together: a thousand SLOs over the same two
//! metrics are two queries ([`plan`]). What is missing stays missing; only a counter of bad events may be absent and mean none, and that is for
//! the caller to decide, who knows which it is.

mod config;
pub mod plan;
mod platform;
mod prometheus;
mod source;

pub use config::PrometheusConfig;
pub use platform::{PROMETHEUS, connection_kind};
pub use prometheus::{Prometheus, read_range};
pub use source::{MetricSource, Point, Range, SourceError, Wanted};
