//! Incidents: stretches in which a budget burnt fast, from the first failure to the last.
//!
//! With the events of the hour that ends with minute `m`, `h(m) = sum of (m - 60, m]`, an hour *burns* when `BR(h(m)) >= F` and it has at least
//! the bad events that alerts ask for. `F` is the factor of the slower page alert (30 days: 6). Inside such an hour a minute belongs to the incident
//! when it burns at `F` or more by itself; there is one, or the hour would not. Minutes of which each comes within an hour of the one before are
//! one incident, with all bad events from the first to the last. So a failure now and then never makes one, nor lets one begin too early.

use crate::{AlertPair, Counts, Objective, Ratio, Severity, burn_rate};
use std::collections::VecDeque;

/// Minutes that are looked at together.
const HOUR: i64 = 60;

/// One incident, as far as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident {
    /// Its first minute.
    pub from: i64,
    /// The minute after its last.
    pub to: i64,
    /// Bad events between the two, in the unit of the counts.
    pub bad: u64,
}

/// The burn rate that makes an incident: the least that pages.
#[must_use]
pub fn incident_factor(pairs: &[AlertPair]) -> Ratio {
    let pages = pairs.iter().filter(|pair| pair.severity == Severity::Page);
    pages.map(|pair| pair.factor).min().unwrap_or(Ratio::ONE)
}

/// The incidents in minutes that were seen, given in order; what was not seen is left out.
#[must_use]
pub fn incidents(objective: Objective, factor: Ratio, min_bad: u64, minutes: &[(i64, Counts)]) -> Vec<Incident> {
    let mut found: Vec<Incident> = Vec::new();
    let mut hour: VecDeque<(i64, Counts)> = VecDeque::new();
    let mut sum = Counts::ZERO;
    let mut since = i64::MAX;
    for &(minute, counts) in minutes {
        hour.push_back((minute, counts));
        sum += counts;
        while let Some((_, gone)) = hour.front().copied().filter(|(old, _)| *old <= minute - HOUR) {
            sum = sum - gone;
            hour.pop_front();
        }
        if hour.len() == 1 {
            // The first of all, or after an hour that nobody saw.
            since = minute;
        }
        // A few minutes are no hour: one failure of the first events would be a fast burn.
        let whole = minute - since >= HOUR - 1;
        let burns = |counts: Counts| burn_rate(objective, counts) >= factor;
        if whole && sum.bad >= min_bad.max(1) && burns(sum) {
            note(&mut found, &hour, burns);
        }
    }
    for one in &mut found {
        let inside = minutes.iter().filter(|(minute, _)| (one.from..one.to).contains(minute));
        one.bad = inside.fold(0, |bad, (_, counts)| bad.saturating_add(counts.bad));
    }
    found
}

/// The minutes of an hour that burn: more of the last incident when they come within an hour of it, else another one.
fn note(found: &mut Vec<Incident>, hour: &VecDeque<(i64, Counts)>, burns: impl Fn(Counts) -> bool) {
    let told = found.last().map_or(i64::MIN, |last| last.to);
    for (minute, _) in hour.iter().filter(|(minute, counts)| *minute >= told && counts.bad > 0 && burns(*counts)) {
        match found.last_mut() {
            Some(last) if *minute - last.to < HOUR => last.to = minute + 1,
            _ => found.push(Incident { from: *minute, to: minute + 1, bad: 0 }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pairs_for;

    const MONTH: u64 = 30 * 86_400;

    fn of(minutes: &[(i64, Counts)]) -> Vec<Incident> {
        let factor = incident_factor(&pairs_for(MONTH));
        assert_eq!(factor, Ratio::whole(6));
        incidents(Objective::from_percent("99.9").unwrap(), factor, 0, minutes)
    }

    /// A hundred events a minute, of which some are bad.
    fn traffic(minutes: i64, bad: impl Fn(i64) -> u64) -> Vec<(i64, Counts)> {
        (0..minutes).map(|minute| (minute, Counts::new(bad(minute), 100))).collect()
    }

    #[test]
    fn an_outage_is_one_incident_from_its_first_failure_to_its_last() {
        let found = of(&traffic(600, |minute| if (200..220).contains(&minute) { 100 } else { 0 }));
        assert_eq!(found, [Incident { from: 200, to: 220, bad: 2000 }]);
    }

    #[test]
    fn what_comes_again_within_the_hour_is_the_same_one() {
        let twice = |pause: i64| {
            of(&traffic(900, move |minute| u64::from(minute / 10 == 20 || (minute - pause) / 10 == 21) * 100))
        };
        let same = twice(40);
        assert_eq!(same.len(), 1, "{same:?}");
        assert_eq!(same[0], Incident { from: 200, to: 260, bad: 2000 });
        let other = twice(200);
        assert_eq!(other.iter().map(|one| (one.from, one.to)).collect::<Vec<_>>(), [(200, 210), (410, 420)]);
    }

    #[test]
    fn a_failure_now_and_then_is_none_and_a_fast_burn_goes_on() {
        // 5 of 6,000 an hour is a burn of 0.8.
        assert_eq!(of(&traffic(6000, |minute| u64::from(minute % 12 == 0))), []);
        // 36 of 6,000 is a burn of exactly 6.
        let failing = |minutes: i64| of(&traffic(200, move |minute| u64::from((30..30 + minutes).contains(&minute))));
        assert_eq!(failing(36), [Incident { from: 30, to: 66, bad: 36 }]);
        assert_eq!(failing(35), []);
        let long = of(&traffic(500, |minute| u64::from(minute >= 100)));
        assert_eq!(long, [Incident { from: 100, to: 500, bad: 400 }]);
    }

    #[test]
    fn failures_now_and_then_before_and_after_do_not_make_it_longer() {
        let minutes: Vec<_> = (0..900)
            .map(|minute| (minute, Counts::new(if (300..310).contains(&minute) { 500 } else { 1 }, 1000)))
            .collect();
        assert_eq!(of(&minutes), [Incident { from: 300, to: 310, bad: 5000 }]);
        // What is good between two bad minutes, and what fails less there, belongs to it.
        let twice: Vec<_> = (0..900)
            .map(|minute| (minute, Counts::new(if minute == 300 || minute == 320 { 500 } else { 1 }, 1000)))
            .collect();
        assert_eq!(of(&twice), [Incident { from: 300, to: 321, bad: 1019 }]);
    }

    #[test]
    fn a_quiet_service_needs_as_many_failures_as_its_alerts() {
        let objective = Objective::from_percent("99.9").unwrap();
        let quiet: Vec<_> = (0..120).map(|minute| (minute, Counts::new(u64::from(minute == 50), 1))).collect();
        assert_eq!(incidents(objective, Ratio::whole(6), 0, &quiet).len(), 1);
        assert_eq!(incidents(objective, Ratio::whole(6), 2, &quiet), []);
    }

    #[test]
    fn an_hour_that_nobody_saw_parts_two() {
        let mut minutes = traffic(500, |minute| u64::from(minute >= 100) * 100);
        minutes.retain(|(minute, _)| !(200..300).contains(minute));
        let found = of(&minutes);
        assert_eq!(found.iter().map(|one| (one.from, one.to)).collect::<Vec<_>>(), [(100, 200), (300, 500)]);
    }
}
