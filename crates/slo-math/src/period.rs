//! The stretch of time that a budget is for.

use crate::{Calendar, Interval};

#[derive(Debug, Clone, PartialEq)]
pub enum Period {
    /// The last so many seconds.
    Rolling { seconds: u64 },
    /// The current calendar period.
    Calendar(Calendar),
}

impl Period {
    /// The whole period at `now` (seconds since 1970); a calendar period ends in the future.
    #[must_use]
    pub fn at(&self, now: i64) -> Interval {
        match self {
            Self::Rolling { seconds } => Interval::new(now.saturating_sub_unsigned(*seconds), now),
            Self::Calendar(calendar) => calendar.around(now),
        }
    }

    /// The part of it that has passed: what counts so far.
    #[must_use]
    pub fn so_far(&self, now: i64) -> Interval {
        let whole = self.at(now);
        Interval::new(whole.from, whole.to.min(now))
    }

    /// Its length in seconds at `now`.
    #[must_use]
    pub fn seconds(&self, now: i64) -> u64 {
        self.at(now).seconds()
    }
}
