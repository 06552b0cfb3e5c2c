//! Deployments through the API, on a simulated cluster behind the real adapter.

use crate::support::{TestPortal, deployment};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_deployed_and_rolled_back() {
    let test = TestPortal::with_shop().await;
    let first = test.ended(&test.deploy("tinyweb:v1").await).await;
    assert_eq!(first["state"], "succeeded", "{first}");
    let second = test.ended(&test.deploy("tinyweb:v2").await).await;
    assert_eq!(second["state"], "succeeded", "{second}");
    assert_eq!(second["version"], "v2");
    let steps: Vec<&str> =
        second["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(steps, ["preflight", "apply", "rollout", "verify"]);

    let back = test.post("/services/shop/web/environments/staging/rollback", &json!({ "reason": "v2 is slow" })).await;
    assert_eq!(back.status, StatusCode::CREATED, "{}", back.body);
    let back = test.ended(back.body["id"].as_str().unwrap()).await;
    assert_eq!((&back["state"], &back["version"]), (&json!("succeeded"), &json!("v1")), "{back}");

    let cell = cell(&test).await;
    assert_eq!(cell["version"], "v1", "{cell}");
    assert_eq!(cell["health"], "healthy");
    assert!(cell["hold"]["reason"].as_str().unwrap().contains("v1"), "a roll back places a hold: {cell}");
    let resumed = test.post("/services/shop/web/environments/staging/resume", &json!({})).await;
    assert_eq!(resumed.status, StatusCode::NO_CONTENT);
    assert!(self::cell(&test).await["hold"].is_null());
}

/// Who may read one tier sees it, and nothing of the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_of_one_tier_sees_that_tier() {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let live = json!({ "service": "shop/web", "environment": "production", "image": "tinyweb:v2", "reason": "a test" });
    let live = test.post("/deployments", &live).await;
    assert_eq!(live.status, StatusCode::CREATED, "{}", live.body);
    test.ended(live.body["id"].as_str().unwrap()).await;

    let reader = test.token("vera", Role::Viewer, Scope::Tier("staging".to_owned())).await;
    let read = async |path: &str| test.call(Method::GET, path, &reader, None).await;
    let listed = read("/deployments").await.body;
    assert_eq!((&listed["total"], &listed["items"][0]["environment"]), (&json!(1), &json!("staging")), "{listed}");
    assert_eq!(read("/deployments?environment=production").await.body["total"], 0);
    let row = read("/matrix").await.body["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["service"]["key"] == "shop/web")
        .unwrap()
        .clone();
    let shown = |name: &str| row["cells"].as_array().unwrap().iter().find(|cell| cell["environment"] == name).unwrap();
    assert_eq!((&shown("staging")["version"], &shown("production")["version"]), (&json!("v2"), &Value::Null), "{row}");
    assert_eq!(test.get("/deployments").await.body["total"], 2, "an administrator sees both");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_needs_attention_is_found_by_its_words_in_any_case() {
    let test = TestPortal::with_shop().await;
    let held = test.post("/services/shop/web/environments/staging/hold", &json!({ "reason": "we look at it" })).await;
    assert_eq!(held.status, StatusCode::NO_CONTENT, "{}", held.body);
    for (words, found) in [("", 1), ("web", 1), ("Web%20SHOP", 1), ("api", 0)] {
        let matrix = test.get(&format!("/matrix?attention=true&q={words}")).await.body;
        assert_eq!(matrix["rows"].as_array().unwrap().len(), found, "{words}: {matrix}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crashing_image_is_named_and_rolled_back_by_itself() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let failed = test.ended(&test.deploy("tinyweb:v4").await).await;
    assert_eq!(failed["state"], "rolled_back", "{failed}");
    assert_eq!(failed["failure"]["cause"], "crash_loop");
    assert!(!failed["failure"]["logs"].as_array().unwrap().is_empty(), "the last log lines are shown: {failed}");
    assert_eq!(cell(&test).await["version"], "v2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_image_is_named() {
    let test = TestPortal::with_shop().await;
    let failed = test.ended(&test.deploy("tinyweb:missing").await).await;
    assert_eq!(failed["state"], "rolled_back", "{failed}");
    assert_eq!(failed["failure"]["cause"], "image_pull");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_requests_one_wins_and_the_others_name_it() {
    let test = TestPortal::with_shop().await;
    let body = deployment("tinyweb:v2");
    let answers = futures::future::join_all((0..100).map(|_| test.post("/deployments", &body))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(won.len(), 1);
    let holder = &won[0].body["id"];
    for answer in &lost {
        assert_eq!(answer.status, StatusCode::CONFLICT, "{}", answer.body);
        assert_eq!(answer.body["code"], "deployment_active");
        assert_eq!(&answer.body["holder"], holder);
    }
    let refused = test.get("/deployments?state=blocked&limit=1").await;
    assert_eq!(refused.body["total"], 99, "every attempt is a row");
    test.ended(holder.as_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_is_one_deployment() {
    let test = TestPortal::with_shop().await;
    let http = crate::support::client();
    let ask = |body: Value| {
        let request = http
            .post(format!("{}/api/v1/deployments", test.url))
            .bearer_auth(&test.admin)
            .header("idempotency-key", "k1")
            .json(&body);
        async move { request.send().await.unwrap() }
    };
    let first: Value = ask(deployment("tinyweb:v2")).await.json().await.unwrap();
    let again: Value = ask(deployment("tinyweb:v2")).await.json().await.unwrap();
    assert_eq!(first["id"], again["id"]);
    assert!(first["id"].is_string());
    assert_eq!(ask(deployment("tinyweb:v1")).await.status(), StatusCode::CONFLICT);
    assert_eq!(test.get("/deployments").await.body["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_is_cancelled_and_what_ran_before_comes_back() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    // No node takes its pods, so the rollout goes on until somebody ends it.
    let id = test.deploy("tinyweb:unschedulable").await;
    loop {
        let seen = test.get(&format!("/deployments/{id}")).await.body;
        if seen["steps"][2]["state"] == "running" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let cancelled = test.post(&format!("/deployments/{id}/cancel"), &json!({ "reason": "wrong one" })).await;
    assert_eq!(cancelled.status, StatusCode::OK, "{}", cancelled.body);
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "cancelled", "{ended}");
    assert_eq!(cell(&test).await["version"], "v2");
    let again = test.post(&format!("/deployments/{id}/cancel"), &json!({})).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_and_scale_are_deployments_too() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let restart = test.post("/services/shop/web/environments/staging/restart", &json!({ "reason": "memory" })).await;
    let restart = test.ended(restart.body["id"].as_str().unwrap()).await;
    assert_eq!((&restart["state"], &restart["version"]), (&json!("succeeded"), &json!("v2")), "{restart}");
    let scale = test.post("/services/shop/web/environments/staging/scale", &json!({ "replicas": 3 })).await;
    let scale = test.ended(scale.body["id"].as_str().unwrap()).await;
    assert_eq!(scale["state"], "succeeded", "{scale}");
    assert_eq!(cell(&test).await["replicas"]["desired"], 3);
    for bad in [json!(-1), json!(2_147_483_648_u32), json!("3"), json!(1001)] {
        let answer = test.post("/services/shop/web/environments/staging/scale", &json!({ "replicas": bad })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], "/replicas");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_name_their_fields() {
    let test = TestPortal::with_shop().await;
    let cases = [
        (json!({ "service": "shop/web", "environment": "staging", "image": "a b", "reason": "x1" }), "/image"),
        (json!({ "service": "shop/web", "environment": "staging", "image": "a:1" }), "/reason"),
        (json!({ "service": "shop/web", "environment": "staging", "reason": "x1" }), "/release"),
        (json!({ "service": "shop/web", "environment": "production", "image": "a:1", "reason": "x1" }), "/environment"),
        (
            json!({ "service": "shop/web", "environment": "staging", "image": "a:1", "reason": "x1", "force": true }),
            "/force",
        ),
        (json!({ "service": "shop/web", "environment": "staging", "version": "9", "reason": "x1" }), "/version"),
    ];
    for (body, pointer) in cases {
        let answer = test.post("/deployments", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{body}: {}", answer.body);
    }
    assert_eq!(test.get("/deployments").await.body["total"], 0, "nothing half-done");
    assert_eq!(test.get("/deployments?cursor=abc").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_reach_as_far_as_their_scope() {
    let test = TestPortal::with_shop().await;
    let cook = test.token("cook", Role::Operator, Scope::Team("shop/cooks".into())).await;
    let hidden = test.call(Method::POST, "/deployments", &cook, Some(&deployment("tinyweb:v2"))).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND, "another team's service looks absent: {}", hidden.body);
    let viewer = test.token("viewer", Role::Viewer, Scope::Everything).await;
    let refused = test.call(Method::POST, "/deployments", &viewer, Some(&deployment("tinyweb:v2"))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body["detail"].as_str().unwrap().contains("developer"), "{}", refused.body);
    let denied = test.get("/audit?outcome=denied").await;
    assert_eq!(denied.body["total"], 2, "denied attempts are rows: {}", denied.body);
}

async fn cell(test: &TestPortal) -> Value {
    let matrix = test.get("/matrix?q=web").await;
    assert_eq!(matrix.status, StatusCode::OK, "{}", matrix.body);
    matrix.body["rows"][0]["cells"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_roll_back_keeps_the_number_of_instances_unless_told_otherwise() {
    let test = TestPortal::with_shop().await;
    let first = test.deploy("tinyweb:v1").await;
    test.ended(&first).await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    assert_eq!(cell(&test).await["replicas"]["desired"], 2);
    let act = "/services/shop/web/environments/staging";
    let scaled = test.post(&format!("{act}/scale"), &json!({ "replicas": 5 })).await;
    test.ended(scaled.body["id"].as_str().unwrap()).await;
    let back = test.post(&format!("{act}/rollback"), &json!({})).await;
    let back = test.ended(back.body["id"].as_str().unwrap()).await;
    assert_eq!((&back["state"], &back["version"]), (&json!("succeeded"), &json!("v1")), "{back}");
    assert_eq!(cell(&test).await["replicas"]["desired"], 5, "today's load decides, not that of then");
    let then = test.post(&format!("{act}/rollback"), &json!({ "to": first, "replicas": "release" })).await;
    let then = test.ended(then.body["id"].as_str().unwrap()).await;
    assert_eq!(then["state"], "succeeded", "{then}");
    assert_eq!(cell(&test).await["replicas"]["desired"], 2, "asked for as it was");
}
