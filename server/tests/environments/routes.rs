//! What scripts rely on: the documented bodies, statuses and headers.

use crate::support::{Portal, admin};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use passerelle_server::environments::router;
use passerelle_server::kernel::Ctx;
use serde_json::{Value, json};
use tower::ServiceExt as _;

async fn call(portal: &Portal, ctx: Ctx, method: &str, path: &str, body: Option<Value>) -> (StatusCode, String, Value) {
    let (routes, _) = router().with_state(portal.service.clone()).split_for_parts();
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let mut request = request.body(body.map_or_else(Body::empty, |body| Body::from(body.to_string()))).unwrap();
    request.extensions_mut().insert(ctx);
    let response = routes.oneshot(request).await.unwrap();
    let status = response.status();
    let etag = response.headers().get(header::ETAG).map(|etag| etag.to_str().unwrap().to_owned());
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    let json = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    (status, etag.unwrap_or_default(), json)
}

#[tokio::test]
async fn the_documented_bodies_work_as_they_stand() {
    let portal = Portal::new().await;
    portal.entity("web", "default/red").await;
    for (path, body) in [
        ("/environments", json!({"name": "staging", "tier": "staging", "order": 1})),
        (
            "/connections",
            json!({"name": "c1", "kind": "kubernetes", "config": {"kubeconfig": {"file": "/run/secrets/passerelle/path"}}}),
        ),
        (
            "/bindings",
            json!({"service": "shop/web", "environment": "staging", "kind": "kubernetes", "connection": "c1",
                "config": {"namespace": "shop", "deployment": "web", "container": "tinyweb"}}),
        ),
    ] {
        let (status, etag, out) = call(&portal, admin(), "POST", path, Some(body.clone())).await;
        assert_eq!(status, StatusCode::CREATED, "{path}: {out}");
        assert!(etag.starts_with('"') && out["id"].is_string());
        let (status, _, out) = call(&portal, admin(), "POST", path, Some(body)).await;
        assert_eq!((status, &out["code"]), (StatusCode::CONFLICT, &json!("already_exists")), "{path}");
        let (status, _, list) = call(&portal, admin(), "GET", path, None).await;
        assert_eq!((status, &list["total"]), (StatusCode::OK, &json!(1)), "{path}");
    }
    let (_, _, shown) = call(&portal, admin(), "GET", "/connections/c1", None).await;
    assert_eq!(
        (&shown["config"], &shown["bindings"]),
        (&json!({"kubeconfig": {"file": "/run/secrets/passerelle/path"}}), &json!(1))
    );
    let (status, _, kinds) = call(&portal, admin(), "GET", "/target-kinds", None).await;
    assert_eq!((status, &kinds["items"][0]["kind"]), (StatusCode::OK, &json!("kubernetes")));
}

#[tokio::test]
async fn refusals_are_problem_documents() {
    let portal = Portal::furnished().await;
    let nobody = Ctx::anonymous(passerelle_server::kernel::Via::Api, "test".to_owned());
    for (method, path, body) in [
        ("GET", "/environments", None),
        ("GET", "/connections/c1", None),
        ("GET", "/bindings", None),
        ("GET", "/target-kinds", None),
        ("POST", "/environments", Some(json!({"name": "qa", "tier": "staging", "order": 1}))),
        ("DELETE", "/connections/c1", None),
    ] {
        let (status, _, out) = call(&portal, nobody.clone(), method, path, body).await;
        assert_eq!((status, &out["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")), "{method} {path}");
    }
    let wrong = json!({"name": "qa", "tier": "staging", "order": -1});
    let (status, _, out) = call(&portal, admin(), "POST", "/environments", Some(wrong)).await;
    assert_eq!((status, &out["errors"][0]["pointer"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/order")));
    for (path, code) in
        [("/environments/a%00b", 404), ("/connections/%22", 404), ("/bindings/x", 404), ("/bindings?x=1", 422)]
    {
        let (status, _, out) = call(&portal, admin(), "GET", path, None).await;
        assert_eq!(status.as_u16(), code, "{path}: {out}");
    }
}
