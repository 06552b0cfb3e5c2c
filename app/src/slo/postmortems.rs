//! Post-mortems to be written: on the page of their objective with the form that closes them, and told on the page of the service.

use crate::i18n::T;
use crate::ui::{Ago, Alert, ButtonKind, Hidden, Status, Submit, Text, TextArea, Tone};
use crate::web::{Errors, Fields, OrPage, PageError, Req};
use leptos::prelude::*;
use passerelle_contract::postmortems::{PostmortemCloseIn, PostmortemFilter, PostmortemOut, PostmortemState};
use passerelle_server::portal::Portal;
use uuid::Uuid;

pub const SHOWN: [&str; 2] = ["/link", "/words"];
/// Which of several forms was posted.
const WHICH: &str = "postmortem";

pub fn read(fields: &Fields) -> PostmortemCloseIn {
    PostmortemCloseIn { link: fields.some("link"), words: fields.some("words") }
}

/// Those of one objective, the open ones first.
pub async fn of(portal: &Portal, req: &Req, slo: Uuid) -> Result<Vec<PostmortemOut>, PageError> {
    let filter = PostmortemFilter { slo: Some(slo), ..PostmortemFilter::default() };
    portal.slo.list_postmortems(&req.ctx, &filter).await.or_page(req)
}

pub fn panel(req: &Req, tasks: Vec<PostmortemOut>, may: bool, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let none = tasks.is_empty().then(|| view! { <p class="muted">{t.postmortems_none()}</p> });
    let items = tasks.into_iter().map(|task| item(req, task, may, form, errors)).collect::<Vec<_>>();
    view! {
        <section class="panel" id="postmortems">
            <h2>{t.postmortems()}</h2>
            <ul>{items}</ul>
            {none}
        </section>
    }
}

fn item(req: &Req, task: PostmortemOut, may: bool, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let open = task.state == PostmortemState::Open;
    let (tone, word) = if open { (Tone::Warn, t.postmortem_open()) } else { (Tone::Ok, t.postmortem_closed()) };
    let closing = (open && may).then(|| closing(req, &task, form, errors));
    let learnt = (!open).then(|| learnt(req, &task));
    view! {
        <li class="mb-3">
            <div class="tags">
                <Status tone=tone icon=tone.icon() word=word.to_owned() />
                <span>{format!("{} – {}", t.date_time(task.began_at), t.date_time(task.ended_at))}</span>
            </div>
            <div class="muted">{t.postmortem_spent(t.percent(task.spent, 1), t.events(task.bad))}</div>
            {learnt}
            {closing}
        </li>
    }
}

fn learnt(req: &Req, task: &PostmortemOut) -> impl IntoView + use<> {
    let t = req.t;
    let words = task.words.clone().map(|words| view! { <div class="break">{words}</div> });
    // Checked to be http or https when it was given.
    let link = task.link.clone().map(|link| {
        let words = link.clone();
        view! {
            <div class="break">
                <a href=link rel="noreferrer">
                    {words}
                </a>
            </div>
        }
    });
    let by = task.closed_by.clone().unwrap_or_default();
    let when = task.closed_at.map(|at| view! { " · " <Ago t=t at=at now=req.now /> });
    view! {
        {words}
        {link}
        <div class="muted">{t.postmortem_by(by)} {when}</div>
    }
}

fn closing(req: &Req, task: &PostmortemOut, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let posted = form.get(WHICH) == task.id.to_string();
    let value = |name: &str| if posted { form.raw(name).to_owned() } else { String::new() };
    let error = |pointer: &str| if posted { errors.of(pointer) } else { None };
    view! {
        <details class="disclose" open=posted>
            <summary>{t.postmortem_close()}</summary>
            <form class="form" method="post" action=format!("/slos/{}/postmortems/{}", task.slo, task.id)>
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <Hidden name=WHICH value=task.id.to_string() />
                <Text
                    t=t
                    name="link"
                    label=t.postmortem_link()
                    kind="url"
                    value=value("link")
                    hint=t.postmortem_link_hint().to_owned()
                    error=error("/link")
                    autocomplete="off"
                />
                <TextArea t=t name="words" label=t.postmortem_words() value=value("words") error=error("/words") />
                <div class="btns">
                    <Submit label=t.postmortem_do() kind=ButtonKind::Plain />
                </div>
            </form>
        </details>
    }
}

/// Those of a service that somebody still has to write.
pub async fn to_write(portal: &Portal, req: &Req, service: &str) -> Result<Option<AnyView>, PageError> {
    let filter = PostmortemFilter {
        service: Some(service.to_owned()),
        state: Some(PostmortemState::Open),
        ..PostmortemFilter::default()
    };
    let tasks = portal.slo.list_postmortems(&req.ctx, &filter).await.or_page(req)?;
    if tasks.is_empty() {
        return Ok(None);
    }
    let t = req.t;
    let title = t.postmortems_to_write(u64::try_from(tasks.len()).unwrap_or(u64::MAX));
    let items = tasks.into_iter().map(|task| line(t, task)).collect::<Vec<_>>();
    let view = view! {
        <div class="mb-3">
            <Alert tone=Tone::Warn title=title>
                <ul>{items}</ul>
            </Alert>
        </div>
    };
    Ok(Some(view.into_any()))
}

fn line(t: T, task: PostmortemOut) -> impl IntoView {
    view! {
        <li class="break">
            <a href=format!("/slos/{}#postmortems", task.slo)>{task.objective}</a>
            ", "
            {t.date_time(task.began_at)}
            ": "
            {t.postmortem_spent(t.percent(task.spent, 1), t.events(task.bad))}
        </li>
    }
}
