//! How many requests a service gets in a minute, and how they go: by day and night, with errors, slowness and incidents.

use crate::world::{IncidentWorld, TrafficWorld};

/// Upper bounds of the histogram, in seconds as they are written.
const BOUNDS: [&str; 13] = ["0.05", "0.1", "0.2", "0.25", "0.3", "0.4", "0.5", "0.8", "1", "2", "2.5", "5", "+Inf"];
const DAY: i64 = 1440;

/// One series of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Series {
    /// `http_requests_total`, good or bad.
    Requests { bad: bool },
    /// `http_request_duration_seconds_bucket`, by its place in [`BOUNDS`].
    Faster(usize),
    /// `http_request_duration_seconds_count`
    All,
    /// `up`
    Up,
}

#[derive(Debug)]
pub(super) struct Traffic {
    name: String,
    world: TrafficWorld,
    seed: u64,
}

impl Traffic {
    pub fn new(name: &str, world: &TrafficWorld, seed: u64) -> Self {
        let seed = name.bytes().fold(seed, |seed, byte| mixed(seed ^ u64::from(byte)));
        Self { name: name.to_owned(), world: world.clone(), seed }
    }

    pub fn series(&self, metric: &str) -> Vec<Series> {
        match metric {
            "http_requests_total" => vec![Series::Requests { bad: false }, Series::Requests { bad: true }],
            "http_request_duration_seconds_bucket" => (0..BOUNDS.len()).map(Series::Faster).collect(),
            "http_request_duration_seconds_count" => vec![Series::All],
            "up" => vec![Series::Up],
            _ => Vec::new(),
        }
    }

    pub fn labels(&self, series: &Series) -> Vec<(String, String)> {
        let mut labels = vec![("service", self.name.as_str()), ("job", "services"), ("instance", "simulated")];
        match series {
            Series::Requests { bad } => labels.push(("code", if *bad { "500" } else { "200" })),
            Series::Faster(bound) => labels.push(("le", BOUNDS[*bound])),
            Series::All | Series::Up => {}
        }
        labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Events of the minute since 1970.
    pub fn events(&self, series: &Series, minute: i64) -> u64 {
        let requests = self.requests(minute);
        match series {
            Series::Up => 1,
            Series::All => requests,
            Series::Requests { bad } => {
                let failed = self.failed(minute, requests);
                if *bad { failed } else { requests - failed }
            }
            Series::Faster(bound) => self.faster(minute, requests, BOUNDS[*bound]),
        }
    }

    /// More by day than by night, fewer at weekends, and never quite the same.
    fn requests(&self, minute: i64) -> u64 {
        let of_day = minute.rem_euclid(DAY) as f64 / DAY as f64;
        // Least at four in the morning.
        let wave = 0.5 - 0.5 * ((of_day - 4.0 / 24.0) * std::f64::consts::TAU).cos();
        let day = self.world.night + (1.0 - self.world.night) * wave;
        // 1 January 1970 was a Thursday.
        let weekend = (minute.div_euclid(DAY) + 3).rem_euclid(7) >= 5;
        let week = if weekend { 0.7 } else { 1.0 };
        let rough = 0.9 + 0.2 * self.chance(minute, 1);
        (self.world.per_minute * day * week * rough).round().max(0.0) as u64
    }

    fn failed(&self, minute: i64, requests: u64) -> u64 {
        let incident = self.incident(minute).map_or(0.0, |incident| incident.errors_percent);
        let share = (self.world.errors_percent + incident) / 100.0;
        self.part(minute, requests, share, 2)
    }

    /// Durations are spread log-logistically around the median.
    fn faster(&self, minute: i64, requests: u64, bound: &str) -> u64 {
        let Ok(bound) = bound.parse::<f64>() else { return requests };
        if bound.is_infinite() {
            return requests;
        }
        let slower = self.incident(minute).map_or(1.0, |incident| incident.slower);
        let share = 1.0 / (1.0 + (self.world.median_ms * slower / (bound * 1000.0)).powf(self.world.steepness));
        self.part(minute, requests, share, 3)
    }

    /// A share of the requests; what is left of a whole one comes as often as it should.
    fn part(&self, minute: i64, requests: u64, share: f64, dice: u64) -> u64 {
        ((requests as f64 * share + self.chance(minute, dice)).floor() as u64).min(requests)
    }

    /// Each kind of incident comes once in so many days, at a time of its own.
    fn incident(&self, minute: i64) -> Option<&IncidentWorld> {
        let mut kinds = self.world.incidents.iter().zip(10_u64..);
        kinds.find_map(|(incident, dice)| {
            let stretch = (incident.every_days * DAY).max(1);
            let begin =
                ((stretch - incident.minutes).max(1) as f64 * self.chance(minute.div_euclid(stretch), dice)) as i64;
            let at = minute.rem_euclid(stretch);
            (begin..begin + incident.minutes).contains(&at).then_some(incident)
        })
    }

    /// From 0 to 1, the same for the same minute.
    fn chance(&self, minute: i64, dice: u64) -> f64 {
        let bits = mixed(self.seed ^ mixed(minute.cast_unsigned() ^ (dice << 56)));
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Steele, Lea and Flood's finaliser: neighbouring numbers become unrelated ones.
const fn mixed(seed: u64) -> u64 {
    let a = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic() -> Traffic {
        let incident = IncidentWorld { every_days: 5, minutes: 30, errors_percent: 20.0, slower: 4.0 };
        let world = TrafficWorld {
            per_minute: 600.0,
            night: 0.25,
            errors_percent: 0.05,
            median_ms: 120.0,
            steepness: 3.0,
            incidents: vec![incident],
        };
        Traffic::new("web", &world, 7)
    }

    #[test]
    fn a_minute_always_has_the_same_figures() {
        let (a, b) = (traffic(), traffic());
        for minute in 29_000_000..29_000_500 {
            let bad = Series::Requests { bad: true };
            assert_eq!(a.events(&bad, minute), b.events(&bad, minute));
            let good = a.events(&Series::Requests { bad: false }, minute);
            assert_eq!(good + a.events(&bad, minute), a.events(&Series::All, minute));
        }
    }

    #[test]
    fn errors_and_incidents_are_as_many_as_told() {
        let traffic = traffic();
        let month = 29_000_000..29_000_000 + 30 * DAY;
        let total: u64 = month.clone().map(|minute| traffic.events(&Series::All, minute)).sum();
        let bad: u64 = month.clone().map(|minute| traffic.events(&Series::Requests { bad: true }, minute)).sum();
        let hit = month.filter(|minute| traffic.incident(*minute).is_some()).count();
        assert!((150..=210).contains(&hit), "{hit} minutes of incidents");
        let share = bad as f64 / total as f64;
        assert!((0.000_6..0.002_5).contains(&share), "{share}");
    }

    #[test]
    fn buckets_never_shrink() {
        let traffic = traffic();
        let counts: Vec<u64> =
            (0..BOUNDS.len()).map(|bound| traffic.events(&Series::Faster(bound), 29_000_100)).collect();
        assert!(counts.is_sorted());
        assert_eq!(counts.last().copied(), Some(traffic.events(&Series::All, 29_000_100)));
    }
}
