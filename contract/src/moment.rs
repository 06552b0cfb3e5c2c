//! Moments as they are taken: RFC 3339, and in a year that the database, and every zone they are shown in, can write.

use crate::text;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use time::serde::rfc3339;
use time::{OffsetDateTime, UtcOffset};

pub use time::serde::rfc3339::serialize;

/// In UTC, from the year 1 to the year 9998; none when it is outside. An hour in the calendar may be outside of it in UTC.
#[must_use]
pub fn within(at: OffsetDateTime) -> Option<OffsetDateTime> {
    at.checked_to_offset(UtcOffset::UTC).filter(|at| (1..=9998).contains(&at.year()))
}

/// # Errors
/// When it is no RFC 3339, or outside.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
    checked(rfc3339::deserialize(deserializer)?)
}

fn checked<E: Error>(at: OffsetDateTime) -> Result<OffsetDateTime, E> {
    within(at).ok_or_else(|| E::custom(text!("is not between the years 1 and 9998, in UTC")))
}

/// The same for what may be absent.
pub mod option {
    use super::{Deserialize, Deserializer, OffsetDateTime, checked, rfc3339};

    pub use time::serde::rfc3339::option::serialize;

    #[derive(Deserialize)]
    struct Given(#[serde(with = "rfc3339::option")] Option<OffsetDateTime>);

    /// # Errors
    /// As [`super::deserialize`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<OffsetDateTime>, D::Error> {
        Given::deserialize(deserializer)?.0.map(checked).transpose()
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use time::OffsetDateTime;

    #[derive(Deserialize)]
    struct Asked {
        #[serde(with = "super")]
        at: OffsetDateTime,
        #[serde(with = "super::option", default)]
        until: Option<OffsetDateTime>,
    }

    fn read(at: &str, until: &str) -> Result<Asked, String> {
        serde_json::from_str(&format!(r#"{{"at": "{at}", "until": {until}}}"#)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_moment_has_to_be_in_the_calendar_in_utc_too() {
        let asked = read("2026-11-22T10:00:00+02:00", "null").unwrap();
        assert_eq!((asked.at.hour(), asked.until), (8, None));
        assert!(read("0001-01-01T00:00:00Z", "\"9998-12-31T23:59:59Z\"").unwrap().until.is_some());
        for outside in
            ["0000-06-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-01-01T00:00:00Z"]
        {
            assert!(read(outside, "null").is_err_and(|why| why.contains("9998")), "{outside}");
            assert!(read("2026-11-22T10:00:00Z", &format!("\"{outside}\"")).is_err(), "{outside}");
        }
        assert!(read("tomorrow", "null").is_err());
    }
}
