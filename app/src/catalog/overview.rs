//! What one wants to know of a service first: what runs where, and whose it is.

use super::{about, live, tabs};
use crate::gates::frozen::{self, Frozen};
use crate::i18n::T;
use crate::ui::{ButtonKind, Empty, HealthBadge, LinkButton, Simulated, StateBadge, Status, TierTag, Tone};
use crate::web::{OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::catalog::EntityOut;
use passerelle_contract::deployments::{CellOut, DeploymentFilter};
use passerelle_server::catalog::ServiceRef;
use passerelle_server::kernel::{Action, EnvironmentScope, Object, decide};
use passerelle_server::portal::Portal;
use time::OffsetDateTime;

/// Deployments shown before one asks for all.
const RECENT: u32 = 5;

pub async fn view(portal: &Portal, req: &Req, service: &EntityOut, key: &str) -> Result<AnyView, PageError> {
    let t = req.t;
    let reference = portal.catalog.service_for(&req.ctx, key).or_page(req)?;
    let cells = portal.deployments.cells(&req.ctx, key).await.or_page(req)?;
    let recent = DeploymentFilter { service: Some(key.to_owned()), limit: Some(RECENT), ..DeploymentFilter::default() };
    let recent = portal.deployments.list_deployments(&req.ctx, recent).await.or_page(req)?;
    let bound: Vec<CellOut> = cells.into_iter().filter(|cell| cell.binding.is_some()).collect();
    let frozen = Frozen::now(portal, req).await.or_page(req)?;
    let places = if bound.is_empty() { not_bound(t, key) } else { places(req, &reference, bound, &frozen) };
    let history = tabs::deployments(req, recent.items);
    let path = golden_path(portal, req, service, &reference).await?;
    let to_write = crate::slo::to_write(portal, req, key).await?;
    let view = view! {
        {to_write}
        <div class="cols">
            <div class="stack">
                <section class="panel">
                    <h2>{t.service_where()}</h2>
                    {places}
                </section>
                <section class="stack">
                    <h2>{t.tab_history()}</h2>
                    {history}
                    <p>
                        <a href=format!("/services/{key}?tab=history")>{t.see_all()}</a>
                    </p>
                </section>
            </div>
            <div class="stack">{about::panels(t, service)} {path}</div>
        </div>
    };
    Ok(view.into_any())
}

/// Which golden path made the service; only one that says so is looked up.
async fn golden_path(
    portal: &Portal,
    req: &Req,
    service: &EntityOut,
    reference: &ServiceRef,
) -> Result<Option<AnyView>, PageError> {
    let Some(template) = service.annotations.get("passerelle.dev/template") else { return Ok(None) };
    let made = portal.onboarding.of_service(reference.id).await.or_page(req)?;
    let words = match made {
        Some(id) => view! { <a class="break" href=format!("/onboarding/{id}")>{template.clone()}</a> }.into_any(),
        None => view! { <span class="break">{template.clone()}</span> }.into_any(),
    };
    let panel = view! {
        <section class="panel">
            <h2>{req.t.onboard_template()}</h2>
            <p class="mono">{words}</p>
        </section>
    };
    Ok(Some(panel.into_any()))
}

fn not_bound(t: T, key: &str) -> AnyView {
    let href = format!("/bindings/new?service={key}");
    view! {
        <Empty icon="bind" title=t.service_not_bound_title() text=t.service_not_bound_text()>
            <LinkButton href=href label=t.matrix_bind() kind=ButtonKind::Primary />
        </Empty>
    }
    .into_any()
}

fn places(req: &Req, service: &ServiceRef, cells: Vec<CellOut>, frozen: &Frozen) -> AnyView {
    let items = cells.into_iter().map(|cell| place(req, service, cell, frozen)).collect::<Vec<_>>();
    view! { <ul class="envs">{items}</ul> }.into_any()
}

/// One sentence: what runs, since when, by whom, how many are ready.
fn sentence(req: &Req, cell: &CellOut) -> String {
    let t = req.t;
    let age = |at: OffsetDateTime| t.age((req.now - at).whole_seconds());
    let mut parts = vec![match &cell.version {
        Some(version) => t.runs_version(version),
        None => t.runs_nothing().to_owned(),
    }];
    match (cell.since, &cell.by) {
        (Some(at), Some(who)) => parts.push(t.since_by(age(at), who)),
        (Some(at), None) => parts.push(t.since(age(at))),
        (None, _) => {}
    }
    if let Some(replicas) = cell.replicas {
        parts.push(t.ready_of(replicas.ready, replicas.desired));
    }
    parts.join(", ")
}

fn place(req: &Req, service: &ServiceRef, cell: CellOut, frozen: &Frozen) -> impl IntoView + use<> {
    let t = req.t;
    let freeze = frozen
        .environment(cell.tier, &cell.environment)
        .or_else(|| frozen.service(cell.tier, &service.scope.key, service.scope.team.as_deref()));
    let freeze = freeze.map(|freeze| frozen::mark(t, freeze));
    let sentence = sentence(req, &cell);
    let scope = EnvironmentScope { name: cell.environment.clone(), tier: cell.tier };
    let object = Object::service(service.scope.clone()).with_environment(scope);
    let act = |action: Action, path: &str, label: &'static str, icon: &'static str| {
        let href = format!("/services/{}/{path}?environment={}", service.scope.key, cell.environment);
        decide(&req.ctx, action, &object)
            .allowed
            .then(|| view! { <LinkButton href=href label=label icon=icon kind=ButtonKind::Small /> })
    };
    let deploy = act(Action::DeploymentCreate, "deploy", t.act_deploy(), "go");
    let back = act(Action::DeploymentRollBack, "rollback", t.act_roll_back(), "back");
    let active = cell.active.zip(cell.active_state).map(|(id, state)| {
        view! {
            <a href=format!("/deployments/{id}")>
                <StateBadge t=t state=state />
            </a>
        }
    });
    let hold = cell.hold.map(|hold| {
        let why = t.on_hold_by(hold.by, t.ago((req.now - hold.since).whole_seconds()), hold.reason);
        view! {
            <div>
                <Status tone=Tone::Warn icon="hold" word=t.on_hold() />
                " "
                <span class="muted">{why}</span>
            </div>
        }
    });
    let drift = live::drifted(req, &service.scope.key, &cell.drift);
    let seen = cell.observed_at.map(|at| t.seen_at(t.ago((req.now - at).whole_seconds())));
    view! {
        <li>
            <div class="stack">
                <TierTag t=t tier=cell.tier name=cell.environment.clone() />
            </div>
            <div>
                <p class="status-line break">{sentence}</p>
                <div class="tags">
                    <HealthBadge t=t health=cell.health />
                    {active}
                    {freeze}
                    {cell.simulated.then(|| view! { <Simulated t=t /> })}
                </div>
                {cell.health_message.map(|message| view! { <p class="muted break">{message.to_string()}</p> })}
                {drift}
                {hold}
                {seen.map(|seen| view! { <p class="muted">{seen}</p> })}
            </div>
            <div class="btns">{deploy} {back}</div>
        </li>
    }
}
