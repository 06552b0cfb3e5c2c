//! The fields of a freeze's form: what stands in them, and what was typed into them.

use super::freeze::usual_rules;
use crate::i18n::T;
use crate::web::Fields;
use passerelle_contract::gates::{FreezeIn, FreezeOut, FreezeScope};
use passerelle_contract::{FieldError, moment};
use passerelle_server::gates::{clock_in, moment_in};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, PrimitiveDateTime};

/// The key of a rule that is none of the usual ones.
pub const CUSTOM: &str = "custom";

/// The fields of a freeze that exists.
pub fn fields_of(t: T, freeze: &FreezeOut) -> Fields {
    let zone = &freeze.time_zone;
    let known = |rule: &str| usual_rules(t).into_iter().find(|(_, _, text)| *text == rule).map(|(key, _, _)| key);
    let (repeat, rule) = match freeze.recurrence.as_deref() {
        None => ("", ""),
        Some(rule) => known(rule).map_or((CUSTOM, rule), |key| (key, "")),
    };
    [
        ("title", freeze.title.clone()),
        ("scope_kind", freeze.scope.kind().to_owned()),
        ("scope", freeze.scope.value().to_owned()),
        ("starts_at", typed(zone, freeze.starts_at)),
        ("ends_at", freeze.ends_at.map(|at| typed(zone, at)).unwrap_or_default()),
        ("time_zone", zone.clone()),
        ("repeats", repeat.to_owned()),
        ("recurrence", rule.to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// As an input of the type `datetime-local` writes it.
fn typed(zone: &str, at: OffsetDateTime) -> String {
    let at = clock_in(zone, at);
    format!("{:04}-{:02}-{:02}T{:02}:{:02}", at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute())
}

fn wall(text: &str) -> Option<PrimitiveDateTime> {
    let seconds = if text.len() == 16 { ":00Z" } else { "Z" };
    // A year off at either end stays in the calendar whatever the zone.
    let at = moment::within(OffsetDateTime::parse(&format!("{text}{seconds}"), &Rfc3339).ok()?)?;
    Some(PrimitiveDateTime::new(at.date(), at.time()))
}

/// What was typed, or what is wrong with it. Times are read on the clock of the zone.
pub fn read(t: T, fields: &Fields) -> Result<FreezeIn, Vec<FieldError>> {
    let mut errors = Vec::new();
    let value = fields.text("scope");
    let scope = match (fields.get("scope_kind"), value.is_empty()) {
        ("global", true) => Some(FreezeScope::Global),
        ("global", false) => None,
        (_, true) => None,
        (kind, false) => FreezeScope::of(kind, &value),
    };
    if scope.is_none() {
        let why = if value.is_empty() { t.required() } else { t.freeze_value_none() };
        errors.push(FieldError::said("/scope/value", why));
    }
    let zone = fields.text("time_zone");
    if moment_in(&zone, PrimitiveDateTime::MIN.replace_year(2026).unwrap_or(PrimitiveDateTime::MIN)).is_none() {
        errors.push(FieldError::said("/time_zone", t.freeze_zone_wrong()));
    }
    let mut moment = |name: &str| {
        let text = fields.get(name);
        let at = wall(text).and_then(|wall| moment_in(&zone, wall));
        if !text.is_empty() && wall(text).is_none() {
            errors.push(FieldError::said(format!("/{name}"), t.freeze_time_wrong()));
        }
        at
    };
    let (starts_at, ends_at) = (moment("starts_at"), moment("ends_at"));
    let recurrence = match fields.get("repeats") {
        "" => None,
        CUSTOM => {
            let rule = fields.some("recurrence");
            if rule.is_none() {
                errors.push(FieldError::said("/recurrence", t.required()));
            }
            rule
        }
        key => {
            let rule =
                usual_rules(t).into_iter().find(|(known, _, _)| *known == key).map(|(_, _, rule)| rule.to_owned());
            // Never taken for "once".
            if rule.is_none() {
                errors.push(FieldError::said("/repeats", t.required()));
            }
            rule
        }
    };
    match scope {
        Some(scope) if errors.is_empty() => {
            Ok(FreezeIn { scope, title: fields.text("title"), starts_at, ends_at, recurrence, time_zone: Some(zone) })
        }
        _ => Err(errors),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(changes: &[(&str, &str)]) -> Fields {
        let mut all = vec![
            ("title", "Weekends"),
            ("scope_kind", "environment"),
            ("scope", "production"),
            ("starts_at", "2026-11-20T18:00"),
            ("ends_at", "2026-11-23T06:00"),
            ("time_zone", "Europe/Paris"),
            ("repeats", "weekly"),
        ];
        all.retain(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
        all.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn times_are_read_on_the_clock_of_the_zone() {
        let t = T::default();
        let new = read(t, &form(&[])).unwrap();
        assert_eq!(new.starts_at, Some(time::macros::datetime!(2026-11-20 17:00 UTC)));
        assert_eq!(new.recurrence.as_deref(), Some("FREQ=WEEKLY"));
        assert_eq!(typed("Europe/Paris", new.starts_at.unwrap()), "2026-11-20T18:00");
    }

    #[test]
    fn what_cannot_be_read_is_never_taken_for_now_or_for_everything() {
        for (name, value, pointer) in [
            ("starts_at", "soon", "/starts_at"),
            ("ends_at", "2026-13-01T00:00", "/ends_at"),
            ("time_zone", "Paris", "/time_zone"),
            ("scope", "", "/scope/value"),
            ("scope_kind", "global", "/scope/value"),
            ("scope_kind", "moon", "/scope/value"),
            ("repeats", "custom", "/recurrence"),
            ("repeats", "sometimes", "/repeats"),
        ] {
            let errors = read(T::default(), &form(&[(name, value)])).unwrap_err();
            assert_eq!(errors[0].pointer, pointer, "{name}={value}");
        }
    }
}
