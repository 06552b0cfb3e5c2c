//! Durations as OpenSLO writes them: a number and one of `m h d w M Q Y`, where `m` is a minute and `M` a month.

use passerelle_contract::{Text, text};
use passerelle_slo_math::Unit;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A duration that has the same length wherever it is laid: no months.
///
/// # Errors
/// What is allowed.
pub fn seconds(text: &str) -> Result<u64, Text> {
    let (count, unit) = split(text)?;
    let unit = match unit {
        's' => 1,
        'm' => MINUTE,
        'h' => HOUR,
        'd' => DAY,
        'w' => 7 * DAY,
        'M' => 30 * DAY,
        'Q' => 90 * DAY,
        'Y' => 365 * DAY,
        _ => return Err(refused(text)),
    };
    Ok(u64::from(count) * unit)
}

/// A duration of whole calendar units.
///
/// # Errors
/// What is allowed.
pub fn calendar(text: &str) -> Result<(u32, Unit), Text> {
    let (count, unit) = split(text)?;
    let unit = match unit {
        'd' => Unit::Day,
        'w' => Unit::Week,
        'M' => Unit::Month,
        'Q' => Unit::Quarter,
        'Y' => Unit::Year,
        _ => {
            return Err(text!(
                "'{text}' is not a calendar period: use d, w, M, Q or Y, for example 1M for a month",
                text
            ));
        }
    };
    Ok((count, unit))
}

fn split(text: &str) -> Result<(u32, char), Text> {
    let unit = text.chars().last().ok_or_else(|| refused(text))?;
    let digits = &text[..text.len() - unit.len_utf8()];
    let count = digits.parse().ok().filter(|count| (1..=100_000).contains(count) && !digits.starts_with('+'));
    count.map(|count| (count, unit)).ok_or_else(|| refused(text))
}

fn refused(text: &str) -> Text {
    text!("'{text}' is not a duration such as 5m, 1h, 7d, 4w, 1M, 1Q or 1Y", text)
}

/// As Prometheus writes it, in the largest unit that fits: `30m`, `6h`, `3d`.
#[must_use]
pub fn short(seconds: u64) -> String {
    match seconds {
        s if s > 0 && s % DAY == 0 => format!("{}d", s / DAY),
        s if s > 0 && s % HOUR == 0 => format!("{}h", s / HOUR),
        s if s > 0 && s % MINUTE == 0 => format!("{}m", s / MINUTE),
        s => format!("{s}s"),
    }
}

/// As [`calendar`] reads it.
#[must_use]
pub fn calendar_text(count: u32, unit: Unit) -> String {
    let unit = match unit {
        Unit::Day => 'd',
        Unit::Week => 'w',
        Unit::Month => 'M',
        Unit::Quarter => 'Q',
        Unit::Year => 'Y',
    };
    format!("{count}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_m_is_a_minute_and_a_large_one_a_month() {
        assert_eq!((seconds("1m"), seconds("1M"), seconds("4w")), (Ok(60), Ok(30 * DAY), Ok(28 * DAY)));
        assert_eq!(calendar("3M"), Ok((3, Unit::Month)));
        assert!(calendar("1h").is_err());
        for bad in ["", "30", "d", "-1d", "+1d", "1.5h", "0d", "1 d", "1jour", "999999999d"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
        assert_eq!([300, 21_600, 259_200, 90, 0].map(short), ["5m", "6h", "3d", "90s", "0s"]);
    }
}
