//! The home page: what runs where, a row per service and a column per environment.

mod cell;
mod filters;

use crate::gates::frozen::{self, Frozen};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Columns, Empty, Head, LinkButton, Pager, Table, TierTag, Tone};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use axum::{Router, routing::get};
use leptos::prelude::*;
use passerelle_contract::catalog::ServiceFilter;
use passerelle_contract::deployments::{Health, MatrixFilter, MatrixOut, MatrixRow};
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
    let waiting = portal.deployments.waiting_for(&req.ctx).await.or_page(&req)?.len() as u64;
    let facets = portal.catalog.facets(&req.ctx, &ServiceFilter::default()).or_page(&req)?;
    let filters = filters::view(t, query, &facets);
    let summary = summary(t, &matrix.rows);
    let content = if matrix.rows.is_empty() { empty(&req) } else { table(&req, matrix, &frozen) };
    Ok(page(
        req.page(t.matrix_title()).section(Section::Matrix),
        view! {
            <Head title=t.matrix_title() sub=summary />
            {(waiting > 0).then(|| waits(t, waiting))}
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

fn table(req: &Req, matrix: MatrixOut, frozen: &Frozen) -> AnyView {
    let t = req.t;
    let MatrixOut { environments, rows, next_cursor, total } = matrix;
    let heads = environments.into_iter().map(|environment| {
        let mark = frozen.environment(environment.tier, &environment.name).map(|freeze| frozen::mark(t, freeze));
        view! {
            <TierTag t=t tier=environment.tier name=environment.name />
            {mark.map(|mark| view! { <div class="mark-under">{mark}</div> })}
        }
        .into_any()
    });
    let columns = Columns::of([t.col_service()]).views(heads);
    let pages = req.pages("/", rows.len(), total, next_cursor.as_deref());
    let rows =
        rows.into_iter().enumerate().map(|(index, row)| table_row(req, row, index == 0, frozen)).collect::<Vec<_>>();
    view! {
        <Table label=t.matrix_title() class="matrix" columns=columns>{rows}</Table>
        <Pager t=t pages=pages />
        <p class="muted">{t.matrix_keys()}</p>
    }
    .into_any()
}

fn table_row(req: &Req, row: MatrixRow, top: bool, frozen: &Frozen) -> impl IntoView + use<> {
    let MatrixRow { service, cells } = row;
    let cells = cells
        .into_iter()
        .enumerate()
        .map(|(index, cell)| cell::view(req, &service, cell, top && index == 0, frozen))
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
