//! Freezes and policies: checked, and kept from those who may not.

use super::{production, to_production};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn freezes_and_policies_are_checked_and_kept_from_those_who_may_not() {
    let test = production(0).await;
    let operator = test.token("olga", Role::Operator, Scope::Tier("staging".to_owned())).await;
    let freeze = |scope: Value| json!({ "scope": scope, "title": "no" });
    let as_operator = |body: Value| {
        let (test, operator) = (&test, operator.clone());
        async move { test.call(Method::POST, "/freezes", &operator, Some(&body)).await.status }
    };
    assert_eq!(as_operator(freeze(json!({ "kind": "environment", "value": "staging" }))).await, StatusCode::CREATED);
    assert_eq!(
        as_operator(freeze(json!({ "kind": "environment", "value": "production" }))).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(as_operator(freeze(json!({ "kind": "global" }))).await, StatusCode::FORBIDDEN);

    let team = async |name: &str| test.post("/freezes", &freeze(json!({ "kind": "team", "value": name }))).await;
    for name in ["sellers", "group:shop/sellers", "shop/nobody"] {
        let nobody = team(name).await;
        assert_eq!(
            nobody.body["errors"][0]["pointer"], "/scope/value",
            "a freeze that reaches nobody: {}",
            nobody.body
        );
    }
    assert_eq!(team("shop/sellers").await.status, StatusCode::CREATED, "it owns a service");

    let mut weekend = json!({ "scope": { "kind": "global" }, "title": "Weekends", "starts_at": "2026-10-02T16:00:00Z",
        "ends_at": "2026-10-05T04:00:00Z", "recurrence": "FREQ=WEEKLY;BYDAY=FR", "time_zone": "Europe/Paris" });
    let made = test.post("/freezes", &weekend).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["windows"].as_array().unwrap().len(), 20);
    weekend["recurrence"] = json!("FREQ=SECONDLY");
    let refused = test.post("/freezes", &weekend).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/recurrence", "{}", refused.body);
    weekend["recurrence"] = Value::Null;
    let changed = test.put(&format!("/freezes/{}", made.body["id"].as_str().unwrap()), &weekend).await;
    assert_eq!((changed.status, &changed.body["active"]), (StatusCode::OK, &json!(false)), "{}", changed.body);

    let wrong = test.put("/gates/policies/production", &json!({ "approval": { "needed": 9 } })).await;
    assert_eq!(wrong.body["errors"][0]["pointer"], "/approval/needed", "{}", wrong.body);
    assert_eq!(test.put("/gates/policies/moon", &json!({})).await.status, StatusCode::NOT_FOUND);
    let off = test.put("/gates/policies/production", &json!({})).await;
    assert_eq!(off.status, StatusCode::OK, "{}", off.body);
    let plan = test.post("/plans", &to_production("tinyweb:v2")).await;
    assert_eq!(plan.body["gates"], json!([]), "{}", plan.body);
    let read = test.get("/gates/policies/production").await;
    assert_eq!((&read.body["policy"]["freeze"], &read.body["updated_by"]), (&json!("off"), &off.body["updated_by"]));
    let stale = test.http.put(format!("{}/api/v1/gates/policies/production", test.url)).bearer_auth(&test.admin);
    let stale = stale.header("if-match", "\"production-1\"").json(&json!({})).send().await.unwrap();
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    let audited = test.get("/audit?action=gate.policy_edit&limit=1").await;
    assert_eq!(audited.body["items"][0]["after"]["freeze"], "off", "{}", audited.body);
}
