//! Making a connection: first the kind, then its own form.

use super::draw::inputs;
use super::schema::{Field, fields, pointers};
use super::values::read;
use crate::shell::Section;
use crate::ui::{ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Submit, Text};
use crate::web::{AppState, Errors, Fields, OrPage, Page, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Locale;
use passerelle_contract::environments::{ConnectionIn, TargetKindOut};
use passerelle_server::kernel::{Action, AppError, Ctx, Object, decide};

/// Whoever may not make one is told before filling in a form.
fn permitted(ctx: &Ctx) -> Result<(), AppError> {
    if ctx.is_anonymous() {
        return Err(AppError::Unauthenticated);
    }
    let may = decide(ctx, Action::ConnectionEdit, &Object::new("connection", "*"));
    if may.allowed { Ok(()) } else { Err(AppError::Forbidden(may.because)) }
}

fn kind(app: &AppState, locale: Locale, kind: &str) -> Result<TargetKindOut, AppError> {
    let mut kinds = app.portal.environments.connection_kinds(locale).into_iter();
    kinds.find(|known| known.kind == kind).ok_or_else(|| AppError::not_found(format!("target_kind:{kind}")))
}

pub async fn new(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    permitted(&req.ctx).or_page(&req)?;
    match req.query.get("kind") {
        Some(wanted) => {
            let kind = kind(&app, req.ctx.locale, wanted).or_page(&req)?;
            let drawn = fields(&kind.connection_schema);
            Ok(draw(&req, &kind, &drawn, &Fields::default(), &Errors::default()))
        }
        None => Ok(choose(&req, app.portal.environments.connection_kinds(req.ctx.locale))),
    }
}

fn frame(req: &Req) -> Page {
    let crumbs = vec![Crumb::new("/connections", req.t.connections_title())];
    req.page(req.t.connection_new()).section(Section::Connections).crumbs(crumbs)
}

fn choose(req: &Req, kinds: Vec<TargetKindOut>) -> Response {
    let t = req.t;
    let choices = kinds
        .into_iter()
        .map(|kind| {
            let href = Query::default().with("kind", Some(&kind.kind)).href("/connections/new");
            view! { <LinkButton href=href label=kind.title icon="plug" /> }
        })
        .collect::<Vec<_>>();
    page(
        frame(req),
        view! {
            <Head title=t.connection_new() sub=t.choose_kind() />
            <div class="panel btns">{choices}</div>
        },
    )
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let kind = kind(&app, req.ctx.locale, form.get("kind")).or_page(&req)?;
    let drawn = fields(&kind.connection_schema);
    let made = match read(&drawn, &form, req.t) {
        Ok(config) => {
            let new = ConnectionIn { name: form.text("name"), kind: kind.kind.clone(), config };
            app.portal.environments.create_connection(&req.ctx, new).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match made {
        Ok(made) => {
            let flash = Flash { ok: true, text: req.t.flash_created(&made.name) };
            Ok(see_other(&format!("/connections/{}", made.name), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&req, &kind, &drawn, &form, &errors)))
        }
    }
}

fn draw(req: &Req, kind: &TargetKindOut, drawn: &[Field], form: &Fields, errors: &Errors) -> Response {
    let t = req.t;
    let pointers = pointers(drawn);
    let shown: Vec<&str> = pointers.iter().map(String::as_str).chain(["/name"]).collect();
    let inputs = inputs(t, drawn, form, errors);
    page(
        frame(req),
        view! {
            <Head title=t.connection_new() sub=kind.title.clone() />
            {summary(t, errors, &shown)}
            <form class="panel form" method="post" action="/connections/new">
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Hidden name="kind" value=kind.kind.clone() />
                <Text
                    t=t
                    name="name"
                    label=t.field_name()
                    value=form.text("name")
                    hint=t.connection_name_hint().to_owned()
                    error=errors.of("/name")
                    required=true
                    code=true
                    autocomplete="off"
                />
                {inputs}
                <div class="btns">
                    <Submit label=t.create() />
                    <LinkButton href="/connections" label=t.cancel() kind=ButtonKind::Quiet />
                </div>
            </form>
        },
    )
}
