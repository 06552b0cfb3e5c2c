//! User name and password; afterwards back to the page that asked for them.

use crate::i18n::T;
use crate::ui::{Alert, Hidden, Submit, Text, Tone};
use crate::web::{AppState, OrPage, PageError, Posted, Req, plain_page, see_other};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use passerelle_server::identity::routes::forget_everything;
use passerelle_server::identity::{Client, SignIn};
use passerelle_server::kernel::AppError;
use passerelle_server::portal::Portal;
use tower_sessions::Session;

/// What the form shows again after a refusal; never the password.
struct Shown {
    user: String,
    next: String,
    wrong: Option<String>,
    nobody_yet: bool,
    signed_out: bool,
}

pub async fn form(State(portal): State<Portal>, req: Req) -> Result<Response, PageError> {
    let next = req.query.text("next").unwrap_or_else(|| "/".to_owned());
    if !req.ctx.is_anonymous() {
        return Ok(see_other(&next, None));
    }
    let nobody_yet = portal.identity.needs_set_up().await.or_page(&req)?;
    Ok(show(
        &req,
        Shown {
            user: String::new(),
            next,
            wrong: None,
            nobody_yet,
            signed_out: req.query.flag("signed_out").is_some(),
        },
    ))
}

pub async fn submit(
    State(AppState { portal, .. }): State<AppState>,
    session: Session,
    client: Client,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let (user, next) = (fields.text("user"), fields.text("next"));
    let attempt = SignIn { user: user.clone(), password: fields.raw("password").to_owned(), client };
    let (wrong, status) = match portal.identity.sign_in(&req.ctx, &session, &attempt).await {
        Ok(()) => return Ok(see_other(&next, None)),
        Err(AppError::Unauthenticated) => (req.t.sign_in_wrong().to_owned(), StatusCode::UNPROCESSABLE_ENTITY),
        Err(AppError::RateLimited { retry_after_s }) => {
            (req.t.sign_in_limited(retry_after_s), StatusCode::TOO_MANY_REQUESTS)
        }
        Err(other) => return Err(req.fail(other)),
    };
    let mut response = show(&req, Shown { user, next, wrong: Some(wrong), nobody_yet: false, signed_out: false });
    *response.status_mut() = status;
    Ok(response)
}

pub async fn sign_out(
    State(AppState { portal, .. }): State<AppState>,
    session: Session,
    posted: Posted,
) -> Result<Response, PageError> {
    let req = &posted.req;
    portal.identity.sign_out(&req.ctx, &session).await.or_page(req)?;
    // No message in a cookie: cookies are what is being thrown away.
    Ok((forget_everything(), see_other("/sign-in?signed_out=true", None)).into_response())
}

fn show(req: &Req, shown: Shown) -> Response {
    let t = req.t;
    plain_page(req.page(t.sign_in()), view(t, shown))
}

fn view(t: T, shown: Shown) -> impl IntoView {
    let Shown { user, next, wrong, nobody_yet, signed_out } = shown;
    view! {
        <form class="panel form" method="post" action="/sign-in">
            <h1>{t.sign_in_title()}</h1>
            {nobody_yet.then(|| view! { <Alert tone=Tone::Warn>{t.sign_in_first()}</Alert> })}
            {signed_out.then(|| view! { <Alert tone=Tone::Ok>{t.signed_out()}</Alert> })}
            {wrong.map(|wrong| view! { <Alert tone=Tone::Bad>{wrong}</Alert> })}
            <Hidden name="csrf" value="" />
            <Hidden name="next" value=next />
            <Text t=t name="user" label=t.field_user() value=user required=true autocomplete="username" />
            <Text
                t=t
                name="password"
                label=t.field_password()
                kind="password"
                required=true
                autocomplete="current-password"
            />
            <div class="btns">
                <Submit label=t.sign_in() />
            </div>
        </form>
    }
}
