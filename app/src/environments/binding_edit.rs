//! One binding: changing where it points, taking it away.

use super::draw::inputs;
use super::kind_title;
use super::schema::{Field, fields, pointers};
use super::values::{fill, read};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Select, Submit, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::environments::{BindingOut, BindingPatch, EnvironmentOut};
use passerelle_server::environments::{Etag, IfMatch};
use passerelle_server::kernel::{Action, AppError, Decision, EnvironmentScope, Object, decide};

/// A binding with the form of its kind, and what the caller may do with it.
struct Known {
    binding: BindingOut,
    environment: EnvironmentOut,
    kind: String,
    drawn: Vec<Field>,
    /// Connections of the same kind.
    places: Vec<String>,
    may: Decision,
}

async fn known(app: &AppState, req: &Req, id: &str) -> Result<Known, PageError> {
    let service = &app.portal.environments;
    let id = req.id("binding", id)?;
    let binding = service.get_binding(&req.ctx, id).await.or_page(req)?;
    let environment = service.get_environment(&req.ctx, &binding.environment).await.or_page(req)?;
    let scope = app.portal.catalog.service_for(&req.ctx, &binding.service).or_page(req)?.scope;
    let object = Object::new("binding", binding.id.to_string())
        .with_service(scope)
        .with_environment(EnvironmentScope { name: environment.name.clone(), tier: environment.tier });
    let may = decide(&req.ctx, Action::BindingEdit, &object);
    let connections = service.list_connections(&req.ctx).await.unwrap_or_default();
    let same = connections.into_iter().filter(|connection| connection.kind == binding.kind);
    let mut places: Vec<String> = same.map(|connection| connection.name).collect();
    if !places.contains(&binding.connection) {
        places.push(binding.connection.clone());
    }
    let kinds = service.target_kinds(req.ctx.locale);
    let schema = kinds.iter().find(|kind| kind.kind == binding.kind).map(|kind| &kind.binding_schema);
    let drawn = schema.map(fields).unwrap_or_default();
    Ok(Known { kind: kind_title(&kinds, &binding.kind), environment, drawn, places, may, binding })
}

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let known = known(&app, &req, &id).await?;
    let form = fill(&known.drawn, &known.binding.config);
    let etag = known.binding.etag();
    Ok(draw(&req, &known, &form, known.binding.connection.clone(), etag, &Errors::default()))
}

pub async fn save(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let known = known(&app, &req, &id).await?;
    let saved = match read(&known.drawn, &form, req.t) {
        Ok(config) => {
            let patch = BindingPatch { connection: form.some("connection"), config: Some(config) };
            let read = IfMatch::new(Some(form.get("etag")));
            app.portal.environments.patch_binding_if(&req.ctx, known.binding.id, patch, &read).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match saved {
        Ok(saved) => {
            let text = req.t.flash_saved(req.t.binding_of(&saved.service, &saved.environment));
            Ok(see_other(&format!("/bindings/{}", saved.id), Some(Flash { ok: true, text })))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&req, &known, &form, form.text("connection"), form.text("etag"), &errors)))
        }
    }
}

pub async fn delete(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let req = posted.req;
    let known = known(&app, &req, &id).await?;
    if let Err(error) = app.portal.environments.delete_binding(&req.ctx, known.binding.id).await {
        let errors = req.shown(error)?;
        let form = fill(&known.drawn, &known.binding.config);
        let (place, etag) = (known.binding.connection.clone(), known.binding.etag());
        return Ok(errors.refuse(draw(&req, &known, &form, place, etag, &errors)));
    }
    let text = req.t.flash_deleted(req.t.binding_of(&known.binding.service, &known.binding.environment));
    Ok(see_other("/bindings", Some(Flash { ok: true, text })))
}

fn draw(req: &Req, known: &Known, form: &Fields, place: String, etag: String, errors: &Errors) -> Response {
    let t = req.t;
    let binding = &known.binding;
    let title = t.binding_of(&binding.service, &binding.environment);
    let pointers = pointers(&known.drawn);
    let shown: Vec<&str> = pointers.iter().map(String::as_str).chain(["/connection"]).collect();
    let inputs = inputs(t, &known.drawn, form, errors);
    let places = known.places.iter().map(|name| (name.clone(), name.clone())).collect::<Vec<_>>();
    let service = format!("/services/{}", binding.service);
    let here = format!("/bindings/{}", binding.id);
    let csrf = req.ctx.csrf_token();
    let held = binding
        .hold
        .as_ref()
        .map(|hold| t.on_hold_by(&hold.by, t.ago((req.now - hold.since).whole_seconds()), &hold.reason));
    let crumbs = vec![Crumb::new("/bindings", t.bindings_title())];
    let may = known.may.allowed;
    let why_not = (!may).then(|| req.ctx.say(&known.may.because));
    page(
        req.page(title.clone())
            .section(Section::Bindings)
            .crumbs(crumbs)
            .band(known.environment.tier, known.environment.name.clone()),
        view! {
            <Head title=title.clone() sub=known.kind.clone()>
                <LinkButton href=service label=t.col_service() />
            </Head>
            {summary(t, errors, &shown)}
            <div class="stack">
                {held.map(|text| view! { <Alert tone=Tone::Warn>{text}</Alert> })}
                {why_not.map(|why| view! { <Alert tone=Tone::Off>{why}</Alert> })}
                <form class="panel form" method="post" action=here.clone()>
                    <Hidden name="csrf" value=csrf.clone() />
                    <Hidden name="etag" value=etag />
                    <Select t=t name="connection" label=t.col_connection() choices=places value=place error=errors.of("/connection") />
                    {inputs}
                    <div class="btns">
                        {may.then(|| view! { <Submit label=t.save() /> })}
                        <LinkButton href="/bindings" label=t.cancel() kind=ButtonKind::Quiet />
                    </div>
                </form>
                {may.then(|| deletion(t, &title, &here, csrf))}
            </div>
        },
    )
}

/// Two steps, and what it does and does not touch.
fn deletion(t: T, title: &str, here: &str, csrf: String) -> impl IntoView + use<> {
    let (label, action) = (t.delete_label(title), format!("{here}/delete"));
    view! {
        <details class="disclose">
            <summary>{t.delete()}</summary>
            <form class="panel danger form" method="post" action=action>
                <Hidden name="csrf" value=csrf />
                <p>{t.binding_delete_effect()}</p>
                <div class="btns">
                    <Submit label=label kind=ButtonKind::Danger />
                </div>
            </form>
        </details>
    }
}
