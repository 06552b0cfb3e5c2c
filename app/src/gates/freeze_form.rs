//! Making and changing a freeze: once, or again and again, with its next windows shown before it is made.

use super::freeze::{lift_form, may_change, repeats, state, usual_rules, usual_zone, window};
use super::freeze_fields::{CUSTOM, fields_of, read};
use crate::i18n::T;
use crate::shell::Section;
use crate::ui::{Alert, ButtonKind, Crumb, Flash, Head, Hidden, LinkButton, Select, Submit, Text, Tone, freeze_scope};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::gates::{FreezeOut, FreezeWindow};
use passerelle_server::gates::GateService;
use passerelle_server::kernel::{AppError, Decision};

const SHOWN: [&str; 7] = ["/title", "/scope", "/starts_at", "/ends_at", "/repeats", "/recurrence", "/time_zone"];

/// A freeze that exists, and whether the caller may change it.
struct Known {
    freeze: FreezeOut,
    may: Decision,
}

pub async fn new(req: Req) -> Result<Response, PageError> {
    let scope = req.query.text("environment");
    let pairs = [
        ("time_zone", usual_zone(req.t).to_owned()),
        ("scope_kind", if scope.is_some() { "environment" } else { "global" }.to_owned()),
        ("scope", scope.unwrap_or_default()),
    ];
    let fields = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    // Nobody has no form.
    if req.ctx.is_anonymous() {
        return Err(req.fail(AppError::Unauthenticated));
    }
    Ok(draw(&req, None, &fields, &Errors::default(), None))
}

pub async fn show(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let known = found(&app, &req, &id).await?;
    Ok(draw(&req, Some(&known), &fields_of(req.t, &known.freeze), &Errors::default(), None))
}

async fn found(app: &AppState, req: &Req, id: &str) -> Result<Known, PageError> {
    let freeze = app.portal.gates.get_freeze(&req.ctx, req.id("freeze", id)?).await.or_page(req)?;
    let may = may_change(app, req, &freeze).await.or_page(req)?;
    Ok(Known { freeze, may })
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    if fields.get("act") == "preview" {
        return preview(&req, None, &fields);
    }
    let made = match read(req.t, &fields) {
        Ok(new) => app.portal.gates.create_freeze(&req.ctx, new).await,
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    answer(&req, None, &fields, made.map(|freeze| req.t.flash_frozen(freeze.title)))
}

pub async fn save(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let known = found(&app, &req, &id).await?;
    if fields.get("act") == "preview" {
        return preview(&req, Some(&known), &fields);
    }
    let saved = match read(req.t, &fields) {
        Ok(new) => app.portal.gates.replace_freeze(&req.ctx, known.freeze.id, new).await,
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    answer(&req, Some(&known), &fields, saved.map(|freeze| req.t.flash_freeze_saved(freeze.title)))
}

fn preview(req: &Req, known: Option<&Known>, fields: &Fields) -> Result<Response, PageError> {
    let windows = match read(req.t, fields) {
        Ok(new) => GateService::preview(&new),
        Err(errors) => Err(AppError::Invalid(errors)),
    };
    match windows {
        Ok(windows) => Ok(draw(req, known, fields, &Errors::default(), Some(windows))),
        Err(error) => answer(req, known, fields, Err(error)),
    }
}

fn answer(
    req: &Req,
    known: Option<&Known>,
    fields: &Fields,
    done: Result<String, AppError>,
) -> Result<Response, PageError> {
    match done {
        Ok(text) => Ok(see_other("/freezes", Some(Flash { ok: true, text }))),
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(draw(req, known, fields, &errors, None)))
        }
    }
}

fn draw(
    req: &Req,
    known: Option<&Known>,
    fields: &Fields,
    errors: &Errors,
    preview: Option<Vec<FreezeWindow>>,
) -> Response {
    let t = req.t;
    let freeze = known.map(|known| &known.freeze);
    let title = freeze.map_or_else(|| t.freeze_new().to_owned(), |freeze| t.freeze_edit(&freeze.title));
    let frame = req.page(title.clone()).section(Section::Freezes);
    let zone = fields.text("time_zone");
    let state = freeze.map(|freeze| state(t, freeze));
    let over = |freeze: &FreezeOut| freeze.lifted_at.is_some() || freeze.windows.is_empty();
    let lift =
        known.filter(|known| known.may.allowed && !over(&known.freeze)).map(|known| lift_form(req, &known.freeze));
    let fixed = known.and_then(|known| fixed(req, known));
    let editable = fixed.is_none();
    let shown = preview.or_else(|| freeze.map(|freeze| freeze.windows.iter().take(5).copied().collect()));
    let lifted = freeze.is_some_and(|freeze| freeze.lifted_at.is_some());
    let windows = shown.filter(|_| !lifted).map(|windows| windows_panel(t, &zone, &windows));
    let form = editable.then(|| form(req, known.is_some(), fields, errors));
    page(
        frame.crumbs(vec![Crumb::new("/freezes", t.freezes_title())]),
        view! {
            <Head title=title>
                {state} {lift}
            </Head>
            {summary(t, errors, &SHOWN)}
            <div class="stack">{fixed} {windows} {form}</div>
        },
    )
}

/// Instead of the form: why the freeze cannot be changed, and what it is.
fn fixed(req: &Req, known: &Known) -> Option<AnyView> {
    let (t, freeze) = (req.t, &known.freeze);
    let why = match (&freeze.lifted_by, known.may.allowed) {
        (Some(who), _) => t.freeze_lifted_by(who),
        (None, false) => t.freeze_not_you(req.ctx.say(&known.may.because)),
        (None, true) => return None,
    };
    let span = FreezeWindow { starts_at: freeze.starts_at, ends_at: freeze.ends_at };
    let facts = [
        (t.freeze_scope(), freeze_scope(t, &freeze.scope)),
        (t.col_holds(), window(t, &freeze.time_zone, &span)),
        (t.freeze_repeats(), repeats(t, freeze.recurrence.as_deref())),
        (t.freeze_zone(), freeze.time_zone.clone()),
        (t.col_by(), freeze.created_by.clone()),
    ];
    let facts = facts.map(|(name, value)| view! { <dt>{name}</dt> <dd>{value}</dd> }).into_iter().collect::<Vec<_>>();
    let view = view! {
        <Alert tone=Tone::Off>{why}</Alert>
        <section class="panel">
            <dl class="dl">{facts}</dl>
        </section>
    };
    Some(view.into_any())
}

fn windows_panel(t: T, zone: &str, windows: &[FreezeWindow]) -> AnyView {
    let items = windows.iter().map(|one| view! { <li>{window(t, zone, one)}</li> }).collect::<Vec<_>>();
    let none = items.is_empty().then(|| view! { <p class="muted">{t.freeze_preview_none()}</p> });
    view! {
        <section class="panel" role="status">
            <h2>{t.freeze_preview_title()}</h2>
            {none}
            <ol class="facts">{items}</ol>
            <p class="muted">{zone.to_owned()}</p>
        </section>
    }
    .into_any()
}

fn form(req: &Req, known: bool, fields: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let choices = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, words)| ((*key).to_owned(), (*words).to_owned())).collect::<Vec<_>>()
    };
    let scopes = choices(&[
        ("global", t.freeze_global()),
        ("team", t.freeze_team()),
        ("environment", t.freeze_environment()),
        ("service", t.freeze_service()),
    ]);
    let mut repeat = vec![(String::new(), t.freeze_once().to_owned())];
    repeat.extend(usual_rules(t).map(|(key, words, _)| (key.to_owned(), words.to_owned())));
    repeat.push((CUSTOM.to_owned(), t.freeze_custom().to_owned()));
    let value = |name: &str| fields.text(name);
    view! {
        <form class="panel form" method="post">
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Text t=t name="title" label=t.freeze_title_field() value=value("title") hint=t.freeze_title_hint().to_owned() error=errors.of("/title") required=true autocomplete="off" />
            <div class="pair">
                <Select t=t name="scope_kind" label=t.freeze_scope() choices=scopes value=value("scope_kind") />
                <Text t=t name="scope" label=t.freeze_value() value=value("scope") hint=t.freeze_value_hint().to_owned() error=errors.of("/scope") code=true autocomplete="off" />
            </div>
            <div class="pair">
                <Text t=t name="starts_at" label=t.freeze_from() kind="datetime-local" value=value("starts_at") hint=t.freeze_from_hint().to_owned() error=errors.of("/starts_at") />
                <Text t=t name="ends_at" label=t.freeze_to() kind="datetime-local" value=value("ends_at") hint=t.freeze_to_hint().to_owned() error=errors.of("/ends_at") />
                <Text t=t name="time_zone" label=t.freeze_zone() value=value("time_zone") hint=t.freeze_zone_hint().to_owned() error=errors.of("/time_zone") required=true code=true autocomplete="off" />
            </div>
            <div class="pair">
                <Select t=t name="repeats" label=t.freeze_repeats() choices=repeat value=value("repeats") error=errors.of("/repeats") />
                <Text t=t name="recurrence" label=t.freeze_rule() value=value("recurrence") hint=t.freeze_rule_hint().to_owned() error=errors.of("/recurrence") code=true autocomplete="off" />
            </div>
            <div class="btns">
                <Submit label=if known { t.save() } else { t.create() } />
                <Submit label=t.freeze_preview() kind=ButtonKind::Plain name="act" value="preview" />
                <LinkButton href="/freezes" label=t.cancel() kind=ButtonKind::Quiet />
            </div>
        </form>
    }
}
