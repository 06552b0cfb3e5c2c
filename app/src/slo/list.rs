//! `/slos`: objectives by what is left of their budgets, the least first. Filters are in the address.

use super::{may_edit_some, rows};
use crate::shell::Section;
use crate::ui::{ButtonKind, Chip, Empty, Head, Hidden, LinkButton, Pager, Select, Submit, facet_choices};
use crate::web::{AppState, OrPage, PageError, Query, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page;
use passerelle_contract::catalog::{ServiceFacets, ServiceFilter};
use passerelle_contract::slo::{BudgetVerdict, SloCounts, SloFilter, SloRow, SloSort};

const PATH: &str = "/slos";

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let filter = filter(&req.query);
    let counts = app.portal.slo.count_slos(&req.ctx, &filter).await.or_page(&req)?;
    let found = app.portal.slo.list_slos(&req.ctx, &filter).await.or_page(&req)?;
    let facets = app.portal.catalog.facets(&req.ctx, &ServiceFilter::default()).or_page(&req)?;
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(&req)?;
    let environments = environments.into_iter().map(|environment| environment.name).collect();
    let filters = filters(&req, &facets, environments);
    let chips = chips(&req, counts);
    let acts = acts(&req);
    let content = if found.items.is_empty() { empty(&req) } else { table(&req, found) };
    Ok(page(
        req.page(t.slos_title()).section(Section::Slos),
        view! {
            <Head title=t.slos_title() sub=summary(&req, counts)>
                {acts}
            </Head>
            {filters}
            {chips}
            {content}
        },
    ))
}

fn filter(query: &Query) -> SloFilter {
    SloFilter {
        service: query.text("service"),
        team: query.text("team"),
        system: query.text("system"),
        environment: query.text("environment"),
        verdict: query.get("verdict").and_then(BudgetVerdict::parse),
        q: query.text("q"),
        sort: (query.get("sort") == Some("name")).then_some(SloSort::Name),
        cursor: query.text("cursor"),
        limit: Some(50),
    }
}

/// What needs a look, in a few words.
fn summary(req: &Req, counts: SloCounts) -> String {
    let t = req.t;
    let low = counts.warn + counts.approval;
    let all = counts.ok + low + counts.block + counts.unmeasured;
    if all == 0 {
        return t.slos_none_sub().to_owned();
    }
    let parts = [
        (true, t.n_slos(all)),
        (counts.block > 0, t.n_spent(counts.block)),
        (low > 0, t.n_low(low)),
        (counts.unmeasured > 0, t.n_unmeasured(counts.unmeasured)),
    ];
    parts.into_iter().filter(|(said, _)| *said).map(|(_, text)| text).collect::<Vec<_>>().join(" · ")
}

fn acts(req: &Req) -> AnyView {
    let t = req.t;
    let policies = view! { <LinkButton href="/slos/policies" label=t.slo_policies() kind=ButtonKind::Quiet /> };
    if !may_edit_some(req) {
        return policies.into_any();
    }
    view! {
        {policies}
        <LinkButton href="/slos/import" label=t.slo_import() icon="import" />
        <LinkButton href="/slos/new" label=t.slo_new() kind=ButtonKind::Primary />
    }
    .into_any()
}

fn filters(req: &Req, facets: &ServiceFacets, environments: Vec<String>) -> impl IntoView + use<> {
    let (t, query) = (req.t, &req.query);
    let set = |name: &str| query.text(name).unwrap_or_default();
    let kept = ["verdict", "service"]
        .into_iter()
        .filter_map(|name| query.text(name).map(|value| view! { <Hidden name=name value=value /> }))
        .collect::<Vec<_>>();
    let (system, team, environment) = (set("system"), set("team"), set("environment"));
    let all = std::iter::once((String::new(), t.all().to_owned()));
    let environments = all.chain(environments.into_iter().map(|name| (name.clone(), name))).collect();
    let sorts =
        vec![("remaining".to_owned(), t.col_budget_left().to_owned()), ("name".to_owned(), t.sort_name().to_owned())];
    let clear =
        query.filtered().then(|| view! { <LinkButton href=PATH label=t.clear_filters() kind=ButtonKind::Quiet /> });
    view! {
        <form class="filters" action=PATH data-auto="">
            {kept}
            <div class="field grow">
                <label for="f-q">{t.search_words()}</label>
                <input class="input" id="f-q" type="search" name="q" value=set("q") />
            </div>
            <Select t=t name="system" label=t.facet_system() choices=facet_choices(t, &facets.system, &system) value=system.clone() />
            <Select t=t name="team" label=t.facet_team() choices=facet_choices(t, &facets.team, &team) value=team.clone() />
            <Select t=t name="environment" label=t.facet_environment() choices=environments value=environment />
            <Select t=t name="sort" label=t.sort() choices=sorts value=set("sort") />
            <Submit label=t.filter() kind=ButtonKind::Plain />
            {clear}
        </form>
    }
}

fn chips(req: &Req, counts: SloCounts) -> impl IntoView + use<> {
    let (t, query) = (req.t, &req.query);
    let set = query.get("verdict").and_then(BudgetVerdict::parse);
    let verdicts = [
        (BudgetVerdict::Block, counts.block),
        (BudgetVerdict::Approval, counts.approval),
        (BudgetVerdict::Warn, counts.warn),
        (BudgetVerdict::Ok, counts.ok),
    ];
    let chips = verdicts
        .into_iter()
        .filter(|(verdict, count)| *count > 0 || set == Some(*verdict))
        .map(|(verdict, count)| {
            let on = set == Some(verdict);
            let href = query.with("verdict", (!on).then_some(verdict.as_str())).href(PATH);
            view! { <Chip href=href label=t.budget_verdict(verdict) on=on count=t.number(count) /> }
        })
        .collect::<Vec<_>>();
    let service = query.text("service").map(|key| {
        let label = t.clear_filter(&key);
        view! { <Chip href=query.with("service", None).href(PATH) label=key on=true aria_label=label /> }
    });
    view! { <div class="chips mb-3">{service} {chips}</div> }
}

fn empty(req: &Req) -> AnyView {
    let t = req.t;
    if req.query.filtered() {
        return view! {
            <Empty icon="search" title=t.slos_no_match() text="">
                <LinkButton href=PATH label=t.clear_filters() />
            </Empty>
        }
        .into_any();
    }
    let acts = acts(req);
    view! { <Empty icon="budget" title=t.slos_empty_title() text=t.slos_empty_text()>{acts}</Empty> }.into_any()
}

fn table(req: &Req, found: Page<SloRow>) -> AnyView {
    let t = req.t;
    let pages = req.pages(PATH, found.items.len(), found.total, found.next_cursor.as_deref());
    let rows = rows::table(t, found.items, true);
    view! {
        {rows}
        <Pager t=t pages=pages />
    }
    .into_any()
}
