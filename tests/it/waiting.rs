//! What a new version depends on has to be ready first, over HTTP: the wait is a step, its end is named, and nothing was changed then.

use crate::support::{TestPortal, deployment};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WEB: &str = "deployments.apps/shop/web";
const BROKER: &str = "/apis/apps/v1/namespaces/shop/deployments/broker";

/// A call to the simulated cluster, as its owner makes it.
async fn cluster(test: &TestPortal, method: Method, path: &str, body: &Value) -> Value {
    let kind = if method == Method::PATCH { "application/strategic-merge-patch+json" } else { "application/json" };
    let url = format!("{}{path}", test.simulator.kubernetes_url("test"));
    let request = test.http.request(method, url).bearer_auth("t").header("content-type", kind);
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

/// A broker whose image cannot be pulled.
async fn broken_broker(test: &TestPortal) {
    let body = json!({"metadata": {"name": "broker"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "broker"}},
        "template": {"metadata": {"labels": {"app": "broker"}}, "spec": {"containers": [{"name": "broker", "image": "tinyweb:missing"}]}}}});
    cluster(test, Method::POST, BROKER.trim_end_matches("/broker"), &body).await;
}

async fn wait_for(test: &TestPortal, seconds: u32) {
    let binding = test.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let config = json!({ "config": { "namespace": "shop", "deployment": "web", "wait_for": ["deployment/broker"], "wait_timeout_s": seconds } });
    let patched = test.call(Method::PATCH, &format!("/bindings/{binding}"), &test.admin, Some(&config)).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
}

fn step<'a>(deployment: &'a Value, name: &str) -> &'a Value {
    deployment["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap()
}

/// The deployment once it waits.
async fn waiting(test: &TestPortal, id: &str) -> Value {
    let start = Instant::now();
    loop {
        let seen = test.get(&format!("/deployments/{id}")).await.body;
        if seen["steps"].as_array().unwrap().iter().any(|step| step["name"] == "wait" && step["state"] == "running") {
            return seen;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "it does not wait: {seen}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_ready_in_time_ends_the_deployment_before_anything_changes() {
    let test = TestPortal::with_shop().await;
    wait_for(&test, 5).await;
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await.body;
    let missing = plan["findings"].as_array().unwrap().iter().find(|one| one["code"] == "missing_object").unwrap();
    assert_eq!(missing["message"], "Deployment broker does not exist, and the deployment waits for it");
    broken_broker(&test).await;
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await.body;
    assert!(plan["diff"].as_array().unwrap().iter().any(|line| line["field"] == "wait_for"), "{plan}");
    assert!(plan["findings"].as_array().unwrap().iter().any(|one| one["code"] == "dependency_not_ready"), "{plan}");

    let before = test.simulator.effects("/k8s/test", WEB);
    let ended = test.ended(&test.deploy("tinyweb:v2").await).await;
    assert_eq!((&ended["state"], &ended["failure"]["cause"]), (&json!("failed"), &json!("dependency")), "{ended}");
    let message = ended["failure"]["message"].as_str().unwrap();
    assert!(message.starts_with("waited for 5 s: Deployment broker is not ready: 0 of 1 pods are ready"), "{message}");
    assert!(message.ends_with("goes on"), "{message}");
    let names: Vec<_> = ended["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["preflight", "wait", "apply", "rollout", "verify"]);
    assert_eq!(
        (&step(&ended, "wait")["state"], &step(&ended, "apply")["state"]),
        (&json!("failed"), &json!("skipped"))
    );
    assert_eq!(test.simulator.effects("/k8s/test", WEB), before, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_when_the_dependency_is_ready_and_can_be_cancelled_before() {
    let test = TestPortal::with_shop().await;
    wait_for(&test, 120).await;
    broken_broker(&test).await;
    let before = test.simulator.effects("/k8s/test", WEB);
    let id = test.deploy("tinyweb:v2").await;
    waiting(&test, &id).await;
    let cancelled = test.post(&format!("/deployments/{id}/cancel"), &json!({ "reason": "not now" })).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.body);
    assert_eq!(test.ended(&id).await["state"], "cancelled");
    assert_eq!(test.simulator.effects("/k8s/test", WEB), before, "nothing was changed");

    let id = test.deploy("tinyweb:v2").await;
    waiting(&test, &id).await;
    let good = json!({"spec": {"template": {"spec": {"containers": [{"name": "broker", "image": "tinyweb:v1"}]}}}});
    cluster(&test, Method::PATCH, BROKER, &good).await;
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(step(&ended, "wait")["message"], "everything that is waited for is ready");
    assert!(
        step(&ended, "wait")["ended_at"].as_str().unwrap() <= step(&ended, "apply")["started_at"].as_str().unwrap()
    );

    // Neither a restart nor a roll back waits: what runs already must stay operable.
    cluster(&test, Method::DELETE, BROKER, &json!({})).await;
    let restart = test.post("/services/shop/web/environments/staging/restart", &json!({"reason": "a test"})).await;
    let ended = test.ended(restart.body["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert!(ended["steps"].as_array().unwrap().iter().all(|step| step["name"] != "wait"), "{ended}");
}

/// What ended before anything was changed is not what a roll back goes back from.
#[tokio::test(flavor = "multi_thread")]
async fn a_roll_back_after_a_wait_in_vain_goes_to_the_version_before() {
    let test = TestPortal::with_shop().await;
    for image in ["tinyweb:v1", "tinyweb:v2"] {
        assert_eq!(test.ended(&test.deploy(image).await).await["state"], "succeeded");
    }
    wait_for(&test, 5).await;
    broken_broker(&test).await;
    let vain = test.ended(&test.deploy("tinyweb:v3").await).await;
    assert_eq!((&vain["state"], &vain["failure"]["cause"]), (&json!("failed"), &json!("dependency")), "{vain}");
    let back = test.post("/services/shop/web/environments/staging/rollback", &json!({ "reason": "v2 is slow" })).await;
    assert_eq!((back.status, &back.body["version"]), (StatusCode::CREATED, &json!("v1")), "{}", back.body);
    assert_eq!(test.ended(back.body["id"].as_str().unwrap()).await["state"], "succeeded");
}
