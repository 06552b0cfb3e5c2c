//! Attempt 25: ways back that belong to another service, and a million filters.

use super::raw;
use crate::support::{Answer, TestPortal, deployment};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Of a query, in bytes: an address as a whole has less than 64 KiB.
const LONGEST: usize = 64_000;
const BACK: &str = "/services/shop/web/environments/staging/rollback";

/// Both services run in staging; each was deployed once by us.
struct Two {
    test: TestPortal,
    /// Deployments.
    web: String,
    api: String,
    /// A release of `shop/api`, with the version `api-1`.
    release: String,
}

async fn two() -> Two {
    let test = TestPortal::with_shop().await;
    let binding = json!({ "service": "shop/api", "environment": "staging", "kind": "kubernetes", "connection": "c1",
        "config": { "namespace": "shop", "deployment": "api" } });
    let bound = test.post("/bindings", &binding).await;
    assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
    let release = json!({ "service": "shop/api", "version": "api-1", "image": "tinyweb:v2" });
    let made = test.post("/releases", &release).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let release = made.body["id"].as_str().unwrap().to_owned();
    let mut api = deployment("tinyweb:v2");
    api["service"] = json!("shop/api");
    let asked = test.post("/deployments", &api).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let api = asked.body["id"].as_str().unwrap().to_owned();
    let web = test.deploy("tinyweb:v2").await;
    for id in [&api, &web] {
        let ended = test.ended(id).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
    }
    Two { test, web, api, release }
}

/// What a way back would change: rows of deployments and their events, holds, and what the cluster was told.
async fn changed(test: &TestPortal) -> (Vec<i64>, [u64; 2], Value) {
    let rows = test.rows().await;
    let counts =
        ["deployments", "deployment_steps", "deployment_events", "releases", "bindings"].map(|table| rows[table]);
    let effects =
        ["web", "api"].map(|name| test.simulator.effects("/k8s/test", &format!("deployments.apps/shop/{name}")));
    let holds: Vec<Value> =
        test.get("/bindings").await.body["items"].as_array().unwrap().iter().map(|one| one["hold"].clone()).collect();
    (counts.to_vec(), effects, json!(holds))
}

fn told(answer: &Answer) -> (StatusCode, &Value, &Value) {
    (answer.status, &answer.body["code"], &answer.body["errors"][0]["pointer"])
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_goes_back_to_what_another_service_ran() {
    let Two { test, web, api, release } = two().await;
    let before = changed(&test).await;
    let away = "/services/shop/api/environments/staging/rollback";
    let wanted = |field: &str, value: &str| {
        let mut body = json!({ "service": "shop/web", "environment": "staging", "reason": "a test" });
        body[field] = json!(value);
        body
    };
    for (path, body, pointer) in [
        (BACK, json!({ "to": api }), "/to"),
        (BACK, json!({ "to": api, "config": "current", "replicas": "release" }), "/to"),
        (away, json!({ "to": web }), "/to"),
        // A release is no deployment, not even one's own.
        (BACK, json!({ "to": release }), "/to"),
        (away, json!({ "to": release }), "/to"),
        ("/deployments", wanted("release", &release), "/release"),
        ("/deployments", wanted("release", &api), "/release"),
        ("/deployments", wanted("version", "api-1"), "/version"),
        ("/plans", wanted("release", &release), "/release"),
        ("/plans", wanted("version", "api-1"), "/version"),
    ] {
        let answer = test.post(path, &body).await;
        let expected = (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_input"), &json!(pointer));
        assert_eq!(told(&answer), expected, "{path} {body}: {}", answer.body);
    }
    // To whoever may not see the other service, its deployment looks like one that never was.
    let seller = test.token("seller", Role::Operator, Scope::Team("shop/sellers".into())).await;
    let mut answers = Vec::new();
    for to in [api.as_str(), "0199a000-0000-7000-8000-000000000000"] {
        let answer = test.call(Method::POST, BACK, &seller, Some(&json!({ "to": to }))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        answers.push(answer.body["errors"].clone());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(changed(&test).await, before);
    let audited = test.get("/audit?action=deployment.roll_back&outcome=success").await.body;
    assert_eq!(audited["total"], 0, "{audited}");
}

async fn by_form(wishes: &[&str]) {
    let Two { test, api, .. } = two().await;
    let before = changed(&test).await;
    let person = test.person().await;
    for to in wishes.iter().copied().chain([api.as_str()]) {
        let fields = [("environment", "staging"), ("to", to), ("config", "release"), ("reason", "a test")];
        let page = person.post("/services/shop/web/rollback", &fields).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}: {}", page.html);
        assert_eq!(changed(&test).await, before, "{to}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_leads_to_no_other_service_either() {
    by_form(&["0199a000-0000-7000-8000-000000000000"]).await;
}

/// Nothing is what stands for the version before; something that cannot be read is no wish for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_cannot_be_read_goes_nowhere() {
    by_form(&["yesterday", "../api", "1", "0199a000"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_million_filters_are_refused_before_anything_reads_them() {
    let test = TestPortal::with_shop().await;
    let start = Instant::now();
    for path in ["/api/v1/services", "/api/v1/deployments", "/services", "/static/app.js", "/nowhere"] {
        // Read whole, and answered as an address that is too long.
        let long = raw::get(&test.url, format!("{path}?{}", "a=1&".repeat(25_000)), b"").await;
        assert_eq!(long.status, Some(414), "{path}: {}", long.text);
        // Not even read whole.
        let million = raw::get(&test.url, format!("{path}?{}", "a=1&".repeat(1_000_000)), b"").await;
        let told = million.status.is_none_or(|status| matches!(status, 400 | 414 | 431));
        assert!(told, "{path}: {}", million.text);
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    assert_eq!(test.get("/services").await.status, StatusCode::OK, "and the portal goes on");
}

/// As many as an address may hold are read, and the first that cannot be is named.
#[tokio::test(flavor = "multi_thread")]
async fn as_many_filters_as_an_address_holds_are_refused_by_name() {
    let test = TestPortal::with_shop().await;
    let start = Instant::now();
    for list in
        ["/services", "/entities", "/deployments", "/audit", "/bindings", "/users", "/tokens", "/alerts", "/slos"]
    {
        for (filter, pointer) in [("x=1&", "/x"), ("q=1&", "/q"), ("limit=1&limit=2&", "/limit")] {
            let answer = test.get(&format!("{list}?{}", filter.repeat(LONGEST / filter.len()))).await;
            let expected = (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_input"), &json!(pointer));
            assert_eq!(told(&answer), expected, "{list} {filter}: {}", answer.body);
        }
    }
    // Empty ones are what forms send for "not set", however many there are.
    let empty = test.get(&format!("/services?{}", "team=&".repeat(10_000))).await;
    assert_eq!((empty.status, &empty.body["total"]), (StatusCode::OK, &json!(2)), "{}", empty.body);
    let person = test.person().await;
    for page in ["/services", "/deployments", "/audit", "/alerts"] {
        let shown = person.get(&format!("{page}?{}", "a=1&".repeat(LONGEST / 4))).await;
        assert!(shown.status.as_u16() < 500, "{page}: {} {}", shown.status, shown.html);
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
}
