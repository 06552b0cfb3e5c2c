//! Error budgets: what is left of one, how fast it burns, when it will be gone, and what that means for a deployment.
//!
//! Pure: no clock, no input or output, no floating point. A target is a decimal, counts are integers, and every comparison that can open or
//! close a gate multiplies integers.
//!
//! With the objective `o` (99.9 % is 0.999), a period `P` and the events in it:
//!
//! | | formula | source |
//! | --- | --- | --- |
//! | budget ratio | `B = 1 - o` | Google SRE workbook, chapter 5 |
//! | error ratio | `E(w) = bad(w) / total(w)`, of events, never a mean of ratios | the same |
//! | burn rate | `BR(w) = E(w) / B` | the same |
//! | consumed, remaining | `C = E(P) / B`, `R = 1 - C`, not clamped | error budget policy of the same book |
//! | alert factor | `share * P / long` | workbook, table "recommended parameters" |
//!
//! Counts may come in any unit as long as good, bad and total share it (the portal counts thousandths of an event, because a rate that
//! Prometheus extrapolates is not a whole number).

mod alerts;
mod budget;
mod calendar;
mod corrections;
mod counts;
mod exact;
mod forecast;
mod incidents;
mod method;
mod objective;
mod period;
mod policy;
mod samples;

pub use alerts::{AlertPair, Severity, firing, pairs_for, unreachable_pairs};
pub use budget::{Budget, burn_rate};
pub use calendar::{Calendar, CalendarError, Unit};
pub use corrections::{Interval, minus, union};
pub use counts::Counts;
pub use exact::{ParseRatioError, Ratio};
pub use forecast::{History, Projection, naive_seconds_left, project};
pub use incidents::{Incident, incident_factor, incidents};
pub use method::{Method, RATIO_UNITS, SliceRule};
pub use objective::{MAX_PLACES, Objective, ObjectiveError};
pub use period::Period;
pub use policy::{Cause, Decision, Policy, Reading, STALE_AFTER_S, Verdict, decide};
pub use samples::{Coverage, State};
