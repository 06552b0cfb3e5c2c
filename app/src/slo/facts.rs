//! The figures of an objective in words: the arithmetic, what is to come, and where it was read.

use super::verdict_tone;
use crate::i18n::T;
use crate::ui::{Alert, Status, Tone};
use crate::web::Req;
use leptos::prelude::*;
use passerelle_contract::slo::SloOut;
use time::OffsetDateTime;

/// The three numbers that one looks at first, and how they come about.
pub fn arithmetic(t: T, slo: &SloOut) -> impl IntoView + use<> {
    let (tone, icon) = verdict_tone(slo.verdict);
    let slices = slo.unit == "slices";
    let allowed = t.events(slo.budget_total);
    let of = if slices { t.slo_num_of_slices(&allowed) } else { t.slo_num_of(&allowed) };
    let burn = slo.burn.get("1h").copied().unwrap_or_default();
    let target = format!("{}\u{a0}%", t.amount(slo.objective));
    let (total, bad) = (t.events(slo.total), t.events(slo.bad));
    let counted = if slices {
        t.slo_sum_slices(total, &bad, &allowed, target)
    } else {
        t.slo_sum_events(total, &bad, &allowed, target)
    };
    let (share, exact) = (t.percent(slo.remaining_ratio, 1), t.digits(&slo.remaining));
    let left = if slo.budget_remaining < 0.0 {
        t.slo_sum_over(t.events(-slo.budget_remaining), share.clone(), exact)
    } else {
        t.slo_sum_left(t.events(slo.budget_remaining), share.clone(), exact)
    };
    let time = t.slo_sum_time(t.elapsed(slo.budget_seconds.round() as i64));
    view! {
        <div class="nums">
            <span>
                <b>{share}</b>
                {t.slo_num_left()}
            </span>
            <span>
                <b>{t.times(burn)}</b>
                {t.slo_num_burn()}
            </span>
            <span>
                <b>{bad.clone()}</b>
                {of}
            </span>
            <span>
                <Status tone=tone icon=icon word=t.budget_verdict(slo.verdict) />
            </span>
        </div>
        <p class="mt-3">
            <span class="strong">{t.slo_sum_short(bad, allowed)}</span>
            ". "
            {counted}
            " "
            {left}
            " "
            {time}
        </p>
    }
}

pub fn forecast(req: &Req, slo: &SloOut) -> impl IntoView + use<> {
    let t = req.t;
    let spent = slo.budget_remaining <= 0.0;
    let when = |at: Option<OffsetDateTime>| match at {
        _ if spent => t.slo_already().to_owned(),
        Some(at) => t.slo_in(t.age((at - req.now).whole_seconds()), t.date_time(at)),
        None => t.slo_never().to_owned(),
    };
    let frees = spent.then(|| {
        let text = match slo.frees_at {
            Some(at) => t.slo_in(t.age((at - req.now).whole_seconds()), t.date_time(at)),
            None => t.slo_never().to_owned(),
        };
        view! {
            <dt>{t.slo_frees()}</dt>
            <dd>{text}</dd>
        }
    });
    let projected = slo.projected_remaining_ratio.map(|share| {
        view! {
            <dt>{t.slo_projected()}</dt>
            <dd>{t.budget_left(share)}</dd>
        }
    });
    view! {
        <section class="panel">
            <h2>{t.slo_forecast()}</h2>
            <dl class="dl stacked">
                <dt>{t.slo_exhausts()}</dt>
                <dd>{when(slo.exhausts_at)}</dd>
                <dt>{t.slo_exhausts_relief()}</dt>
                <dd>{when(slo.exhausts_with_relief_at)}</dd>
                {frees}
                {projected}
            </dl>
        </section>
    }
}

pub fn about(t: T, slo: &SloOut) -> impl IntoView + use<> {
    let place = slo.environment.clone().unwrap_or_else(|| t.slo_all_environments().to_owned());
    let format = if slo.format == "five_line" { t.slo_format_five() } else { t.slo_format_openslo() };
    let age = slo.data_age_s.map_or_else(|| t.none_yet().to_owned(), |s| t.ago(i64::try_from(s).unwrap_or(i64::MAX)));
    let drift = slo.drift.filter(|drift| drift.abs() > 0.000_1).map(|drift| {
        view! {
            <dt>{t.slo_drift()}</dt>
            <dd>{t.percent(drift, 2)}</dd>
        }
    });
    let description = slo.description.clone().map(|text| view! { <p class="break mb-3">{text}</p> });
    view! {
        <section class="panel">
            <h2>{t.slo_facts()}</h2>
            {description}
            <dl class="dl">
                <dt>{t.col_service()}</dt>
                <dd>
                    <a href=format!("/services/{}?tab=slos", slo.service)>{slo.service.clone()}</a>
                </dd>
                <dt>{t.col_environment()}</dt>
                <dd>{place}</dd>
                <dt>{t.slo_connection()}</dt>
                <dd>{slo.connection.clone()}</dd>
                <dt>{t.slo_source()}</dt>
                <dd>
                    {format} ", " <a href=format!("/slos/{}/source", slo.id)>{t.slo_download()}</a>
                </dd>
                <dt>{t.slo_period()}</dt>
                <dd>
                    {format!("{} – {}", t.date_time(slo.period_from), t.date_time(slo.period_to))}
                </dd>
                <dt>{t.slo_coverage()}</dt>
                <dd>{t.percent(slo.coverage, 1)}</dd>
                <dt>{t.slo_age()}</dt>
                <dd>{age}</dd>
                {drift}
            </dl>
        </section>
    }
}

/// What is wrong with the figures, above everything else.
pub fn troubles(t: T, slo: &SloOut) -> Option<AnyView> {
    let why = slo.source_error.clone()?;
    Some(view! { <Alert tone=Tone::Warn>{t.slo_source_error(why)}</Alert> }.into_any())
}
