//! New releases go by themselves where a binding wants it, in the order of the environments, and not past a gate or a hold.

use crate::support::TestPortal;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// `shop/web` is bound in staging and production, and both get what is new; production asks nobody.
async fn automatic() -> TestPortal {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    for environment in ["staging", "production"] {
        let listed = test.get(&format!("/bindings?service=shop/web&environment={environment}")).await.body;
        let binding = &listed["items"][0];
        let mut config = binding["config"].clone();
        config["automatic"] = json!(true);
        let path = format!("/bindings/{}", binding["id"].as_str().unwrap());
        let saved = test.call(Method::PATCH, &path, &test.admin, Some(&json!({ "config": config }))).await;
        assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    }
    policy(&test, json!({ "promotion_order": { "mode": "block", "healthy_minutes": 0 } })).await;
    test
}

async fn policy(test: &TestPortal, policy: Value) {
    let put = test.put("/gates/policies/production", &policy).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
}

async fn release(test: &TestPortal, version: &str) {
    let body = json!({ "service": "shop/web", "version": version, "image": format!("tinyweb:{version}") });
    let made = test.post("/releases", &body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

/// The newest deployment there, once it has ended.
async fn newest(test: &TestPortal, environment: &str, version: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let path = format!("/deployments?service=shop/web&environment={environment}&limit=1");
        let newest = test.get(&path).await.body["items"][0].clone();
        if newest["version"] == version && newest["ended_at"].is_string() {
            return newest;
        }
        assert!(Instant::now() < end, "{version} never ended in {environment}: {newest}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn count(test: &TestPortal, environment: &str) -> u64 {
    let path = format!("/deployments?service=shop/web&environment={environment}&limit=1");
    test.get(&path).await.body["total"].as_u64().unwrap()
}

/// Longer than a round.
async fn a_round() {
    tokio::time::sleep(Duration::from_secs(6)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_goes_from_environment_to_environment() {
    let test = automatic().await;
    release(&test, "v2").await;
    let staged = newest(&test, "staging", "v2").await;
    assert_eq!((&staged["state"], &staged["requested_by"]), (&json!("succeeded"), &json!("system:automatic")));
    let live = newest(&test, "production", "v2").await;
    assert_eq!(live["state"], "succeeded", "{live}");
    assert!(live["created_at"].as_str() > staged["ended_at"].as_str(), "only after staging was well");
    a_round().await;
    assert_eq!((count(&test, "staging").await, count(&test, "production").await), (1, 1), "each is tried once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_goes_no_further_and_is_not_tried_again() {
    let test = automatic().await;
    release(&test, "v2").await;
    newest(&test, "production", "v2").await;
    release(&test, "v4").await;
    assert_eq!(newest(&test, "staging", "v4").await["state"], "rolled_back", "v4 crashes");
    a_round().await;
    assert_eq!((count(&test, "staging").await, count(&test, "production").await), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_and_gates_are_respected() {
    let test = automatic().await;
    let held = test.post("/services/shop/web/environments/staging/hold", &json!({ "reason": "we look at it" })).await;
    assert_eq!(held.status, StatusCode::NO_CONTENT, "{}", held.body);
    release(&test, "v2").await;
    a_round().await;
    assert_eq!(count(&test, "staging").await, 0, "a hold stops it");

    let freeze = json!({ "scope": { "kind": "environment", "value": "production" }, "title": "The end of the year",
        "ends_at": "2099-11-30T05:00:00Z" });
    let frozen = test.post("/freezes", &freeze).await;
    assert_eq!(frozen.status, StatusCode::CREATED, "{}", frozen.body);
    let freeze = frozen.body["id"].as_str().unwrap().to_owned();
    policy(&test, json!({ "freeze": "block" })).await;
    let resumed = test.post("/services/shop/web/environments/staging/resume", &json!({})).await;
    assert_eq!(resumed.status, StatusCode::NO_CONTENT, "{}", resumed.body);
    newest(&test, "staging", "v2").await;
    a_round().await;
    assert_eq!(count(&test, "production").await, 0, "a freeze leaves no row of a refused attempt each round");
    let lifted = test.call(Method::DELETE, &format!("/freezes/{freeze}"), &test.admin, Some(&json!({}))).await;
    assert!(lifted.status.is_success(), "{}", lifted.body);
    assert_eq!(newest(&test, "production", "v2").await["state"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_was_rejected_is_not_asked_for_again() {
    let test = automatic().await;
    policy(&test, json!({ "approval": { "needed": 1 } })).await;
    release(&test, "v2").await;
    newest(&test, "staging", "v2").await;
    let bob = test.signed_in("bob", passerelle_contract::access::Role::Operator).await;
    let end = Instant::now() + Duration::from_secs(30);
    let asked = loop {
        let asked =
            test.get("/deployments?service=shop/web&environment=production&limit=1").await.body["items"][0].clone();
        if asked["state"] == "awaiting_approval" {
            break asked["id"].as_str().unwrap().to_owned();
        }
        assert!(Instant::now() < end, "it never asked: {asked}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    let rejected = bob.post(&format!("/deployments/{asked}/reject"), &json!({ "reason": "not this one" })).await;
    assert_eq!(rejected.body["state"], "blocked", "{}", rejected.body);
    a_round().await;
    a_round().await;
    assert_eq!(count(&test, "production").await, 1, "no is no");
    release(&test, "v5").await;
    newest(&test, "staging", "v5").await;
    a_round().await;
    assert_eq!(count(&test, "production").await, 2, "the next one is asked for");
}
