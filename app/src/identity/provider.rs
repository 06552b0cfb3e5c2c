//! To a sign-in provider and back. What a provider says is never shown: each kind of refusal has one sentence of ours.

use super::{confirm, sign_in};
use crate::web::{AppState, PageError, Req, plain_cookie, see_other};
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use passerelle_server::identity::{Arrived, Client, Departure, Kind, ProviderError, Returned, RolesTold};
use passerelle_server::kernel::AppError;
use passerelle_server::portal::Portal;
use tower_sessions::Session;

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// Sends the browser to the provider; nothing is kept here but a cookie in that browser.
pub async fn leave(
    State(portal): State<Portal>,
    Path(provider): Path<String>,
    client: Client,
    req: Req,
) -> Result<Response, PageError> {
    let next = req.query.text("next").unwrap_or_else(|| "/".to_owned());
    if !req.ctx.is_anonymous() {
        return Ok(see_other("/", None));
    }
    let way = portal.identity.leave_for(&req.ctx, &provider, &next, &client).await;
    depart(&portal, &req, way).await
}

/// The same for somebody who is signed in and has to show again who they are.
pub async fn leave_to_confirm(
    State(portal): State<Portal>,
    Path(provider): Path<String>,
    client: Client,
    req: Req,
) -> Result<Response, PageError> {
    let next = req.query.text("next").unwrap_or_else(|| "/".to_owned());
    let way = portal.identity.leave_to_confirm(&req.ctx, &provider, &next, &client).await;
    depart(&portal, &req, way).await
}

async fn depart(portal: &Portal, req: &Req, way: Result<Departure, ProviderError>) -> Result<Response, PageError> {
    match way {
        Ok(departure) => Ok(elsewhere(&departure.url, Some(&departure.cookie))),
        Err(error) => refused(portal, req, error).await,
    }
}

/// Where the provider sends people back to.
pub async fn come_back(
    State(AppState { portal, .. }): State<AppState>,
    Path(provider): Path<String>,
    RawQuery(query): RawQuery,
    session: Session,
    client: Client,
    headers: HeaderMap,
    req: Req,
) -> Result<Response, PageError> {
    let pending = portal.identity.pending_cookie();
    // Sealed, not encoded.
    let sealed = pending.as_ref().and_then(|(name, _)| plain_cookie(&headers, name));
    let returned = Returned::parse(query.as_deref().unwrap_or_default());
    let came = portal.identity.come_back(&req.ctx, &session, (&provider, sealed), returned.as_ref(), &client).await;
    let mut response = match came {
        Ok(Arrived { next, roles }) => match why(roles) {
            None => see_other(&next, None),
            Some(why) => see_other(&format!("/auth/no-role?why={why}"), None),
        },
        Err(error) => refused(&portal, &req, error).await?,
    };
    if let Some(gone) = pending.and_then(|(_, gone)| HeaderValue::from_str(&gone).ok()) {
        response.headers_mut().append(SET_COOKIE, gone);
    }
    response.headers_mut().insert(CACHE_CONTROL, NO_STORE);
    Ok(response)
}

/// Signs out at the provider as well, for whoever has signed out here.
pub async fn sign_out(
    State(portal): State<Portal>,
    Path(provider): Path<String>,
    req: Req,
) -> Result<Response, PageError> {
    match portal.identity.sign_out_at(&provider).await {
        Ok(Some(url)) => Ok(elsewhere(&url, None)),
        Ok(None) => Ok(see_other("/sign-in?signed_out=true", None)),
        Err(error) => refused(&portal, &req, error).await,
    }
}

/// Back-channel logout: a form with one token, from the provider itself and not from a browser.
pub async fn signed_out_there(
    State(portal): State<Portal>,
    Path(provider): Path<String>,
    client: Client,
    req: Req,
    body: Bytes,
) -> Response {
    let tokens: Vec<_> = url::form_urlencoded::parse(&body).filter(|(name, _)| name == "logout_token").collect();
    let ended = match tokens.as_slice() {
        [(_, token)] => portal.identity.signed_out_at(&req.ctx, &provider, token, &client).await,
        _ => Err(ProviderError::App(AppError::not_found("logout_token"))),
    };
    let status = match ended {
        Ok(_) => StatusCode::OK,
        Err(ProviderError::App(error @ (AppError::RateLimited { .. } | AppError::Unavailable(_)))) => {
            return error.into_response();
        }
        Err(ProviderError::App(error @ AppError::Internal(_))) => return error.into_response(),
        Err(_) => StatusCode::BAD_REQUEST,
    };
    (status, [(CACHE_CONTROL, NO_STORE)]).into_response()
}

/// 303 to an address of the provider.
fn elsewhere(url: &str, cookie: Option<&str>) -> Response {
    let Ok(location) = HeaderValue::from_str(url) else { return see_other("/sign-in", None) };
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location), (CACHE_CONTROL, NO_STORE)]).into_response();
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// The word in the address of the page that tells why somebody has no role.
const fn why(roles: RolesTold) -> Option<&'static str> {
    match roles {
        RolesTold::Some => None,
        RolesTold::NotAsked => Some("not-asked"),
        RolesTold::Absent => Some("absent"),
        RolesTold::Odd => Some("odd"),
        RolesTold::NoneOfThese => Some("none"),
    }
}

/// The sign-in page again, with what went wrong.
async fn refused(portal: &Portal, req: &Req, error: ProviderError) -> Result<Response, PageError> {
    let t = req.t;
    let (text, status) = match error {
        ProviderError::Refused(refused) => match refused.kind {
            Kind::Provider => (t.provider_down().to_owned(), StatusCode::SERVICE_UNAVAILABLE),
            Kind::Answer => (t.provider_not_believed().to_owned(), StatusCode::BAD_REQUEST),
            Kind::Denied => (t.provider_denied().to_owned(), StatusCode::FORBIDDEN),
            Kind::Stale => (t.provider_stale().to_owned(), StatusCode::BAD_REQUEST),
        },
        ProviderError::Disabled => (t.provider_disabled().to_owned(), StatusCode::FORBIDDEN),
        ProviderError::App(AppError::RateLimited { retry_after_s }) => {
            (t.sign_in_limited(retry_after_s), StatusCode::TOO_MANY_REQUESTS)
        }
        ProviderError::App(other) => return Err(req.fail(other)),
    };
    if req.ctx.is_anonymous() {
        return sign_in::again(portal, req, text, status).await;
    }
    confirm::again(portal, req, text, status).await
}
