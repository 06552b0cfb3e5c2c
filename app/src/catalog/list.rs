//! The list of services: search, facets with counts, sorting, pages.

use crate::shell::Section;
use crate::ui::{Ago, ButtonKind, Columns, Empty, Head, HealthBadge, LinkButton, Pager, Select, Submit, Table};
use crate::web::{OrPage, PageError, Query, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page;
use passerelle_contract::catalog::{FacetValue, ServiceFacets, ServiceFilter, ServiceOut, ServiceSort};
use passerelle_contract::deployments::Health;
use passerelle_server::portal::Portal;

/// Values of one facet beside the list; the others are found with the search.
const FACET_VALUES: usize = 8;

pub async fn show(State(portal): State<Portal>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let filter = filter(&req.query);
    let facets = portal.catalog.facets(&req.ctx, &filter).or_page(&req)?;
    let found = portal.catalog.list_services(&req.ctx, &filter).or_page(&req)?;
    let sub = t.n_services(found.total);
    let filters = search(&req);
    let narrowing = narrowing(&req, &facets);
    let content = if found.items.is_empty() { empty(&req) } else { table(&req, found) };
    let mut frame = req.page(t.services_title()).section(Section::Services);
    frame.search = req.query.text("q").unwrap_or_default();
    Ok(page(
        frame,
        view! {
            <Head title=t.services_title() sub=sub />
            {filters}
            <div class="listing">
                {narrowing}
                <div class="stack">{content}</div>
            </div>
        },
    ))
}

fn filter(query: &Query) -> ServiceFilter {
    ServiceFilter {
        q: query.text("q"),
        system: query.text("system"),
        team: query.text("team"),
        kind: query.text("type"),
        lifecycle: query.text("lifecycle"),
        tag: query.text("tag"),
        environment: query.text("environment"),
        health: query.get("health").and_then(Health::parse),
        sort: query.get("sort").and_then(sort),
        cursor: query.text("cursor"),
        limit: Some(50),
    }
}

fn sort(text: &str) -> Option<ServiceSort> {
    match text {
        "name" => Some(ServiceSort::Name),
        "system" => Some(ServiceSort::System),
        "owner" => Some(ServiceSort::Owner),
        "updated" => Some(ServiceSort::Updated),
        _ => None,
    }
}

fn search(req: &Req) -> impl IntoView + use<> {
    let (t, query) = (req.t, &req.query);
    let kept = query
        .others(&["q", "sort"])
        .map(|(name, value)| view! { <input type="hidden" name=name.clone() value=value.clone() /> })
        .collect::<Vec<_>>();
    let sorts =
        [("name", t.sort_name()), ("system", t.col_system()), ("owner", t.col_owner()), ("updated", t.sort_updated())]
            .map(|(value, words)| (value.to_owned(), words.to_owned()))
            .to_vec();
    let sorted = query.text("sort").unwrap_or_else(|| "name".to_owned());
    view! {
        <form class="filters" action="/services" data-auto="">
            {kept}
            <div class="field grow">
                <label for="f-q">{t.search_words()}</label>
                <input class="input" id="f-q" type="search" name="q" value=query.text("q").unwrap_or_default() />
            </div>
            <Select t=t name="sort" label=t.sort() choices=sorts value=sorted />
            <Submit label=t.filter() kind=ButtonKind::Plain />
            {query
                .filtered()
                .then(|| view! { <LinkButton href="/services" label=t.clear_filters() kind=ButtonKind::Quiet /> })}
        </form>
    }
}

fn narrowing(req: &Req, facets: &ServiceFacets) -> impl IntoView + use<> {
    let t = req.t;
    let group = |name: &'static str, title: &'static str, values: &[FacetValue]| facet(req, name, title, values);
    view! {
        <nav class="facets" aria-label=t.facets_label()>
            {group("health", t.facet_health(), &facets.health)} {group("system", t.facet_system(), &facets.system)}
            {group("team", t.facet_team(), &facets.team)}
            {group("environment", t.facet_environment(), &facets.environment)}
            {group("type", t.facet_type(), &facets.kind)} {group("lifecycle", t.facet_lifecycle(), &facets.lifecycle)}
            {group("tag", t.facet_tag(), &facets.tag)}
        </nav>
    }
}

fn facet(req: &Req, name: &'static str, title: &'static str, values: &[FacetValue]) -> Option<AnyView> {
    let t = req.t;
    if values.is_empty() {
        return None;
    }
    let set = req.query.get(name);
    let items = values
        .iter()
        .enumerate()
        .filter(|(index, facet)| *index < FACET_VALUES || set == Some(facet.value.as_str()))
        .map(|(_, facet)| {
            let on = set == Some(facet.value.as_str());
            let href = req.query.with(name, (!on).then_some(&facet.value)).href("/services");
            let word = match Health::parse(&facet.value).filter(|_| name == "health") {
                Some(health) => t.health(health).to_owned(),
                None => facet.value.clone(),
            };
            view! {
                <li>
                    <a href=href aria-current=on.then_some("true")>
                        <span class="w">{word}</span>
                        <span class="n">{t.number(facet.count.into())}</span>
                    </a>
                </li>
            }
        })
        .collect::<Vec<_>>();
    let view = view! {
        <section>
            <h2>{title}</h2>
            <ul>{items}</ul>
        </section>
    };
    Some(view.into_any())
}

fn empty(req: &Req) -> AnyView {
    let t = req.t;
    if req.query.filtered() {
        return view! {
            <Empty icon="search" title=t.matrix_no_match() text="">
                <LinkButton href="/services" label=t.clear_filters() />
            </Empty>
        }
        .into_any();
    }
    view! {
        <Empty icon="service" title=t.services_empty_title() text=t.services_empty_text()>
            <LinkButton href="/catalog/import" label=t.import_title() kind=ButtonKind::Primary />
        </Empty>
    }
    .into_any()
}

fn table(req: &Req, found: Page<ServiceOut>) -> AnyView {
    let t = req.t;
    let pages = req.pages("/services", found.items.len(), found.total, found.next_cursor.as_deref());
    let rows = rows(req, found.items);
    view! {
        {rows}
        <Pager t=t pages=pages />
    }
    .into_any()
}

/// Services as a table.
pub fn rows(req: &Req, services: Vec<ServiceOut>) -> AnyView {
    let (t, now) = (req.t, req.now);
    let rows = services
        .into_iter()
        .map(|service| {
            let system = service.system.map(|key| view! { <a href=format!("/systems/{key}")>{key.clone()}</a> });
            let owner = service.owner.map(|key| view! { <a href=format!("/entities/group/{key}")>{key.clone()}</a> });
            view! {
                <tr>
                    <th scope="row">
                        <a class="svc" href=format!("/services/{}", service.key)>
                            {service.title.unwrap_or(service.name)}
                        </a>
                        <div class="under mono">{service.key}</div>
                    </th>
                    <td>{service.health.map(|health| view! { <HealthBadge t=t health=health /> })}</td>
                    <td>{system}</td>
                    <td>{owner}</td>
                    <td>{service.kind}</td>
                    <td>{service.lifecycle}</td>
                    <td>
                        <Ago t=t at=service.updated_at now=now />
                    </td>
                </tr>
            }
        })
        .collect::<Vec<_>>();
    view! {
        <Table label=t.services_title() columns=Columns::of([t.col_service(), t.col_health(), t.col_system(), t.col_owner(), t.col_type(), t.col_lifecycle(), t.col_updated()])>{rows}</Table>
    }
    .into_any()
}
