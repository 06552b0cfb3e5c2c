//! Broken glass: once, in person, with a reason.

use super::{begins, gate, production, to_production};
use crate::support::PASSWORD;
use passerelle_contract::access::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn broken_glass_skips_the_gates_once_for_a_person_with_a_reason() {
    let test = production(2).await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let open = json!({ "service": "shop/web", "environment": "production", "reason": "payments are down, see 4711",
        "minutes": 30, "password": PASSWORD, "incident": "https://incidents.example/4711" });
    let with = |field: &str, value: Value| {
        let mut body = open.clone();
        body[field] = value;
        body
    };
    let token = test.post("/break-glass", &open).await;
    assert_eq!(token.status, StatusCode::FORBIDDEN, "never for a token: {}", token.body);
    for (field, value) in [
        ("reason", json!("hurry")),
        ("minutes", json!(61)),
        ("incident", json!("javascript:alert(1)")),
        ("password", json!("wrong")),
        ("service", json!("*")),
    ] {
        let refused = ada.post("/break-glass", &with(field, value)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], format!("/{field}"), "{}", refused.body);
    }
    assert_eq!(ada.post("/deployments", &to_production("tinyweb:v2")).await.body["state"], "blocked");

    let before = ada.cookie();
    let opened = ada.post("/break-glass", &open).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.body);
    assert_ne!(ada.cookie(), before, "the password was asked for again, so the session has a new id");
    assert_eq!(ada.post("/break-glass", &open).await.status, StatusCode::CONFLICT, "twice");
    let mut database = test.database.superuser().await;
    let told: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM outbox_events WHERE kind = 'break_glass.opened' AND payload ->> 'not_to' = 'ada'
         AND service = 'shop/web' AND environment = 'production'",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(told, 1, "a second person is told");

    let others = test.post("/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!(others.body["state"], "blocked", "it is for the one who opened it: {}", others.body);
    let hers = ada.post("/tokens", &json!({ "name": "t", "role": "operator" })).await.body;
    let token = hers["token"].as_str().unwrap();
    let by_token = test.call(Method::POST, "/deployments", token, Some(&to_production("tinyweb:v2"))).await;
    assert_eq!(by_token.body["state"], "blocked", "not for her token: {}", by_token.body);
    let goes = ada.post("/deployments", &to_production("tinyweb:v2")).await;
    assert!(begins(&goes.body), "{}", goes.body);
    assert_eq!(goes.body["break_glass"], opened.body["id"]);
    assert_eq!(gate(&goes.body, "promotion_order")["verdict"], "block", "what was skipped is kept");
    assert_eq!(gate(&goes.body, "break_glass")["verdict"], "warn");
    assert_eq!(test.ended(goes.body["id"].as_str().unwrap()).await["state"], "succeeded");
    assert_eq!(ada.post("/deployments", &to_production("tinyweb:v4")).await.body["state"], "blocked", "used up");

    assert_eq!(ada.post("/break-glass", &open).await.status, StatusCode::CREATED);
    sqlx::query("UPDATE break_glass SET opened_at = opened_at - interval '1 hour', expires_at = now() - interval '1 second' WHERE used_at IS NULL")
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(ada.post("/deployments", &to_production("tinyweb:v4")).await.body["state"], "blocked", "over");
    assert_eq!(test.get("/break-glass").await.body["total"], 2);
}
