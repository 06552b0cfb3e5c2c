//! A button for each provider, and user name and password; afterwards back to the page that asked for them.

use crate::i18n::T;
use crate::ui::{Alert, ButtonKind, Hidden, LinkButton, Submit, Text, Tone};
use crate::web::{AppState, OrPage, PageError, Posted, PostedByAnybody, Query, Req, plain_page, see_other};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use passerelle_server::config::LocalSignIn;
use passerelle_server::identity::routes::forget_everything;
use passerelle_server::identity::{Client, SignIn, WaysIn, local_path};
use passerelle_server::kernel::AppError;
use passerelle_server::portal::Portal;
use tower_sessions::Session;

/// What the form shows again after a refusal; never the password.
#[derive(Default)]
struct Shown {
    user: String,
    next: String,
    wrong: Option<String>,
    nobody_yet: bool,
    signed_out: bool,
    /// Where one was signed in until now: id and name.
    signed_out_of: Option<(String, String)>,
    /// The fields of the password are open.
    by_password: bool,
}

pub async fn form(State(portal): State<Portal>, req: Req) -> Result<Response, PageError> {
    let next = req.query.text("next").unwrap_or_else(|| "/".to_owned());
    if !req.ctx.is_anonymous() {
        return Ok(see_other(&local_path(&next), None));
    }
    let ways = portal.identity.ways_in().await.or_page(&req)?;
    // Through a provider the first one may come in without the set-up link.
    let nobody_yet = ways.providers.is_empty() && portal.identity.needs_set_up().await.or_page(&req)?;
    let of = req.query.get("of").and_then(|id| ways.providers.iter().find(|(known, _)| known == id).cloned());
    let signed_out = req.query.flag("signed_out").is_some();
    Ok(show(&req, ways, Shown { next, nobody_yet, signed_out, signed_out_of: of, ..Shown::default() }))
}

pub async fn submit(
    State(AppState { portal, .. }): State<AppState>,
    session: Session,
    client: Client,
    PostedByAnybody(Posted { req, fields }): PostedByAnybody,
) -> Result<Response, PageError> {
    let (user, next) = (fields.text("user"), fields.text("next"));
    let attempt = SignIn { user: user.clone(), password: fields.raw("password").to_owned(), client };
    let (wrong, status) = match portal.identity.sign_in(&req.ctx, &session, &attempt).await {
        Ok(device) => return Ok(device.on(see_other(&local_path(&next), None))),
        Err(AppError::Unauthenticated) => (req.t.sign_in_wrong().to_owned(), StatusCode::UNPROCESSABLE_ENTITY),
        Err(AppError::RateLimited { retry_after_s }) => {
            (req.t.sign_in_limited(retry_after_s), StatusCode::TOO_MANY_REQUESTS)
        }
        Err(other) => return Err(req.fail(other)),
    };
    let ways = portal.identity.ways_in().await.or_page(&req)?;
    let mut response =
        show(&req, ways, Shown { user, next, wrong: Some(wrong), by_password: true, ..Shown::default() });
    *response.status_mut() = status;
    Ok(response)
}

/// The page after a provider has let nobody in.
pub async fn again(portal: &Portal, req: &Req, wrong: String, status: StatusCode) -> Result<Response, PageError> {
    let ways = portal.identity.ways_in().await.or_page(req)?;
    let mut response = show(req, ways, Shown { next: "/".to_owned(), wrong: Some(wrong), ..Shown::default() });
    *response.status_mut() = status;
    Ok(response)
}

pub async fn sign_out(
    State(AppState { portal, .. }): State<AppState>,
    session: Session,
    PostedByAnybody(posted): PostedByAnybody,
) -> Result<Response, PageError> {
    let req = &posted.req;
    let provider = portal.identity.sign_out(&req.ctx, &session).await.or_page(req)?;
    let to = Query::default().with("signed_out", Some("true")).with("of", provider.as_deref()).href("/sign-in");
    // No message in a cookie: whoever comes next would read it.
    Ok((forget_everything(), see_other(&to, None)).into_response())
}

fn show(req: &Req, ways: WaysIn, shown: Shown) -> Response {
    let t = req.t;
    let mut page = req.page(t.sign_in());
    if req.path.starts_with("/auth/") {
        // The address of a refused answer holds what the provider sent; the forms of language and theme lead back here instead.
        "/sign-in".clone_into(&mut page.here);
    }
    plain_page(page, view(t, ways, shown))
}

fn view(t: T, ways: WaysIn, shown: Shown) -> impl IntoView {
    let Shown { user, next, wrong, nobody_yet, signed_out, signed_out_of, by_password } = shown;
    let with_providers = !ways.providers.is_empty();
    let password = match ways.password {
        LocalSignIn::Nobody => None,
        LocalSignIn::Administrators => Some(folded(t, &user, &next, by_password)),
        LocalSignIn::Everybody => Some(password_form(t, &user, &next, !with_providers)),
    };
    let also = signed_out_of.map(|(id, name)| {
        view! { <p><a class="link" href=format!("/auth/{id}/sign-out")>{t.sign_out_of(&name)}</a></p> }
    });
    view! {
        <div class="panel form">
            <h1>{t.sign_in_title()}</h1>
            {nobody_yet.then(|| view! { <Alert tone=Tone::Warn>{t.sign_in_first()}</Alert> })}
            {signed_out.then(|| view! { <Alert tone=Tone::Ok>{t.signed_out()}</Alert> })}
            {also}
            {wrong.map(|wrong| view! { <Alert tone=Tone::Bad>{wrong}</Alert> })}
            {with_providers.then(|| buttons(t, ways.providers, &next))}
            {(with_providers && password.is_some()).then(|| view! { <hr /> })}
            {password}
        </div>
    }
}

/// Links, not forms: a page may not send a form to another site, not even by a redirect.
fn buttons(t: T, providers: Vec<(String, String)>, next: &str) -> impl IntoView + use<> {
    let buttons = providers
        .into_iter()
        .map(|(id, name)| {
            let href = Query::default().with("next", Some(next)).href(&format!("/auth/{id}/sign-in"));
            view! { <LinkButton href=href label=t.sign_in_with(&name) kind=ButtonKind::Primary /> }
        })
        .collect::<Vec<_>>();
    view! { <div class="btns">{buttons}</div> }
}

/// The emergency door, which most people need not see.
fn folded(t: T, user: &str, next: &str, open: bool) -> AnyView {
    let form = password_form(t, user, next, false);
    view! {
        <details open=open>
            <summary>{t.sign_in_administrators()}</summary>
            {form}
        </details>
    }
    .into_any()
}

fn password_form(t: T, user: &str, next: &str, primary: bool) -> AnyView {
    let kind = if primary { ButtonKind::Primary } else { ButtonKind::Plain };
    view! {
        <form class="form" method="post" action="/sign-in">
            <Hidden name="csrf" value="" />
            <Hidden name="next" value=next.to_owned() />
            <Text t=t name="user" label=t.field_user() value=user.to_owned() required=true autocomplete="username" />
            <Text
                t=t
                name="password"
                label=t.field_password()
                kind="password"
                required=true
                autocomplete="current-password"
            />
            <div class="btns">
                <Submit label=t.sign_in() kind=kind />
            </div>
        </form>
    }
    .into_any()
}
