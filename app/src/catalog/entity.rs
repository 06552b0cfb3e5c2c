//! Systems, and every entity that is no service.

use super::{about, list};
use crate::shell::Section;
use crate::ui::{ButtonKind, Columns, Crumb, Empty, Head, LinkButton, Pager, Table, entity_href};
use crate::web::{OrPage, PageError, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::catalog::{EntityRow, ServiceFilter};
use passerelle_server::catalog::EntityFilter;
use passerelle_server::portal::Portal;

/// Services shown on a system's page before one goes on to the list.
const SHOWN: u32 = 100;

pub async fn systems(State(portal): State<Portal>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let filter = EntityFilter {
        kind: Some("system".to_owned()),
        q: req.query.text("q"),
        cursor: req.query.text("cursor"),
        limit: Some(50),
    };
    let found = portal.catalog.list_entities(&req.ctx, &filter).or_page(&req)?;
    let pages = req.pages("/systems", found.items.len(), found.total, found.next_cursor.as_deref());
    let content = if found.items.is_empty() {
        view! {
            <Empty icon="system" title=t.systems_empty_title() text=t.services_empty_text()>
                <LinkButton href="/catalog/import" label=t.import_title() kind=ButtonKind::Primary />
            </Empty>
        }
        .into_any()
    } else {
        let table = table(&req, found.items);
        view! {
            {table}
            <Pager t=t pages=pages />
        }
        .into_any()
    };
    Ok(page(
        req.page(t.systems_title()).section(Section::Systems),
        view! {
            <Head title=t.systems_title() sub=t.systems_sub() />
            {content}
        },
    ))
}

fn table(req: &Req, rows: Vec<EntityRow>) -> impl IntoView + use<> {
    let t = req.t;
    let rows = rows
        .into_iter()
        .map(|row| {
            let owner = row.owner.map(|owner| super::key_of(&owner).to_owned());
            view! {
                <tr>
                    <th scope="row">
                        <a class="svc" href=entity_href(&row.reference)>
                            {row.title.unwrap_or(row.name)}
                        </a>
                        <div class="under mono">{row.reference}</div>
                    </th>
                    <td>{owner.map(|key| view! { <a href=format!("/entities/group/{key}")>{key.clone()}</a> })}</td>
                    <td>{row.lifecycle}</td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <Table label=t.systems_title() columns=Columns::of([t.col_entity(), t.col_owner(), t.col_lifecycle()])>{rows}</Table>
    }
}

pub async fn system(
    State(portal): State<Portal>,
    Path((namespace, name)): Path<(String, String)>,
    req: Req,
) -> Result<Response, PageError> {
    let key = format!("{namespace}/{name}");
    let services = ServiceFilter { system: Some(key), limit: Some(SHOWN), ..ServiceFilter::default() };
    render(&portal, &req, ("system", &namespace, &name), Some(services)).await
}

pub async fn show(
    State(portal): State<Portal>,
    Path((kind, namespace, name)): Path<(String, String, String)>,
    req: Req,
) -> Result<Response, PageError> {
    match kind.as_str() {
        // They have pages of their own.
        "component" | "system" => Ok(see_other(&entity_href(&format!("{kind}:{namespace}/{name}")), None)),
        "group" => {
            let team = Some(format!("{namespace}/{name}"));
            let services = ServiceFilter { team, limit: Some(SHOWN), ..ServiceFilter::default() };
            render(&portal, &req, ("group", &namespace, &name), Some(services)).await
        }
        other => render(&portal, &req, (other, &namespace, &name), None).await,
    }
}

async fn render(
    portal: &Portal,
    req: &Req,
    (kind, namespace, name): (&str, &str, &str),
    services: Option<ServiceFilter>,
) -> Result<Response, PageError> {
    let t = req.t;
    let entity = portal.catalog.get_entity(&req.ctx, kind, namespace, name).await.or_page(req)?;
    let services = match services {
        Some(filter) => Some((portal.catalog.list_services(&req.ctx, &filter).or_page(req)?, filter)),
        None => None,
    };
    let services = services.map(|(found, filter)| {
        let query = crate::web::Query::default()
            .with("system", filter.system.as_deref())
            .with("team", filter.team.as_deref())
            .href("/services");
        let count = t.n_services(found.total);
        let rows = (found.total > 0).then(|| list::rows(req, found.items));
        view! {
            <section class="stack">
                <h2>
                    <a href=query>{count}</a>
                </h2>
                {rows}
            </section>
        }
    });
    let title = entity.title.clone().unwrap_or_else(|| entity.name.clone());
    let sub = entity.description.clone().unwrap_or_else(|| entity.reference.clone());
    let (section, crumbs) = match kind {
        "system" => (Section::Systems, vec![Crumb::new("/systems", t.systems_title())]),
        _ => (Section::Services, vec![Crumb::new("/services", t.services_title())]),
    };
    Ok(page(
        req.page(title.clone()).section(section).crumbs(crumbs),
        view! {
            <Head title=title sub=sub />
            <div class="cols">
                <div class="stack">{services}</div>
                <div class="stack">{about::panels(t, &entity)}</div>
            </div>
        },
    ))
}
