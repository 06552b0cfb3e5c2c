//! A new version is judged by how many of the service's events fail since its rollout began: in the pauses of a canary and when it is
//! verified, and what becomes of it when nobody can tell.

use crate::canaries::{asked, runs, until_paused};
use crate::support::{Answer, FakePrometheus, TestPortal};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use time::OffsetDateTime;

const FILE: &str = "service_level_objectives: [{name: Web, sli: availability, target: 99, window: 7d}]";

/// The configuration of `shop/web` in staging with more of it.
pub async fn bind(test: &TestPortal, more: Value) -> Answer {
    let binding = test.get("/bindings?service=shop/web&environment=staging").await.body["items"][0].clone();
    let mut config = json!({ "namespace": "shop", "deployment": "web" });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let path = format!("/bindings/{}", binding["id"].as_str().unwrap());
    test.call(Method::PATCH, &path, &test.admin, Some(&json!({ "config": config }))).await
}

/// At most one event in a hundred may fail, and a hundred are needed to tell.
pub fn errors(required: bool) -> Value {
    json!({ "most": 0.01, "fewest_events": 100, "watch_seconds": 10, "required": required })
}

/// The shop with an objective, and `bad` of `total` events five minutes ago.
pub async fn shop(bad: u64, total: u64, more: Value) -> (TestPortal, FakePrometheus) {
    let (test, prometheus) = TestPortal::with_prometheus().await;
    let imported =
        test.send(Method::POST, "/slos/imports?service=shop/web&connection=prom", "application/yaml", FILE).await;
    assert_eq!(imported.status, StatusCode::OK, "{}", imported.body);
    let saved = bind(&test, more).await;
    assert_eq!(saved.status, StatusCode::OK, "{}", saved.body);
    let minute = OffsetDateTime::now_utc().unix_timestamp() / 60;
    for quiet in minute - 30..minute + 30 {
        prometheus.count(quiet, 0, 0);
    }
    prometheus.count(minute - 5, bad, total);
    (test, prometheus)
}

/// As if the rollout had begun ten minutes ago.
pub async fn began_earlier(test: &TestPortal, id: &str) {
    let start = Instant::now();
    let earlier = "UPDATE deployment_steps SET started_at = started_at - interval '10 minutes'
                   WHERE deployment_id = $1::uuid AND name = 'rollout' AND started_at IS NOT NULL";
    while sqlx::query(earlier).bind(id).execute(test.portal.db.pool()).await.unwrap().rows_affected() == 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "the rollout did not begin");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What the timeline says of a deployment that succeeded. The stream itself does not end.
pub async fn timeline(test: &TestPortal, id: &str) -> Vec<String> {
    let url = format!("{}/api/v1/deployments/{id}/events", test.url);
    let mut response = test.http.get(url).bearer_auth(&test.admin).send().await.unwrap();
    let mut text = String::new();
    while !text.contains("runs in staging\"") {
        text.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    let data = text.lines().filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data:")?).ok());
    data.filter_map(|event| Some(event["message"].as_str()?.to_owned())).collect()
}

async fn says(test: &TestPortal, id: &str, words: &str) {
    let timeline = timeline(test, id).await;
    assert!(timeline.iter().any(|line| line.contains(words)), "{words:?} is not in {timeline:#?}");
}

fn failed_by_errors(ended: &Value, words: &str) {
    assert_eq!(
        (&ended["state"], &ended["failure"]["cause"]),
        (&json!("rolled_back"), &json!("error_ratio")),
        "{ended}"
    );
    let why = ended["failure"]["message"].as_str().unwrap();
    assert!(why.contains(words), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_whose_requests_fail_is_taken_back_in_the_middle() {
    let more = json!({ "error_ratio": errors(false), "canary_steps": [50], "canary_pause_s": 60 });
    let (test, _prometheus) = shop(37, 412, more).await;
    let id = test.deploy("tinyweb:v2").await;
    until_paused(&test.http, &test.simulator).await;
    began_earlier(&test, &id).await;
    let ended = test.ended(&id).await;
    failed_by_errors(&ended, "Web: 37 of 412 events failed since ");
    assert!(ended["failure"]["message"].as_str().unwrap().ends_with(" UTC, 1 % allowed"), "{ended}");
    assert_eq!(asked(&test.http, &test.simulator, "web").await, runs("tinyweb:v1", 2));
    assert_eq!(asked(&test.http, &test.simulator, "web-canary").await, None);
    let step = ended["steps"].as_array().unwrap().iter().find(|step| step["name"] == "rollout").unwrap();
    assert_eq!(step["state"], "failed", "all of the pods never came: {ended}");

    let page = test.person().await.get(&format!("/deployments/{id}")).await;
    assert!(page.html.contains("37 of 412 events failed"), "{}", page.html);
    let url = format!("{}/api/v1/deployments/{id}", test.url);
    let french = test.http.get(url).bearer_auth(&test.admin).header("accept-language", "fr").send().await.unwrap();
    let french: Value = french.json().await.unwrap();
    let why = french["failure"]["message"].as_str().unwrap();
    assert!(why.starts_with("Web : 37 événements sur 412 en erreur depuis "), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_requests_fail_is_not_verified_and_one_on_the_boundary_is() {
    let (test, prometheus) = shop(5, 400, json!({ "error_ratio": errors(true) })).await;
    let id = test.deploy("tinyweb:v2").await;
    began_earlier(&test, &id).await;
    let ended = test.ended(&id).await;
    failed_by_errors(&ended, "5 of 400 events failed");
    let step = ended["steps"].as_array().unwrap().iter().find(|step| step["state"] == "failed").unwrap();
    assert!(step["name"] == "verify" || step["name"] == "rollout", "{ended}");
    assert_eq!(asked(&test.http, &test.simulator, "web").await, runs("tinyweb:v1", 2));

    let minute = OffsetDateTime::now_utc().unix_timestamp() / 60;
    for before in minute - 20..minute {
        prometheus.count(before, 0, 0);
    }
    prometheus.count(minute - 4, 4, 400);
    let id = test.deploy("tinyweb:v2").await;
    began_earlier(&test, &id).await;
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    says(&test, &id, "Web: 4 of 400 events failed since ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_events_judge_nothing_and_that_is_said() {
    let (test, _prometheus) = shop(20, 20, json!({ "error_ratio": errors(false) })).await;
    let id = test.deploy("tinyweb:v2").await;
    began_earlier(&test, &id).await;
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    says(&test, &id, "Not judged by its errors: Web: 20 events since ").await;
    says(&test, &id, ", 100 are needed").await;

    // Where it has to be judged, it does not count without.
    assert_eq!(bind(&test, json!({ "error_ratio": errors(true) })).await.status, StatusCode::OK);
    let id = test.deploy("tinyweb:v1").await;
    began_earlier(&test, &id).await;
    failed_by_errors(
        &test.ended(&id).await,
        "not judged by its errors, as the binding asks for: Web: 20 events since ",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_that_fails_stops_nothing_and_that_is_said() {
    let (test, prometheus) = shop(0, 0, json!({ "error_ratio": errors(false) })).await;
    prometheus.fails(true);
    let id = test.deploy("tinyweb:v2").await;
    began_earlier(&test, &id).await;
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let told = "Not judged by its errors: Web: the source did not answer: HTTP 503";
    let lines = timeline(&test, &id).await;
    // Once when verified, and once before when the rollout takes long enough to be asked about.
    assert!((1..=2).contains(&lines.iter().filter(|line| *line == told).count()), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("Healthy for ") && line.ends_with(told)), "{lines:#?}");

    // A way back is judged by nobody.
    let back = test.post("/services/shop/web/environments/staging/rollback", &json!({ "reason": "a test" })).await;
    assert_eq!(back.status, StatusCode::CREATED, "{}", back.body);
    assert_eq!(test.ended(back.body["id"].as_str().unwrap()).await["state"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_has_to_be_judged_waits_until_somebody_can_see() {
    let more = json!({ "error_ratio": errors(true), "canary_steps": [50], "canary_pause_s": 5 });
    let (test, prometheus) = shop(1, 400, more).await;
    prometheus.fails(true);
    let id = test.deploy("tinyweb:v2").await;
    until_paused(&test.http, &test.simulator).await;
    began_earlier(&test, &id).await;
    // Longer than the pause.
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(asked(&test.http, &test.simulator, "web").await, runs("tinyweb:v1", 1), "it has not gone on");
    prometheus.fails(false);
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(asked(&test.http, &test.simulator, "web").await, runs("tinyweb:v2", 2));
    says(&test, &id, "the source did not answer").await;
    says(&test, &id, "Web: 1 of 400 events failed since ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_is_none_is_refused_by_its_field() {
    let test = TestPortal::with_shop().await;
    for (setting, pointer) in [
        (json!({ "most": 1 }), "/config/error_ratio/most"),
        (json!({ "most": 0.000_000_1 }), "/config/error_ratio/most"),
        (json!({ "most": 0.1, "fewest_events": 0 }), "/config/error_ratio/fewest_events"),
        (json!({ "most": 0.1, "watch_seconds": 4000 }), "/config/error_ratio/watch_seconds"),
        (json!({ "most": 0.1, "objectives": "web" }), "/config/error_ratio/objectives"),
    ] {
        let refused = bind(&test, json!({ "error_ratio": setting })).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{setting}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{setting}: {}", refused.body);
    }
    let binding = test.get("/bindings?service=shop/web&environment=staging").await.body["items"][0].clone();
    let page = test.person().await.get(&format!("/bindings/{}", binding["id"].as_str().unwrap())).await;
    for field in ["config.error_ratio.most", "config.error_ratio.objectives", "config.error_ratio.required"] {
        assert!(page.html.contains(field), "the form asks for {field}: {}", page.html);
    }
}
