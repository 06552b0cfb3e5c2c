//! API tokens: limits, ends, and what other processes notice.

use crate::support::Portal;
use axum::http::StatusCode;
use passerelle_contract::access::Role;
use serde_json::json;

#[tokio::test]
async fn a_token_makes_only_weaker_ones_and_ends_when_revoked() {
    let portal = Portal::set_up().await;
    let developer = portal.token("ci", Role::Developer).await;
    let make = |role: &str, days: u16| Some(json!({ "name": "n", "role": role, "expires_in_days": days }));
    let refused = portal.with_token("POST", "/api/v1/tokens", &developer, make("admin", 1)).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/role"))
    );
    let refused = portal.with_token("POST", "/api/v1/tokens", &developer, make("viewer", 91)).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/expires_in_days");
    let made = portal.with_token("POST", "/api/v1/tokens", &developer, make("viewer", 90)).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let listed = portal.with_token("GET", "/api/v1/tokens", &developer, None).await;
    assert_eq!(listed.body["total"], 2);
    let parent = listed.body["items"].as_array().unwrap().iter().find(|t| t["role"] == "developer").unwrap();
    assert_eq!(made.body["expires_at"].as_str().unwrap()[..19], parent["expires_at"].as_str().unwrap()[..19]);
    let (child, id) = (made.body["token"].as_str().unwrap(), made.body["id"].as_str().unwrap());
    assert_eq!(portal.with_token("GET", "/api/v1/me", child, None).await.status, StatusCode::OK);
    let path = format!("/api/v1/tokens/{id}");
    let other = portal.token("other", Role::Operator).await;
    assert_eq!(portal.with_token("DELETE", &path, &other, None).await.status, StatusCode::NOT_FOUND);
    assert_eq!(portal.with_token("DELETE", &path, &developer, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(portal.with_token("GET", "/api/v1/me", child, None).await.status, StatusCode::UNAUTHORIZED);
    let kept: Vec<String> =
        sqlx::query_scalar("SELECT encode(secret_hash, 'escape') || COALESCE(name, '') FROM api_tokens")
            .fetch_all(portal.db.pool())
            .await
            .unwrap();
    assert!(kept.iter().all(|row| !row.contains(&developer[17..40])));
}

#[tokio::test]
async fn a_role_taken_away_in_one_process_acts_in_another() {
    let here = Portal::set_up().await;
    let there = Portal::on(&here.url).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let poll = tokio::spawn(passerelle_server::identity::jobs::run(there.identity.clone(), stop.clone()));
    let admin = here.token("boss", Role::Admin).await;
    let token = here.token("ci", Role::Admin).await;
    let users = || there.with_token("GET", "/api/v1/users", &token, None);
    assert_eq!(users().await.status, StatusCode::OK);
    let bindings = here.with_token("GET", "/api/v1/role-bindings?user=ci", &admin, None).await;
    let path = format!("/api/v1/role-bindings/{}", bindings.body["items"][0]["id"].as_str().unwrap());
    assert_eq!(here.with_token("DELETE", &path, &admin, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(here.with_token("GET", "/api/v1/users", &token, None).await.status, StatusCode::FORBIDDEN);
    let began = std::time::Instant::now();
    while users().await.status == StatusCode::OK {
        assert!(began.elapsed().as_secs() < 4, "the other process still allows it");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    stop.cancel();
    poll.await.unwrap();
}
