//! `/freezes`: what holds now, what is to come, what is over; the red button; and a calendar of the month.

use super::calendar;
use super::freeze::{lift_form, repeats, state, window};
use crate::shell::Section;
use crate::ui::{
    ButtonKind, Chip, Columns, Empty, Flash, Head, Hidden, LinkButton, Pager, Submit, Table, Text, freeze_scope,
};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::Page as Listing;
use passerelle_contract::gates::{FreezeFilter, FreezeIn, FreezeOut, FreezeScope, FreezeWindow};
use passerelle_server::kernel::{Action, Object, decide};

const PATH: &str = "/freezes";

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    draw(&app, &req, &Fields::default(), &Errors::default()).await
}

/// The red button: everything, from now until it is lifted.
pub async fn stop(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let new = FreezeIn {
        scope: FreezeScope::Global,
        title: fields.text("why"),
        starts_at: None,
        ends_at: None,
        recurrence: None,
        time_zone: None,
    };
    match app.portal.gates.create_freeze(&req.ctx, new).await {
        Ok(_) => Ok(see_other(PATH, Some(Flash { ok: true, text: req.t.flash_stopped().to_owned() }))),
        Err(error) => {
            let errors = req.shown(error)?;
            draw(&app, &req, &fields, &errors).await.map(|form| errors.refuse(form))
        }
    }
}

pub async fn lift(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let req = posted.req;
    let id = req.id("freeze", &id)?;
    let freeze = app.portal.gates.get_freeze(&req.ctx, id).await.or_page(&req)?;
    app.portal.gates.lift_freeze(&req.ctx, id).await.or_page(&req)?;
    let text = req.t.flash_freeze_lifted(freeze.title);
    Ok(see_other(PATH, Some(Flash { ok: true, text })))
}

/// Whether the caller may make a freeze of everything; one of a service or an environment is decided when it is sent.
fn may_stop(req: &Req) -> bool {
    decide(&req.ctx, Action::FreezeEdit, &Object::new("freeze", "*")).allowed
}

async fn draw(app: &AppState, req: &Req, fields: &Fields, errors: &Errors) -> Result<Response, PageError> {
    let t = req.t;
    let all = req.query.flag("all");
    let filter = FreezeFilter { all, cursor: req.query.text("cursor"), limit: Some(50) };
    let listing = app.portal.gates.list_freezes(&req.ctx, &filter).await.or_page(req)?;
    let list = if listing.items.is_empty() {
        view! { <Empty icon="freeze" title=t.freezes_empty() text=t.freezes_empty_text() /> }.into_any()
    } else {
        table(req, listing).into_any()
    };
    let month = calendar::view(app, req).await?;
    let stop = may_stop(req).then(|| stop_form(req, fields, errors));
    // Whoever operates something may freeze it; the form says when a scope is not theirs.
    let new = (!req.ctx.principal().grants.is_empty())
        .then(|| view! { <LinkButton href="/freezes/new" label=t.freeze_new() kind=ButtonKind::Primary /> });
    let chips = view! {
        <div class="chips">
            <Chip href=req.query.with("all", None).href(PATH) label=t.freezes_standing() on=all.is_none() one_of=true />
            <Chip href=req.query.with("all", Some("true")).href(PATH) label=t.freezes_all() on=all.is_some() one_of=true />
        </div>
    };
    Ok(page(
        req.page(t.freezes_title()).section(Section::Freezes),
        view! {
            <Head title=t.freezes_title() sub=t.freezes_sub()>
                {new}
            </Head>
            {summary(t, errors, &["/title"])}
            <div class="stack">{chips} {list} {stop} {month}</div>
        },
    ))
}

fn stop_form(req: &Req, fields: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    view! {
        <details class="panel danger disclose" open=!errors.is_empty()>
            <summary>{t.stop_title()}</summary>
            <form class="form" method="post" action="/freezes/stop">
                <Hidden name="csrf" value=req.ctx.csrf_token() />
                <p>{t.stop_effect()}</p>
                <Text t=t name="why" label=t.freeze_title_field() value=fields.text("why") hint=t.freeze_title_hint().to_owned() error=errors.of("/title") required=true autocomplete="off" />
                <div class="btns">
                    <Submit label=t.stop_submit() kind=ButtonKind::Danger />
                </div>
            </form>
        </details>
    }
}

fn table(req: &Req, listing: Listing<FreezeOut>) -> impl IntoView + use<> {
    let t = req.t;
    let pages = req.pages(PATH, listing.items.len(), listing.total, listing.next_cursor.as_deref());
    let rows = listing.items.into_iter().map(|freeze| line(req, freeze)).collect::<Vec<_>>();
    view! {
        <section>
            <Table label=t.freezes_title() columns=Columns::of([t.col_state(), t.col_title(), t.col_frozen(), t.col_holds(), t.col_by()]).acts(t.freeze_lift())>{rows}</Table>
            <Pager t=t pages=pages />
        </section>
    }
}

fn line(req: &Req, freeze: FreezeOut) -> impl IntoView + use<> {
    let t = req.t;
    let zone = freeze.time_zone.clone();
    let state = state(t, &freeze);
    // The window that holds or the next one; of what is over, the only one it had.
    let once = FreezeWindow { starts_at: freeze.starts_at, ends_at: freeze.ends_at };
    let when = window(t, &zone, freeze.windows.first().unwrap_or(&once));
    let repeats = format!("{} · {zone}", repeats(t, freeze.recurrence.as_deref()));
    let lifted = freeze.lifted_by.clone().map(|who| view! { <div class="under">{t.freeze_lifted_by(who)}</div> });
    let lift = (freeze.lifted_at.is_none() && !freeze.windows.is_empty() && !req.ctx.principal().grants.is_empty())
        .then(|| lift_form(req, &freeze));
    view! {
        <tr>
            <td class="nowrap">{state}</td>
            <th scope="row" class="break">
                <a class="svc" href=format!("/freezes/{}", freeze.id)>{freeze.title.clone()}</a>
            </th>
            <td class="break">{freeze_scope(t, &freeze.scope)}</td>
            <td class="break">{when} <div class="under break">{repeats}</div></td>
            <td>{freeze.created_by} {lifted}</td>
            <td class="tight">{lift}</td>
        </tr>
    }
}
