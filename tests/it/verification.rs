//! After the rollout the portal asks the address that the binding names, and goes back when the answer is wrong.

use crate::support::TestPortal;
use axum::Router;
use axum::http::StatusCode as Answered;
use axum::routing::get;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

/// The address that users of `shop/web` go to.
struct Front {
    url: String,
    status: Arc<AtomicU16>,
    asked: Arc<AtomicU32>,
}

impl Front {
    async fn start() -> Self {
        let (status, asked) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicU32::new(0)));
        let (answers, counts) = (Arc::clone(&status), Arc::clone(&asked));
        let health = move || async move {
            counts.fetch_add(1, Ordering::Relaxed);
            (Answered::from_u16(answers.load(Ordering::Relaxed)).unwrap(), "version two is here")
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/healthz", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/healthz", get(health))).await });
        Self { url, status, asked }
    }
}

/// `shop/web` in staging is verified by this question.
async fn verify(test: &TestPortal, verify: Value) -> crate::support::Answer {
    let binding = test.get("/bindings?service=shop/web&environment=staging").await.body["items"][0].clone();
    let mut config = binding["config"].clone();
    config["verify"] = verify;
    let path = format!("/bindings/{}", binding["id"].as_str().unwrap());
    test.call(Method::PATCH, &path, &test.admin, Some(&json!({ "config": config }))).await
}

async fn verify_step(test: &TestPortal, id: &str) -> Value {
    let deployment = test.get(&format!("/deployments/{id}")).await.body;
    let steps = deployment["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == "verify").cloned().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_answer_ends_a_deployment_and_a_bad_one_takes_it_back() {
    let test = TestPortal::with_shop().await;
    let front = Front::start().await;
    let saved = verify(&test, json!({ "url": front.url, "contains": "two", "within_seconds": 10 })).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);

    let id = test.deploy("tinyweb:v2").await;
    let done = test.ended(&id).await;
    assert_eq!(done["state"], "succeeded", "{done}");
    assert_eq!(front.asked.load(Ordering::Relaxed), 3, "three good answers in a row are enough");
    let step = verify_step(&test, &id).await;
    assert!(step["message"].as_str().unwrap().contains(&front.url), "{step}");

    front.status.store(503, Ordering::Relaxed);
    let id = test.deploy("tinyweb:v1").await;
    let back = test.ended(&id).await;
    assert_eq!((&back["state"], &back["failure"]["cause"]), (&json!("rolled_back"), &json!("probe")), "{back}");
    let why = back["failure"]["message"].as_str().unwrap();
    assert!(why.contains(&front.url) && why.contains("127.0.0.1 answered 503"), "{why}");
    assert_eq!(verify_step(&test, &id).await["state"], "failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_number_of_instances_asks_nothing() {
    let test = TestPortal::with_shop().await;
    let front = Front::start().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    front.status.store(500, Ordering::Relaxed);
    assert_eq!(verify(&test, json!({ "url": front.url })).await.status, StatusCode::OK);
    let scaled = test.post("/services/shop/web/environments/staging/scale", &json!({ "replicas": 2 })).await;
    assert_eq!(scaled.status, StatusCode::CREATED, "{}", scaled.body);
    assert_eq!(test.ended(scaled.body["id"].as_str().unwrap()).await["state"], "succeeded");
    assert_eq!(front.asked.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_none_is_refused_by_its_field() {
    let test = TestPortal::with_shop().await;
    for (question, pointer) in [
        (json!({ "url": "shop.example" }), "/config/verify/url"),
        (json!({ "url": "https://u:p@shop.example" }), "/config/verify/url"),
        (json!({ "url": "https://shop.example", "status": 42 }), "/config/verify/status"),
        (json!({ "url": "https://shop.example", "within_seconds": 5 }), "/config/verify/within_seconds"),
    ] {
        let refused = verify(&test, question.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{question}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{question}: {}", refused.body);
    }
    let form = test.person().await;
    let binding = test.get("/bindings?service=shop/web&environment=staging").await.body["items"][0].clone();
    let page = form.get(&format!("/bindings/{}", binding["id"].as_str().unwrap())).await;
    assert!(page.html.contains("config.verify.url"), "the form asks for it: {}", page.html);
}
