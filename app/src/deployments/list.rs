//! `/deployments`: every attempt, newest first.

use crate::shell::Section;
use crate::ui::{Ago, Chip, Columns, Empty, Head, Pager, PlaceHead, StateBadge, Table};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page;
use passerelle_contract::deployments::{DeploymentFilter, DeploymentRow, DeploymentState, Operation};

const PATH: &str = "/deployments";

pub async fn page_of(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let query = &req.query;
    let filter = DeploymentFilter {
        service: query.text("service"),
        environment: query.text("environment"),
        state: query.get("state").and_then(DeploymentState::parse),
        operation: query.get("operation").and_then(Operation::parse),
        actor: query.text("actor"),
        active: query.flag("active"),
        cursor: query.text("cursor"),
        limit: None,
    };
    let found = app.portal.deployments.list_deployments(&req.ctx, filter).await.or_page(&req)?;
    let t = req.t;
    let body = view! {
        <Head title=t.deployments_title() sub=t.deployments_sub() />
        {chips(&req)}
        {table(&req, found)}
    };
    Ok(page(req.page(t.deployments_title()).section(Section::Deployments), body))
}

fn chips(req: &Req) -> impl IntoView + use<> {
    let (t, query) = (req.t, &req.query);
    let active = query.flag("active").is_some();
    let states = [
        DeploymentState::AwaitingApproval,
        DeploymentState::Blocked,
        DeploymentState::Succeeded,
        DeploymentState::Failed,
        DeploymentState::RolledBack,
        DeploymentState::NeedsPerson,
    ];
    let states = states
        .map(|state| {
            let on = query.get("state") == Some(state.as_str());
            let href = query.with("state", (!on).then_some(state.as_str())).href(PATH);
            view! { <Chip href=href label=t.state(state) on=on /> }
        })
        .into_iter()
        .collect::<Vec<_>>();
    let narrowed = ["service", "environment", "actor", "operation"]
        .into_iter()
        .filter_map(|name| query.text(name).map(|value| (name, value)))
        .map(|(name, value)| {
            let label = t.clear_filter(&value);
            view! { <Chip href=query.with(name, None).href(PATH) label=value on=true aria_label=label /> }
        })
        .collect::<Vec<_>>();
    view! {
        <div class="chips mb-3">
            <Chip href=query.with("active", (!active).then_some("true")).href(PATH) label=t.filter_active() on=active />
            {states}
            {narrowed}
        </div>
    }
}

fn table(req: &Req, found: Page<DeploymentRow>) -> AnyView {
    let t = req.t;
    if found.items.is_empty() {
        return view! { <Empty icon="deploy" title=t.deployments_empty_title() text=t.deployments_empty_text() /> }
            .into_any();
    }
    let pages = req.pages(PATH, found.items.len(), found.total, found.next_cursor.as_deref());
    let rows = found.items.into_iter().map(|row| line(req, row)).collect::<Vec<_>>();
    view! {
        <Table label=t.deployments_title() columns=Columns::of([t.col_state(), t.col_service(), t.col_operation(), t.col_reason(), t.col_by(), t.col_when(), t.col_took()])>{rows}</Table>
        <Pager t=t pages=pages />
    }
    .into_any()
}

pub fn line(req: &Req, row: DeploymentRow) -> impl IntoView + use<> {
    let t = req.t;
    let took = (row.ended_at.unwrap_or(req.now) - row.created_at).whole_seconds();
    let what = match &row.version {
        Some(version) => format!("{} {version}", t.operation(row.operation)),
        None => t.operation(row.operation).to_owned(),
    };
    view! {
        <tr>
            <td>
                <a href=format!("/deployments/{}", row.id)>
                    <StateBadge t=t state=row.state />
                </a>
                {row.cause.map(|cause| view! { <div class="under">{t.cause(cause)}</div> })}
            </td>
            <PlaceHead t=t service=row.service tier=row.tier environment=row.environment />
            <td class="nowrap">{what}</td>
            <td class="break">{row.reason}</td>
            <td>{row.requested_by}</td>
            <td class="nowrap">
                <Ago t=t at=row.created_at now=req.now />
            </td>
            <td class="nowrap">{t.elapsed(took)}</td>
        </tr>
    }
}
