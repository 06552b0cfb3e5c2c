//! A service on a Rollout of Argo Rollouts, through the portal: promoted to the end, back by its errors, by a wish to cancel and by a roll back.
//! The simulated cluster plays the controller.

use crate::judged::{began_earlier, bind, errors, shop, timeline};
use crate::support::{TestPortal, deployment};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const CART: &str = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts";

fn on_rollout(more: &Value) -> Value {
    let mut config = json!({ "deployment": "cart", "kind": "rollout", "canary_pause_s": 5 });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

async fn rollout(test: &TestPortal) -> Value {
    let url = format!("{}{CART}/cart", test.simulator.kubernetes_url("test"));
    test.http.get(url).bearer_auth("t").send().await.unwrap().json().await.unwrap()
}

fn image(rollout: &Value) -> &str {
    rollout["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap()
}

/// `cart` of four pods of v1, which pauses without an end at half of them.
async fn make(test: &TestPortal) {
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": { "name": "cart" },
        "spec": {
            "replicas": 4, "selector": { "matchLabels": { "app": "cart" } },
            "strategy": { "canary": { "steps": [{ "setWeight": 50 }, { "pause": {} }] } },
            "template": { "metadata": { "labels": { "app": "cart" } }, "spec": { "containers": [{
                "name": "cart", "image": "tinyweb:v1", "readinessProbe": { "httpGet": { "path": "/readyz", "port": 8080 } }
            }] } }
        }
    });
    let url = format!("{}{CART}", test.simulator.kubernetes_url("test"));
    let made = test.http.post(url).bearer_auth("t").json(&object).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    until(test, |rollout| rollout["status"]["phase"] == "Healthy").await;
}

async fn until(test: &TestPortal, wanted: impl Fn(&Value) -> bool) {
    let start = Instant::now();
    loop {
        let rollout = rollout(test).await;
        if wanted(&rollout) {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{rollout}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn until_paused(test: &TestPortal) {
    until(test, |rollout| rollout["status"]["phase"] == "Paused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_is_promoted_to_its_end_and_goes_back_without_steps() {
    let test = TestPortal::with_shop().await;
    make(&test).await;
    assert_eq!(bind(&test, on_rollout(&json!({}))).await.status, StatusCode::OK);
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await.body;
    let line = plan["diff"].as_array().unwrap().iter().find(|line| line["field"] == "image cart").unwrap();
    assert_eq!((&line["before"], &line["after"]), (&json!("tinyweb:v1"), &json!("tinyweb:v2")), "{plan}");
    assert!(plan.to_string().contains("50 %; a pause without an end"), "{plan}");
    assert_eq!(image(&rollout(&test).await), "tinyweb:v1", "a plan changes nothing");

    let id = test.deploy("tinyweb:v2").await;
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let now = rollout(&test).await;
    assert_eq!((image(&now), &now["status"]["phase"]), ("tinyweb:v2", &json!("Healthy")), "{now}");
    let said = timeline(&test, &id).await;
    assert_eq!(said.iter().filter(|line| *line == "the pause at 50 % is over (step 2 of 2)").count(), 1, "{said:#?}");
    let live = test.get("/services/shop/web/environments/staging/live").await;
    assert_eq!(live.status, StatusCode::OK, "{}", live.body);

    let back = test.post("/services/shop/web/environments/staging/rollback", &json!({ "reason": "a test" })).await;
    assert_eq!(back.status, StatusCode::CREATED, "{}", back.body);
    let id = back.body["id"].as_str().unwrap().to_owned();
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(image(&rollout(&test).await), "tinyweb:v1");
    let said = timeline(&test, &id).await;
    assert!(!said.iter().any(|line| line.starts_with("the pause at")), "{said:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_whose_requests_fail_is_aborted_and_put_back() {
    let (test, _prometheus) = shop(37, 412, json!({})).await;
    make(&test).await;
    let saved = bind(&test, on_rollout(&json!({ "canary_pause_s": 60, "error_ratio": errors(false) }))).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    let id = test.deploy("tinyweb:v2").await;
    until_paused(&test).await;
    began_earlier(&test, &id).await;
    let ended = test.ended(&id).await;
    let found = (&ended["state"], &ended["failure"]["cause"]);
    assert_eq!(found, (&json!("rolled_back"), &json!("error_ratio")), "{ended}");
    let now = rollout(&test).await;
    assert_eq!((image(&now), &now["status"]["phase"]), ("tinyweb:v1", &json!("Healthy")), "{now}");
    assert_eq!(now["status"]["updatedReplicas"], 4, "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_to_cancel_in_a_pause_puts_it_back() {
    let test = TestPortal::with_shop().await;
    make(&test).await;
    assert_eq!(bind(&test, on_rollout(&json!({ "canary_pause_s": 60 }))).await.status, StatusCode::OK);
    let id = test.deploy("tinyweb:v2").await;
    until_paused(&test).await;
    let cancelled = test.post(&format!("/deployments/{id}/cancel"), &json!({ "reason": "not now" })).await;
    assert!(cancelled.status.is_success(), "{}", cancelled.body);
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "cancelled", "{ended}");
    let now = rollout(&test).await;
    assert_eq!((image(&now), &now["status"]["phase"]), ("tinyweb:v1", &json!("Healthy")), "{now}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_takes_its_pods_from_elsewhere_is_refused_in_the_plan() {
    let test = TestPortal::with_shop().await;
    let object = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": { "name": "cart" },
        "spec": { "replicas": 1, "selector": { "matchLabels": { "app": "web" } },
            "workloadRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" } }
    });
    let url = format!("{}{CART}", test.simulator.kubernetes_url("test"));
    let made = test.http.post(url).bearer_auth("t").json(&object).send().await.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    assert_eq!(bind(&test, on_rollout(&json!({}))).await.status, StatusCode::OK);
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await.body;
    let why = plan["incomplete"].as_str().unwrap();
    assert!(why.contains("takes its pods from Deployment web (spec.workloadRef)"), "{plan}");
}
