//! Bad credentials, other sites, read-only callers, repeated requests, panics.

use crate::support::{ORIGIN, PASSWORD, Portal, cookie};
use axum::http::StatusCode;
use passerelle_contract::access::Role;
use serde_json::json;
use std::sync::atomic::Ordering;

#[tokio::test]
async fn a_credential_that_does_not_hold_never_falls_through() {
    let portal = Portal::set_up().await;
    let good = portal.token("ci", Role::Admin).await;
    let jar = cookie(&portal.sign_in("root", PASSWORD).await);
    let mut flipped = good.clone();
    let last = flipped.pop().unwrap();
    flipped.push(if last == '0' { '1' } else { '0' });
    for bad in ["x", "", &flipped, &"y".repeat(10_000)] {
        let headers = [("authorization", &*format!("Bearer {bad}")), ("cookie", &*jar)];
        assert_eq!(portal.send("GET", "/api/v1/me", &headers, None).await.status, StatusCode::UNAUTHORIZED, "{bad}");
    }
    let bearer = format!("Bearer {good}");
    let twice = [("authorization", bearer.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(portal.send("GET", "/api/v1/me", &twice, None).await.status, StatusCode::UNAUTHORIZED);
    let basic = [("authorization", "Basic cm9vdDpyb290")];
    assert_eq!(portal.send("GET", "/healthz", &basic, None).await.status, StatusCode::UNAUTHORIZED);
    let path = format!("/api/v1/me?access_token={good}");
    assert_eq!(portal.send("GET", &path, &[], None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(portal.audited("access.sign_in", "denied").await, 7);
    assert_eq!(portal.with_token("GET", "/api/v1/me", &good, None).await.status, StatusCode::OK);
    let mut status = StatusCode::UNAUTHORIZED;
    for _ in 0..100 {
        status = portal.with_token("GET", "/api/v1/me", "x", None).await.status;
    }
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn another_site_cannot_act_with_a_session() {
    let portal = Portal::set_up().await;
    let jar = cookie(&portal.sign_in("root", PASSWORD).await);
    for from in
        [&[("origin", "https://evil.example")][..], &[("origin", "null")], &[("sec-fetch-site", "cross-site")], &[]]
    {
        let headers = [&[("cookie", jar.as_str())][..], from].concat();
        let answer = portal.send("POST", "/api/v1/effect", &headers, None).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::FORBIDDEN, &json!("cross_site")), "{from:?}");
    }
    assert_eq!(portal.effects.load(Ordering::SeqCst), 0);
    let headers = [("cookie", jar.as_str()), ("origin", ORIGIN)];
    assert_eq!(portal.send("POST", "/api/v1/effect", &headers, None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn who_only_reads_reaches_no_writing_route() {
    let portal = Portal::set_up().await;
    let viewer = portal.token("reader", Role::Viewer).await;
    for path in ["/api/v1/effect", "/api/v1/tokens", "/api/v1/role-bindings", "/api/v1/users", "/api/v1/sessions"] {
        let answer = portal.with_token("POST", path, &viewer, Some(json!({}))).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(portal.send("POST", "/api/v1/effect", &[], Some(json!({}))).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(portal.effects.load(Ordering::SeqCst), 0);
    assert_eq!(portal.audited("api.write", "denied").await, 5);
}

#[tokio::test]
async fn one_idempotency_key_is_one_effect() {
    let portal = Portal::set_up().await;
    let token = portal.token("ci", Role::Developer).await;
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k1")];
    let calls = (0..20).map(|_| portal.send("POST", "/api/v1/effect", &headers, Some(json!({ "a": 1 }))));
    let answers = futures::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::OK && answer.body == json!({ "effect": 1 })));
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    let other = portal.send("POST", "/api/v1/effect", &headers, Some(json!({ "a": 2 }))).await;
    assert_eq!((other.status, &other.body["code"]), (StatusCode::CONFLICT, &json!("idempotency_mismatch")));
    assert_eq!(portal.effects.load(Ordering::SeqCst), 1);
    let wrong = portal.send("POST", "/api/v1/effect", &[headers[0], ("idempotency-key", "")], None).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_panic_is_a_problem_and_health_tells_the_truth() {
    let portal = Portal::new().await;
    let answer = portal.send("GET", "/api/v1/panics", &[], None).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::INTERNAL_SERVER_ERROR, &json!("internal")));
    assert!(!answer.body.to_string().contains("unwrap"));
    assert!(answer.body["request_id"].as_str().is_some_and(|id| id.len() == 36));
    assert_eq!(portal.send("GET", "/readyz", &[], None).await.status, StatusCode::OK);
    portal.db.pool().close().await;
    assert_eq!(portal.send("GET", "/readyz", &[], None).await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(portal.send("GET", "/healthz", &[], None).await.status, StatusCode::OK);
}
