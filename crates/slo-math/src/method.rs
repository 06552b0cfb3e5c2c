//! The three budgeting methods of OpenSLO v1. The two by slices turn the events of each slice into counts of their own, so that
//! everything else is the same.

use crate::{Counts, Ratio};

/// How bad events become spent budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Every event counts.
    Occurrences,
    /// A slice of time is good when its share of good events reaches the slice target.
    Timeslices(SliceRule),
    /// Every slice counts the same, with its share of bad events.
    RatioTimeslices(SliceRule),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SliceRule {
    /// Length of a slice in seconds: whole minutes.
    pub slice_s: u32,
    /// Least share of good events of a good slice; not used by ratio time slices.
    pub target: Ratio,
}

/// How many units one slice is worth.
pub const RATIO_UNITS: u64 = 1_000_000;

impl Method {
    /// The length of one sample in seconds: a slice, or a minute.
    #[must_use]
    pub const fn step_s(self) -> u32 {
        match self {
            Self::Occurrences => 60,
            Self::Timeslices(rule) | Self::RatioTimeslices(rule) => rule.slice_s,
        }
    }

    /// What one sample's events count as. A slice without traffic is good.
    #[must_use]
    pub fn charge(self, events: Counts) -> Counts {
        match self {
            Self::Occurrences => events,
            Self::Timeslices(rule) => {
                let good = Ratio::new(i128::from(events.good()), i128::from(events.total));
                let met = events.is_idle() || good >= rule.target;
                Counts::new(if met { 0 } else { RATIO_UNITS }, RATIO_UNITS)
            }
            Self::RatioTimeslices(_) => {
                let share = Ratio::new(i128::from(events.bad.min(events.total)), i128::from(events.total));
                // Rounded up: a millionth of a slice against the budget rather than for it.
                let bad = if events.is_idle() { 0 } else { share.times(Ratio::whole(i128::from(RATIO_UNITS))).ceil() };
                Counts::new(u64::try_from(bad).unwrap_or(RATIO_UNITS), RATIO_UNITS)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Method, RATIO_UNITS, SliceRule};
    use crate::{Budget, Counts, Objective, Ratio};

    #[test]
    fn a_slice_is_good_when_it_reaches_its_target_exactly() {
        let method = Method::Timeslices(SliceRule { slice_s: 300, target: Ratio::new(95, 100) });
        assert_eq!(method.charge(Counts::new(5, 100)), Counts::new(0, RATIO_UNITS));
        assert_eq!(method.charge(Counts::new(6, 100)), Counts::new(RATIO_UNITS, RATIO_UNITS));
        assert_eq!(method.charge(Counts::ZERO), Counts::new(0, RATIO_UNITS));
        assert_eq!((method.step_s(), Method::Occurrences.step_s()), (300, 60));
    }

    #[test]
    fn ratio_slices_weigh_a_quiet_slice_like_a_busy_one() {
        let method = Method::RatioTimeslices(SliceRule { slice_s: 60, target: Ratio::ONE });
        let slices = [Counts::new(1, 2), Counts::new(0, 1_000_000)];
        let counts: Counts = slices.into_iter().map(|events| method.charge(events)).sum();
        let objective = Objective::from_percent("50").unwrap();
        assert_eq!(Budget::new(objective, counts).consumed(), Ratio::new(1, 2));
        assert_eq!(method.charge(Counts::new(1, 3)), Counts::new(333_334, RATIO_UNITS));
    }

    #[test]
    fn slices_of_throughput_count_minutes() {
        // 99 % of one-minute slices over a day: 14.4 minutes may be slow.
        let objective = Objective::from_percent("99").unwrap();
        let slow = Counts::new(14 * RATIO_UNITS, 1440 * RATIO_UNITS);
        assert!(!Budget::new(objective, slow).is_exhausted());
        assert!(Budget::new(objective, Counts::new(15 * RATIO_UNITS, 1440 * RATIO_UNITS)).is_exhausted());
    }
}
