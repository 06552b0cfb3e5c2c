//! `/onboarding/{id}`: what was made, and what still waits.

use super::files::tree;
use super::step_look;
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Moment, Status, Submit};
use crate::web::{AppState, OrPage, PageError, Posted, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::onboarding::{OnboardingOut, OnboardingState, StepOut};
use serde_json::Value;

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let id = req.id("onboarding", &id)?;
    let made = app.portal.onboarding.get(&req.ctx, id).await.or_page(&req)?;
    let row = &made.onboarding;
    let title = row.service.clone();
    let frame =
        req.page(title.clone()).section(Section::Onboard).crumbs(vec![Crumb::new("/onboard", t.onboard_title())]);
    let csrf = frame.csrf.clone();
    let body = view! {
        <Head title=title.clone() sub=t.onboard_made(&title) />
        <div class="stack">
            <section class="panel">
                <div class="btns">
                    <LinkButton href=format!("/api/v1/onboardings/{id}/archive") label=t.onboard_archive() kind=ButtonKind::Primary icon="import" />
                    <LinkButton href=format!("/services/{title}") label=t.onboard_open() icon="service" />
                </div>
                <p class="muted mt-3">{t.onboard_archive_text()}</p>
            </section>
            {what(t, &made, csrf)}
            <section class="panel">
                <h2>{t.onboard_files()} " · " {t.n_files(u64::try_from(made.files.len()).unwrap_or(u64::MAX))}</h2>
                {tree(t, &made.files)}
            </section>
            <section class="panel">
                <h2>{t.onboard_answers()}</h2>
                {facts(t, &made)}
            </section>
        </div>
    };
    Ok(page(frame, body))
}

fn what(t: T, made: &OnboardingOut, csrf: String) -> impl IntoView + use<> {
    let steps = made.steps.iter().map(|step| line(t, step)).collect::<Vec<_>>();
    let again = (made.onboarding.state == OnboardingState::Incomplete).then(|| {
        view! {
            <form class="mt-3" method="post" action=format!("/onboarding/{}/retry", made.onboarding.id)>
                <Hidden name="csrf" value=csrf />
                <p class="muted">{t.onboard_retry_text()}</p>
                <div class="btns mt-3">
                    <Submit label=t.onboard_retry() kind=ButtonKind::Plain />
                </div>
            </form>
        }
    });
    view! {
        <section class="panel">
            <h2>{t.onboard_what()}</h2>
            <dl class="dl stacked">{steps}</dl>
            {again}
        </section>
    }
}

fn line(t: T, step: &StepOut) -> impl IntoView + use<> {
    let (tone, icon) = step_look(step.state);
    view! {
        <dt>
            {t.onboarding_step(step.step)} " " <Status tone=tone icon=icon word=t.onboarding_step_state(step.state) />
        </dt>
        <dd class="break">{step.message.to_string()}</dd>
    }
}

fn facts(t: T, made: &OnboardingOut) -> impl IntoView + use<> {
    let row = &made.onboarding;
    let answers = made
        .answers
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let value = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            view! {
                <dt class="mono break">{name.clone()}</dt>
                <dd class="break">{value}</dd>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <dl class="dl">
            <dt>{t.onboard_template()}</dt>
            <dd>
                <a href=format!("/onboard/{}", row.template)>{t.onboard_from(&row.template, &row.template_version)}</a>
            </dd>
            <dt>{t.onboard_by()}</dt>
            <dd>{row.created_by.clone()} ", " <Moment t=t at=row.created_at /></dd>
            {answers}
        </dl>
    }
}

pub async fn retry(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let req = &posted.req;
    let id = req.id("onboarding", &id)?;
    let made = app.portal.onboarding.retry(&req.ctx, id).await.or_page(req)?;
    let ok = made.onboarding.state == OnboardingState::Done;
    let text = if ok { req.t.onboard_retried() } else { req.t.onboard_waits_still() };
    Ok(see_other(&format!("/onboarding/{id}"), Some(Flash { ok, text: text.to_owned() })))
}
