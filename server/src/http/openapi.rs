//! The REST API as a whole: nested under `/api/v1`, described by OpenAPI 3.1, with problems for what is not there.

use super::{description, docs_page, error_pages, problems};
use crate::identity::SESSION_COOKIE;
use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use axum::routing::get;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_axum::router::OpenApiRouter;

const PREFIX: &str = "/api/v1";
const ABOUT: &str = "The REST API of Passerelle. Times are RFC 3339 in UTC. Errors are problem documents (RFC 9457) with a closed list of \
codes. Lists answer {items, next_cursor, total}; cursors are opaque. A POST with an effect takes an Idempotency-Key.";

/// The routes of all capabilities, merged, under `/api/v1`, with `openapi.json`, the reader at `/docs/api`, and `/docs/errors`.
pub fn rest(api: OpenApiRouter) -> Router {
    let (routes, paths) = api.split_for_parts();
    let document = describe(paths);
    // Serialising a document made of plain maps does not fail; an empty one would be seen by the snapshot test.
    let value = serde_json::to_value(&document).unwrap_or_default();
    let json = Bytes::from(value.to_string());
    let page = docs_page::render(&value);
    let routes = routes
        .route(
            "/openapi.json",
            get(move || async move { ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")], json) }),
        )
        .fallback(problems::no_such_route)
        .method_not_allowed_fallback(problems::not_this_method);
    Router::new()
        .nest(PREFIX, routes)
        .route("/api/{*rest}", axum::routing::any(problems::no_such_route))
        .route("/docs/api", get(move || async move { page.into_response() }))
        .merge(error_pages::routes())
}

/// The description (OpenAPI 3.1) of the merged routes of all capabilities.
#[must_use]
pub fn document(api: OpenApiRouter) -> OpenApi {
    describe(api.into_openapi())
}

fn describe(paths: OpenApi) -> OpenApi {
    let info =
        InfoBuilder::new().title("Passerelle").version(env!("CARGO_PKG_VERSION")).description(Some(ABOUT)).build();
    let mut document = OpenApiBuilder::new().info(info).build().nest(PREFIX, paths);
    let components = document.components.get_or_insert_with(Components::new);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("psl_<id>_<secret>")
        .description(Some(
            "An API token, made on the page Access, by POST /tokens, or by `passerelle admin token create`.",
        ))
        .build();
    components.add_security_scheme("token", SecurityScheme::Http(bearer));
    let cookie = ApiKeyValue::with_description(SESSION_COOKIE, "A person's session; begins with POST /sessions.");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    document.security = Some(vec![
        SecurityRequirement::new("token", Vec::<String>::new()),
        SecurityRequirement::new("session", Vec::<String>::new()),
    ]);
    description::complete(&mut document);
    document
}

#[cfg(test)]
mod tests {
    use super::rest;
    use axum::body::{Body, to_bytes};
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt;
    use utoipa_axum::{router::OpenApiRouter, routes};

    /// Says hello.
    #[utoipa::path(get, path = "/hello", tag = "greetings", params(("name" = String, Query, description = "who & why")),
        responses((status = 200, body = passerelle_contract::access::MeOut)))]
    async fn hello() -> &'static str {
        "hello"
    }

    async fn call(method: &str, path: &str) -> (StatusCode, String) {
        let app = rest(OpenApiRouter::new().routes(routes!(hello)));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let status = response.status();
        (status, String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_api_describes_itself() {
        assert_eq!(call("GET", "/api/v1/hello").await, (StatusCode::OK, "hello".to_owned()));
        let (status, json) = call("GET", "/api/v1/openapi.json").await;
        assert_eq!(status, StatusCode::OK);
        let document: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        assert!(document["paths"]["/api/v1/hello"]["get"].is_object());
        assert!(document["components"]["securitySchemes"]["token"].is_object());
        let (status, page) = call("GET", "/docs/api").await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("/api/v1/hello") && page.contains("who &amp; why") && page.contains("display_name"));
        assert!(!page.contains("<script"));
        let (status, page) = call("GET", "/docs/errors/conflict").await;
        assert!(status == StatusCode::OK && page.contains("What to do"), "{page}");
        assert_eq!(call("GET", "/docs/errors/nothing").await.0, StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_problem() {
        for (method, path, expected) in [
            ("GET", "/api/v1/nothing", StatusCode::NOT_FOUND),
            ("GET", "/api/v2/hello", StatusCode::NOT_FOUND),
            ("POST", "/api/v1/hello", StatusCode::METHOD_NOT_ALLOWED),
        ] {
            let (status, body) = call(method, path).await;
            assert_eq!(status, expected, "{method} {path}");
            let problem: passerelle_contract::Problem = serde_json::from_str(&body).unwrap();
            assert_eq!(problem.status, expected.as_u16());
        }
    }
}
