//! Numbers, dates and durations as each language writes them.

use super::{Locale, T};
use time::{Date, Month, OffsetDateTime, Weekday, format_description::well_known::Rfc3339};

const EN_MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const FR_MONTHS: [&str; 12] =
    ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."];
const EN_MONTHS_LONG: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const FR_MONTHS_LONG: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const EN_DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const FR_DAYS: [&str; 7] = ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."];

impl T {
    /// Whether a number takes the singular: French counts 0 as one.
    pub(crate) const fn is_one(self, n: u64) -> bool {
        matches!((self.0, n), (_, 1) | (Locale::Fr, 0))
    }

    /// Thousands separated: `12,345` or `12 345` (narrow no-break space).
    #[must_use]
    pub fn number(self, n: u64) -> String {
        let digits = n.to_string();
        let separator = match self.0 {
            Locale::En => ',',
            Locale::Fr => '\u{202f}',
        };
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                out.push(separator);
            }
            out.push(digit);
        }
        out
    }

    /// A number with so many decimals: `1,234.5` or `1 234,5`, with a true minus sign.
    #[must_use]
    pub fn decimal(self, value: f64, places: usize) -> String {
        let text = format!("{:.places$}", value.abs());
        let (whole, part) = text.split_once('.').unwrap_or((text.as_str(), ""));
        let nothing = text.chars().all(|c| matches!(c, '0' | '.'));
        let sign = if value < 0.0 && !nothing { "\u{2212}" } else { "" };
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), |n| self.number(n));
        let point = match self.0 {
            Locale::En => '.',
            Locale::Fr => ',',
        };
        if part.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}{point}{part}") }
    }

    /// A count, with at most three decimals and none when it is whole.
    #[must_use]
    pub fn amount(self, value: f64) -> String {
        let text = self.decimal(value, 3);
        // Three decimals were asked for, so there is a point.
        text.trim_end_matches('0').trim_end_matches(['.', ',']).to_owned()
    }

    /// A share as a percentage: `72.0 %`.
    #[must_use]
    pub fn percent(self, share: f64, places: usize) -> String {
        format!("{}\u{a0}%", self.decimal(share * 100.0, places))
    }

    /// How many times faster than evenly: `1.5×`.
    #[must_use]
    pub fn times(self, burn: f64) -> String {
        format!("{}×", self.decimal(burn, if burn >= 100.0 { 0 } else { 1 }))
    }

    /// `21 Nov`.
    #[must_use]
    pub fn day(self, at: OffsetDateTime) -> String {
        let at = at.to_offset(time::UtcOffset::UTC);
        format!("{} {}", at.day(), self.month(at.month()))
    }

    fn month(self, month: Month) -> &'static str {
        let index = usize::from(u8::from(month)) - 1;
        match self.0 {
            Locale::En => EN_MONTHS[index],
            Locale::Fr => FR_MONTHS[index],
        }
    }

    /// `21 Nov 2026, 04:50 UTC`.
    #[must_use]
    pub fn date_time(self, at: OffsetDateTime) -> String {
        let at = at.to_offset(time::UtcOffset::UTC);
        format!("{} {} {}, {:02}:{:02} UTC", at.day(), self.month(at.month()), at.year(), at.hour(), at.minute())
    }

    /// In the offset that the moment has: `Sat 21 Nov 2026, 18:00`.
    #[must_use]
    pub fn clock(self, at: OffsetDateTime) -> String {
        let (day, month) = (self.weekday(at.weekday()), self.month(at.month()));
        format!("{day} {} {month} {}, {:02}:{:02}", at.day(), at.year(), at.hour(), at.minute())
    }

    /// `November 2026`.
    #[must_use]
    pub fn month_of(self, date: Date) -> String {
        let index = usize::from(u8::from(date.month())) - 1;
        let name = match self.0 {
            Locale::En => EN_MONTHS_LONG[index],
            Locale::Fr => FR_MONTHS_LONG[index],
        };
        format!("{name} {}", date.year())
    }

    /// `Mon`, `lun.`
    #[must_use]
    pub fn weekday(self, day: Weekday) -> &'static str {
        let index = usize::from(day.number_days_from_monday());
        match self.0 {
            Locale::En => EN_DAYS[index],
            Locale::Fr => FR_DAYS[index],
        }
    }

    /// The largest unit of a duration in seconds: `40 s`, `12 min`, `2 h`, `3 d`, `5 wk`, `2 y`.
    #[must_use]
    pub fn age(self, seconds: i64) -> String {
        let s = seconds.max(0);
        let (n, en, fr) = match s {
            0..60 => (s, "s", "s"),
            60..3_600 => (s / 60, "min", "min"),
            3_600..86_400 => (s / 3_600, "h", "h"),
            86_400..1_209_600 => (s / 86_400, "d", "j"),
            1_209_600..31_536_000 => (s / 604_800, "wk", "sem."),
            _ => (s / 31_536_000, "y", "ans"),
        };
        let unit = match self.0 {
            Locale::En => en,
            Locale::Fr => fr,
        };
        format!("{n}\u{a0}{unit}")
    }

    /// An elapsed time to the second: `8 s`, `2 min 05 s`, `1 h 02 min`.
    #[must_use]
    pub fn elapsed(self, seconds: i64) -> String {
        let s = seconds.max(0);
        match s {
            0..60 => format!("{s}\u{a0}s"),
            60..3_600 => format!("{}\u{a0}min {:02}\u{a0}s", s / 60, s % 60),
            _ => format!("{}\u{a0}h {:02}\u{a0}min", s / 3_600, s % 3_600 / 60),
        }
    }

    /// `2 h ago`, `il y a 2 h`.
    #[must_use]
    pub fn ago(self, seconds: i64) -> String {
        if seconds < 5 {
            return self.just_now().to_owned();
        }
        let age = self.age(seconds);
        match self.0 {
            Locale::En => format!("{age} ago"),
            Locale::Fr => format!("il y a {age}"),
        }
    }
}

/// RFC 3339 to the second, in UTC.
#[must_use]
pub fn iso(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).replace_nanosecond(0).unwrap_or(at).format(&Rfc3339).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_the_largest_unit() {
        let (en, fr) = (T(Locale::En), T(Locale::Fr));
        assert_eq!(en.age(59), "59\u{a0}s");
        assert_eq!(en.age(3_600 * 26), "1\u{a0}d");
        assert_eq!(fr.age(3_600 * 50), "2\u{a0}j");
        assert_eq!(en.elapsed(125), "2\u{a0}min 05\u{a0}s");
        assert_eq!(fr.ago(7_200), "il y a 2\u{a0}h");
        assert_eq!(en.ago(-5), "just now");
    }

    #[test]
    fn numbers_are_written_as_the_language_does() {
        let (en, fr) = (T(Locale::En), T(Locale::Fr));
        assert_eq!(en.decimal(-1_234.56, 1), "\u{2212}1,234.6");
        assert_eq!(fr.percent(-0.25, 1), "\u{2212}25,0\u{a0}%");
        assert_eq!((en.amount(43_200.0), fr.amount(0.5)), ("43,200".to_owned(), "0,5".to_owned()));
        assert_eq!(
            (en.amount(0.0), en.decimal(-0.001, 1), en.times(1000.0)),
            ("0".into(), "0.0".into(), "1,000×".into())
        );
    }

    #[test]
    fn times_name_their_zone() {
        let at = OffsetDateTime::from_unix_timestamp(1_795_236_600).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        assert!(T(Locale::Fr).date_time(at).ends_with("UTC"));
        assert!(iso(at).ends_with('Z'));
    }
}
