//! Showing again who one is: by password, or at the provider one signs in with. Afterwards back to what asked for it.

use crate::ui::{Alert, ButtonKind, Hidden, LinkButton, Submit, Text, Tone};
use crate::web::{AppState, Errors, OrPage, PageError, Posted, Query, Req, plain_page, see_other};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leptos::prelude::*;
use passerelle_server::identity::{WaysToConfirm, local_path};
use passerelle_server::kernel::AppError;
use passerelle_server::portal::Portal;
use tower_sessions::Session;

pub async fn ask(State(portal): State<Portal>, req: Req) -> Result<Response, PageError> {
    let next = local_path(&req.query.text("next").unwrap_or_else(|| "/".to_owned()));
    let ways = portal.identity.ways_to_confirm(&req.ctx).await.or_page(&req)?;
    Ok(show(&req, ways, &next, None, &Errors::default()))
}

pub async fn submit(
    State(AppState { portal, .. }): State<AppState>,
    session: Session,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    let next = local_path(fields.get("next"));
    let errors = match portal.identity.confirm(&req.ctx, &session, fields.raw("password")).await {
        Ok(()) => return Ok(see_other(&next, None)),
        Err(AppError::RateLimited { retry_after_s }) => {
            passerelle_contract::FieldError::said("/password", req.t.glass_limited(retry_after_s)).into()
        }
        Err(other) => req.shown(other)?,
    };
    let ways = portal.identity.ways_to_confirm(&req.ctx).await.or_page(&req)?;
    Ok(errors.refuse(show(&req, ways, &next, None, &errors)))
}

/// The page after a provider has confirmed nobody.
pub async fn again(portal: &Portal, req: &Req, wrong: String, status: StatusCode) -> Result<Response, PageError> {
    let ways = portal.identity.ways_to_confirm(&req.ctx).await.or_page(req)?;
    let mut response = show(req, ways, "/", Some(wrong), &Errors::default());
    *response.status_mut() = status;
    Ok(response)
}

fn show(req: &Req, ways: WaysToConfirm, next: &str, wrong: Option<String>, errors: &Errors) -> Response {
    let t = req.t;
    let mut page = req.page(t.confirm_title());
    if req.path.starts_with("/auth/") {
        // The address of a refused answer holds what the provider sent.
        "/confirm".clone_into(&mut page.here);
    }
    let first = !ways.password;
    let buttons = ways
        .providers
        .iter()
        .map(|(id, name)| {
            let href = Query::default().with("next", Some(next)).href(&format!("/auth/{id}/confirm"));
            let kind = if first { ButtonKind::Primary } else { ButtonKind::Plain };
            view! { <LinkButton href=href label=t.confirm_at(name) kind=kind /> }
        })
        .collect::<Vec<_>>();
    let nothing = !ways.password && ways.providers.is_empty();
    let form = ways.password.then(|| password_form(req, next, errors));
    plain_page(
        page,
        view! {
            <div class="panel form">
                <h1>{t.confirm_title()}</h1>
                <p class="muted">{t.confirm_text(&req.ctx.principal().display_name)}</p>
                {wrong.map(|wrong| view! { <Alert tone=Tone::Bad>{wrong}</Alert> })}
                {nothing.then(|| view! { <Alert tone=Tone::Warn>{t.confirm_no_way()}</Alert> })}
                {form}
                {(!buttons.is_empty()).then(|| view! { <div class="btns">{buttons}</div> })}
                <p><a class="link" href="/">{t.cancel()}</a></p>
            </div>
        },
    )
}

fn password_form(req: &Req, next: &str, errors: &Errors) -> impl IntoView + use<> {
    let t = req.t;
    view! {
        <form class="form" method="post" action="/confirm">
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Hidden name="next" value=next.to_owned() />
            <Text t=t name="password" label=t.field_password() kind="password" error=errors.of("/password") required=true autocomplete="current-password" />
            <div class="btns">
                <Submit label=t.confirm_submit() />
            </div>
        </form>
    }
}
