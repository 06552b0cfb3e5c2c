//! `/onboarding/{id}`: what was made, and what still waits.

use super::delivery;
use super::files::tree;
use super::step_look;
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Moment, Status, Submit};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::delivery::FileDeliveryState;
use passerelle_contract::onboarding::{OnboardingOut, OnboardingState, StepOut};
use serde_json::Value;
use uuid::Uuid;

pub fn path(id: Uuid) -> String {
    format!("/onboarding/{id}")
}

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let id = req.id("onboarding", &id)?;
    draw(&app, &req, id, &Fields::default(), &Errors::default()).await
}

/// With what was typed into the form of deliveries, and what is wrong with it.
pub async fn draw(
    app: &AppState,
    req: &Req,
    id: Uuid,
    fields: &Fields,
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    let made = app.portal.onboarding.get(&req.ctx, id).await.or_page(req)?;
    let deliveries = app.portal.onboarding.deliveries(&req.ctx, id).await.or_page(req)?;
    let places = app.portal.onboarding.places(&req.ctx).await.or_page(req)?;
    let idle = deliveries.iter().all(|one| one.state != FileDeliveryState::Running);
    let deliver = (idle && !made.files.is_empty()).then(|| {
        view! {
            <section class="panel">
                <h2>{t.deliver_title()}</h2>
                <p class="muted mb-3">{t.deliver_text()}</p>
                {delivery::form(req, id, &places, fields, errors)}
            </section>
        }
    });
    let row = &made.onboarding;
    let title = row.service.clone();
    let frame =
        req.page(title.clone()).section(Section::Onboard).crumbs(vec![Crumb::new("/onboard", t.onboard_title())]);
    let csrf = frame.csrf.clone();
    let archive = (!made.files.is_empty()).then(|| {
        view! { <LinkButton href=format!("/api/v1/onboardings/{id}/archive") label=t.onboard_archive() kind=ButtonKind::Primary icon="import" /> }
    });
    let words = made.adopted.is_none().then(|| view! { <p class="muted mt-3">{t.onboard_archive_text()}</p> });
    let body = view! {
        <Head title=title.clone() sub=t.onboard_made(&title) />
        <div class="stack">
            <section class="panel">
                <div class="btns">
                    {archive}
                    <LinkButton href=format!("/services/{title}") label=t.onboard_open() icon="service" />
                </div>
                {words}
            </section>
            {made.onboarding.available.as_ref().filter(|_| idle).map(|version| later(t, id, version))}
            {delivery::list(req, id, &deliveries)}
            {deliver}
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

/// The golden path has a later version.
fn later(t: T, id: Uuid, version: &str) -> impl IntoView + use<> {
    view! {
        <section class="panel">
            <h2>{t.update_available(version)}</h2>
            <p class="muted">{t.update_available_text()}</p>
            <div class="btns mt-3">
                <LinkButton href=format!("/onboarding/{id}/update") label=t.update_look() kind=ButtonKind::Primary />
            </div>
        </section>
    }
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
    let from = made.adopted.as_ref().and_then(|adopted| adopted.from.as_ref());
    let adopted = from.map(|from| {
        let place = from.connection.clone().unwrap_or_else(|| t.deliver_folder().to_owned());
        view! {
            <dt>{t.adopt_where()}</dt>
            <dd class="break">{from.repository.clone()} <span class="muted">" · " {place}</span></dd>
        }
    });
    view! {
        <dl class="dl">
            <dt>{t.onboard_template()}</dt>
            <dd>
                <a href=format!("/onboard/{}", row.template)>{t.onboard_from(&row.template, &row.template_version)}</a>
            </dd>
            {adopted}
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
    Ok(see_other(&path(id), Some(Flash { ok, text: text.to_owned() })))
}
