//! Where one is signed in, and ending it there.

use super::{PAGE, Part, frame, head, known};
use crate::ui::{Ago, ButtonKind, Columns, Flash, Hidden, Moment, Pager, Status, Submit, Table, Tone};
use crate::web::{AppState, OrPage, PageError, Posted, Req, page, see_other};
use axum::extract::{Path, State};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::access::{AccessFilter, SessionOut};

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    let t = req.t;
    known(&req).or_page(&req)?;
    let filter = AccessFilter { user: req.query.text("user"), cursor: req.query.text("cursor"), limit: Some(PAGE) };
    let listing = app.portal.identity.list_sessions(&req.ctx, &filter).await.or_page(&req)?;
    let here = Part::Sessions.href();
    let pages = req.pages(here, listing.items.len(), listing.total, listing.next_cursor.as_deref());
    // Of others only administrators end sessions, and `list_sessions` has asked for that already.
    let end_all = (!listing.items.is_empty()).then(|| all_form(&req, filter.user.as_deref()));
    let rows = listing.items.into_iter().map(|session| row(&req, session)).collect::<Vec<_>>();
    Ok(page(
        frame(&req, Part::Sessions),
        view! {
            {head(&req, Part::Sessions)}
            <Table label=t.access_sessions() columns=Columns::of([t.col_browser(), t.col_user(), t.col_last_seen(), t.col_expires()]).acts(t.session_end())>{rows}</Table>
            <Pager t=t pages=pages />
            {end_all}
        },
    ))
}

fn row(req: &Req, session: SessionOut) -> impl IntoView + use<> {
    let (t, now) = (req.t, req.now);
    let label = t.session_of(&session.user);
    let browser = if session.user_agent.is_empty() { t.nothing().to_owned() } else { session.user_agent };
    view! {
        <tr>
            <th scope="row" class="break">
                {browser}
                {session.current.then(|| view! { <Status tone=Tone::Ok word=t.session_this() /> })}
            </th>
            <td>{session.user}</td>
            <td>
                <Ago t=t at=session.last_seen_at now=now />
            </td>
            <td>
                <Moment t=t at=session.expires_at />
            </td>
            <td class="tight">
                <form method="post" action=format!("/access/sessions/{}/delete", session.id)>
                    <Hidden name="csrf" value=req.ctx.csrf_token() />
                    <Submit label=t.session_end() kind=ButtonKind::Small of=label />
                </form>
            </td>
        </tr>
    }
}

fn all_form(req: &Req, user: Option<&str>) -> impl IntoView + use<> {
    let t = req.t;
    let user = user.unwrap_or(&req.ctx.principal().name).to_owned();
    view! {
        <form class="panel form" method="post" action="/access/sessions">
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="user" value=user.clone() />
            <p class="muted">{t.sessions_end_all_hint()}</p>
            <div class="btns">
                <Submit label=t.sessions_end_all() kind=ButtonKind::Danger of=user />
            </div>
        </form>
    }
}

pub async fn end_all(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let filter = AccessFilter { user: fields.some("user"), ..AccessFilter::default() };
    app.portal.identity.end_sessions(&req.ctx, &filter).await.or_page(&req)?;
    Ok(see_other("/access/sessions", Some(Flash { ok: true, text: req.t.session_ended().to_owned() })))
}

/// Ending the present one leads to the sign-in page by itself.
pub async fn end(State(app): State<AppState>, Path(id): Path<String>, posted: Posted) -> Result<Response, PageError> {
    let req = posted.req;
    let id = req.id("session", &id)?;
    app.portal.identity.end_session(&req.ctx, id).await.or_page(&req)?;
    Ok(see_other("/access/sessions", Some(Flash { ok: true, text: req.t.session_ended().to_owned() })))
}
