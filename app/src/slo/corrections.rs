//! Corrections: the list, and the form that adds one.

use crate::i18n::T;
use crate::ui::{Ago, ButtonKind, Hidden, Submit, Text, TextArea};
use crate::web::{Errors, Fields, Req};
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_contract::slo::{CorrectionIn, CorrectionOut, SloOut};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

pub const SHOWN: [&str; 3] = ["/from", "/to", "/reason"];

/// What was typed, or what is wrong with it.
pub fn read(fields: &Fields, t: T) -> Result<CorrectionIn, Vec<FieldError>> {
    let moment = |name: &str| {
        moment(fields.get(name)).ok_or_else(|| FieldError::said(format!("/{name}"), t.slo_bad_moment().to_owned()))
    };
    match (moment("from"), moment("to")) {
        (Ok(from), Ok(to)) => Ok(CorrectionIn { from, to, reason: fields.text("reason") }),
        (from, to) => Err([from.err(), to.err()].into_iter().flatten().collect()),
    }
}

/// What a field for date and time gives, with or without seconds. Without a script no zone comes with it, so it is UTC.
fn moment(text: &str) -> Option<OffsetDateTime> {
    let short = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let long = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let text = text.trim_end_matches('Z');
    let read = PrimitiveDateTime::parse(text, &short).or_else(|_| PrimitiveDateTime::parse(text, &long));
    read.ok().map(PrimitiveDateTime::assume_utc)
}

/// Six exact digits as a percentage.
pub fn share(t: T, digits: &str) -> String {
    t.percent(digits.parse().unwrap_or_default(), 1)
}

pub fn panel(req: &Req, slo: &SloOut, may: bool, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let items = slo.corrections.iter().map(|one| line(req, one)).collect::<Vec<_>>();
    let none = items.is_empty().then(|| view! { <p class="muted mb-3">{t.slo_corrections_none()}</p> });
    let adding = may.then(|| adding(req, slo, form, errors));
    view! {
        <section class="panel">
            <h2>{t.slo_corrections()}</h2>
            <ul>{items}</ul>
            {none}
            {adding}
        </section>
    }
}

fn line(req: &Req, one: &CorrectionOut) -> impl IntoView + use<> {
    let t = req.t;
    let change = t.slo_correction_line(share(t, &one.remaining_before), share(t, &one.remaining_after), &one.approver);
    view! {
        <li class="mb-3">
            <div>{format!("{} – {}", t.date_time(one.from), t.date_time(one.to))}</div>
            <div class="break">{one.reason.clone()}</div>
            <div class="muted">{change} " · " <Ago t=t at=one.created_at now=req.now /></div>
        </li>
    }
}

fn adding(req: &Req, slo: &SloOut, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let csrf = req.ctx.csrf_token();
    let moment = |name: &'static str, label: &'static str| {
        view! {
            <Text t=t name=name label=label kind="datetime-local" value=form.text(name) error=errors.of(&format!("/{name}")) required=true />
        }
    };
    view! {
        <details class="disclose" open=!errors.is_empty()>
            <summary>{t.slo_correction_add()}</summary>
            <form class="form" method="post" action=format!("/slos/{}/corrections", slo.id)>
                <Hidden name="csrf" value=csrf />
                <p class="muted">{t.slo_correction_why()}</p>
                <div class="pair">
                    {moment("from", t.slo_correction_from())} {moment("to", t.slo_correction_to())}
                </div>
                <TextArea
                    t=t
                    name="reason"
                    label=t.reason()
                    value=form.text("reason")
                    hint=t.slo_correction_reason_hint().to_owned()
                    error=errors.of("/reason")
                    required=true
                />
                <div class="btns">
                    <Submit label=t.slo_correction_do() kind=ButtonKind::Plain />
                </div>
            </form>
        </details>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn moments_are_read_with_and_without_seconds() {
        assert_eq!(moment("2026-11-21T14:30"), Some(datetime!(2026-11-21 14:30 UTC)));
        assert_eq!(moment("2026-11-21T14:30:05"), Some(datetime!(2026-11-21 14:30:05 UTC)));
        assert_eq!((moment(""), moment("21/11/2026"), moment("2026-13-01T00:00")), (None, None, None));
    }
}
