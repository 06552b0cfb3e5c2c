//! One connection: trying it, changing it, deleting it. A stored secret is kept or replaced, never shown.

use super::draw::inputs;
use super::kind_title;
use super::schema::{Field, fields, pointers};
use super::values::{fill, read};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Simulated, Submit, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::environments::{ConnectionOut, ConnectionPatch};
use passerelle_server::environments::{Etag, IfMatch};
use passerelle_server::kernel::{Action, AppError, Object, decide};

/// A connection with the form of its kind.
struct Known {
    connection: ConnectionOut,
    kind: String,
    drawn: Vec<Field>,
}

async fn known(app: &AppState, req: &Req, name: &str) -> Result<Known, PageError> {
    let connection = app.portal.environments.get_connection(&req.ctx, name).await.or_page(req)?;
    let kinds = app.portal.environments.connection_kinds(req.ctx.locale);
    let schema = kinds.iter().find(|kind| kind.kind == connection.kind).map(|kind| &kind.connection_schema);
    let drawn = schema.map(fields).unwrap_or_default();
    Ok(Known { kind: kind_title(&kinds, &connection.kind), drawn, connection })
}

pub async fn show(State(app): State<AppState>, Path(name): Path<String>, req: Req) -> Result<Response, PageError> {
    let known = known(&app, &req, &name).await?;
    let form = fill(&known.drawn, &known.connection.config);
    let etag = known.connection.etag();
    Ok(draw(&req, &known, &form, etag, &Errors::default()))
}

pub async fn save(
    State(app): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let known = known(&app, &req, &name).await?;
    let saved = match read(&known.drawn, &form, req.t) {
        Ok(config) => {
            let patch = ConnectionPatch { config: Some(config) };
            let read = IfMatch::new(Some(form.get("etag")));
            app.portal.environments.patch_connection_if(&req.ctx, &name, patch, &read).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match saved {
        Ok(saved) => {
            let flash = Flash { ok: true, text: req.t.flash_saved(&saved.name) };
            Ok(see_other(&format!("/connections/{}", saved.name), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&req, &known, &form, form.text("etag"), &errors)))
        }
    }
}

pub async fn delete(
    State(app): State<AppState>,
    Path(name): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let req = posted.req;
    if let Err(error) = app.portal.environments.delete_connection(&req.ctx, &name).await {
        let errors = req.shown(error)?;
        let known = known(&app, &req, &name).await?;
        let form = fill(&known.drawn, &known.connection.config);
        return Ok(errors.refuse(draw(&req, &known, &form, known.connection.etag(), &errors)));
    }
    Ok(see_other("/connections", Some(Flash { ok: true, text: req.t.flash_deleted(&name) })))
}

fn draw(req: &Req, known: &Known, form: &Fields, etag: String, errors: &Errors) -> Response {
    let t = req.t;
    let connection = &known.connection;
    let may = decide(&req.ctx, Action::ConnectionEdit, &Object::new("connection", connection.name.clone()));
    let why_not = (!may.allowed).then(|| req.ctx.say(&may.because));
    let pointers = pointers(&known.drawn);
    let shown: Vec<&str> = pointers.iter().map(String::as_str).collect();
    let inputs = inputs(t, &known.drawn, form, errors);
    let here = format!("/connections/{}", connection.name);
    let csrf = req.ctx.csrf_token();
    let acts = acts(t, connection, &here, &csrf);
    let crumbs = vec![Crumb::new("/connections", t.connections_title())];
    page(
        req.page(connection.name.clone()).section(Section::Connections).crumbs(crumbs),
        view! {
            <Head title=connection.name.clone() sub=known.kind.clone()>
                {acts}
            </Head>
            {summary(t, errors, &shown)}
            <div class="stack">
                {why_not.map(|why| view! { <Alert tone=Tone::Off>{why}</Alert> })}
                <form class="panel form" method="post" action=here.clone()>
                    <Hidden name="csrf" value=csrf.clone() />
                    <Hidden name="etag" value=etag />
                    {inputs}
                    <div class="btns">
                        {may.allowed.then(|| view! { <Submit label=t.save() /> })}
                        <LinkButton href="/connections" label=t.cancel() kind=ButtonKind::Quiet />
                    </div>
                </form>
                {may.allowed.then(|| deletion(t, connection, &here, csrf))}
            </div>
        },
    )
}

fn acts(t: T, connection: &ConnectionOut, here: &str, csrf: &str) -> AnyView {
    let bindings = Query::default().with("connection", Some(&connection.name)).href("/bindings");
    let count = t.n_bindings(u64::from(connection.bindings));
    view! {
        {connection.simulated.then(|| view! { <Simulated t=t /> })}
        <LinkButton href=bindings label=count />
        <form method="post" action=format!("{here}/check")>
            <Hidden name="csrf" value=csrf />
            <Hidden name="next" value=here />
            <Submit label=t.connection_check() kind=ButtonKind::Plain />
        </form>
    }
    .into_any()
}

/// Two steps; and where it cannot be done, the reason.
fn deletion(t: T, connection: &ConnectionOut, here: &str, csrf: String) -> AnyView {
    if connection.bindings > 0 {
        return view! { <p class="muted">{t.connection_in_use(t.n_bindings(u64::from(connection.bindings)))}</p> }
            .into_any();
    }
    let label = t.delete_label(&connection.name);
    view! {
        <details class="disclose">
            <summary>{t.delete()}</summary>
            <form class="panel danger form" method="post" action=format!("{here}/delete")>
                <Hidden name="csrf" value=csrf />
                <p>{t.connection_delete_effect()}</p>
                <div class="btns">
                    <Submit label=label kind=ButtonKind::Danger />
                </div>
            </form>
        </details>
    }
    .into_any()
}
