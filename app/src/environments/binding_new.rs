//! Making a binding: first which service, environment and connection, then the form of the connection's kind.

use super::draw::inputs;
use super::kind_title;
use super::schema::{Field, fields, pointers};
use super::values::read;
use crate::shell::Section;
use crate::ui::{ButtonKind, Crumb, Empty, Flash, Head, Hidden, LinkButton, Select, Simulated, Submit, Text};
use crate::web::{AppState, Errors, Fields, OrPage, Page, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::catalog::ServiceFilter;
use passerelle_contract::environments::{BindingIn, ConnectionOut, EnvironmentOut, TargetKindOut};
use passerelle_contract::paging::MAX_LIMIT;
use passerelle_server::kernel::AppError;

/// What is chosen in the first step.
struct Pair {
    service: String,
    environment: EnvironmentOut,
    connection: ConnectionOut,
    kind: TargetKindOut,
    title: String,
}

pub async fn new(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let given = |name: &str| req.query.text(name).unwrap_or_default();
    let chosen = (given("service"), given("environment"), given("connection"));
    if chosen.0.is_empty() || chosen.1.is_empty() || chosen.2.is_empty() {
        return choose(&app, &req, &Errors::default()).await;
    }
    match pair(&app, &req, &chosen.0, &chosen.1, &chosen.2).await {
        Ok(pair) => {
            let drawn = fields(&pair.kind.binding_schema);
            Ok(draw(&req, &pair, &drawn, &Fields::default(), &Errors::default()))
        }
        Err(error @ AppError::NotFound(_)) => choose(&app, &req, &error.problem(&req.ctx).into()).await,
        Err(error) => Err(req.fail(error)),
    }
}

async fn pair(app: &AppState, req: &Req, service: &str, environment: &str, connection: &str) -> Result<Pair, AppError> {
    let environments = &app.portal.environments;
    let service = app.portal.catalog.service_for(&req.ctx, service)?.scope.key;
    let environment = environments.get_environment(&req.ctx, environment).await?;
    let connection = environments.get_connection(&req.ctx, connection).await?;
    let kinds = environments.target_kinds(req.ctx.locale);
    let title = kind_title(&kinds, &connection.kind);
    let absent = || AppError::not_found(format!("target_kind:{}", connection.kind));
    let kind = kinds.into_iter().find(|known| known.kind == connection.kind).ok_or_else(absent)?;
    Ok(Pair { service, environment, connection, kind, title })
}

fn frame(req: &Req) -> Page {
    let crumbs = vec![Crumb::new("/bindings", req.t.bindings_title())];
    req.page(req.t.binding_new()).section(Section::Bindings).crumbs(crumbs)
}

/// The first step: three choices in a form whose answer is an address.
async fn choose(app: &AppState, req: &Req, errors: &Errors) -> Result<Response, PageError> {
    let t = req.t;
    let environments = app.portal.environments.list_environments(&req.ctx).await.or_page(req)?;
    let connections = app.portal.environments.list_connections(&req.ctx).await.or_page(req)?;
    let filter = ServiceFilter { limit: Some(MAX_LIMIT), ..ServiceFilter::default() };
    let services = app.portal.catalog.list_services(&req.ctx, &filter).or_page(req)?;
    if environments.is_empty() || connections.is_empty() || services.total == 0 {
        return Ok(page(frame(req), view! { <Empty icon="bind" title=t.binding_new() text=t.binding_needs() /> }));
    }
    let value = |name: &str| req.query.text(name).unwrap_or_default();
    let same = |name: String| (name.clone(), name);
    let stages = environments.into_iter().map(|environment| same(environment.name)).collect::<Vec<_>>();
    let places = connections.into_iter().map(|connection| same(connection.name)).collect::<Vec<_>>();
    // A list that is longer than one page is typed, not scrolled.
    let service = if services.next_cursor.is_none() {
        let keys = services.items.into_iter().map(|service| same(service.key)).collect::<Vec<_>>();
        view! { <Select t=t name="service" label=t.col_service() choices=keys value=value("service") /> }.into_any()
    } else {
        let hint = t.service_key_hint().to_owned();
        view! { <Text t=t name="service" label=t.col_service() value=value("service") hint=hint required=true code=true /> }
            .into_any()
    };
    Ok(page(
        frame(req),
        view! {
            <Head title=t.binding_new() sub=t.bindings_sub() />
            {summary(t, errors, &[])}
            <form class="panel form" action="/bindings/new">
                {service}
                <div class="pair">
                    <Select t=t name="environment" label=t.col_environment() choices=stages value=value("environment") />
                    <Select t=t name="connection" label=t.col_connection() choices=places value=value("connection") />
                </div>
                <div class="btns">
                    <Submit label=t.continue_() />
                    <LinkButton href="/bindings" label=t.cancel() kind=ButtonKind::Quiet />
                </div>
            </form>
        },
    ))
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let chosen = pair(&app, &req, form.get("service"), form.get("environment"), form.get("connection")).await;
    let pair = chosen.or_page(&req)?;
    let drawn = fields(&pair.kind.binding_schema);
    let made = match read(&drawn, &form, req.t) {
        Ok(config) => {
            let new = BindingIn {
                service: pair.service.clone(),
                environment: pair.environment.name.clone(),
                kind: pair.kind.kind.clone(),
                connection: pair.connection.name.clone(),
                config,
            };
            app.portal.environments.create_binding(&req.ctx, new).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match made {
        Ok(made) => {
            let text = req.t.flash_created(req.t.binding_of(&made.service, &made.environment));
            let back = Query::default().with("service", Some(&made.service)).href("/bindings");
            Ok(see_other(&back, Some(Flash { ok: true, text })))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&req, &pair, &drawn, &form, &errors)))
        }
    }
}

fn draw(req: &Req, pair: &Pair, drawn: &[Field], form: &Fields, errors: &Errors) -> Response {
    let t = req.t;
    let pointers = pointers(drawn);
    let shown: Vec<&str> = pointers.iter().map(String::as_str).collect();
    let inputs = inputs(t, drawn, form, errors);
    let sub = format!("{} · {}", pair.title, pair.connection.name);
    let simulated = pair.connection.simulated;
    let back = req.query.with("connection", None);
    let back = back.with("service", Some(&pair.service)).with("environment", Some(&pair.environment.name));
    page(
        frame(req).band(pair.environment.tier, pair.environment.name.clone()),
        view! {
            <Head title=t.binding_of(&pair.service, &pair.environment.name) sub=sub>
                {simulated.then(|| view! { <Simulated t=t /> })}
            </Head>
            {summary(t, errors, &shown)}
            <form class="panel form" method="post" action="/bindings/new">
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Hidden name="service" value=pair.service.clone() />
                <Hidden name="environment" value=pair.environment.name.clone() />
                <Hidden name="connection" value=pair.connection.name.clone() />
                {inputs}
                <div class="btns">
                    <Submit label=t.create() />
                    <LinkButton href=back.href("/bindings/new") label=t.go_back() kind=ButtonKind::Quiet />
                </div>
            </form>
        },
    )
}
