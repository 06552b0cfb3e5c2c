//! A deployment that is followed by a high burn goes back by itself, for what happened after it only.

use crate::support::{FakePrometheus, TestPortal};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const FILE: &str = "service_level_objectives: [{name: Web, sli: availability, target: 99, window: 7d}]";

/// v2 came ten minutes ago, after v1; whoever bound it wants it back at a burn of ten.
async fn deployed(bad_before: u64, bad_after: u64) -> TestPortal {
    let (test, prometheus) = TestPortal::with_prometheus().await;
    bind(&test).await;
    let came = OffsetDateTime::now_utc().unix_timestamp() / 60 - 10;
    count(&prometheus, came, bad_before, bad_after);
    let imported =
        test.send(Method::POST, "/slos/imports?service=shop/web&connection=prom", "application/yaml", FILE).await;
    assert_eq!((imported.status, &imported.body["created"]), (StatusCode::OK, &json!(1)), "{}", imported.body);
    for image in ["tinyweb:v1", "tinyweb:v2"] {
        let ended = test.ended(&test.deploy(image).await).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
    }
    let earlier = "UPDATE deployments SET ended_at = to_timestamp($1)";
    sqlx::query(earlier).bind(60.0 * came as f64).execute(test.portal.db.pool()).await.unwrap();
    test.measure().await;
    test
}

async fn bind(test: &TestPortal) {
    let listed = test.get("/bindings?service=shop/web&environment=staging").await.body;
    let binding = &listed["items"][0];
    let mut config = binding["config"].clone();
    config["roll_back_on_burn"] = json!({ "minutes": 60, "rate": 10 });
    let path = format!("/bindings/{}", binding["id"].as_str().unwrap());
    let saved = test.call(Method::PATCH, &path, &test.admin, Some(&json!({ "config": config }))).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
}

/// A hundred events in each minute.
fn count(prometheus: &FakePrometheus, came: i64, bad_before: u64, bad_after: u64) {
    for minute in came - 60..came + 30 {
        prometheus.count(minute, if minute < came { bad_before } else { bad_after }, 100);
    }
}

async fn newest(test: &TestPortal) -> Value {
    test.get("/deployments?service=shop/web&environment=staging&limit=1").await.body["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burn_after_a_deployment_takes_it_back() {
    // Of 100 events 1 may be bad, so 11 are a burn of 11.
    let test = deployed(0, 11).await;
    let end = Instant::now() + Duration::from_secs(60);
    let back = loop {
        let newest = newest(&test).await;
        if newest["operation"] == "roll_back" && newest["ended_at"].is_string() {
            break newest;
        }
        assert!(Instant::now() < end, "nothing went back: {newest}");
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    assert_eq!((&back["state"], &back["version"]), (&json!("succeeded"), &json!("v1")), "{back}");
    let whole = test.get(&format!("/deployments/{}", back["id"].as_str().unwrap())).await.body;
    let reason = whole["reason"].as_str().unwrap();
    assert!(reason.contains("burns 11.0 times its budget since v2 came"), "{reason}");
    let held = test.get("/matrix").await.body.to_string();
    assert!(held.contains("Rolled back to v1"), "what was taken back stays away: {held}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_burnt_before_is_not_laid_at_its_door() {
    let test = deployed(80, 9).await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    let newest = newest(&test).await;
    assert_eq!((&newest["operation"], &newest["version"]), (&json!("deploy"), &json!("v2")), "{newest}");
}
