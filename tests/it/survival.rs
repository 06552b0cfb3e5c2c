//! The portal is killed in the middle of a deployment and started again.

use crate::support::{RunningPortal, deployment};
use reqwest::StatusCode;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Kills the server once the deployment looks as asked, starts it again, and returns how the deployment ended.
async fn killed_when(looks: fn(&Value) -> bool) -> (RunningPortal, Value) {
    let portal = RunningPortal::with_shop().await;
    let answer = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let id = answer.body["id"].as_str().unwrap().to_owned();
    let start = Instant::now();
    while !looks(&portal.get(&format!("/deployments/{id}")).await.body) {
        assert!(start.elapsed() < Duration::from_secs(20), "it never looked as the test needs");
    }
    let portal = portal.kill().start_again().await;
    let ended = portal.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    (portal, ended)
}

fn rollouts(portal: &RunningPortal) -> u64 {
    portal.simulator.effects("/k8s/test", "deployments.apps/shop/web")
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_right_after_the_request() {
    let (portal, _) = killed_when(|_| true).await;
    assert_eq!(rollouts(&portal), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_applying() {
    let (portal, _) = killed_when(|seen| seen["steps"][1]["state"] != "pending").await;
    assert_eq!(rollouts(&portal), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_watching() {
    let (portal, _) = killed_when(|seen| seen["steps"][2]["state"] == "running").await;
    assert_eq!(rollouts(&portal), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_verifying() {
    let (portal, _) = killed_when(|seen| seen["state"] == "verifying").await;
    assert_eq!(rollouts(&portal), 1);
}
