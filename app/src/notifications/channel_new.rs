//! Making a channel: first the kind, then its own form.

use super::channels::language;
use super::permitted;
use crate::environments::draw::inputs;
use crate::environments::schema::{Field, fields, pointers};
use crate::environments::values::read;
use crate::i18n::T;
use crate::ui::{ButtonKind, Check, Flash, Head, Hidden, LinkButton, Select, Submit, Text};
use crate::web::{AppState, Errors, Fields, OrPage, Page, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Locale;
use passerelle_contract::notifications::{ChannelIn, ChannelKindOut, Language};
use passerelle_server::kernel::AppError;

const PATH: &str = "/notifications/channels/new";

fn kind(app: &AppState, locale: Locale, kind: &str) -> Result<ChannelKindOut, AppError> {
    let mut kinds = app.portal.notifications.channel_kinds(locale).into_iter();
    kinds.find(|known| known.kind == kind).ok_or_else(|| AppError::not_found(format!("channel_kind:{kind}")))
}

pub async fn new(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    permitted(&req.ctx).or_page(&req)?;
    match req.query.get("kind") {
        Some(wanted) => {
            let kind = kind(&app, req.ctx.locale, wanted).or_page(&req)?;
            let drawn = fields(&kind.schema);
            let language = Language::parse(req.t.0.tag()).unwrap_or_default().as_str().to_owned();
            let start = [("language", language), ("enabled", "true".to_owned())];
            let start = start.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Ok(draw(&req, &kind, &drawn, &start, &Errors::default()))
        }
        None => Ok(choose(&req, app.portal.notifications.channel_kinds(req.ctx.locale))),
    }
}

fn frame(req: &Req) -> Page {
    super::below(req, req.t.channel_new(), "/notifications", req.t.notify_channels())
}

fn choose(req: &Req, kinds: Vec<ChannelKindOut>) -> Response {
    let t = req.t;
    let choices = kinds
        .into_iter()
        .map(|kind| {
            let href = Query::default().with("kind", Some(&kind.kind)).href(PATH);
            view! { <LinkButton href=href label=kind.title icon="bell" /> }
        })
        .collect::<Vec<_>>();
    page(
        frame(req),
        view! {
            <Head title=t.channel_new() sub=t.channel_kind() />
            <div class="panel btns">{choices}</div>
        },
    )
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let kind = kind(&app, req.ctx.locale, form.get("kind")).or_page(&req)?;
    let drawn = fields(&kind.schema);
    let made = match read(&drawn, &form, req.t) {
        Ok(config) => {
            let new = ChannelIn {
                name: form.text("name"),
                kind: kind.kind.clone(),
                config,
                language: Language::parse(form.get("language")).unwrap_or_default(),
                enabled: Some(form.on("enabled")),
            };
            app.portal.notifications.create_channel(&req.ctx, new).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match made {
        Ok(made) => {
            let flash = Flash { ok: true, text: req.t.flash_created(&made.name) };
            Ok(see_other(&format!("/notifications/channels/{}", made.name), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(&req, &kind, &drawn, &form, &errors)))
        }
    }
}

/// What every channel has, whatever its kind.
pub fn common(t: T, form: &Fields) -> impl IntoView + use<> {
    let languages = [Language::En, Language::Fr].map(|one| (one.as_str().to_owned(), language(one).to_owned()));
    view! {
        <Select t=t name="language" label=t.channel_language() choices=languages.to_vec() value=form.text("language") />
        <Check name="enabled" label=t.channel_enabled() checked=form.on("enabled") />
    }
}

fn draw(req: &Req, kind: &ChannelKindOut, drawn: &[Field], form: &Fields, errors: &Errors) -> Response {
    let t = req.t;
    let pointers = pointers(drawn);
    let shown: Vec<&str> = pointers.iter().map(String::as_str).chain(["/name"]).collect();
    let inputs = inputs(t, drawn, form, errors);
    page(
        frame(req),
        view! {
            <Head title=t.channel_new() sub=kind.title.clone() />
            {summary(t, errors, &shown)}
            <form class="panel form" method="post" action=PATH>
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
                {common(t, form)}
                <div class="btns">
                    <Submit label=t.create() />
                    <LinkButton href="/notifications" label=t.cancel() kind=ButtonKind::Quiet />
                </div>
            </form>
        },
    )
}
