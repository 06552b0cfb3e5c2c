//! How much of a window was seen. No data is not zero.

use crate::{Counts, Ratio};

/// What a window's figures are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    Ok,
    /// Seen, and nothing happened: nothing was burnt.
    NoTraffic,
    /// More than 1 % of what should have been seen is missing, or the source contradicts what was stored.
    Partial,
    /// Nothing was seen.
    NoData,
}

impl State {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoTraffic => "no_traffic",
            Self::Partial => "partial",
            Self::NoData => "no_data",
        }
    }
}

/// The samples of a window, in numbers of samples.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How many the whole period has (up to now, for a calendar period).
    pub expected: u64,
    /// How many there should be since the SLO's first sample.
    pub since_first: u64,
    /// How many there are.
    pub known: u64,
}

/// Missing samples above this share make a window partial.
const TOLERATED: Ratio = Ratio::percent(1);

impl Coverage {
    /// Known of expected, 0 to 1: below 1 for an SLO younger than its period.
    #[must_use]
    pub fn ratio(self) -> Ratio {
        if self.expected == 0 {
            return Ratio::ZERO;
        }
        Ratio::new(i128::from(self.known.min(self.expected)), i128::from(self.expected))
    }

    /// Samples missing since the first one.
    #[must_use]
    pub const fn missing(self) -> u64 {
        self.since_first.saturating_sub(self.known)
    }

    #[must_use]
    pub fn state(self, counts: Counts) -> State {
        if self.known == 0 {
            State::NoData
        } else if Ratio::new(i128::from(self.missing()), i128::from(self.since_first.max(1))) > TOLERATED {
            State::Partial
        } else if counts.is_idle() {
            State::NoTraffic
        } else {
            State::Ok
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Coverage, State};
    use crate::{Counts, Ratio};

    #[test]
    fn nothing_seen_and_nothing_happened_are_two_things() {
        let seen = Coverage { expected: 100, since_first: 100, known: 100 };
        assert_eq!(seen.state(Counts::ZERO), State::NoTraffic);
        assert_eq!(seen.state(Counts::new(0, 5)), State::Ok);
        assert_eq!(Coverage { known: 0, ..seen }.state(Counts::ZERO), State::NoData);
    }

    #[test]
    fn a_young_slo_is_whole_and_a_gap_is_not() {
        let young = Coverage { expected: 43_200, since_first: 600, known: 600 };
        assert_eq!(young.state(Counts::new(0, 5)), State::Ok);
        assert_eq!(young.ratio(), Ratio::new(600, 43_200));
        let one_percent = Coverage { expected: 43_200, since_first: 600, known: 594 };
        assert_eq!(one_percent.state(Counts::new(0, 5)), State::Ok);
        assert_eq!(Coverage { known: 593, ..one_percent }.state(Counts::new(0, 5)), State::Partial);
    }
}
