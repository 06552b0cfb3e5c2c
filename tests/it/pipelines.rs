//! Deployments by pipelines, through the portal: followed by their jobs, gone back from, cancelled, and told to the provider; past kill -9
//! with every run counted.

use crate::support::{RunningPortal, TestPortal};
use passerelle_simulator::Simulator;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn connection(name: &str, provider: &str, simulator: &Simulator) -> Value {
    let config = json!({ "provider": provider, "base_url": simulator.pipelines_url(), "token": { "value": "t" }, "simulated": true });
    json!({ "name": name, "kind": "ci", "config": config })
}

fn by_github() -> Value {
    json!({ "service": "shop/api", "environment": "staging", "kind": "ci", "connection": "ci",
        "config": { "repository": "acme/shop", "environment": "api-staging", "workflow": "deploy.yml" } })
}

fn by_gitlab() -> Value {
    json!({ "service": "shop/api", "environment": "staging", "kind": "ci", "connection": "ci",
        "config": { "repository": "acme/shop", "environment": "api-staging", "manual_job": "deploy-prod" } })
}

fn deployment(image: &str) -> Value {
    json!({ "service": "shop/api", "environment": "staging", "image": image, "reason": "a test" })
}

async fn portal(provider: &str, binding: &Value) -> TestPortal {
    let test = TestPortal::with_shop().await;
    for (path, body) in [("/connections", &connection("ci", provider, &test.simulator)), ("/bindings", binding)] {
        let made = test.post(path, body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    test
}

async fn deploy(test: &TestPortal, image: &str) -> Value {
    let made = test.post("/deployments", &deployment(image)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    test.ended(made.body["id"].as_str().unwrap()).await
}

async fn read(simulator: &Simulator, path: &str) -> Value {
    let request = reqwest::Client::new().get(format!("{}{path}", simulator.url()));
    request.bearer_auth("t").header("private-token", "t").send().await.unwrap().json().await.unwrap()
}

async fn told(simulator: &Simulator, place: usize) -> String {
    let deployments = read(simulator, "/repos/acme/shop/deployments").await;
    let statuses =
        read(simulator, &format!("/repos/acme/shop/deployments/{}/statuses", deployments[place]["id"])).await;
    statuses[0]["state"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_deploys_fails_with_its_job_and_step_and_goes_back() {
    let test = portal("github", &by_github()).await;
    let first = deploy(&test, "team/api:1").await;
    assert_eq!(first["state"], "succeeded", "{first}");
    let broken = deploy(&test, "team/api:crash").await;
    assert_eq!(
        (&broken["state"], &broken["failure"]["cause"]),
        (&json!("rolled_back"), &json!("job_failed")),
        "{broken}"
    );
    let message = broken["failure"]["message"].as_str().unwrap();
    assert!(
        message.contains("job deploy failed at step Roll out: https://github.com/acme/shop/actions/runs/"),
        "{message}"
    );
    assert!(broken["failure"]["logs"].to_string().contains("exit code 1"), "{broken}");
    assert_eq!(test.simulator.effects("/github", "workflows/acme/shop/deploy.yml"), 3, "there, broken, back");
    let start = Instant::now();
    while told(&test.simulator, 0).await != "success" || told(&test.simulator, 1).await != "failure" {
        assert!(
            start.elapsed() < Duration::from_secs(10),
            "{} {}",
            told(&test.simulator, 0).await,
            told(&test.simulator, 1).await
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = deploy(&test, "team/api:2").await;
    assert_eq!(second["state"], "succeeded", "{second}");
    let back = test.post("/services/shop/api/environments/staging/rollback", &json!({ "reason": "a test" })).await;
    assert_eq!(back.status, StatusCode::CREATED, "{}", back.body);
    let back = test.ended(back.body["id"].as_str().unwrap()).await;
    assert_eq!((&back["state"], &back["image"]), (&json!("succeeded"), &json!("team/api:1")), "{back}");
    let restart = test.post("/services/shop/api/environments/staging/restart", &json!({})).await;
    let restart = test.ended(restart.body["id"].as_str().unwrap()).await;
    assert_eq!((&restart["state"], &restart["failure"]["cause"]), (&json!("failed"), &json!("refused")), "{restart}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_portal_starts_the_manual_job_also_on_the_way_back() {
    let test = portal("gitlab", &by_gitlab()).await;
    let first = deploy(&test, "team/api:1").await;
    assert_eq!(first["state"], "succeeded", "{first}");
    let events = test.get(&format!("/deployments/{}", first["id"].as_str().unwrap())).await.body.to_string();
    assert!(events.contains("deploy-prod"), "{events}");
    let broken = deploy(&test, "team/api:crash").await;
    assert_eq!(
        (&broken["state"], &broken["failure"]["cause"]),
        (&json!("rolled_back"), &json!("job_failed")),
        "{broken}"
    );
    assert!(
        broken["failure"]["message"].as_str().unwrap().contains("deploy-prod of stage deploy-prod failed"),
        "{broken}"
    );
    assert_eq!(test.simulator.effects("/gitlab", "pipelines/acme/shop"), 3, "there, broken, back");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_deployment_goes_back_by_a_run_of_the_version_before() {
    let test = portal("github", &by_github()).await;
    assert_eq!(deploy(&test, "team/api:1").await["state"], "succeeded");
    let made = test.post("/deployments", &deployment("team/api:2")).await;
    let id = made.body["id"].as_str().unwrap().to_owned();
    let runs = "/repos/acme/shop/actions/workflows/deploy.yml/runs";
    let start = Instant::now();
    while read(&test.simulator, runs).await["total_count"] != 2 {
        assert!(start.elapsed() < Duration::from_secs(20), "no second run");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let cancelled = test.post(&format!("/deployments/{id}/cancel"), &json!({ "reason": "not now" })).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.body);
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "cancelled", "{ended}");
    let all = read(&test.simulator, runs).await;
    let ends: Vec<&str> =
        all["workflow_runs"].as_array().unwrap().iter().map(|run| run["conclusion"].as_str().unwrap()).collect();
    // The run may have ended before the wish was heard: then it is undone all the same.
    assert!(ends == ["success", "cancelled", "success"] || ends == ["success"; 3], "{ends:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_goes_on_with_the_run_that_it_ordered() {
    for (provider, binding, object) in
        [("github", by_github(), "workflows/acme/shop/deploy.yml"), ("gitlab", by_gitlab(), "pipelines/acme/shop")]
    {
        let portal = RunningPortal::with_shop().await;
        for (path, body) in [("/connections", &connection("ci", provider, &portal.simulator)), ("/bindings", &binding)]
        {
            let made = portal.post(path, body).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        }
        let made = portal.post("/deployments", &deployment("team/api:1")).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        let id = made.body["id"].as_str().unwrap().to_owned();
        let start = Instant::now();
        while portal.simulator.effects(&format!("/{provider}"), object) == 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "no run was ordered");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let portal = portal.kill().start_again().await;
        let ended = portal.ended(&id).await;
        assert_eq!(ended["state"], "succeeded", "{provider}: {ended}");
        assert_eq!(portal.simulator.effects(&format!("/{provider}"), object), 1, "{provider}");
    }
}
