//! The worked values of the specification, to the last digit, and further ones computed by hand.

#![expect(clippy::unwrap_used, reason = "tests")]

use passerelle_slo_math::{Budget, Counts, Objective, Period, Ratio, burn_rate, naive_seconds_left};
use proptest::prelude::*;

const DAY: u64 = 86_400;

struct Worked {
    objective: Objective,
    days: u64,
    bad: u64,
    total: u64,
    last_hour: (u64, u64),
}

impl Worked {
    fn budget(&self) -> Budget {
        Budget::new(self.objective, Counts::new(self.bad, self.total))
    }

    fn burn(&self) -> Ratio {
        burn_rate(self.objective, Counts::new(self.last_hour.0, self.last_hour.1))
    }

    fn seconds_left(&self) -> Option<u64> {
        naive_seconds_left(self.budget().remaining(), self.days * DAY, self.burn())
    }
}

fn percent(text: &str) -> Objective {
    Objective::from_percent(text).unwrap()
}

#[test]
fn one_availability() {
    let worked =
        Worked { objective: percent("99.9"), days: 30, bad: 12_960, total: 43_200_000, last_hour: (90, 60_000) };
    assert_eq!(worked.budget().allowed(), Ratio::whole(43_200));
    assert_eq!(worked.budget().allowed_seconds(30 * DAY), Ratio::whole(2592), "43.2 min");
    assert_eq!(worked.budget().remaining().decimal(6), "0.700000");
    assert_eq!(worked.budget().left(), Ratio::whole(30_240));
    assert_eq!(worked.burn().decimal(1), "1.5");
    assert_eq!(worked.seconds_left(), Some(336 * 3600));
}

#[test]
fn two_latency() {
    let worked =
        Worked { objective: percent("95"), days: 7, bad: 302_400, total: 10_080_000, last_hour: (9_000, 60_000) };
    assert_eq!(worked.budget().allowed(), Ratio::whole(504_000));
    assert_eq!(worked.budget().remaining().decimal(6), "0.400000");
    assert_eq!(worked.burn(), Ratio::whole(3));
    assert_eq!(worked.seconds_left(), Some(80_640), "22.4 h");
}

#[test]
fn three_exactly_nothing_is_left() {
    let objective = Objective::from_bad_percent("0.1").unwrap();
    let worked = Worked { objective, days: 30, bad: 8_640, total: 8_640_000, last_hour: (1, 1_000) };
    assert_eq!(worked.budget().allowed(), Ratio::whole(8_640));
    assert_eq!(worked.budget().remaining(), Ratio::ZERO);
    assert!(worked.budget().is_exhausted());
    assert_eq!(worked.burn(), Ratio::ONE);
    assert_eq!(worked.seconds_left(), Some(0));
    // What the same sum says in doubles, and why there are none here.
    let doubles = 1.0 - (8_640.0 / 8_640_000.0) / (1.0 - 0.999);
    assert!(doubles > 0.0);
    let one_less = Budget::new(objective, Counts::new(8_639, 8_640_000));
    assert!(!one_less.is_exhausted());
}

#[test]
fn four_overspent() {
    let worked = Worked { objective: percent("99.5"), days: 30, bad: 6_250, total: 1_000_000, last_hour: (20, 1_000) };
    assert_eq!(worked.budget().allowed(), Ratio::whole(5_000));
    assert_eq!(worked.budget().remaining().decimal(6), "-0.250000");
    assert_eq!(worked.burn(), Ratio::whole(4));
    assert_eq!(worked.seconds_left(), Some(0));
}

#[test]
fn five_total_outage() {
    // Uniform traffic of 100 events a second, 20 minutes of them all bad.
    let total = 30 * DAY * 100;
    let worked = Worked { objective: percent("99.9"), days: 30, bad: 20 * 60 * 100, total, last_hour: (100, 100) };
    assert_eq!(worked.budget().remaining().decimal(6), "0.537037");
    assert_eq!(worked.burn(), Ratio::whole(1000));
    assert_eq!(worked.seconds_left(), Some(1392), "23.2 min");
}

#[test]
fn further_values() {
    for (objective, bad, total, remaining, burn) in [
        ("99.95", 1, 3, "-665.666667", "666.666667"),
        ("99.99", 50, 1_000_000, "0.500000", "0.500000"),
        ("90", 0, 7, "1.000000", "0.000000"),
        ("99.9999999", 1, 1_000_000_000, "0.000000", "1.000000"),
        ("99", 1, 1, "-99.000000", "100.000000"),
        ("0.5", 99, 100, "0.005025", "0.994975"),
    ] {
        let budget = Budget::new(percent(objective), Counts::new(bad, total));
        assert_eq!(budget.remaining().decimal(6), remaining, "{objective} {bad}/{total}");
        assert_eq!(budget.consumed().decimal(6), burn, "{objective} {bad}/{total}");
    }
}

#[test]
fn no_traffic_burns_nothing() {
    let budget = Budget::new(percent("99.9"), Counts::ZERO);
    assert_eq!((budget.remaining(), budget.allowed(), budget.error_ratio()), (Ratio::ONE, Ratio::ZERO, None));
    assert!(!budget.is_exhausted());
    assert!(Budget::new(percent("99.9"), Counts::new(1, 0)).is_exhausted(), "failures without traffic are not free");
}

/// Day and night traffic, with the incident at night: events say +0.403, the mean of five-minute ratios says -5.94.
#[test]
fn uneven_traffic_counts_events_and_not_slices() {
    let slices = 30 * 288;
    let counts: Counts = (0..slices)
        .map(|slice| {
            let night = slice % 288 < 144;
            let total = if night { 8_602 } else { 191_398 };
            // Five hours of the tenth night.
            let bad = if (9 * 288..9 * 288 + 60).contains(&slice) { 8_597 } else { 0 };
            Counts::new(bad, total)
        })
        .sum();
    let budget = Budget::new(percent("99.9"), counts);
    assert_eq!(budget.remaining().decimal(3), "0.403");
    let mean = Ratio::new(60 * 8_597, 8_602 * i128::from(slices));
    let averaged = Ratio::ONE.minus(mean.times(Ratio::whole(1000)));
    assert_eq!(averaged.decimal(2), "-5.94");
}

#[test]
fn a_rolling_period_ends_now() {
    let period = Period::Rolling { seconds: 7 * DAY };
    let window = period.at(1_000_000_000);
    assert_eq!((window.seconds(), window.to), (7 * DAY, 1_000_000_000));
    assert_eq!(period.so_far(1_000_000_000), window);
}

proptest! {
    /// Exhaustion is the integer comparison `bad >= B * total`, whatever the size.
    #[test]
    fn exhaustion_agrees_with_integers(places in 0_u32..7, nines in 1_u64..10_000_000, bad in 0..u64::MAX / 2, total in 1..u64::MAX / 2) {
        let scale = 10_u64.pow(places);
        let hundredths = (nines % (100 * scale)).max(1);
        let text = format!("{}.{:0width$}", hundredths / scale, hundredths % scale, width = places.max(1) as usize);
        let text = if places == 0 { (hundredths / scale).to_string() } else { text };
        let objective = Objective::from_percent(&text).unwrap();
        let of = u128::from(100 * scale);
        let allowed = of - u128::from(hundredths);
        let exhausted = u128::from(bad) * of >= allowed * u128::from(total);
        prop_assert_eq!(Budget::new(objective, Counts::new(bad, total)).is_exhausted(), exhausted, "{}", text);
    }

    #[test]
    fn one_more_failure_never_helps(bad in 0_u64..1_000_000, total in 1_u64..1_000_000) {
        let budget = |bad| Budget::new(percent("99.9"), Counts::new(bad, total));
        prop_assert!(budget(bad + 1).remaining() < budget(bad).remaining());
        prop_assert_eq!(budget(bad).remaining().plus(budget(bad).consumed()), Ratio::ONE);
    }

    /// The unit of the counts does not matter.
    #[test]
    fn thousandths_of_events_say_the_same(bad in 0_u64..1_000_000, total in 1_u64..1_000_000) {
        let whole = Budget::new(percent("99.7"), Counts::new(bad, total));
        let parts = Budget::new(percent("99.7"), Counts::new(bad * 1000, total * 1000));
        prop_assert_eq!(whole.remaining(), parts.remaining());
    }
}
