//! The API under `/api/v1` with its own description.

use super::{docs_page, problems};
use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use std::sync::Arc;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;

const ROOT: &str = "/api/v1";

/// The description (OpenAPI 3.1) of the API.
#[must_use]
pub fn document(api: OpenApiRouter) -> OpenApi {
    let (_, mut document) = OpenApiRouter::new().nest(ROOT, api).split_for_parts();
    document.info.title = "Passerelle".to_owned();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    document.info.description =
        Some("Errors are problem documents (RFC 9457). Authorise with `Authorization: Bearer psl_...` or the session cookie.".to_owned());
    document
}

/// The API, its description at `/api/v1/openapi.json`, and a page for people at `/docs/api`.
pub fn rest(api: OpenApiRouter) -> Router {
    let document = Arc::new(document(api.clone()));
    let json: Arc<str> = serde_json::to_string(&*document).unwrap_or_default().into();
    let page: Arc<str> = docs_page::render(&document).into();
    let (routes, _) = OpenApiRouter::new().nest(ROOT, api).split_for_parts();
    let described = Router::new()
        .route(
            "/api/v1/openapi.json",
            get(
                move || async move { ([(header::CONTENT_TYPE, "application/json")], json.to_string()).into_response() },
            ),
        )
        .route("/docs/api", get(move || async move { axum::response::Html(page.to_string()) }));
    routes
        .merge(described)
        .route("/api/{*rest}", any(problems::no_such_route))
        .method_not_allowed_fallback(problems::not_this_method)
}
