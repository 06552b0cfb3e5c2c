//! Stretches of time that do not count against a budget: a load test, another team's outage.

/// From `from` up to and without `to`, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    pub from: i64,
    pub to: i64,
}

impl Interval {
    #[must_use]
    pub const fn new(from: i64, to: i64) -> Self {
        Self { from, to }
    }

    /// Length in seconds.
    #[must_use]
    pub fn seconds(self) -> u64 {
        self.to.saturating_sub(self.from).max(0).unsigned_abs()
    }

    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.to <= self.from
    }

    /// What both have; possibly empty.
    #[must_use]
    pub fn overlap(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), to: self.to.min(other.to) }
    }
}

/// The intervals in order, without overlaps and empty ones, so that no event is left out twice.
#[must_use]
pub fn union(intervals: &[Interval]) -> Vec<Interval> {
    let mut sorted: Vec<Interval> = intervals.iter().copied().filter(|interval| !interval.is_empty()).collect();
    sorted.sort_unstable();
    let mut merged: Vec<Interval> = Vec::with_capacity(sorted.len());
    for interval in sorted {
        match merged.last_mut() {
            Some(last) if interval.from <= last.to => last.to = last.to.max(interval.to),
            _ => merged.push(interval),
        }
    }
    merged
}

/// What stays of a window when the intervals are taken out, in order.
#[must_use]
pub fn minus(window: Interval, intervals: &[Interval]) -> Vec<Interval> {
    let mut kept = Vec::new();
    let mut from = window.from;
    for cut in union(intervals) {
        let cut = cut.overlap(window);
        if cut.is_empty() {
            continue;
        }
        kept.push(Interval::new(from, cut.from));
        from = cut.to;
    }
    kept.push(Interval::new(from, window.to));
    kept.retain(|interval| !interval.is_empty());
    kept
}

#[cfg(test)]
mod tests {
    use super::{Interval, minus, union};
    use proptest::prelude::*;

    const fn at(from: i64, to: i64) -> Interval {
        Interval::new(from, to)
    }

    #[test]
    fn overlapping_corrections_are_taken_out_once() {
        assert_eq!(union(&[at(5, 9), at(1, 3), at(2, 4), at(9, 9), at(4, 5)]), [at(1, 9)]);
        assert_eq!(minus(at(0, 100), &[at(10, 20), at(15, 30), at(90, 200)]), [at(0, 10), at(30, 90)]);
        assert_eq!(minus(at(0, 10), &[at(-5, 50)]), []);
        assert_eq!(minus(at(0, 10), &[]), [at(0, 10)]);
    }

    proptest! {
        #[test]
        fn each_second_is_kept_or_cut_and_never_both(cuts in prop::collection::vec((0_i64..60, 0_i64..60), 0..6)) {
            let cuts: Vec<_> = cuts.into_iter().map(|(from, to)| at(from, to)).collect();
            let kept = minus(at(10, 50), &cuts);
            for second in 0..60 {
                let is_in = |all: &[Interval]| all.iter().filter(|i| i.from <= second && second < i.to).count();
                let expected = usize::from((10..50).contains(&second) && is_in(&cuts) == 0);
                prop_assert_eq!(is_in(&kept), expected);
            }
        }
    }
}
