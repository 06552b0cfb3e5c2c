//! Who sent this request. A credential that does not hold ends the request; it never falls through to another one.

use super::request::RequestId;
use crate::identity::{Client, IdentityService};
use crate::kernel::{Action, AppError, Ctx, Db, Object, PrincipalKind, Result, Via, locale_of};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_sessions::Session;

const API: &str = "/api/";

/// Puts the [`Ctx`] into the request.
pub(super) async fn authenticate(State(identity): State<IdentityService>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    match identify(&identity, &parts).await {
        Ok(ctx) => {
            parts.extensions.insert(ctx.speaking(locale_of(&parts.headers)));
            next.run(Request::from_parts(parts, body)).await
        }
        Err(error) => error.into_response(),
    }
}

async fn identify(identity: &IdentityService, parts: &Parts) -> Result<Ctx> {
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let via = if parts.uri.path().starts_with(API) { Via::Api } else { Via::Page };
    let nobody = Ctx::anonymous(via, id.clone());
    let mut given = parts.headers.get_all(AUTHORIZATION).iter();
    let in_query = parts.uri.query().is_some_and(|query| query.contains("access_token="));
    match (given.next(), given.next()) {
        (None, _) if !in_query => {
            let Some(session) = parts.extensions.get::<Session>() else { return Ok(nobody) };
            match identity.session_principal(session).await? {
                Some(principal) => Ok(Ctx::new(principal, via, id).confirming_after(identity.confirm_after())),
                None => Ok(nobody),
            }
        }
        (Some(header), None) if !in_query => {
            let principal = match header.to_str().ok().and_then(bearer) {
                Some(token) => identity.token_principal(&nobody, token, &Client::of(parts)).await?,
                None => identity.refuse_credential(&nobody, &Client::of(parts)).await?,
            };
            Ok(Ctx::new(principal, Via::Api, id))
        }
        // Two headers, or a token in the URL, where logs and proxies keep it.
        _ => Ok(Ctx::new(identity.refuse_credential(&nobody, &Client::of(parts)).await?, via, id)),
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= 200).then_some(token)
}

/// Refuses writes through the API, and those of tokens anywhere, to those who may write nothing anywhere, before the route reads its input.
/// Each route still asks for its own action. One's own sessions and a person's own tokens are not writes in this sense, and signed deliveries prove themselves.
pub(super) async fn read_only_guard(State(db): State<Db>, ctx: Ctx, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    // A form asks a token for no token of its own, so that a page is as good a door as the API.
    let guarded = path.starts_with(API) || matches!(ctx.principal().kind, PrincipalKind::Token { .. });
    if reads || !guarded || is_own_access(&ctx, path) || proves_itself(&ctx, path) {
        return next.run(request).await;
    }
    if ctx.is_anonymous() {
        return AppError::Unauthenticated.into_response();
    }
    let short: String = path.chars().take(200).collect();
    let route = Object::new("route", format!("{} {short}", request.method()));
    match db.authorize(&ctx, Action::ApiWrite, route).await {
        Ok(_) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

/// A delivery shows by its signature who sent it; its route judges that before anything else.
fn proves_itself(ctx: &Ctx, path: &str) -> bool {
    ctx.is_anonymous()
        && ["/api/v1/webhooks/github/", "/api/v1/webhooks/gitlab/"].iter().any(|route| path.starts_with(route))
}

fn is_own_access(ctx: &Ctx, path: &str) -> bool {
    let sessions = path.starts_with("/api/v1/sessions");
    match ctx.principal().kind {
        PrincipalKind::Token { .. } => false,
        PrincipalKind::Anonymous => sessions,
        _ => sessions || path.starts_with("/api/v1/tokens"),
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn only_a_bearer_of_sane_length_is_looked_at() {
        assert_eq!(bearer("Bearer psl_a_b"), Some("psl_a_b"));
        assert_eq!(bearer("bearer x"), Some("x"));
        let huge = format!("Bearer {}", "x".repeat(1 << 20));
        for bad in ["Basic eDp5", "psl_a_b", "", huge.as_str()] {
            assert_eq!(bearer(bad), None);
        }
    }
}
