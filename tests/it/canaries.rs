//! A new version whose pods come in steps on Kubernetes, through the portal: to the end past kill -9, a broken one back, a cancelled one back.

use crate::support::{RunningPortal, TestPortal, client, deployment};
use passerelle_simulator::Simulator;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const WEB: &str = "deployments.apps/shop/web";
const CANARY: &str = "deployments.apps/shop/web-canary";

fn config() -> Value {
    json!({ "config": { "namespace": "shop", "deployment": "web", "canary_steps": [50], "canary_pause_s": 5 } })
}

/// Image and pods asked for of a Deployment; nothing when it is not there.
pub async fn asked(http: &reqwest::Client, simulator: &Simulator, name: &str) -> Option<(String, i64)> {
    let url = format!("{}/apis/apps/v1/namespaces/shop/deployments/{name}", simulator.kubernetes_url("test"));
    let answer = http.get(url).bearer_auth("t").send().await.unwrap();
    if answer.status() == reqwest::StatusCode::NOT_FOUND {
        return None;
    }
    let found: Value = answer.json().await.unwrap();
    let image = found["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
    Some((image, found["spec"]["replicas"].as_i64().unwrap()))
}

pub fn runs(image: &str, pods: i64) -> Option<(String, i64)> {
    Some((image.to_owned(), pods))
}

async fn with_steps() -> TestPortal {
    let test = TestPortal::with_shop().await;
    let binding = test.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/bindings/{binding}");
    let patched = test.call(reqwest::Method::PATCH, &path, &test.admin, Some(&config())).await;
    assert!(patched.status.is_success(), "{}", patched.body);
    test
}

/// The version before has given a pod up: the pause has begun.
pub async fn until_paused(http: &reqwest::Client, simulator: &Simulator) {
    let start = Instant::now();
    while asked(http, simulator, "web").await != runs("tinyweb:v1", 1) {
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", asked(http, simulator, "web").await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(asked(http, simulator, "web-canary").await, runs("tinyweb:v2", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_a_pause_the_steps_go_on_and_nothing_is_made_twice() {
    let portal = RunningPortal::with_shop().await;
    let http = client();
    let binding = portal.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let url = format!("{}/api/v1/bindings/{binding}", portal.url);
    let patched = http.patch(url).bearer_auth(&portal.admin).json(&config()).send().await.unwrap();
    assert!(patched.status().is_success());
    let id = portal.post("/deployments", &deployment("tinyweb:v2")).await.body["id"].as_str().unwrap().to_owned();
    until_paused(&http, &portal.simulator).await;
    let portal = portal.kill().start_again().await;
    let ended = portal.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(asked(&http, &portal.simulator, "web").await, runs("tinyweb:v2", 2));
    assert_eq!(asked(&http, &portal.simulator, "web-canary").await, None);
    // One was made, and one was taken away.
    assert_eq!(portal.simulator.effects("/k8s/test", CANARY), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_version_gets_one_pod_and_goes() {
    let test = with_steps().await;
    let plan = test.post("/plans", &deployment("tinyweb:v4")).await.body;
    let told = plan["findings"].as_array().unwrap().iter().find(|one| one["code"] == "canary").unwrap();
    assert!(told["message"].as_str().unwrap().contains("50 % of 2, then all"), "{told}");
    assert_eq!(test.simulator.effects("/k8s/test", CANARY), 0, "a plan leaves nothing");
    let ended = test.ended(&test.deploy("tinyweb:v4").await).await;
    assert_eq!((&ended["state"], &ended["failure"]["cause"]), (&json!("rolled_back"), &json!("crash_loop")), "{ended}");
    assert_eq!(asked(&test.http, &test.simulator, "web").await, runs("tinyweb:v1", 2));
    assert_eq!(asked(&test.http, &test.simulator, "web-canary").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_to_cancel_in_a_pause_gives_the_pods_back() {
    let test = with_steps().await;
    let id = test.deploy("tinyweb:v2").await;
    until_paused(&test.http, &test.simulator).await;
    let before = test.simulator.effects("/k8s/test", WEB);
    let cancelled = test.post(&format!("/deployments/{id}/cancel"), &json!({ "reason": "not now" })).await;
    assert!(cancelled.status.is_success(), "{}", cancelled.body);
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "cancelled", "{ended}");
    assert_eq!(asked(&test.http, &test.simulator, "web").await, runs("tinyweb:v1", 2));
    assert_eq!(asked(&test.http, &test.simulator, "web-canary").await, None);
    assert_eq!(test.simulator.effects("/k8s/test", WEB), before + 1, "one write gives everything back");
}
