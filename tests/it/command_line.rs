//! The commands that talk to a running server.

use crate::support::RunningPortal;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn deploy<'a>(environment: &'a str, image: &'a str) -> Vec<&'a str> {
    vec!["deploy", "shop/web", environment, "--image", image, "--reason", "by a pipeline"]
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_waits_for_the_end_and_says_how_it_went() {
    let portal = RunningPortal::with_shop().await;
    let (code, written, complaints) = portal.run(&deploy("staging", "tinyweb:v2"));
    assert_eq!(code, Some(0), "{written}{complaints}");
    assert!(written.starts_with(&format!("{}/deployments/", portal.url)), "{written}");
    assert!(written.ends_with("succeeded\n"), "{written}");

    let (code, written, complaints) = portal.run(&deploy("staging", "tinyweb:v2-crash"));
    assert_eq!(code, Some(1), "{written}{complaints}");
    assert!(written.ends_with("rolled_back\n") && !complaints.is_empty(), "{written}{complaints}");

    let (code, _, complaints) = portal.run(&deploy("nowhere", "tinyweb:v2"));
    assert_eq!(code, Some(1));
    assert!(complaints.contains("nowhere"), "{complaints}");

    let all = portal.get("/deployments?service=shop/web").await.body;
    assert_eq!(all["items"][0]["reason"], "by a pipeline", "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_set_up_link_gives_way_to_the_sign_in_page() {
    let portal = RunningPortal::with_shop().await;
    let (code, link, _) = portal.run(&["admin", "setup-token", "--or-sign-in"]);
    assert_eq!(code, Some(0));
    let token = link.trim().strip_prefix(&format!("{}/setup?token=", portal.url)).unwrap().to_owned();
    portal.make_administrator(&token).await;
    let (code, _, complaints) = portal.run(&["admin", "setup-token"]);
    assert_eq!(code, Some(1));
    assert!(complaints.contains("an administrator exists"), "{complaints}");
    let (code, link, _) = portal.run(&["admin", "setup-token", "--or-sign-in"]);
    assert_eq!((code, link.trim()), (Some(0), format!("{}/sign-in", portal.url).as_str()));
}

/// A roll back of the portal itself: the schema has what this version does not know.
#[tokio::test(flavor = "multi_thread")]
async fn it_starts_on_the_schema_of_a_later_version() {
    let portal = RunningPortal::with_shop().await.kill();
    let later = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (999999, 'later', true, ''::bytea, 0)";
    sqlx::query(later).execute(&mut portal.database().superuser().await).await.unwrap();
    let portal = portal.start_again().await;
    assert_eq!(portal.get("/services").await.body["total"], 2);
}

/// A server that is away for two looks after it has taken a deployment in.
async fn restarting(ended: Value) -> String {
    let mut queued = ended.clone();
    (queued["state"], queued["ended_at"]) = (json!("queued"), Value::Null);
    let looks = Arc::new(AtomicUsize::new(0));
    let look = |State(looks): State<Arc<AtomicUsize>>| async move {
        let away = looks.fetch_add(1, Ordering::SeqCst) < 2;
        if away { Err(StatusCode::SERVICE_UNAVAILABLE) } else { Ok(Json(ended)) }
    };
    let router = Router::new()
        .route("/api/v1/deployments", post(async || (StatusCode::CREATED, Json(queued))))
        .route("/api/v1/deployments/{id}", get(look))
        .with_state(looks);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_waits_for_a_server_that_begins_again() {
    let portal = RunningPortal::with_shop().await;
    assert_eq!(portal.run(&deploy("staging", "tinyweb:v2")).0, Some(0));
    let ended = portal.get("/deployments?service=shop/web").await.body["items"][0]["id"].clone();
    let ended = portal.get(&format!("/deployments/{}", ended.as_str().unwrap())).await.body;
    let url = restarting(ended).await;
    let (code, written, complaints) = portal.run(&[&deploy("staging", "tinyweb:v2")[..], &["--server", &url]].concat());
    assert_eq!(code, Some(0), "{written}{complaints}");
    assert!(written.contains("queued") && written.ends_with("succeeded\n"), "{written}");
}
