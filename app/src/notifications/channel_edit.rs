//! One channel: trying it, changing it, stopping it, deleting it. A stored secret is kept or replaced, never shown.

use super::channel_new::common;
use super::channels::kind_title;
use super::may_edit;
use crate::environments::draw::inputs;
use crate::environments::schema::{Field, fields, pointers};
use crate::environments::values::{fill, read};
use crate::i18n::T;
use crate::ui::{Alert, ButtonKind, Flash, Head, Hidden, LinkButton, Submit, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Query, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::notifications::{ChannelOut, ChannelPatch, Language};
use passerelle_server::environments::{Etag, IfMatch};
use passerelle_server::kernel::AppError;

/// A channel with the form of its kind.
struct Known {
    channel: ChannelOut,
    kind: String,
    drawn: Vec<Field>,
}

async fn known(app: &AppState, req: &Req, name: &str) -> Result<Known, PageError> {
    let channel = app.portal.notifications.get_channel(&req.ctx, name).await.or_page(req)?;
    let kinds = app.portal.notifications.channel_kinds(req.ctx.locale);
    let schema = kinds.iter().find(|kind| kind.kind == channel.kind).map(|kind| &kind.schema);
    let drawn = schema.map(fields).unwrap_or_default();
    Ok(Known { kind: kind_title(&kinds, &channel.kind), drawn, channel })
}

/// The values of the form of what is stored.
fn stored(known: &Known) -> Fields {
    let channel = &known.channel;
    let common = [("language", channel.language.as_str()), ("enabled", if channel.enabled { "true" } else { "" })];
    let common = common.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    fill(&known.drawn, &channel.config).into_iter().chain(common).collect()
}

pub async fn show(State(app): State<AppState>, Path(name): Path<String>, req: Req) -> Result<Response, PageError> {
    let known = known(&app, &req, &name).await?;
    let etag = known.channel.etag();
    Ok(draw(&req, &known, &stored(&known), etag, &Errors::default()))
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
            let language = Language::parse(form.get("language"));
            let patch = ChannelPatch { config: Some(config), language, enabled: Some(form.on("enabled")) };
            let read = IfMatch::new(Some(form.get("etag")));
            app.portal.notifications.patch_channel(&req.ctx, &name, patch, &read).await
        }
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match saved {
        Ok(saved) => {
            let flash = Flash { ok: true, text: req.t.flash_saved(&saved.name) };
            Ok(see_other(&format!("/notifications/channels/{}", saved.name), Some(flash)))
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
    app.portal.notifications.delete_channel(&req.ctx, &name).await.or_page(&req)?;
    Ok(see_other("/notifications", Some(Flash { ok: true, text: req.t.flash_deleted(&name) })))
}

fn draw(req: &Req, known: &Known, form: &Fields, etag: String, errors: &Errors) -> Response {
    let t = req.t;
    let channel = &known.channel;
    let may = may_edit(&req.ctx);
    let why_not = (!may.allowed).then(|| req.ctx.say(&may.because));
    let pointers = pointers(&known.drawn);
    let shown: Vec<&str> = pointers.iter().map(String::as_str).collect();
    let inputs = inputs(t, &known.drawn, form, errors);
    let here = format!("/notifications/channels/{}", channel.name);
    let csrf = req.ctx.csrf_token();
    let acts = acts(t, channel, &here, may.allowed.then(|| csrf.clone()));
    page(
        super::below(req, &channel.name, "/notifications", t.notify_channels()),
        view! {
            <Head title=channel.name.clone() sub=known.kind.clone()>
                {acts}
            </Head>
            {summary(t, errors, &shown)}
            <div class="stack">
                {why_not.map(|why| view! { <Alert tone=Tone::Off>{why}</Alert> })}
                <form class="panel form" method="post" action=here.clone()>
                    <Hidden name="csrf" value=csrf.clone() />
                    <Hidden name="etag" value=etag />
                    {inputs}
                    {common(t, form)}
                    <div class="btns">
                        {may.allowed.then(|| view! { <Submit label=t.save() /> })}
                        <LinkButton href="/notifications" label=t.cancel() kind=ButtonKind::Quiet />
                    </div>
                </form>
                {may.allowed.then(|| deletion(t, channel, &here, csrf))}
            </div>
        },
    )
}

fn acts(t: T, channel: &ChannelOut, here: &str, csrf: Option<String>) -> AnyView {
    let log = Query::default().with("channel", Some(&channel.name)).href("/notifications/deliveries");
    let test = csrf.map(|csrf| {
        view! {
            <form method="post" action=format!("{here}/test")>
                <Hidden name="csrf" value=csrf />
                <Hidden name="next" value=here />
                <Submit label=t.channel_test() kind=ButtonKind::Plain />
            </form>
        }
    });
    view! {
        <LinkButton href="/notifications/rules" label=t.n_rules(u64::from(channel.rules)) />
        <LinkButton href=log label=t.notify_log() />
        {test}
    }
    .into_any()
}

/// Two steps.
fn deletion(t: T, channel: &ChannelOut, here: &str, csrf: String) -> impl IntoView + use<> {
    view! {
        <details class="disclose">
            <summary>{t.delete()}</summary>
            <form class="panel danger form" method="post" action=format!("{here}/delete")>
                <Hidden name="csrf" value=csrf />
                <p>{t.channel_delete_effect()}</p>
                <div class="btns">
                    <Submit label=t.delete_label(&channel.name) kind=ButtonKind::Danger />
                </div>
            </form>
        </details>
    }
}
