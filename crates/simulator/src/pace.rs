//! How fast simulated time passes.

use time::{Duration, OffsetDateTime};

/// Divides every simulated delay. Time stamps stay those of the machine's clock, so that clients can compare them with theirs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pace {
    speed: f64,
}

impl Pace {
    pub(crate) fn new(speed: f64) -> Self {
        Self { speed: if speed.is_finite() && speed > 0.0 { speed } else { 1.0 } }
    }

    /// `seconds` of simulated time, in real time.
    pub(crate) fn seconds(self, seconds: f64) -> Duration {
        Duration::seconds_f64(seconds / self.speed)
    }
}

/// RFC 3339 with seconds, as Kubernetes writes times.
pub(crate) fn stamp(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// RFC 3339 with nanoseconds, as the Docker Engine and Cloud Run write times.
pub(crate) fn stamp_nanos(at: OffsetDateTime) -> String {
    let whole = stamp(at);
    format!("{}.{:09}Z", whole.trim_end_matches('Z'), at.nanosecond())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn stamps_are_utc() {
        let at = datetime!(2026-03-01 12:30:05.25 +02:00);
        assert_eq!(stamp(at), "2026-03-01T10:30:05Z");
        assert_eq!(stamp_nanos(at), "2026-03-01T10:30:05.250000000Z");
    }

    #[test]
    fn a_speed_that_makes_no_sense_is_real_time() {
        assert_eq!(Pace::new(0.0).seconds(2.0), Duration::seconds(2));
        assert_eq!(Pace::new(4.0).seconds(2.0), Duration::milliseconds(500));
    }
}
