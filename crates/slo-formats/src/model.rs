//! What an SLO file means, whichever format it was written in.

use crate::promql::Selector;
use passerelle_contract::Text;
use passerelle_slo_math::{Calendar, CalendarError, Method, Objective, Period, Ratio, Unit};

/// One objective of one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Unique for a service: a-z, 0-9 and `-`.
    pub name: String,
    pub title: String,
    pub description: Option<String>,
    /// The service as the file names it.
    pub service: Option<String>,
    /// The data source as the file names it.
    pub data_source: Option<String>,
    pub objective: Objective,
    pub sli: Sli,
    pub window: Window,
    pub method: Method,
    /// An alert needs at least this many bad events in its long window.
    pub min_bad_events: u64,
}

/// How good and bad are told apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sli {
    /// Good events of all events.
    Good { good: Query, total: Query },
    /// Bad events of all events.
    Bad { bad: Query, total: Query },
    /// A value per sample, good while `value op threshold` holds.
    Threshold { value: Query, op: Op, threshold: Ratio },
}

/// Something that Prometheus can be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// A counter by metric and matchers, summed over all its series; can be asked for together with others.
    Counter(Selector),
    /// PromQL with `{{.window}}` in place of the range. With `per_second` it answers a rate.
    Windowed { template: String, per_second: bool },
    /// PromQL whose value is taken as it is.
    Instant(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Op {
    pub const ALL: [Self; 4] = [Self::Lt, Self::Lte, Self::Gt, Self::Gte];

    /// As OpenSLO writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
        }
    }

    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|op| op.as_str() == text)
    }

    #[must_use]
    pub fn holds(self, value: Ratio, threshold: Ratio) -> bool {
        match self {
            Self::Lt => value < threshold,
            Self::Lte => value <= threshold,
            Self::Gt => value > threshold,
            Self::Gte => value >= threshold,
        }
    }
}

/// The stretch of time, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    Rolling { seconds: u64 },
    Calendar { start: String, count: u32, unit: Unit, zone: String },
}

impl Window {
    /// # Errors
    /// For a calendar whose zone or start is not one.
    pub fn period(&self) -> Result<Period, CalendarError> {
        Ok(match self {
            Self::Rolling { seconds } => Period::Rolling { seconds: *seconds },
            Self::Calendar { start, count, unit, zone } => Period::Calendar(Calendar::new(start, *count, *unit, zone)?),
        })
    }

    /// Its length in seconds, months as 30 days: what alert windows are chosen by.
    #[must_use]
    pub const fn nominal_s(&self) -> u64 {
        const DAY: u64 = 86_400;
        match self {
            Self::Rolling { seconds } => *seconds,
            Self::Calendar { count, unit, .. } => {
                let days = match unit {
                    Unit::Day => 1,
                    Unit::Week => 7,
                    Unit::Month => 30,
                    Unit::Quarter => 90,
                    Unit::Year => 365,
                };
                *count as u64 * days * DAY
            }
        }
    }
}

/// What is wrong in a file, or was assumed of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// From 1, in the whole text.
    pub line: u32,
    /// JSON pointer inside the document.
    pub pointer: String,
    pub message: Text,
}

/// A title as a name: `API Gateway Latency` is `api-gateway-latency`. Accents go, everything else becomes `-`.
#[must_use]
pub fn slug(title: &str) -> String {
    let mut name = String::new();
    for c in title.chars().flat_map(char::to_lowercase) {
        let plain = match c {
            'a'..='z' | '0'..='9' => c,
            'à' | 'â' | 'ä' | 'á' | 'ã' => 'a',
            'ç' => 'c',
            'é' | 'è' | 'ê' | 'ë' => 'e',
            'î' | 'ï' | 'í' => 'i',
            'ô' | 'ö' | 'ó' => 'o',
            'ù' | 'û' | 'ü' | 'ú' => 'u',
            _ => '-',
        };
        if plain != '-' || !(name.is_empty() || name.ends_with('-')) {
            name.push(plain);
        }
    }
    name.truncate(63);
    name.trim_end_matches('-').to_owned()
}
