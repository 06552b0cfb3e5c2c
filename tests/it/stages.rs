//! Rollouts that come true in stages, and sites that are switched: through the portal, past kill -9, with every effect counted.

use crate::support::{RunningPortal, TestPortal};
use passerelle_simulator::Simulator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SERVICE: &str = "projects/test/locations/europe-west1/services/api";

fn run_connection(simulator: &Simulator) -> Value {
    json!({ "name": "run", "kind": "cloud_run", "config": { "project": "test", "region": "europe-west1",
        "endpoint": simulator.cloud_run_url(), "token": { "value": "t" }, "simulated": true } })
}

fn run_binding() -> Value {
    json!({ "service": "shop/api", "environment": "staging", "kind": "cloud_run", "connection": "run",
        "config": { "service": "api", "canary_steps": [10, 50], "canary_pause_s": 5 } })
}

fn site_connection(simulator: &Simulator) -> Value {
    json!({ "name": "bucket", "kind": "static_site", "config": { "bucket": "site", "store": "google",
        "endpoint": simulator.storage_url(), "token": { "value": "t" }, "simulated": true } })
}

fn site_binding() -> Value {
    json!({ "service": "shop/api", "environment": "production", "kind": "static_site", "connection": "bucket", "config": {} })
}

fn deployment(environment: &str, image: &str) -> Value {
    json!({ "service": "shop/api", "environment": environment, "image": image, "reason": "a test" })
}

async fn read(simulator: &Simulator, path: &str) -> Value {
    let answer = reqwest::get(format!("{}{path}", simulator.url())).await.unwrap();
    answer.json().await.unwrap()
}

/// The shares of the traffic, as the platform has them.
async fn shares(simulator: &Simulator) -> Vec<i64> {
    let service = read(simulator, &format!("/v2/{SERVICE}")).await;
    let all = service["trafficStatuses"].as_array().into_iter().flatten();
    all.filter_map(|one| one["percent"].as_i64()).filter(|percent| *percent > 0).collect()
}

async fn until_shares(simulator: &Simulator, expected: &[i64]) {
    let start = Instant::now();
    while shares(simulator).await != expected {
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", shares(simulator).await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// References of the two archives, oldest first.
pub async fn sites(simulator: &Simulator) -> Vec<String> {
    let listed = read(simulator, "/storage/v1/b/site/o?prefix=archives/").await;
    let mut all: Vec<(u64, String)> = Vec::new();
    for item in listed["items"].as_array().unwrap() {
        let name = item["name"].as_str().unwrap();
        let digest = name.strip_prefix("archives/").and_then(|name| name.strip_suffix(".tar")).unwrap();
        let generation: u64 = item["generation"].as_str().unwrap().parse().unwrap();
        all.push((generation, format!("team/site:{generation}@sha256:{digest}")));
    }
    all.sort();
    all.into_iter().map(|(_, image)| image).collect()
}

async fn page(simulator: &Simulator) -> String {
    let url = format!("{}/storage/v1/b/site/o/index.html?alt=media", simulator.url());
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

async fn with_run() -> TestPortal {
    let test = TestPortal::with_shop().await;
    for (path, body) in [("/connections", run_connection(&test.simulator)), ("/bindings", run_binding())] {
        let answer = test.post(path, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
    }
    test
}

async fn deploy(test: &TestPortal, environment: &str, image: &str) -> Value {
    let answer = test.post("/deployments", &deployment(environment, image)).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    test.ended(answer.body["id"].as_str().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_gets_its_steps_and_a_broken_one_gets_nothing() {
    let test = with_run().await;
    let plan = test.post("/plans", &deployment("staging", "team/api:2")).await.body;
    let steps = plan["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "canary").unwrap();
    assert!(steps["message"].as_str().unwrap().contains("10 %, 50 %, then all; 10 s"), "{steps}");
    let watch = async {
        until_shares(&test.simulator, &[10, 90]).await;
        until_shares(&test.simulator, &[50, 50]).await;
    };
    let (ended, ()) = tokio::join!(deploy(&test, "staging", "team/api:2"), watch);
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(shares(&test.simulator).await, [100]);
    assert_eq!(test.simulator.effects("/run", SERVICE), 4, "a revision and three moves of traffic");
    let broken = deploy(&test, "staging", "team/api:crash").await;
    assert_eq!(
        (&broken["state"], &broken["failure"]["cause"]),
        (&json!("rolled_back"), &json!("crash_loop")),
        "{broken}"
    );
    assert_eq!(shares(&test.simulator).await, [100]);
    let service = read(&test.simulator, &format!("/v2/{SERVICE}")).await;
    assert_eq!(service["annotations"].get("passerelle.dev/canary"), None);
    assert_ne!(service["trafficStatuses"][0]["revision"], service["latestCreatedRevision"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_in_the_middle_moves_all_traffic_back() {
    let test = with_run().await;
    let answer = test.post("/deployments", &deployment("staging", "team/api:2")).await;
    let id = answer.body["id"].as_str().unwrap().to_owned();
    until_shares(&test.simulator, &[10, 90]).await;
    let cancelled = test.post(&format!("/deployments/{id}/cancel"), &json!({ "reason": "enough seen" })).await;
    assert!(cancelled.status.is_success(), "{}", cancelled.body);
    assert_eq!(test.ended(&id).await["state"], "cancelled");
    assert_eq!(shares(&test.simulator).await, [100]);
    let service = read(&test.simulator, &format!("/v2/{SERVICE}")).await;
    assert_ne!(service["trafficStatuses"][0]["revision"], service["latestCreatedRevision"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_goes_on_where_the_process_died() {
    for killed_at in [&[100][..], &[10, 90], &[50, 50]] {
        let portal = RunningPortal::with_shop().await;
        for (path, body) in [("/connections", run_connection(&portal.simulator)), ("/bindings", run_binding())] {
            assert_eq!(portal.post(path, &body).await.status, StatusCode::CREATED);
        }
        let answer = portal.post("/deployments", &deployment("staging", "team/api:2")).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        let id = answer.body["id"].as_str().unwrap().to_owned();
        until_shares(&portal.simulator, killed_at).await;
        let portal = portal.kill().start_again().await;
        let ended = portal.ended(&id).await;
        assert_eq!(ended["state"], "succeeded", "{killed_at:?}: {ended}");
        assert_eq!(shares(&portal.simulator).await, [100]);
        assert_eq!(portal.simulator.effects("/run", SERVICE), 4, "{killed_at:?}: nothing twice");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_deployed_and_rolled_back() {
    let test = TestPortal::with_shop().await;
    for (path, body) in [("/connections", site_connection(&test.simulator)), ("/bindings", site_binding())] {
        let answer = test.post(path, &body).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
    }
    let images = sites(&test.simulator).await;
    for (image, words) in images.iter().zip(["<p>one</p>", "<p>two</p>"]) {
        let ended = deploy(&test, "production", image).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        assert!(page(&test.simulator).await.starts_with(words));
    }
    let nowhere = format!("team/site:9@sha256:{}", "0".repeat(64));
    let plan = test.post("/plans", &deployment("production", &nowhere)).await.body;
    assert!(plan["findings"].to_string().contains("missing_archive"), "{plan}");
    let back =
        test.post("/services/shop/api/environments/production/rollback", &json!({ "reason": "not this one" })).await;
    assert_eq!(back.status, StatusCode::CREATED, "{}", back.body);
    assert_eq!(test.ended(back.body["id"].as_str().unwrap()).await["state"], "succeeded");
    assert!(page(&test.simulator).await.starts_with("<p>one</p>"));
    assert_eq!(test.simulator.effects("/storage", "site/index.html"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_is_switched_once_though_the_process_died() {
    let mut portal = RunningPortal::with_shop().await;
    for (path, body) in [("/connections", site_connection(&portal.simulator)), ("/bindings", site_binding())] {
        assert_eq!(portal.post(path, &body).await.status, StatusCode::CREATED);
    }
    for (done, image) in sites(&portal.simulator).await.iter().enumerate() {
        let answer = portal.post("/deployments", &deployment("production", image)).await;
        let id = answer.body["id"].as_str().unwrap().to_owned();
        // The first is killed at once, the second when something has been written.
        let start = Instant::now();
        while done > 0 && portal.simulator.counts().writes.len() < 4 && start.elapsed() < Duration::from_secs(10) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        portal = portal.kill().start_again().await;
        assert_eq!(portal.ended(&id).await["state"], "succeeded");
        assert_eq!(portal.simulator.effects("/storage", "site/index.html"), done as u64 + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_are_named_by_field() {
    let test = with_run().await;
    let mut errors = Vec::new();
    for config in [
        json!({ "service": "api", "canary_steps": [50, 10] }),
        json!({ "service": "api", "canary_steps": [300] }),
        json!({ "service": "api", "canary_pause_s": 1 }),
    ] {
        let body = json!({ "service": "shop/web", "environment": "production", "kind": "cloud_run", "connection": "run", "config": config });
        let answer = test.post("/bindings", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        errors.push(answer.body["errors"][0]["pointer"].as_str().unwrap().to_owned());
    }
    assert_eq!(errors, ["/config/canary_steps", "/config/canary_steps", "/config/canary_pause_s"]);
    let french = test.http.request(Method::POST, format!("{}/api/v1/bindings", test.url)).bearer_auth(&test.admin);
    let body = json!({ "service": "shop/web", "environment": "production", "kind": "cloud_run", "connection": "run",
        "config": { "service": "api", "canary_pause_s": 1 } });
    let answer = french.header("accept-language", "fr").json(&body).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("vaut 1 ; autorisé : de 5 à 3600"), "{answer}");
}
