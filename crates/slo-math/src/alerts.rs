//! Multi-window, multi-burn-rate alerts: a long window shows that it matters, a short one that it still goes on.

use crate::{Counts, Objective, Ratio, burn_rate};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MONTH: u64 = 30 * DAY;
/// Short windows are this part of the long ones.
const SHORT_PART: u64 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Wakes somebody.
    Page,
    /// Waits for the morning.
    Ticket,
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Ticket => "ticket",
        }
    }
}

/// Fires when the burn rate is above `factor` over both windows; the pairs of a severity are joined by "or".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertPair {
    pub severity: Severity,
    /// Seconds.
    pub long_s: u64,
    /// Seconds.
    pub short_s: u64,
    pub factor: Ratio,
    /// The share of the period's budget that is gone when a burn of `factor` has lasted the long window.
    pub spends: Ratio,
}

/// The long windows for 30 days, the severity, and the share of the budget in percent (workbook, "recommended parameters").
const MONTHLY: [(u64, Severity, i128); 4] = [
    (HOUR, Severity::Page, 2),
    (6 * HOUR, Severity::Page, 5),
    (DAY, Severity::Ticket, 10),
    (3 * DAY, Severity::Ticket, 10),
];
/// The same windows are a larger part of a week: in tenths of a percent.
const WEEKLY: [(u64, Severity, i128); 4] = [
    (HOUR, Severity::Page, 80),
    (6 * HOUR, Severity::Page, 125),
    (DAY, Severity::Ticket, 200),
    (3 * DAY, Severity::Ticket, 420),
];

/// The four pairs of a period, given in seconds.
///
/// Up to a week the windows shrink with the period and the shares are those of a week; between a week and a month the windows
/// are the usual ones; over a month they grow with it (90 days: 3 h to 9 days).
#[must_use]
pub fn pairs_for(period_s: u64) -> Vec<AlertPair> {
    let week = 7 * DAY;
    let (table, base, per_mille) = match period_s {
        s if s <= week => (WEEKLY, week, 1000),
        _ => (MONTHLY, MONTH, 100),
    };
    table
        .into_iter()
        .map(|(window, severity, share)| {
            let long_s = if period_s > week && period_s < MONTH { window } else { scaled(window, period_s, base) };
            let spends = Ratio::new(share, per_mille);
            let factor = spends.times(Ratio::new(i128::from(period_s), i128::from(long_s)));
            AlertPair { severity, long_s, short_s: whole_minutes(long_s / SHORT_PART), factor, spends }
        })
        .collect()
}

fn scaled(window: u64, period_s: u64, base: u64) -> u64 {
    let seconds = u128::from(window) * u128::from(period_s) / u128::from(base);
    whole_minutes(u64::try_from(seconds).unwrap_or(u64::MAX))
}

const fn whole_minutes(seconds: u64) -> u64 {
    let minutes = seconds / MINUTE;
    if minutes == 0 { MINUTE } else { minutes * MINUTE }
}

/// Pairs that can never fire: even a total outage burns at `1 / B`, which must exceed the factor (objective > 1 - 1 / factor).
#[must_use]
pub fn unreachable_pairs(objective: Objective, pairs: &[AlertPair]) -> Vec<AlertPair> {
    let most = objective.budget_ratio().inverse().unwrap_or(Ratio::ONE);
    pairs.iter().copied().filter(|pair| pair.factor >= most).collect()
}

/// Whether a pair fires, with the events of its two windows. `min_bad` (in the unit of the counts) keeps a single failure of a
/// quiet service from paging.
#[must_use]
pub fn firing(objective: Objective, pair: &AlertPair, long: Counts, short: Counts, min_bad: u64) -> bool {
    burn_rate(objective, long) > pair.factor && burn_rate(objective, short) > pair.factor && long.bad >= min_bad
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(days: u64) -> Vec<(u64, u64, String)> {
        pairs_for(days * DAY)
            .iter()
            .map(|pair| (pair.long_s / MINUTE, pair.short_s / MINUTE, pair.factor.decimal(3)))
            .collect()
    }

    fn rows(rows: [(u64, u64, &str); 4]) -> Vec<(u64, u64, String)> {
        rows.into_iter().map(|(long, short, factor)| (long, short, factor.to_owned())).collect()
    }

    #[test]
    fn windows_and_factors_of_the_usual_periods() {
        assert_eq!(
            table(30),
            rows([(60, 5, "14.400"), (360, 30, "6.000"), (1440, 120, "3.000"), (4320, 360, "1.000")])
        );
        assert_eq!(
            table(28),
            rows([(60, 5, "13.440"), (360, 30, "5.600"), (1440, 120, "2.800"), (4320, 360, "0.933")])
        );
        assert_eq!(table(7), rows([(60, 5, "13.440"), (360, 30, "3.500"), (1440, 120, "1.400"), (4320, 360, "0.980")]));
        assert_eq!(
            table(90),
            rows([(180, 15, "14.400"), (1080, 90, "6.000"), (4320, 360, "3.000"), (12960, 1080, "1.000")])
        );
        assert_eq!(table(1)[3], (617, 51, "0.980".to_owned()));
    }

    #[test]
    fn both_windows_must_burn_and_enough_must_have_failed() {
        let objective = Objective::from_percent("99.9").unwrap();
        let pair = pairs_for(30 * DAY)[0];
        let (hot, at, cold) = (Counts::new(20, 1000), Counts::new(144, 10_000), Counts::new(9, 10_000));
        assert!(firing(objective, &pair, hot, hot, 0));
        assert!(!firing(objective, &pair, hot, cold, 0));
        assert!(!firing(objective, &pair, cold, hot, 0));
        assert!(!firing(objective, &pair, at, at, 0), "exactly the factor is not above it");
        assert!(firing(objective, &pair, Counts::new(145, 10_000), hot, 0));
        assert!(!firing(objective, &pair, Counts::new(1, 10), Counts::new(1, 1), 2));
        assert!(!firing(objective, &pair, Counts::ZERO, Counts::ZERO, 0));
    }

    #[test]
    fn a_low_objective_cannot_reach_the_page_factor() {
        let pairs = pairs_for(30 * DAY);
        let unreachable = |percent: &str| unreachable_pairs(Objective::from_percent(percent).unwrap(), &pairs).len();
        assert_eq!(unreachable("99.9"), 0);
        assert_eq!(unreachable("93.0"), 1);
        // 1 - 1 / 14.4 = 0.93055...
        assert_eq!((unreachable("93.055"), unreachable("93.056")), (1, 0));
        assert_eq!(unreachable("50"), 3);
    }
}
