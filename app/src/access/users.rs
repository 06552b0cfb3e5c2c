//! Everybody who may sign in, and adding somebody.

use super::{PAGE, Part, frame, head, may_edit};
use crate::i18n::T;
use crate::ui::{Ago, Columns, Flash, Hidden, Pager, Status, Submit, Table, Text, Tone};
use crate::web::{AppState, Errors, Fields, OrPage, PageError, Posted, Req, page, see_other, summary};
use axum::extract::State;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::access::{AccessFilter, UserIn, UserOut};
use time::OffsetDateTime;

const SHOWN: [&str; 3] = ["/name", "/display_name", "/password"];

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    draw(&app, &req, &Fields::default(), &Errors::default()).await
}

pub async fn create(State(app): State<AppState>, posted: Posted) -> Result<Response, PageError> {
    let Posted { req, fields: form } = posted;
    let new = UserIn {
        name: form.text("name"),
        display_name: form.text("display_name"),
        password: form.raw("password").to_owned(),
    };
    match app.portal.identity.create_user(&req.ctx, &new).await {
        Ok(user) => {
            let flash = Flash { ok: true, text: req.t.flash_created(&user.name) };
            Ok(see_other(&format!("/access/users/{}", user.name), Some(flash)))
        }
        Err(error) => {
            let errors = req.shown(error)?;
            draw(&app, &req, &form, &errors).await.map(|form| errors.refuse(form))
        }
    }
}

async fn draw(app: &AppState, req: &Req, form: &Fields, errors: &Errors) -> Result<Response, PageError> {
    let t = req.t;
    let filter = AccessFilter { user: None, cursor: req.query.text("cursor"), limit: Some(PAGE) };
    let listing = app.portal.identity.list_users(&req.ctx, &filter).await.or_page(req)?;
    let here = Part::Users.href();
    let pages = req.pages(here, listing.items.len(), listing.total, listing.next_cursor.as_deref());
    let rows = listing.items.into_iter().map(|user| row(t, user, req.now)).collect::<Vec<_>>();
    let add = may_edit(req).then(|| new_form(req, form, errors));
    Ok(page(
        frame(req, Part::Users),
        view! {
            {head(req, Part::Users)}
            {summary(t, errors, &SHOWN)}
            <div class="stack">
                <section>
                    <Table label=t.access_users() columns=Columns::of([t.col_user(), t.col_display_name(), t.col_state(), t.col_created()])>{rows}</Table>
                    <Pager t=t pages=pages />
                </section>
                {add}
            </div>
        },
    ))
}

/// May it sign in, and how.
pub fn state(t: T, user: &UserOut) -> impl IntoView + use<> {
    let (tone, word) = match (user.disabled, user.service) {
        (true, _) => (Tone::Off, t.user_disabled()),
        (false, true) => (Tone::Ok, t.user_service()),
        (false, false) => (Tone::Ok, t.user_person()),
    };
    view! { <Status tone=tone word=word /> }
}

fn row(t: T, user: UserOut, now: OffsetDateTime) -> impl IntoView {
    let state = state(t, &user);
    view! {
        <tr>
            <th scope="row">
                <a class="svc" href=format!("/access/users/{}", user.name)>
                    {user.name.clone()}
                </a>
            </th>
            <td>{user.display_name}</td>
            <td>{state}</td>
            <td>
                <Ago t=t at=user.created_at now=now />
            </td>
        </tr>
    }
}

fn new_form(req: &Req, form: &Fields, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    let hint = t.field_password_hint().to_owned();
    view! {
        <form class="panel form" method="post" action="/access/users">
            <h2>{t.user_new()}</h2>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <div class="pair">
                <Text t=t name="name" label=t.field_user() value=form.text("name") error=errors.of("/name") required=true code=true autocomplete="off" />
                <Text t=t name="display_name" label=t.col_display_name() value=form.text("display_name") error=errors.of("/display_name") required=true autocomplete="off" />
                <Text t=t name="password" label=t.field_password() kind="password" hint=hint error=errors.of("/password") required=true autocomplete="new-password" />
            </div>
            <div class="btns">
                <Submit label=t.create() />
            </div>
        </form>
    }
}
