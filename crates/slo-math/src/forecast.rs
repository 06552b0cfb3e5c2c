//! When the budget will be gone, and when a spent one comes back. A forecast decides nothing.

use crate::{Budget, Counts, Objective, Ratio};

/// Seconds until the budget is gone if it goes on burning at `burn` (the larger of the 1 h and the 6 h rate) and nothing comes back:
/// `R * P / BR`. 0 when it is gone; `None` when nothing burns.
#[must_use]
pub fn naive_seconds_left(remaining: Ratio, period_s: u64, burn: Ratio) -> Option<u64> {
    if !remaining.is_positive() {
        return Some(0);
    }
    let seconds = remaining.times(Ratio::whole(i128::from(period_s))).times(burn.inverse()?).floor();
    u64::try_from(seconds).ok()
}

/// What will leave the window, and what will come.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// All events of the window now.
    pub now: Counts,
    /// What leaves the window in each bucket to come, the oldest first; nothing (zeros) for a calendar period.
    pub leaving: &'a [Counts],
    /// What comes in each bucket: the present rate.
    pub arriving: Counts,
    /// Length of a bucket in seconds.
    pub bucket_s: u64,
}

/// Where the remaining budget crosses a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Projection {
    /// It is above the level now, and reaches it in so many seconds (rounded down).
    FallsIn(u64),
    /// It is at or below the level now, and is above it again in so many seconds (rounded up).
    RisesIn(u64),
    /// It does not cross within the buckets given.
    Stays,
}

/// Slides the window over its own history while the present rate is added, and finds where the remaining budget crosses
/// `level` (0 for exhaustion).
#[must_use]
pub fn project(objective: Objective, level: Ratio, history: &History<'_>) -> Projection {
    let start = height(objective, level, history.now);
    let above = start > 0;
    let (mut counts, mut before) = (history.now, start);
    for (index, leaving) in history.leaving.iter().enumerate() {
        counts = counts - *leaving + history.arriving;
        let after = height(objective, level, counts);
        if (after > 0) != above {
            // Between two buckets the height is a straight line.
            let part = Ratio::new(before, before - after);
            let index = i128::try_from(index).unwrap_or(i128::MAX >> 64);
            let seconds = part.plus(Ratio::whole(index)).times(Ratio::whole(i128::from(history.bucket_s)));
            let rounded = if above { seconds.floor() } else { seconds.ceil() };
            let rounded = u64::try_from(rounded).unwrap_or(0);
            return if above { Projection::FallsIn(rounded) } else { Projection::RisesIn(rounded) };
        }
        before = after;
    }
    Projection::Stays
}

/// Positive exactly when the remaining budget is above the level: `(1 - level) * B * total - bad`, times a constant.
fn height(objective: Objective, level: Ratio, counts: Counts) -> i128 {
    if counts == Counts::ZERO {
        return i128::from(level < Ratio::ONE);
    }
    if counts.is_idle() {
        return i128::from(Budget::new(objective, counts).remaining() > level);
    }
    let share = Ratio::ONE.minus(level).times(objective.budget_ratio());
    share
        .numerator()
        .saturating_mul(i128::from(counts.total))
        .saturating_sub(share.denominator().saturating_mul(i128::from(counts.bad)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective() -> Objective {
        Objective::from_percent("99").unwrap()
    }

    #[test]
    fn a_spent_budget_comes_back_when_the_incident_leaves_the_window() {
        // Ten buckets of 1,000 events; 60 + 60 bad in the third and fourth, 100 allowed.
        let mut leaving = [Counts::new(0, 1000); 10];
        leaving[2].bad = 60;
        leaving[3].bad = 60;
        let now = leaving.iter().copied().sum();
        let history = History { now, leaving: &leaving, arriving: Counts::new(0, 1000), bucket_s: 3600 };
        // 20 of the 60 in the third bucket must be out, and one more part of a second.
        assert_eq!(project(objective(), Ratio::ZERO, &history), Projection::RisesIn(2 * 3600 + 1200));
        // 25 % left means at most 75 bad: 45 of 60 must be out.
        assert_eq!(project(objective(), Ratio::percent(25), &history), Projection::RisesIn(2 * 3600 + 2700));
    }

    #[test]
    fn relief_stretches_what_is_left() {
        // 50 of 100 spent ten buckets ago to nine; the present burn is 2.
        let mut leaving = [Counts::new(0, 1000); 10];
        leaving[0].bad = 50;
        let now: Counts = leaving.iter().copied().sum();
        let arriving = Counts::new(20, 1000);
        let history = History { now, leaving: &leaving, arriving, bucket_s: 3600 };
        assert_eq!(project(objective(), Ratio::ZERO, &history), Projection::FallsIn(5 * 3600));
        let budget = Budget::new(objective(), now);
        let burn = crate::burn_rate(objective(), arriving);
        assert_eq!(naive_seconds_left(budget.remaining(), 36_000, burn), Some(9000));
        let calendar = History { leaving: &[Counts::ZERO; 10], ..history };
        assert_eq!(project(objective(), Ratio::ZERO, &calendar), Projection::FallsIn(5 * 3600));
    }

    #[test]
    fn what_does_not_burn_stays() {
        let leaving = [Counts::new(0, 10); 5];
        let now = leaving.iter().copied().sum();
        let history = History { now, leaving: &leaving, arriving: Counts::new(0, 10), bucket_s: 60 };
        assert_eq!(project(objective(), Ratio::ZERO, &history), Projection::Stays);
        assert_eq!(naive_seconds_left(Ratio::ONE, 60, Ratio::ZERO), None);
        assert_eq!(naive_seconds_left(Ratio::ZERO, 60, Ratio::ZERO), Some(0));
    }
}
