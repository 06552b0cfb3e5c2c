//! A freeze in words: where it is in its life, its windows, how it repeats, whether the caller may change it; and the button that lifts it.

use crate::i18n::T;
use crate::ui::{ButtonKind, Hidden, Status, Submit, Tone};
use crate::web::{AppState, Req};
use leptos::prelude::*;
use passerelle_contract::Locale;
use passerelle_contract::gates::{FreezeOut, FreezeScope, FreezeWindow};
use passerelle_server::gates::clock_in;
use passerelle_server::kernel::{Action, AppError, Decision, EnvironmentScope, Object, decide};
use time::{OffsetDateTime, Weekday};

/// Key, words and rule of the usual repetitions.
pub fn usual_rules(t: T) -> [(&'static str, &'static str, &'static str); 5] {
    [
        ("daily", t.freeze_daily(), "FREQ=DAILY"),
        ("workdays", t.freeze_workdays(), "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("weekly", t.freeze_weekly(), "FREQ=WEEKLY"),
        ("monthly", t.freeze_monthly(), "FREQ=MONTHLY"),
        ("yearly", t.freeze_yearly(), "FREQ=YEARLY"),
    ]
}

/// The zone in which somebody who reads this language thinks first.
pub const fn usual_zone(t: T) -> &'static str {
    match t.0 {
        Locale::En => "UTC",
        Locale::Fr => "Europe/Paris",
    }
}

/// Whether the caller may change it, by what it freezes; an environment or a service that is gone is nobody's but of who may
/// freeze everything.
pub async fn may_change(app: &AppState, req: &Req, freeze: &FreezeOut) -> Result<Decision, AppError> {
    let object = Object::new("freeze", freeze.id.to_string());
    let object = match &freeze.scope {
        FreezeScope::Global | FreezeScope::Team(_) => object,
        FreezeScope::Environment(name) => match app.portal.environments.get_environment(&req.ctx, name).await {
            Ok(found) => object.with_environment(EnvironmentScope { name: found.name, tier: found.tier }),
            Err(AppError::NotFound(_)) => object,
            Err(error) => return Err(error),
        },
        FreezeScope::Service(key) => match app.portal.catalog.find_service(key) {
            Some(found) => object.with_service(found.scope),
            None => object,
        },
    };
    Ok(decide(&req.ctx, Action::FreezeEdit, &object))
}

/// Shape, word and colour of where a freeze is in its life.
pub fn state(t: T, freeze: &FreezeOut) -> impl IntoView + use<> {
    let (tone, icon, word) = match (freeze.lifted_at.is_some(), freeze.active, freeze.windows.is_empty()) {
        (true, _, _) => (Tone::Off, "skip", t.freeze_is_lifted()),
        (false, true, _) => (Tone::Warn, "freeze", t.freeze_active()),
        (false, false, false) => (Tone::Run, "off", t.freeze_coming()),
        (false, false, true) => (Tone::Off, "ok", t.freeze_over()),
    };
    view! { <Status tone=tone icon=icon word=word /> }
}

/// A window on the wall clock of the freeze.
pub fn window(t: T, zone: &str, window: &FreezeWindow) -> String {
    let clock = |at: OffsetDateTime| t.clock(clock_in(zone, at));
    match window.ends_at {
        Some(end) => t.freeze_window(clock(window.starts_at), clock(end)),
        None => t.freeze_window_open(clock(window.starts_at)),
    }
}

/// The rule in words where it is one of the usual ones, else as it is.
pub fn repeats(t: T, rule: Option<&str>) -> String {
    let known = usual_rules(t);
    match rule {
        None => t.freeze_once().to_owned(),
        Some(rule) => match known.iter().find(|(_, _, text)| *text == rule) {
            Some((_, words, _)) => (*words).to_owned(),
            None => weekly_on(t, rule).unwrap_or_else(|| rule.to_owned()),
        },
    }
}

/// `FREQ=WEEKLY;BYDAY=FR,SA` in words; nothing for a rule that says more.
fn weekly_on(t: T, rule: &str) -> Option<String> {
    let days = rule.strip_prefix("FREQ=WEEKLY;BYDAY=")?;
    let named = |day: &str| {
        let index = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].iter().position(|known| *known == day)?;
        Some(t.weekday(Weekday::Monday.nth_next(u8::try_from(index).ok()?)))
    };
    let days = days.split(',').map(named).collect::<Option<Vec<_>>>()?;
    Some(t.freeze_weekly_on(days.join(", ")))
}

/// The button that lifts it.
pub fn lift_form(req: &Req, freeze: &FreezeOut) -> impl IntoView + use<> {
    let t = req.t;
    view! {
        <form method="post" action=format!("/freezes/{}/lift", freeze.id)>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Submit label=t.freeze_lift() kind=ButtonKind::Small of=freeze.title.clone() />
        </form>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_said_in_words_only_when_they_say_all_of_it() {
        let t = T::default();
        assert_eq!(repeats(t, None), "once");
        assert_eq!(repeats(t, Some("FREQ=DAILY")), "every day");
        assert_eq!(repeats(t, Some("FREQ=WEEKLY;BYDAY=FR,SU")), "every week on Fri, Sun");
        for odd in ["FREQ=WEEKLY;BYDAY=FR;COUNT=3", "FREQ=WEEKLY;BYDAY=1FR", "FREQ=MONTHLY;BYDAY=1FR"] {
            assert_eq!(repeats(t, Some(odd)), odd);
        }
    }
}
