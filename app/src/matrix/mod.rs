//! The home page: what runs where, a row per service and a column per environment.

mod cell;
mod filters;

use crate::gates::frozen::{self, Frozen};
use crate::gates::glass;
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Columns, Empty, Head, LinkButton, Pager, Simulated, Table, TierTag, Tone};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing::get};
use cell::Known;
use leptos::prelude::*;
use passerelle_contract::catalog::ServiceFilter;
use passerelle_contract::deployments::{CellOut, Health, MatrixFilter, MatrixOut, MatrixRow};
use passerelle_server::portal::Portal;

pub fn routes() -> Router<AppState> {
    Router::new().route("/", get(home))
}

async fn home(State(portal): State<Portal>, req: Req) -> Result<Response, PageError> {
    let (t, query) = (req.t, &req.query);
    let filter = MatrixFilter {
        q: query.text("q"),
        system: query.text("system"),
        team: query.text("team"),
        attention: query.flag("attention"),
        differs: query.flag("differs"),
        cursor: query.text("cursor"),
        limit: Some(50),
    };
    let matrix = portal.deployments.matrix(&req.ctx, filter).await.or_page(&req)?;
    let frozen = Frozen::now(&portal, &req).await.or_page(&req)?;
    let told = glass::told(&portal, &req, &matrix.environments).await.or_page(&req)?;
    let facets = portal.catalog.facets(&req.ctx, &ServiceFilter::default()).or_page(&req)?;
    let filters = filters::view(t, query, &facets);
    let summary = summary(t, &matrix.rows);
    let services: Vec<_> = matrix.rows.iter().map(|row| row.service.id).collect();
    let budgets = portal.slo.chips(&services, &matrix.environments).await.or_page(&req)?;
    let known = Known { frozen: &frozen, budgets: &budgets };
    let content = if matrix.rows.is_empty() { empty(&req) } else { table(&req, matrix, known) };
    Ok(page(
        req.page(t.matrix_title()).section(Section::Matrix),
        view! {
            <Head title=t.matrix_title() sub=summary />
            {told}
            {(req.waiting > 0).then(|| waits(t, req.waiting))}
            {filters}
            {content}
        },
    ))
}

/// What needs a look on this page, in a few words.
fn summary(t: T, rows: &[MatrixRow]) -> String {
    let cells = || rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.binding.is_some());
    let bad = cells().filter(|cell| matches!(cell.health, Health::Degraded | Health::Failed)).count() as u64;
    let running = cells().filter(|cell| cell.active.is_some()).count() as u64;
    let held = cells().filter(|cell| cell.hold.is_some()).count() as u64;
    let parts = [(bad, t.n_attention(bad)), (running, t.n_running(running)), (held, t.n_holds(held))];
    let said: Vec<String> = parts.into_iter().filter(|(count, _)| *count > 0).map(|(_, text)| text).collect();
    if said.is_empty() { t.matrix_all_fine().to_owned() } else { said.join(" · ") }
}

fn waits(t: T, waiting: u64) -> impl IntoView {
    view! {
        <div class="flash">
            <Alert tone=Tone::Run>
                <a class="link" href="/approvals">{t.approvals_waiting(waiting)}</a>
            </Alert>
        </div>
    }
}

fn empty(req: &Req) -> AnyView {
    let t = req.t;
    if req.query.filtered() {
        return view! {
            <Empty icon="search" title=t.matrix_no_match() text="">
                <LinkButton href="/" label=t.clear_filters() />
            </Empty>
        }
        .into_any();
    }
    view! {
        <Empty icon="matrix" title=t.matrix_empty_title() text=t.matrix_empty_text()>
            <LinkButton href="/catalog/import" label=t.import_title() kind=ButtonKind::Primary />
        </Empty>
    }
    .into_any()
}

fn table(req: &Req, matrix: MatrixOut, known: Known<'_>) -> AnyView {
    let t = req.t;
    let MatrixOut { environments, rows, next_cursor, total } = matrix;
    let heads = environments.into_iter().map(|environment| {
        let mark = known.frozen.environment(environment.tier, &environment.name).map(|freeze| frozen::mark(t, freeze));
        view! {
            <TierTag t=t tier=environment.tier name=environment.name />
            {mark.map(|mark| view! { <div class="mark-under">{mark}</div> })}
        }
        .into_any()
    });
    let columns = Columns::of([t.col_service()]).views(heads);
    let pages = req.pages("/", rows.len(), total, next_cursor.as_deref());
    let bound = || rows.iter().flat_map(|row| &row.cells).filter(|cell| cell.binding.is_some());
    // Where everything is simulated it is said once, not in each cell.
    let all_simulated = bound().next().is_some() && bound().all(|cell| cell.simulated);
    let rows = rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| table_row(req, row, index == 0, !all_simulated, known))
        .collect::<Vec<_>>();
    let note = all_simulated.then(|| {
        view! {
            <p class="muted note">
                <Simulated t=t />
                " "
                {t.matrix_simulated()}
            </p>
        }
    });
    view! {
        {note}
        <Table label=t.matrix_title() class="matrix" columns=columns>{rows}</Table>
        <Pager t=t pages=pages />
        <p class="muted">{t.matrix_keys()}</p>
    }
    .into_any()
}

/// The version that could be promoted to a cell: what runs well in the bound environment before it, if that is another one.
fn incoming(cells: &[CellOut], at: usize) -> Option<String> {
    let (before, cell) = (&cells[..at], cells.get(at)?);
    let from = before.iter().rfind(|cell| cell.binding.is_some())?;
    let ready = cell.binding.is_some() && cell.active.is_none() && cell.hold.is_none();
    let news = from.active.is_none() && from.health == Health::Healthy && from.version != cell.version;
    from.version.clone().filter(|_| ready && news)
}

fn table_row(req: &Req, row: MatrixRow, top: bool, mark_simulated: bool, known: Known<'_>) -> impl IntoView + use<> {
    let MatrixRow { service, cells } = row;
    let incoming: Vec<Option<String>> = (0..cells.len()).map(|at| incoming(&cells, at)).collect();
    let cells = cells
        .into_iter()
        .zip(incoming)
        .enumerate()
        .map(|(index, (cell, incoming))| {
            let marks = cell::Marks { entry: top && index == 0, simulated: mark_simulated && cell.simulated, incoming };
            cell::view(req, &service, cell, marks, known)
        })
        .collect::<Vec<_>>();
    let system = service.system.map(|key| view! { <a href=format!("/systems/{key}")>{key.clone()}</a> });
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/services/{}", service.key)>
                    {service.name}
                </a>
                <div class="under">{system}</div>
            </th>
            {cells}
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn cell(version: Option<&str>, health: &str, bound: bool) -> CellOut {
        let binding = bound.then_some("00000000-0000-7000-8000-000000000001");
        let cell = json!({
            "environment": "e", "tier": "staging", "binding": binding, "target_kind": null, "simulated": false,
            "version": version, "image": null, "health": health, "health_message": null, "replicas": null,
            "since": null, "by": null, "observed_at": null, "hold": null, "active": null, "active_state": null,
            "last": null, "last_state": null,
        });
        serde_json::from_value(cell).unwrap()
    }

    #[test]
    fn what_runs_well_before_can_be_promoted_past_environments_without_the_service() {
        let row = [
            cell(Some("2"), "healthy", true),
            cell(None, "unknown", false),
            cell(Some("1"), "healthy", true),
            cell(Some("1"), "healthy", true),
        ];
        let offers: Vec<Option<String>> = (0..4).map(|at| incoming(&row, at)).collect();
        assert_eq!(offers, [None, None, Some("2".to_owned()), None]);
    }

    #[test]
    fn what_does_badly_or_is_not_known_is_not_offered() {
        for (version, health) in [(Some("2"), "degraded"), (Some("2"), "progressing"), (None, "healthy")] {
            let row = [cell(version, health, true), cell(Some("1"), "healthy", true)];
            assert_eq!(incoming(&row, 1), None, "{version:?} {health}");
        }
    }
}
