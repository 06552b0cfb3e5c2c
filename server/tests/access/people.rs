//! Set-up, signing in and out, users, roles.

use crate::support::{ORIGIN, PASSWORD, Portal, cookie, first, nobody};
use axum::http::StatusCode;
use passerelle_server::kernel::AppError;
use serde_json::json;

#[tokio::test]
async fn the_first_administrator_is_made_once_with_the_newest_link() {
    let portal = Portal::new().await;
    let old = portal.identity.setup_path_if_needed().await.unwrap().unwrap();
    let new = portal.identity.setup_path_if_needed().await.unwrap().unwrap();
    let token = |path: &str| path.split_once('=').unwrap().1.to_owned();
    assert!(portal.identity.set_up(&nobody(), &first(&token(&old))).await.is_err());
    let mut weak = first(&token(&new));
    weak.password = "root".to_owned();
    let Err(AppError::Invalid(errors)) = portal.identity.set_up(&nobody(), &weak).await else { panic!("weak") };
    assert_eq!(errors[0].pointer, "/password");
    portal.identity.set_up(&nobody(), &first(&token(&new))).await.unwrap();
    assert!(portal.identity.set_up(&nobody(), &first(&token(&new))).await.is_err());
    assert_eq!(portal.identity.setup_path_if_needed().await.unwrap(), None);
    let hash: String = sqlx::query_scalar("SELECT password_hash FROM users").fetch_one(portal.db.pool()).await.unwrap();
    assert!(hash.starts_with("$argon2id$"));
}

#[tokio::test]
async fn a_session_begins_with_the_password_and_ends_for_good() {
    let portal = Portal::set_up().await;
    assert_eq!(portal.sign_in("root", "wrong password!").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(portal.sign_in("nobody", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(portal.audited("access.sign_in", "denied").await, 2);
    let answer = portal.sign_in("root", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let attributes = answer.cookie.clone().unwrap();
    assert!(attributes.contains("HttpOnly") && attributes.contains("SameSite=Lax"), "{attributes}");
    let jar = cookie(&answer);
    let me = portal.send("GET", "/api/v1/me", &[("cookie", &jar)], None).await;
    assert_eq!((me.status, &me.body["user"], &me.body["via"]), (StatusCode::OK, &json!("root"), &json!("session")));
    let kept: String = sqlx::query_scalar("SELECT encode(id, 'hex') || data::text FROM sessions")
        .fetch_one(portal.db.pool())
        .await
        .unwrap();
    assert!(!kept.contains(jar.split_once('=').unwrap().1));
    let again = portal
        .send(
            "POST",
            "/api/v1/sessions",
            &[("origin", ORIGIN), ("cookie", &jar)],
            Some(json!({"user": "root", "password": PASSWORD})),
        )
        .await;
    assert_ne!(cookie(&again), jar);
    assert_eq!(portal.send("GET", "/api/v1/me", &[("cookie", &jar)], None).await.status, StatusCode::UNAUTHORIZED);
    let jar = cookie(&again);
    let headers = [("cookie", jar.as_str()), ("origin", ORIGIN)];
    assert_eq!(portal.send("DELETE", "/api/v1/sessions/current", &headers, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(portal.send("GET", "/api/v1/me", &headers, None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guessing_a_password_ends_after_a_few_tries() {
    let portal = Portal::set_up().await;
    for _ in 0..5 {
        assert_eq!(portal.sign_in("root", "wrong password!").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(portal.sign_in("root", PASSWORD).await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let portal = Portal::set_up().await;
    let token = portal.token("script", passerelle_contract::access::Role::Admin).await;
    let bindings = portal.with_token("GET", "/api/v1/role-bindings?user=root", &token, None).await;
    let path = format!("/api/v1/role-bindings/{}", bindings.body["items"][0]["id"].as_str().unwrap());
    assert_eq!(portal.with_token("DELETE", &path, &token, None).await.status, StatusCode::CONFLICT);
    let disable = Some(json!({ "disabled": true }));
    assert_eq!(portal.with_token("PATCH", "/api/v1/users/root", &token, disable).await.status, StatusCode::CONFLICT);
    let ann = json!({ "name": "ann", "display_name": "Ann", "password": PASSWORD });
    assert_eq!(portal.with_token("POST", "/api/v1/users", &token, Some(ann)).await.status, StatusCode::CREATED);
    let role = json!({ "user": "ann", "role": "admin", "scope": { "kind": "everything" } });
    assert_eq!(
        portal.with_token("POST", "/api/v1/role-bindings", &token, Some(role.clone())).await.status,
        StatusCode::CREATED
    );
    assert_eq!(
        portal.with_token("POST", "/api/v1/role-bindings", &token, Some(role)).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(portal.with_token("DELETE", &path, &token, None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_disabled_user_is_out_at_once() {
    let portal = Portal::set_up().await;
    let admin = portal.token("script", passerelle_contract::access::Role::Admin).await;
    let ann = json!({ "name": "ann", "display_name": "Ann", "password": PASSWORD });
    portal.with_token("POST", "/api/v1/users", &admin, Some(ann)).await;
    let jar = cookie(&portal.sign_in("ann", PASSWORD).await);
    assert_eq!(portal.send("GET", "/api/v1/me", &[("cookie", &jar)], None).await.status, StatusCode::OK);
    portal.with_token("PATCH", "/api/v1/users/ann", &admin, Some(json!({ "disabled": true }))).await;
    assert_eq!(portal.send("GET", "/api/v1/me", &[("cookie", &jar)], None).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(portal.sign_in("ann", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
}
