//! Times in the objects of a world, told from its start (`now+61d`, `now-3h`): a certificate with a fixed end would be over in a demo that
//! somebody starts next year.

use crate::pace::stamp;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// Puts the time in the place of every text that tells one.
pub(crate) fn resolve(value: &mut Value, now: OffsetDateTime) {
    match value {
        Value::String(text) => {
            if let Some(away) = away(text) {
                *text = stamp(now + away);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, now)),
        Value::Object(fields) => fields.values_mut().for_each(|field| resolve(field, now)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn away(text: &str) -> Option<Duration> {
    let rest = text.strip_prefix("now")?;
    let unit = if rest.ends_with('d') { Duration::DAY } else { Duration::HOUR };
    let number: i32 = rest.strip_suffix(['d', 'h'])?.parse().ok()?;
    rest.starts_with(['+', '-']).then_some(unit * number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use time::macros::datetime;

    #[test]
    fn only_texts_that_tell_a_time_are_replaced() {
        let mut object = json!({"status": {"notAfter": "now+61d", "conditions": [{"at": "now-3h"}]},
            "kept": ["now", "now+", "now+d", "now61d", "nowhere", "now+1x", 3]});
        let kept = object["kept"].clone();
        resolve(&mut object, datetime!(2026-11-21 12:00 UTC));
        assert_eq!(object["status"]["notAfter"], "2027-01-21T12:00:00Z");
        assert_eq!(object["status"]["conditions"][0]["at"], "2026-11-21T09:00:00Z");
        assert_eq!(object["kept"], kept);
    }
}
