//! The trait.

use async_trait::async_trait;
use passerelle_contract::{Text, text};
use passerelle_slo_formats::Query;

/// One question: how many events per step, or which value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    pub query: Query,
    /// Length of a step in seconds, whole minutes.
    pub step_s: u32,
}

/// Steps that end at `from`, `from + step`, ... up to and with `to`, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    pub from: i64,
    pub to: i64,
}

/// The answer for the step that ends at `at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub at: i64,
    /// Thousandths of an event (or of the value); `None` when the source answered with something that is not a number.
    pub milli: Option<i64>,
}

/// Why there is no answer. The text names neither an address nor a credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum SourceError {
    Unreachable(Text),
    Forbidden,
    Refused(Text),
    Malformed(Text),
}

impl SourceError {
    /// The same as a sentence.
    #[must_use]
    pub fn text(&self) -> Text {
        match self {
            Self::Unreachable(why) => text!("the source did not answer: {why}", why),
            Self::Forbidden => text!("the source refused our credentials"),
            Self::Refused(why) => text!("the source refused the query: {why}", why),
            Self::Malformed(why) => text!("the source's answer could not be understood: {why}", why),
        }
    }
}

#[async_trait]
pub trait MetricSource: Send + Sync + std::fmt::Debug {
    /// The answers in the order of the questions; points that the source does not have are left out. All questions have the same step.
    async fn read(&self, wanted: &[Wanted], range: Range) -> Vec<Result<Vec<Point>, SourceError>>;

    /// The number of events that a counter counted in the `seconds` before `at`, in thousandths; `None` without data.
    async fn total(&self, query: &Query, seconds: u64, at: i64) -> Result<Option<i64>, SourceError>;
}
