//! `/slos/{id}`: one objective, from what is left of its budget to how it is changed.

use super::down_chart::{self, Beside};
use super::{blocked, burn_chart, corrections, delete, facts, marks, postmortems};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{ButtonKind, Crumb, Head, LinkButton};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Req, page, summary};
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use passerelle_contract::slo::{SloHistoryFilter, SloHistoryPoint, SloOut};
use passerelle_server::kernel::Action;
use time::Duration;
use uuid::Uuid;

/// The longest history that is asked for at once.
const LONGEST: Duration = Duration::days(119);

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let id = req.id("slo", &id)?;
    render(&app, &req, id, &Fields::default(), &Errors::default()).await
}

/// The file that it came in, to be kept.
pub async fn source(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let id = req.id("slo", &id)?;
    let slo = app.portal.slo.get_slo(&req.ctx, id).await.or_page(&req)?;
    let text = app.portal.slo.slo_source(&req.ctx, id).await.or_page(&req)?;
    // A name has no signs but a-z, 0-9 and -.
    let file = format!("attachment; filename=\"{}.yaml\"", slo.name);
    Ok(([(CONTENT_TYPE, "application/yaml".to_owned()), (CONTENT_DISPOSITION, file)], text).into_response())
}

/// What the caller may do with it.
struct May {
    edit: bool,
    correct: bool,
    close: bool,
}

fn crumbs(t: T, slo: &SloOut) -> Vec<Crumb> {
    let service = Crumb::new(format!("/services/{}?tab=slos", slo.service), slo.service.clone());
    vec![Crumb::new("/slos", t.slos_title()), service]
}

/// With what was typed into one of its forms, and what was wrong with it.
pub async fn render(
    app: &AppState,
    req: &Req,
    id: Uuid,
    form: &Fields,
    errors: &Errors,
) -> Result<Response, PageError> {
    let (t, service) = (req.t, &app.portal.slo);
    let slo = service.get_slo(&req.ctx, id).await.or_page(req)?;
    let points = history(app, req, &slo).await?;
    let deployments = marks::of(&app.portal, req, &slo).await?;
    let fired = crate::alerts::in_period(&app.portal, req, &slo).await?;
    let stopped = blocked::stopped(&app.portal, req, &slo).await?;
    let tasks = postmortems::of(&app.portal, req, id).await?;
    let modes = app.portal.gates.list_policies(&req.ctx).await.or_page(req)?;
    let may = May {
        edit: service.may(&req.ctx, id, Action::SloEdit).await.or_page(req)?,
        correct: service.may(&req.ctx, id, Action::SloCorrect).await.or_page(req)?,
        close: service.may(&req.ctx, id, Action::SloPostmortem).await.or_page(req)?,
    };
    let title = slo.title.clone();
    let reading = slo.reads_as.get(t.0.tag()).cloned().unwrap_or_default();
    let down = down_chart::view(t, &slo, &points, &Beside { deployments: &deployments, alerts: &fired }, req.now);
    let burn = burn_chart::view(t, &slo, &points, req.now);
    let told = summary(t, errors, &[&corrections::SHOWN[..], &postmortems::SHOWN[..], &["/confirm"]].concat());
    let right = view! {
        {blocked::standing(t, &slo, &modes)}
        {blocked::panel(req, stopped)}
        {postmortems::panel(req, tasks, may.close, form, errors)}
        {facts::forecast(req, &slo)}
        {facts::about(t, &slo)}
        {corrections::panel(req, &slo, may.correct, form, errors)}
        {may.edit.then(|| delete::form(t, &slo, req.ctx.csrf_token(), errors))}
    };
    let (acts, troubles) = (acts(req, &slo, &may), facts::troubles(t, &slo));
    let (arithmetic, alerts) = (facts::arithmetic(t, &slo), burn_chart::alerts(t, &slo.alerts));
    let body = view! {
        <Head title=title.clone() sub=reading>
            {acts}
        </Head>
        {told}
        {troubles}
        <div class="cols">
            <div class="stack">
                <section class="panel">
                    <h2>{t.slo_budget()}</h2>
                    {arithmetic}
                </section>
                <section class="panel">
                    <h2>{t.slo_down()}</h2>
                    {down}
                </section>
                <section class="panel">
                    <h2>{t.slo_rate()}</h2>
                    {burn}
                </section>
                <section class="stack">
                    <h2>{t.slo_alerts()}</h2>
                    {alerts}
                </section>
            </div>
            <div class="stack">{right}</div>
        </div>
    };
    Ok(page(req.page(title).section(Section::Slos).crumbs(crumbs(t, &slo)), body))
}

fn acts(req: &Req, slo: &SloOut, may: &May) -> AnyView {
    let t = req.t;
    let edit = may.edit.then(|| view! { <LinkButton href=format!("/slos/{}/edit", slo.id) label=t.edit() /> });
    let simulated =
        slo.simulated.then(|| view! { <span class="tag sim" title=t.slo_simulated_why()>{t.slo_simulated()}</span> });
    let rules = format!("/api/v1/slos/rules.yaml?service={}", slo.service);
    view! {
        {simulated}
        <LinkButton href=rules label=t.slo_rules() kind=ButtonKind::Quiet />
        {edit}
    }
    .into_any()
}

/// Of the period, or of its newest part when it is longer than what is read at once.
async fn history(app: &AppState, req: &Req, slo: &SloOut) -> Result<Vec<SloHistoryPoint>, PageError> {
    let filter = SloHistoryFilter { from: Some(slo.period_from.max(req.now - LONGEST)), to: None };
    app.portal.slo.history(&req.ctx, slo.id, &filter).await.or_page(req)
}
