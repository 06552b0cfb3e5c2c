//! When something holds: once, until further notice, or again and again by an RFC 5545 rule.
//!
//! The crate `rrule` expands the rule on the wall clock only (as if it were UTC), and the time zone is applied here. Left to
//! itself it drops a day whose midnight does not exist in the zone, and counts hours across a change of the clocks, so that a
//! freeze "Friday 18:00 to Monday 06:00" would end at 05:00 or 07:00 once in half a year. Here a wall-clock time that does not
//! exist is the first that does, and one that exists twice is the earlier for a start and the later for an end.
//!
//! Endless rules are fine: windows are read from a moment on, at most so many, and a rule that would have to be followed for
//! more than [`MAX_OCCURRENCES`] says that it cannot tell, which its readers take as "it holds".

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use passerelle_contract::gates::FreezeWindow;
use passerelle_contract::{FieldError, Text, text};
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// Occurrences followed from the first one; 54 years of days.
const MAX_OCCURRENCES: usize = 20_000;
const MAX_RULE_CHARS: usize = 200;
const MAX_WINDOW: TimeDelta = TimeDelta::days(31);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub starts_at: OffsetDateTime,
    /// Absent: until further notice. The end of the first window when it recurs.
    pub ends_at: Option<OffsetDateTime>,
    pub recurrence: Option<String>,
    pub time_zone: String,
}

/// The windows cannot be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unclear(pub Text);

impl Schedule {
    /// # Errors
    /// Every field that is wrong.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut errors = Vec::new();
        if self.time_zone.parse::<Tz>().is_err() {
            errors.push(FieldError::new("/time_zone", text!("must be an IANA time zone such as Europe/Paris")));
        }
        if self.ends_at.is_some_and(|end| end <= self.starts_at) {
            errors.push(FieldError::new("/ends_at", text!("must be after starts_at")));
        }
        if let Some(text) = &self.recurrence {
            match self.ends_at {
                None => errors.push(FieldError::new("/ends_at", text!("must be given for a freeze that recurs"))),
                Some(_) if errors.is_empty() => errors.extend(self.check_recurrence(text).err()),
                Some(_) => {}
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn check_recurrence(&self, text: &str) -> Result<(), FieldError> {
        let wrong = |message: Text| FieldError::new("/recurrence", message);
        let rule = rule(text).map_err(wrong)?;
        let expansion = self.expansion(rule).map_err(|Unclear(message)| wrong(message))?;
        if expansion.length > MAX_WINDOW {
            return Err(FieldError::new("/ends_at", text!("a window of a freeze that recurs lasts at most 31 days")));
        }
        let first = expansion.set.limit().into_iter().next().map(|at| at.naive_utc());
        if first != Some(expansion.first) {
            let message = match first {
                Some(first) => text!(
                    "must be a time that the recurrence names; its first one from there is {first}",
                    first = first.to_string()
                ),
                None => text!("must be a time that the recurrence names; it names none"),
            };
            return Err(FieldError::new("/starts_at", message));
        }
        Ok(())
    }

    /// The windows that end after `from` and begin before `until`, the earliest first, at most so many.
    ///
    /// # Errors
    /// [`Unclear`]: the reader has to assume the worst.
    pub fn windows(
        &self,
        from: OffsetDateTime,
        until: OffsetDateTime,
        at_most: usize,
    ) -> Result<Vec<FreezeWindow>, Unclear> {
        let reaches = |window: &FreezeWindow| window.ends_at.is_none_or(|end| end > from) && window.starts_at < until;
        let Some(text) = &self.recurrence else {
            let once = FreezeWindow { starts_at: self.starts_at, ends_at: self.ends_at };
            return Ok(if reaches(&once) { vec![once] } else { Vec::new() });
        };
        let expansion = self.expansion(rule(text).map_err(Unclear)?)?;
        let mut windows = Vec::new();
        for (count, at) in expansion.set.limit().into_iter().enumerate() {
            if count >= MAX_OCCURRENCES {
                return Err(Unclear(text!("more than {max} occurrences since it began", max = MAX_OCCURRENCES)));
            }
            let wall = at.naive_utc();
            let window = FreezeWindow {
                starts_at: instant(expansion.zone, wall, Side::Start)?,
                ends_at: Some(instant(expansion.zone, wall + expansion.length, Side::End)?),
            };
            if window.starts_at >= until || windows.len() >= at_most {
                break;
            }
            if reaches(&window) {
                windows.push(window);
            }
        }
        Ok(windows)
    }

    fn expansion(&self, rule: RRule<Unvalidated>) -> Result<Expansion, Unclear> {
        let zone: Tz =
            self.time_zone.parse().map_err(|_| Unclear(text!("unknown time zone {zone}", zone = self.time_zone)))?;
        let first = wall(zone, self.starts_at)?;
        let end = self.ends_at.ok_or_else(|| Unclear(text!("a recurring window without an end")))?;
        let length = wall(zone, end)? - first;
        let rule = match rule.get_until().copied() {
            None => rule,
            // `...Z` is a moment, without Z it is the wall clock already.
            Some(until) => {
                let utc = until.timezone() == rrule::Tz::UTC;
                let until =
                    if utc { zone.from_utc_datetime(&until.naive_utc()).naive_local() } else { until.naive_local() };
                rule.until(rrule::Tz::UTC.from_utc_datetime(&until))
            }
        };
        let set = rule
            .build(rrule::Tz::UTC.from_utc_datetime(&first))
            .map_err(|error| Unclear(Text::verbatim(error.to_string())))?;
        Ok(Expansion { zone, first, length, set })
    }
}

struct Expansion {
    zone: Tz,
    first: NaiveDateTime,
    length: TimeDelta,
    set: RRuleSet,
}

/// Parses one rule and refuses what a freeze has no use for.
fn rule(text: &str) -> Result<RRule<Unvalidated>, Text> {
    let text = text.trim().trim_start_matches("RRULE:");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '=' | ';' | ',' | '+' | '-');
    if text.len() > MAX_RULE_CHARS || !text.chars().all(plain) {
        return Err(text!(
            "must be one RFC 5545 rule of at most {max} characters, such as FREQ=WEEKLY;BYDAY=FR",
            max = MAX_RULE_CHARS
        ));
    }
    let until = text.split(';').find_map(|part| part.to_ascii_uppercase().strip_prefix("UNTIL=").map(str::to_owned));
    if until.is_some_and(|until| !until.contains('T')) {
        return Err(text!("UNTIL must have a time, such as UNTIL=20261231T225959Z"));
    }
    let rule: RRule<Unvalidated> =
        text.parse().map_err(|error: rrule::RRuleError| Text::verbatim(error.to_string()))?;
    if !matches!(rule.get_freq(), Frequency::Daily | Frequency::Weekly | Frequency::Monthly | Frequency::Yearly) {
        return Err(text!("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY"));
    }
    if !(rule.get_by_hour().is_empty() && rule.get_by_minute().is_empty() && rule.get_by_second().is_empty()) {
        return Err(text!("BYHOUR, BYMINUTE and BYSECOND are not allowed: starts_at says the time of day"));
    }
    Ok(rule)
}

/// A time on the wall clock of a zone as a moment; `None` for a zone that is not known. A time that the clocks jump over is the
/// first after it, and of one that exists twice it is the earlier.
#[must_use]
pub fn moment_in(zone: &str, wall: PrimitiveDateTime) -> Option<OffsetDateTime> {
    let zone: Tz = zone.parse().ok()?;
    let wall = DateTime::from_timestamp(wall.assume_utc().unix_timestamp(), 0)?.naive_utc();
    instant(zone, wall, Side::Start).ok()
}

/// The same moment with the offset that the zone has then; in UTC for a zone that is not known.
#[must_use]
pub fn clock_in(zone: &str, at: OffsetDateTime) -> OffsetDateTime {
    let offset = || {
        let zone: Tz = zone.parse().ok()?;
        let local = DateTime::from_timestamp(at.unix_timestamp(), 0)?.with_timezone(&zone);
        UtcOffset::from_whole_seconds(local.offset().fix().local_minus_utc()).ok()
    };
    at.to_offset(offset().unwrap_or(UtcOffset::UTC))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

fn wall(zone: Tz, at: OffsetDateTime) -> Result<NaiveDateTime, Unclear> {
    let utc: DateTime<Utc> = DateTime::from_timestamp(at.unix_timestamp(), 0)
        .ok_or_else(|| Unclear(text!("{time} is out of range", time = at.to_string())))?;
    Ok(utc.with_timezone(&zone).naive_local())
}

fn instant(zone: Tz, wall: NaiveDateTime, side: Side) -> Result<OffsetDateTime, Unclear> {
    let out_of_range = || Unclear(text!("{time} is out of range", time = wall.to_string()));
    let at = match zone.from_local_datetime(&wall) {
        LocalResult::Single(at) => at,
        LocalResult::Ambiguous(earlier, later) => {
            if side == Side::Start {
                earlier
            } else {
                later
            }
        }
        LocalResult::None => first_after_gap(zone, wall).ok_or_else(out_of_range)?,
    };
    OffsetDateTime::from_unix_timestamp(at.timestamp()).map_err(|_| out_of_range())
}

/// The clocks jump over this time; gaps are a whole number of quarter hours long, a day at most (Samoa, 2011).
fn first_after_gap(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Tz>> {
    use chrono::Timelike;
    let quarter = wall.with_minute(wall.minute() / 15 * 15)?.with_second(0)?;
    (1..=100).find_map(|n| zone.from_local_datetime(&(quarter + TimeDelta::minutes(15 * n))).earliest())
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn schedule(starts_at: OffsetDateTime, ends_at: OffsetDateTime, rule: &str, zone: &str) -> Schedule {
        Schedule { starts_at, ends_at: Some(ends_at), recurrence: Some(rule.to_owned()), time_zone: zone.to_owned() }
    }

    /// Friday 18:00 to Monday 06:00 in Paris, since the start of October 2026 (summer time until the 25th).
    fn weekends() -> Schedule {
        schedule(
            datetime!(2026-10-02 16:00 UTC),
            datetime!(2026-10-05 04:00 UTC),
            "FREQ=WEEKLY;BYDAY=FR",
            "Europe/Paris",
        )
    }

    #[test]
    fn a_weekend_keeps_its_wall_clock_over_the_change_of_the_clocks() {
        let weekends = weekends();
        weekends.check().unwrap();
        let found = weekends.windows(datetime!(2026-10-20 00:00 UTC), datetime!(2026-11-10 00:00 UTC), 10).unwrap();
        // The clocks go back in the night to the 25th: 18:00 is 16:00 UTC before, and 06:00 is 05:00 UTC after.
        assert_eq!(found[0].starts_at, datetime!(2026-10-23 16:00 UTC));
        assert_eq!(found[0].ends_at, Some(datetime!(2026-10-26 05:00 UTC)));
        assert_eq!(found[1].starts_at, datetime!(2026-10-30 17:00 UTC));
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn an_endless_rule_is_read_from_far_away_and_bounded() {
        let far = datetime!(2046-06-01 00:00 UTC);
        let found = weekends().windows(far, far + time::Duration::days(365), 5).unwrap();
        assert_eq!(found.len(), 5);
        assert!(found[0].ends_at.unwrap() > far);
        let daily = schedule(datetime!(1970-01-02 00:00 UTC), datetime!(1970-01-02 01:00 UTC), "FREQ=DAILY", "UTC");
        assert!(daily.windows(far, far + time::Duration::days(1), 1).is_err(), "it must not pretend to know");
    }

    #[test]
    fn a_midnight_that_does_not_exist_is_not_skipped() {
        // In Santiago the clocks jump from 00:00 to 01:00 on 2026-09-06.
        let nights = schedule(
            datetime!(2026-09-01 04:00 UTC),
            datetime!(2026-09-01 10:00 UTC),
            "FREQ=DAILY",
            "America/Santiago",
        );
        let found = nights.windows(datetime!(2026-09-06 00:00 UTC), datetime!(2026-09-06 12:00 UTC), 5).unwrap();
        assert_eq!(found[0].starts_at, datetime!(2026-09-06 04:00 UTC), "{found:?}");
        assert_eq!(found[0].ends_at, Some(datetime!(2026-09-06 09:00 UTC)));
    }

    #[test]
    fn until_is_read_in_its_zone_and_count_ends() {
        let until = "FREQ=DAILY;UNTIL=20261003T160000Z";
        let days = schedule(datetime!(2026-10-02 16:00 UTC), datetime!(2026-10-02 17:00 UTC), until, "Europe/Paris");
        let all = (datetime!(2026-10-01 00:00 UTC), datetime!(2027-10-01 00:00 UTC));
        assert_eq!(days.windows(all.0, all.1, 10).unwrap().len(), 2);
        let counted = Schedule { recurrence: Some("RRULE:FREQ=MONTHLY;COUNT=3".into()), ..days };
        counted.check().unwrap();
        assert_eq!(counted.windows(all.0, all.1, 10).unwrap().len(), 3);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_field() {
        let refused = |schedule: Schedule| schedule.check().unwrap_err()[0].pointer.clone();
        let with = |rule: &str| Schedule { recurrence: Some(rule.to_owned()), ..weekends() };
        for rule in [
            "FREQ=MINUTELY",
            "FREQ=WEEKLY;BYHOUR=3",
            "FREQ=FORTNIGHTLY",
            "",
            "FREQ=DAILY\nRDATE:20260101T000000Z",
            "FREQ=DAILY;UNTIL=20270101",
            "FREQ=DAILY;INTERVAL=0;COUNT=99999999999",
            &"FREQ=DAILY;".repeat(40),
        ] {
            assert_eq!(refused(with(rule)), "/recurrence", "{rule}");
        }
        assert_eq!(refused(with("FREQ=WEEKLY;BYDAY=MO")), "/starts_at", "the first window must be one of the rule's");
        assert_eq!(refused(with("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")), "/starts_at", "never");
        assert_eq!(refused(Schedule { time_zone: "Paris".into(), ..weekends() }), "/time_zone");
        assert_eq!(refused(Schedule { ends_at: None, ..weekends() }), "/ends_at");
        assert_eq!(refused(Schedule { ends_at: Some(weekends().starts_at), ..weekends() }), "/ends_at");
        assert_eq!(refused(Schedule { ends_at: Some(datetime!(2026-12-02 16:00 UTC)), ..weekends() }), "/ends_at");
    }

    #[test]
    fn a_wall_clock_and_its_moment() {
        let wall = datetime!(2026-11-21 18:00);
        let at = moment_in("Europe/Paris", wall).unwrap();
        assert_eq!(at, datetime!(2026-11-21 17:00 UTC));
        assert_eq!(clock_in("Europe/Paris", at).hour(), 18);
        assert_eq!(moment_in("Europe/Paris", datetime!(2027-03-28 02:30)).unwrap(), datetime!(2027-03-28 01:00 UTC));
        assert_eq!((moment_in("Paris", wall), clock_in("Paris", at).hour()), (None, 17));
    }
}
