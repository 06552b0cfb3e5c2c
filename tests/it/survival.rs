//! The portal is killed in the middle of a deployment and started again.

use crate::support::{RunningPortal, deployment};
use passerelle_simulator::{Side, Trap};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A portal with a deployment that has just been asked for, and its id.
async fn deploying() -> (RunningPortal, String) {
    let portal = RunningPortal::with_shop().await;
    let answer = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    let id = answer.body["id"].as_str().unwrap().to_owned();
    (portal, id)
}

async fn until(portal: &RunningPortal, id: &str, looks: fn(&Value) -> bool) {
    let start = Instant::now();
    while !looks(&portal.get(&format!("/deployments/{id}")).await.body) {
        assert!(start.elapsed() < Duration::from_secs(20), "it never looked as the test needs");
    }
}

/// Kills the server once the deployment looks as asked, starts it again, and returns how the deployment ended.
async fn killed_when(looks: fn(&Value) -> bool) -> (RunningPortal, Value) {
    let (portal, id) = deploying().await;
    until(&portal, &id, looks).await;
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

/// The end and its audit row are one transaction, so a lock on the audit stops the server right before that commit.
#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_outcome() {
    let (portal, id) = deploying().await;
    until(&portal, &id, |seen| seen["steps"][2]["state"] == "running").await;
    let lock = portal.database.writers_wait("audit_events").await;
    until(&portal, &id, |seen| seen["steps"][3]["state"] == "succeeded").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let seen = portal.get(&format!("/deployments/{id}")).await.body;
    assert_eq!(seen["state"], "verifying", "the end must not be there before its audit row: {seen}");
    let killed = portal.kill();
    drop(lock);
    let start = Instant::now();
    let portal = killed.start_again().await;
    let ended = portal.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert!(start.elapsed() < Duration::from_secs(40), "20 s for the take-over, and a rollout: {:?}", start.elapsed());
    assert_eq!(rollouts(&portal), 1);
    let outcomes = portal.get("/audit?action=deployment.run&outcome=success").await.body;
    assert_eq!(outcomes["total"], 1, "{outcomes}");
}

/// The cluster has taken the new version, its writer dies before it hears so, and somebody cancels: what ran before is put back.
#[tokio::test(flavor = "multi_thread")]
async fn cancelled_while_nobody_drives_it_what_ran_before_comes_back() {
    let world = "{ seed: 1, speed: 40, clusters: { test: { namespaces: { shop: { deployments: {
        web: { image: 'tinyweb:v1', replicas: 2 } } } } } } }";
    let portal = RunningPortal::idle(world).await;
    let mut worker = portal.worker();
    let trap = Trap { prefix: "/k8s/test".to_owned(), nth: 1, side: Side::After };
    portal.simulator.set_trap(Some(trap));
    let asked = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    let id = asked.body["id"].as_str().unwrap();
    portal.simulator.caught().await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    portal.simulator.set_trap(None);
    let cancelled = portal.post(&format!("/deployments/{id}/cancel"), &json!({ "reason": "not this one" })).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.body);
    let mut worker = portal.worker();
    let ended = portal.ended(id).await;
    let live = portal.get("/services/shop/web/environments/staging/live").await.body;
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(ended["state"], "cancelled", "{ended}");
    let image = live["image"].as_str().unwrap();
    assert!(image.starts_with("tinyweb:v1"), "the new version is not left running: {live}");
}

/// A fault that comes again with each process that takes over does not keep the lock for ever.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_over_too_often_is_given_up() {
    let world = "{ seed: 1, speed: 40, clusters: { test: { namespaces: { shop: { deployments: {
        web: { image: 'tinyweb:v1', replicas: 2 } } } } } } }";
    let portal = RunningPortal::idle(world).await;
    let asked = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    let id = asked.body["id"].as_str().unwrap();
    let often = "UPDATE deployments SET epoch = 20";
    sqlx::query(often).execute(&mut portal.database.superuser().await).await.unwrap();
    let mut worker = portal.worker();
    let ended = portal.ended(id).await;
    let next = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    let next = portal.ended(next.body["id"].as_str().unwrap()).await;
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(ended["state"], "failed", "nothing was begun: {ended}");
    assert!(ended["failure"]["message"].as_str().unwrap().starts_with("given up after 20 tries"), "{ended}");
    assert_eq!(next["state"], "succeeded", "the lock is free: {next}");
}

/// A key is reserved, and then the process dies: before its deployment is written, and after it but before the answer is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_a_key_recovers_and_is_never_two_deployments() {
    let mut portal = RunningPortal::with_shop().await;
    for (key, image, table) in [("first", "tinyweb:v2", "deployments"), ("second", "tinyweb:v1", "idempotency_keys")] {
        let body = deployment(image);
        if table == "idempotency_keys" {
            // Reserved by the first request, whose process then goes away without an answer.
            let made = portal.post_with_key("/deployments", &body, key).await;
            assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
            portal.ended(made.body["id"].as_str().unwrap()).await;
            let forget = "UPDATE idempotency_keys SET status = NULL, body = NULL WHERE key = 'second'";
            sqlx::query(forget).execute(&mut portal.database.superuser().await).await.unwrap();
            portal = portal.kill().start_again().await;
        } else {
            let lock = portal.database.writers_wait(table).await;
            let cut_off = portal.post_with_key("/deployments", &body, key);
            assert!(tokio::time::timeout(Duration::from_secs(2), cut_off).await.is_err(), "it waits for the lock");
            let killed = portal.kill();
            drop(lock);
            portal = killed.start_again().await;
        }
        let again = portal.post_with_key("/deployments", &body, key).await;
        assert_eq!(again.status, StatusCode::CREATED, "{key}: {}", again.body);
        let ended = portal.ended(again.body["id"].as_str().unwrap()).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        let once_more = portal.post_with_key("/deployments", &body, key).await;
        assert_eq!(once_more.body["id"], again.body["id"], "the answer is kept now");
    }
    let all = portal.get("/deployments?service=shop/web").await.body;
    assert_eq!(all["total"], 2, "one for each key: {all}");
}
