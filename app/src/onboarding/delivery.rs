//! Files on their way to a repository: the form that asks for it, and each delivery with its steps, which a page that is open follows.

use super::made;
use crate::i18n::T;
use crate::ui::{
    Alert, ButtonKind, Check, Flash, Hidden, Icon, LinkButton, Moment, Said, Select, Status, Submit, Text, Tone,
};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, fragment, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::adoption::RepositoryIn;
use passerelle_contract::delivery::{
    DeliveryInto, DeliveryPlace, DeliveryStep, DeliveryStepOut, DeliveryStepState, FileDeliveryIn, FileDeliveryOut,
    FileDeliveryState,
};
use time::OffsetDateTime;
use uuid::Uuid;

/// The form's choice for the folder on the portal's machine; no connection can have this name.
const FOLDER: &str = ".";

const fn look(state: FileDeliveryState) -> (Tone, &'static str) {
    match state {
        FileDeliveryState::Running => (Tone::Run, "run"),
        FileDeliveryState::Done => (Tone::Ok, "ok"),
        FileDeliveryState::Failed => (Tone::Bad, "bad"),
        FileDeliveryState::Undone => (Tone::Off, "skip"),
    }
}

/// All deliveries; the part of the page that is drawn anew while one is under way.
pub fn list(req: &Req, id: Uuid, all: &[FileDeliveryOut]) -> AnyView {
    let running = all.iter().any(|one| one.state == FileDeliveryState::Running);
    let cards = all.iter().map(|one| card(req, one)).collect::<Vec<_>>();
    view! {
        <div class="stack" data-live=running.then(|| format!("/onboarding/{id}/deliveries")) role="status">
            {cards}
        </div>
    }
    .into_any()
}

pub async fn live(State(app): State<AppState>, Path(id): Path<String>, req: Req) -> Result<Response, PageError> {
    let id = req.id("onboarding", &id)?;
    let all = app.portal.onboarding.deliveries(&req.ctx, id).await.or_page(&req)?;
    let cards = all.iter().map(|one| card(&req, one)).collect::<Vec<_>>();
    Ok(fragment(cards))
}

fn card(req: &Req, one: &FileDeliveryOut) -> AnyView {
    let t = req.t;
    let (tone, icon) = look(one.state);
    let running = one.state == FileDeliveryState::Running;
    let mark = running.then(|| view! { <span class="muted" data-live-mark="">{t.dep_live()}</span> });
    let steps = one.steps.iter().map(|step| line(t, step, req.now)).collect::<Vec<_>>();
    let place = one.destination.connection.clone().unwrap_or_else(|| t.deliver_folder().to_owned());
    let open = |url: &Option<String>, label: &'static str, kind: ButtonKind| {
        url.clone().map(|href| view! { <LinkButton href=href label=label kind=kind icon="go" /> })
    };
    let proposal = open(&one.proposal_url, t.deliver_open_proposal(), ButtonKind::Primary);
    let repository = open(&one.repository_url, t.deliver_open_repository(), ButtonKind::Plain);
    let branch = one.branch.clone().map(|branch| view! { " · " <span class="mono break">{branch}</span> });
    view! {
        <section class="panel">
            <h2>
                <span class="break">{one.destination.repository.clone()}</span> " "
                <Status tone=tone icon=icon word=t.delivery_state(one.state) /> " " {mark}
            </h2>
            <p class="muted break mb-3">
                {place} " · " {t.delivery_into(one.destination.into)} {branch} " · " {one.created_by.clone()} ", "
                <Moment t=t at=one.created_at />
            </p>
            <ol class="steps">{steps}</ol>
            <div class="btns mt-3">{proposal} {repository}</div>
            {acts(req, one)}
        </section>
    }
    .into_any()
}

fn line(t: T, step: &DeliveryStepOut, now: OffsetDateTime) -> AnyView {
    let (tone, icon) = match step.state {
        DeliveryStepState::Pending => (Tone::Off, "off"),
        DeliveryStepState::Running => (Tone::Run, "run"),
        DeliveryStepState::Done => (Tone::Ok, "ok"),
        DeliveryStepState::Failed => (Tone::Bad, "bad"),
    };
    let spin = if icon == "run" { "spin" } else { "" };
    let took = step.started_at.map_or_else(
        || t.nothing().to_owned(),
        |started| t.elapsed((step.ended_at.unwrap_or(now) - started).whole_seconds()),
    );
    let message = step.message.as_ref().map(ToString::to_string);
    view! {
        <li>
            <span class=tone.mark()>
                <Icon name=icon class=spin />
                <span class="vh">{t.delivery_step_state(step.state)}</span>
            </span>
            <div>
                {t.delivery_step(step.step)}
                {message.map(|message| view! { <div class="muted break"><Said text=message /></div> })}
            </div>
            <span class="muted nowrap">{took}</span>
        </li>
    }
    .into_any()
}

/// What can be done about it now.
fn acts(req: &Req, one: &FileDeliveryOut) -> Option<AnyView> {
    let t = req.t;
    let path = format!("/onboarding/{}/deliveries/{}", one.onboarding, one.id);
    let failed = one.state == FileDeliveryState::Failed;
    let waits =
        one.steps.iter().any(|step| step.step == DeliveryStep::Merge && step.state == DeliveryStepState::Running);
    if !failed && !waits && one.state != FileDeliveryState::Done {
        return None;
    }
    let (retry, undo) = (format!("{path}/retry"), format!("{path}/undo"));
    let goes_back = one.steps.iter().any(|step| step.step == DeliveryStep::Undo);
    let again = failed.then(|| {
        view! {
            <form method="post" action=retry>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Submit label=t.deliver_retry() kind=ButtonKind::Plain />
            </form>
        }
    });
    let back = (!goes_back).then(|| {
        view! {
            <details class="disclose mt-3">
                <summary>{t.deliver_undo()}</summary>
                <form class="form" method="post" action=undo>
                    <Hidden name="csrf" value=req.ctx.csrf_token() />
                    <p>{t.deliver_undo_text()}</p>
                    <div class="btns">
                        <Submit label=t.deliver_undo() kind=ButtonKind::Danger />
                    </div>
                </form>
            </details>
        }
    });
    Some(view! { <div class="mt-3">{again} {back}</div> }.into_any())
}

/// The form, or why there is none.
pub fn form(req: &Req, id: Uuid, places: &[DeliveryPlace], fields: &Fields, errors: &Errors) -> AnyView {
    let t = req.t;
    if places.is_empty() {
        return view! {
            <Alert tone=Tone::Off title=t.deliver_nowhere()>
                <p>{t.deliver_nowhere_text()}</p>
            </Alert>
        }
        .into_any();
    }
    let choices = places.iter().map(|place| choice(t, place)).collect::<Vec<_>>();
    let into = [DeliveryInto::New, DeliveryInto::Existing]
        .map(|into| (into.as_str().to_owned(), t.delivery_into(into).to_owned()))
        .to_vec();
    let or = |name: &str, usual: &str| fields.some(name).unwrap_or_else(|| usual.to_owned());
    let first = choices.first().map(|(key, _)| key.clone()).unwrap_or_default();
    let sent = !fields.get("repository").is_empty();
    view! {
        <form class="form" method="post" action=format!("/onboarding/{id}/deliveries")>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            {summary(t, errors, &["/connection", "/repository", "/base", "/private"])}
            <Select t=t name="connection" label=t.deliver_to() choices=choices value=or("connection", &first) error=errors.of("/connection") />
            <Text t=t name="repository" label=t.deliver_repository() value=fields.text("repository") hint=t.deliver_repository_hint().to_owned() error=errors.of("/repository") required=true code=true autocomplete="off" />
            <Select t=t name="into" label=t.deliver_into() choices=into value=or("into", "new") error=errors.of("/into") />
            <Check name="private" label=t.deliver_private() checked=!sent || fields.on("private") />
            <Text t=t name="base" label=t.deliver_base() value=fields.text("base") hint=t.deliver_base_hint().to_owned() error=errors.of("/base") code=true autocomplete="off" />
            <div class="btns">
                <Submit label=t.deliver_submit() />
            </div>
        </form>
    }
    .into_any()
}

fn choice(t: T, place: &DeliveryPlace) -> (String, String) {
    match &place.connection {
        Some(name) => (name.clone(), format!("{name} ({})", place.deliver_to.join(", "))),
        None => (FOLDER.to_owned(), t.deliver_folder().to_owned()),
    }
}

/// The inputs for a repository that is there; their errors stand below `at`.
pub fn existing_inputs(
    t: T,
    places: &[DeliveryPlace],
    to: Option<&FileDeliveryIn>,
    errors: &Errors,
    at: &str,
    required: bool,
) -> AnyView {
    let choices = places.iter().map(|place| choice(t, place)).collect::<Vec<_>>();
    let connection = to.map(|to| to.connection.clone().unwrap_or_else(|| FOLDER.to_owned()));
    let connection = connection.or_else(|| choices.first().map(|(key, _)| key.clone())).unwrap_or_default();
    let repository = to.map(|to| to.repository.clone()).unwrap_or_default();
    let base = to.and_then(|to| to.base.clone()).unwrap_or_default();
    let whole = errors.of(&format!("{at}/repository")).or_else(|| errors.of(at).filter(|_| repository.is_empty()));
    view! {
        <Select t=t name="connection" label=t.deliver_to() choices=choices value=connection error=errors.of(&format!("{at}/connection")) />
        <Text t=t name="repository" label=t.deliver_repository() value=repository hint=t.deliver_repository_hint().to_owned() error=whole required=required code=true autocomplete="off" />
        <Text t=t name="base" label=t.deliver_base() value=base error=errors.of(&format!("{at}/base")) code=true autocomplete="off" />
    }
    .into_any()
}

/// A repository that is there, for the inputs.
pub fn to_existing(from: &RepositoryIn) -> FileDeliveryIn {
    FileDeliveryIn {
        connection: from.connection.clone(),
        repository: from.repository.clone(),
        into: DeliveryInto::Existing,
        base: from.base.clone(),
        private: None,
    }
}

pub fn wanted(fields: &Fields) -> FileDeliveryIn {
    let into = if fields.get("into") == "existing" { DeliveryInto::Existing } else { DeliveryInto::New };
    FileDeliveryIn {
        connection: fields.some("connection").filter(|name| name != FOLDER),
        repository: fields.text("repository"),
        into,
        // What belongs to the other kind is not asked for: without scripts both inputs are always there.
        base: fields.some("base").filter(|_| into == DeliveryInto::Existing || fields.get("into").is_empty()),
        private: (into == DeliveryInto::New).then(|| fields.on("private")),
    }
}

pub async fn submit(
    State(app): State<AppState>,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let id = req.id("onboarding", &id)?;
    match app.portal.onboarding.deliver(&req.ctx, id, &wanted(&fields)).await {
        Ok(_) => Ok(see_other(&made::path(id), Some(Flash { ok: true, text: req.t.deliver_asked().to_owned() }))),
        Err(error) => {
            let errors = req.shown(error)?;
            Ok(errors.refuse(made::draw(&app, &req, id, &fields, &errors).await?))
        }
    }
}

pub async fn retry(
    State(app): State<AppState>,
    Path((id, delivery)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, PageError> {
    let req = &posted.req;
    let (id, delivery) = (req.id("onboarding", &id)?, req.id("delivery", &delivery)?);
    app.portal.onboarding.retry_delivery(&req.ctx, id, delivery).await.or_page(req)?;
    Ok(see_other(&made::path(id), Some(Flash { ok: true, text: req.t.deliver_asked().to_owned() })))
}

pub async fn undo(
    State(app): State<AppState>,
    Path((id, delivery)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, PageError> {
    let req = &posted.req;
    let (id, delivery) = (req.id("onboarding", &id)?, req.id("delivery", &delivery)?);
    app.portal.onboarding.undo_delivery(&req.ctx, id, delivery).await.or_page(req)?;
    Ok(see_other(&made::path(id), Some(Flash { ok: true, text: req.t.deliver_undo_asked().to_owned() })))
}
