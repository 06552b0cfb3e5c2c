//! The first administrator, from the link that the first start printed; afterwards they are signed in.

use crate::i18n::T;
use crate::ui::{Alert, Flash, Hidden, Submit, Text, Tone};
use crate::web::{AppState, Errors, OrPage, PageError, Posted, PostedByAnybody, Req, plain_page, see_other};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_contract::FieldError;
use passerelle_server::identity::{Client, SetUp, SignIn};
use passerelle_server::kernel::AppError;
use passerelle_server::portal::Portal;
use tower_sessions::Session;

const SHOWN: [&str; 5] = ["/token", "/user", "/display_name", "/password", "/password_again"];

#[derive(Default)]
struct Shown {
    token: String,
    user: String,
    name: String,
    errors: Errors,
}

pub async fn form(State(portal): State<Portal>, req: Req) -> Result<Response, PageError> {
    if !portal.identity.needs_set_up().await.or_page(&req)? {
        return Ok(see_other("/sign-in", None));
    }
    let token = req.query.text("token").unwrap_or_default();
    Ok(show(&req, Shown { token, ..Shown::default() }))
}

pub async fn submit(
    State(AppState { portal, .. }): State<AppState>,
    session: Session,
    client: Client,
    PostedByAnybody(Posted { req, fields }): PostedByAnybody,
) -> Result<Response, PageError> {
    let password = fields.raw("password").to_owned();
    let new = SetUp {
        token: fields.text("token"),
        user: fields.text("user"),
        password: password.clone(),
        display_name: fields.text("display_name"),
    };
    let made = if password == fields.raw("password_again") {
        portal.identity.set_up(&req.ctx, &new).await
    } else {
        Err(AppError::Invalid(vec![FieldError::said("/password_again", req.t.passwords_differ())]))
    };
    match made {
        Ok(()) => {}
        Err(AppError::Invalid(errors)) => {
            let errors = AppError::Invalid(errors).problem(&req.ctx).into();
            let mut response = show(&req, Shown { token: new.token, user: new.user, name: new.display_name, errors });
            *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
            return Ok(response);
        }
        Err(other) => return Err(req.fail(other)),
    }
    let attempt = SignIn { user: new.user, password, client };
    let device = portal.identity.sign_in(&req.ctx, &session, &attempt).await.or_page(&req)?;
    let flash = Flash { ok: true, text: req.t.set_up_done().to_owned() };
    Ok(device.on(see_other("/", Some(flash))))
}

fn show(req: &Req, shown: Shown) -> Response {
    let t = req.t;
    plain_page(req.page(t.set_up_title()), view(t, shown))
}

fn view(t: T, shown: Shown) -> impl IntoView {
    let Shown { token, user, name, errors } = shown;
    let token_error = errors.of("/token");
    let lost = errors.elsewhere(&SHOWN);
    // The link brings the token along; it becomes visible only when it is missing or does not hold.
    let token = if token.is_empty() || token_error.is_some() {
        view! { <Text t=t name="token" label=t.set_up_token() value=token error=token_error required=true code=true /> }
            .into_any()
    } else {
        view! { <Hidden name="token" value=token /> }.into_any()
    };
    let again = errors.of("/password_again");
    view! {
        <form class="panel form" method="post" action="/setup">
            <h1>{t.set_up_title()}</h1>
            <p class="muted">{t.set_up_sub()}</p>
            {(!errors.is_empty()).then(|| view! { <Alert tone=Tone::Bad>{t.err_fields()} {lost}</Alert> })}
            <Hidden name="csrf" value="" />
            {token}
            <Text
                t=t
                name="user"
                label=t.field_user()
                value=user
                error=errors.of("/user")
                required=true
                autocomplete="username"
            />
            <Text
                t=t
                name="display_name"
                label=t.field_display_name()
                value=name
                error=errors.of("/display_name")
                required=true
                autocomplete="name"
            />
            <Text
                t=t
                name="password"
                label=t.field_password()
                kind="password"
                hint=t.field_password_hint().to_owned()
                error=errors.of("/password")
                required=true
                autocomplete="new-password"
            />
            <Text
                t=t
                name="password_again"
                label=t.field_password_again()
                kind="password"
                error=again
                required=true
                autocomplete="new-password"
            />
            <div class="btns">
                <Submit label=t.set_up_submit() />
            </div>
        </form>
    }
}
