//! `/bindings`: what runs where, filtered by the address.

use super::kind_title;
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{
    Alert, ButtonKind, Columns, Empty, Head, LinkButton, Pager, Select, Status, Submit, Table, Text, TierTag, Tone,
};
use crate::web::{AppState, OrPage, PageError, Req, page};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page as Listing;
use passerelle_contract::environments::{
    BindingFilter, BindingOut, ConnectionOut, EnvironmentOut, TargetKindOut, Tier,
};
use passerelle_server::kernel::{Action, AppError, Object, decide};
use serde_json::Value;

const PAGE: u32 = 50;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    let service = &app.portal.environments;
    let filter = BindingFilter {
        service: req.query.text("service"),
        environment: req.query.text("environment"),
        connection: req.query.text("connection"),
        cursor: req.query.text("cursor"),
        limit: Some(PAGE),
    };
    let environments = service.list_environments(&req.ctx).await.or_page(&req)?;
    // Viewers may not list connections; they filter by the rest.
    let connections = service.list_connections(&req.ctx).await.unwrap_or_default();
    let (listing, wrong) = match service.page_bindings(&req.ctx, &filter).await {
        Ok(listing) => (listing, None),
        Err(error @ (AppError::Invalid(_) | AppError::NotFound(_))) => (none(), Some(req.ctx.say(&error.detail()))),
        Err(error) => return Err(req.fail(error)),
    };
    let may = decide(&req.ctx, Action::BindingEdit, &Object::new("binding", "*"));
    let new = move || {
        may.allowed
            .then(|| view! { <LinkButton href="/bindings/new" label=t.binding_new() kind=ButtonKind::Primary /> })
    };
    let content = if listing.items.is_empty() {
        view! {
            <Empty icon="bind" title=t.bindings_empty_title() text=t.bindings_empty_text()>
                {new()}
            </Empty>
        }
        .into_any()
    } else {
        table(&req, &service.target_kinds(req.ctx.locale), &environments, &connections, listing).into_any()
    };
    Ok(page(
        req.page(t.bindings_title()).section(Section::Bindings),
        view! {
            <Head title=t.bindings_title() sub=t.bindings_sub()>
                {new()}
            </Head>
            {filters(&req, &environments, &connections)}
            {wrong.map(|text| view! { <div class="flash"><Alert tone=Tone::Bad>{text}</Alert></div> })}
            {content}
        },
    ))
}

const fn none() -> Listing<BindingOut> {
    Listing { items: Vec::new(), next_cursor: None, total: 0 }
}

fn filters(req: &Req, environments: &[EnvironmentOut], connections: &[ConnectionOut]) -> impl IntoView + use<> {
    let t = req.t;
    let value = |name: &str| req.query.text(name).unwrap_or_default();
    let with_any = |names: Vec<String>| {
        let any = (String::new(), t.any().to_owned());
        std::iter::once(any).chain(names.into_iter().map(|name| (name.clone(), name))).collect::<Vec<_>>()
    };
    let stages = with_any(environments.iter().map(|environment| environment.name.clone()).collect());
    let places = with_any(connections.iter().map(|connection| connection.name.clone()).collect());
    let clear = req
        .query
        .filtered()
        .then(|| view! { <LinkButton href="/bindings" label=t.clear_filters() kind=ButtonKind::Quiet /> });
    view! {
        <form class="filters" action="/bindings" data-auto="">
            <Text t=t name="service" label=t.col_service() value=value("service") placeholder=t.service_key_example().to_owned() code=true required=false />
            <Select t=t name="environment" label=t.col_environment() choices=stages value=value("environment") required=false />
            {(places.len() > 1)
                .then(|| {
                    view! { <Select t=t name="connection" label=t.col_connection() choices=places value=value("connection") required=false /> }
                })}
            <Submit label=t.filter() kind=ButtonKind::Plain />
            {clear}
        </form>
    }
}

fn table(
    req: &Req,
    kinds: &[TargetKindOut],
    environments: &[EnvironmentOut],
    connections: &[ConnectionOut],
    listing: Listing<BindingOut>,
) -> impl IntoView + use<> {
    let t = req.t;
    let pages = req.pages("/bindings", listing.items.len(), listing.total, listing.next_cursor.as_deref());
    let rows = listing
        .items
        .into_iter()
        .map(|binding| {
            let tier = environments.iter().find(|known| known.name == binding.environment).map(|known| known.tier);
            let linked = connections.iter().any(|known| known.name == binding.connection);
            let kind = kind_title(kinds, &binding.kind);
            row(t, binding, tier, kind, linked)
        })
        .collect::<Vec<_>>();
    view! {
        <Table label=t.bindings_title() columns=Columns::of([t.col_service(), t.col_environment(), t.col_connection(), t.col_config()]).acts(t.open())>{rows}</Table>
        <Pager t=t pages=pages />
    }
}

fn row(t: T, binding: BindingOut, tier: Option<Tier>, kind: String, linked: bool) -> impl IntoView {
    let href = format!("/bindings/{}", binding.id);
    let pair = t.binding_of(&binding.service, &binding.environment);
    let place = if linked {
        let href = format!("/connections/{}", binding.connection);
        view! {
            <a class="link" href=href>
                {binding.connection}
            </a>
        }
        .into_any()
    } else {
        binding.connection.into_any()
    };
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/services/{}", binding.service)>
                    {binding.service.clone()}
                </a>
                {binding.hold.is_some().then(|| view! { <Status tone=Tone::Warn icon="hold" word=t.on_hold() /> })}
            </th>
            <td>
                {match tier {
                    Some(tier) => view! { <TierTag t=t tier=tier name=binding.environment.clone() /> }.into_any(),
                    None => binding.environment.clone().into_any(),
                }}
            </td>
            <td>{place} <div class="under">{kind}</div></td>
            <td class="mono break">{in_words(&binding.config)}</td>
            <td class="tight">
                <LinkButton href=href label=t.open() kind=ButtonKind::Small of=pair />
            </td>
        </tr>
    }
}

/// `namespace shop · deployment web`.
pub fn in_words(config: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let parts = config.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    parts.map(|(name, value)| format!("{name} {}", text(value))).collect::<Vec<_>>().join(" · ")
}
