//! How one signs in, and adding a provider to it: with the password, and then through the provider.

use super::{Part, frame, head, known};
use crate::i18n::T;
use crate::ui::{Ago, Alert, ButtonKind, Columns, Hidden, LinkButton, Submit, Table, Text, Tone};
use crate::web::{AppState, Errors, OrPage, PageError, Posted, Req, page, summary};
use axum::extract::{Path, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use leptos::prelude::*;
use passerelle_server::identity::{Client, Departure, Kind, OwnProvider, ProviderError};
use passerelle_server::kernel::AppError;

pub async fn show(State(app): State<AppState>, req: Req) -> Result<Response, PageError> {
    draw(&app, &req, (None, None), &Errors::default()).await
}

pub async fn link(
    State(app): State<AppState>,
    Path(provider): Path<String>,
    client: Client,
    posted: Posted,
) -> Result<Response, PageError> {
    let Posted { req, fields } = posted;
    match app.portal.identity.leave_to_link(&req.ctx, &provider, fields.raw("password"), &client).await {
        Ok(departure) => Ok(go_on(&req, &departure)),
        Err(ProviderError::App(error @ AppError::Invalid(_))) => {
            let errors = req.shown(error)?;
            draw(&app, &req, (Some(&provider), None), &errors).await.map(|form| errors.refuse(form))
        }
        Err(ProviderError::App(error)) => Err(req.fail(error)),
        Err(ProviderError::Refused(refused)) if refused.kind != Kind::Provider => {
            Err(req.fail(AppError::Unauthenticated))
        }
        Err(_) => {
            let down = Some(req.t.provider_down());
            let mut form = draw(&app, &req, (Some(&provider), down), &Errors::default()).await?;
            *form.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            Ok(form)
        }
    }
}

/// A link, because a page may send no form to another site, not even by a redirect.
fn go_on(req: &Req, departure: &Departure) -> Response {
    let t = req.t;
    let url = departure.url.clone();
    let mut response = page(
        frame(req, Part::SignIn),
        view! {
            {head(req, Part::SignIn)}
            <div class="panel form">
                <p>{t.link_go_on_text()}</p>
                <div class="btns">
                    <LinkButton href=url label=t.link_go_on() kind=ButtonKind::Primary />
                    <LinkButton href=Part::SignIn.href() label=t.cancel() kind=ButtonKind::Quiet />
                </div>
            </div>
        },
    );
    if let Ok(cookie) = HeaderValue::from_str(&departure.cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// `tried` is the provider whose form was sent, and `wrong` what is told above all forms.
async fn draw(
    app: &AppState,
    req: &Req,
    (tried, wrong): (Option<&str>, Option<&'static str>),
    errors: &Errors,
) -> Result<Response, PageError> {
    let t = req.t;
    known(req).or_page(req)?;
    let own = app.portal.identity.own_ways(&req.ctx).await.or_page(req)?;
    let ways = app.portal.identity.ways_in().await.or_page(req)?;
    let name_of = |id: &str| ways.providers.iter().find(|(known, _)| known == id).map(|(_, name)| name.clone());
    let rows = own.providers.iter().map(|one| row(req, one, name_of(&one.provider))).collect::<Vec<_>>();
    let rest = ways.providers.iter().filter(|(id, _)| !own.providers.iter().any(|one| one.provider == *id));
    let forms = rest
        .filter(|_| own.password)
        .map(|(id, name)| link_form(req, id, name, errors.of("/password").filter(|_| tried == Some(id))))
        .collect::<Vec<_>>();
    let none = own.providers.is_empty();
    Ok(page(
        frame(req, Part::SignIn),
        view! {
            {head(req, Part::SignIn)}
            {summary(t, errors, &["/password"])}
            {wrong.map(|wrong| view! { <Alert tone=Tone::Bad>{wrong}</Alert> })}
            <div class="stack">
                {own.password.then(|| view! { <p class="muted">{t.sign_in_by_password()}</p> })}
                {(!none).then(|| view! {
                    <Table label=t.access_sign_in() columns=Columns::of([t.col_provider(), t.col_created(), t.col_last_used()])>{rows}</Table>
                })}
                {(none && ways.providers.is_empty()).then(|| view! { <p class="muted">{t.link_no_providers()}</p> })}
                {forms}
            </div>
        },
    ))
}

fn row(req: &Req, one: &OwnProvider, name: Option<String>) -> impl IntoView + use<> {
    let t = req.t;
    view! {
        <tr>
            <th scope="row">
                {name.unwrap_or_else(|| one.provider.clone())}
                <div class="under break">{one.issuer.clone()}</div>
            </th>
            <td class="nowrap">
                <Ago t=t at=one.created_at now=req.now />
            </td>
            <td class="nowrap">
                <Ago t=t at=one.last_sign_in_at now=req.now />
            </td>
        </tr>
    }
}

fn link_form(req: &Req, id: &str, name: &str, error: Option<String>) -> impl IntoView + use<> {
    let t: T = req.t;
    view! {
        <form class="panel form" method="post" action=format!("/access/sign-in/{id}")>
            <h2>{t.link_title(name)}</h2>
            <p class="muted">{t.link_text()}</p>
            <Hidden name="csrf" value=req.ctx.csrf_token() />
            <Text t=t name="password" label=t.field_password() kind="password" error=error required=true autocomplete="current-password" />
            <div class="btns">
                <Submit label=t.link_submit() of=name.to_owned() />
            </div>
        </form>
    }
}
