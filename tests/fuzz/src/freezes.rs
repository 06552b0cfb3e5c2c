//! Freezes with a recurrence of RFC 5545.

use crate::lossy;
use passerelle_server::gates::Schedule;
use time::{Duration, OffsetDateTime};

const ZONES: [&str; 6] =
    ["Europe/Paris", "UTC", "America/New_York", "Pacific/Apia", "Africa/Cairo", "Australia/Lord_Howe"];
/// 2026-01-01.
const YEAR: i64 = 1_767_225_600;

pub fn run(bytes: &[u8]) {
    let Some((head, rule)) = bytes.split_at_checked(6) else { return };
    let number = |from: usize| i64::from(u16::from_le_bytes([head[from], head[from + 1]]));
    let Ok(begin) = OffsetDateTime::from_unix_timestamp(YEAR + number(0) * 3_600) else { return };
    let schedule = Schedule {
        starts_at: begin,
        ends_at: Some(begin + Duration::minutes(number(2))),
        recurrence: Some(lossy(rule).into_owned()),
        time_zone: ZONES[usize::from(head[4]) % ZONES.len()].to_owned(),
    };
    if schedule.check().is_err() {
        return;
    }
    let from = begin + Duration::days(i64::from(head[5]));
    let Ok(windows) = schedule.windows(from, from + Duration::days(400), 100) else { return };
    assert!(windows.len() <= 100);
    for window in &windows {
        assert!(window.ends_at.is_none_or(|end| end >= window.starts_at && end > from), "{window:?}");
    }
}
