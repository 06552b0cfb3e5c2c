//! A new key for everything that is sealed: while servers run, killed in the middle, and noticed when it does not fit.

use crate::support::{RunningPortal, TestPortal, deployment};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A channel whose secret is sealed too.
async fn with_channel(portal: &RunningPortal) {
    let channel = json!({ "name": "hook", "kind": "webhook",
        "config": { "url": "http://127.0.0.1:9/", "secret": { "value": "s3cret-of-the-hook" } } });
    let made = portal.post("/notifications/channels", &channel).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
}

/// The beginnings of all sealed texts: `v1` or `v2:NUMBER`.
async fn keys_in_use(db: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "SELECT DISTINCT substring(found[1] from '^(v1|v2:[0-9]+):')
         FROM (SELECT regexp_matches(config::text, '\"sealed\": \"([^\"]*)\"', 'g') AS found
               FROM (SELECT config FROM connections UNION ALL SELECT config FROM notification_channels) AS rows) AS texts
         ORDER BY 1",
    )
    .fetch_all(db)
    .await
    .unwrap()
}

async fn finished(db: &mut PgConnection) -> Vec<(i32, bool)> {
    let sql = "SELECT number, finished_at IS NOT NULL FROM sealing_keys ORDER BY number";
    sqlx::query_as(sql).fetch_all(db).await.unwrap()
}

/// The simulated cluster answers through a connection whose credential opens.
async fn reaches(portal: &RunningPortal) -> Value {
    portal.post("/connections/c1/check", &json!({})).await.body
}

fn rotation(portal: &RunningPortal) -> Child {
    portal.command().args(["secrets", "rotate"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_gets_a_new_key_while_the_server_runs() {
    let portal = RunningPortal::with_shop().await;
    with_channel(&portal).await;
    let mut db = portal.database.superuser().await;
    assert_eq!(keys_in_use(&mut db).await, ["v1"]);
    let before = portal.get("/connections/c1").await.body;
    for number in [1, 2] {
        let (code, said, complaint) = portal.run(&["secrets", "rotate"]);
        assert_eq!(code, Some(0), "{said}{complaint}");
        assert!(said.contains(&format!("sealed with key {number}; 2 secrets")), "{said}");
        assert_eq!(keys_in_use(&mut db).await, [format!("v2:{number}")]);
        assert_eq!(finished(&mut db).await, [(number, true)], "the key before is forgotten");
        // The server that began with other keys opens what it finds, and seals with the new one.
        assert_eq!(reaches(&portal).await["reachable"], true);
        let name = format!("again-{number}");
        let config = json!({ "server": "https://a.test", "token": { "value": "t0k3n" } });
        let made = portal.post("/connections", &json!({ "name": name, "kind": "kubernetes", "config": config })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(keys_in_use(&mut db).await, [format!("v2:{number}")]);
        let gone = portal.delete(&format!("/connections/{name}")).await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.body);
    }
    assert_eq!(portal.get("/connections/c1").await.body, before, "an edit that was begun may go on");
    let done = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    let ended = portal.ended(done.body["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let (code, said, _) = portal.run(&["secrets", "check"]);
    assert!(code == Some(0) && said.contains("2 secrets open"), "{said}");
    // Who, what, and with which key, and nothing of the keys themselves.
    let audit = portal.get("/audit?action=secrets.rotate").await.body;
    let rows = audit["items"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["actor"] == "system:cli" && row["outcome"] == "success"), "{audit}");
    assert!(audit.to_string().contains("connection:c1") && audit.to_string().contains("channel:hook"), "{audit}");
    let wrapped: Vec<String> = sqlx::query_scalar("SELECT wrapped FROM sealing_keys").fetch_all(&mut db).await.unwrap();
    assert!(!audit.to_string().contains(&wrapped[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_killed_in_the_middle_goes_on() {
    let portal = RunningPortal::with_shop().await;
    with_channel(&portal).await;
    let mut db = portal.database.superuser().await;
    // Connections are sealed anew before channels: whoever holds the channel's row stops it in between.
    let mut holding = portal.database.superuser().await;
    let mut held = holding.begin().await.unwrap();
    sqlx::query("SELECT 1 FROM notification_channels FOR UPDATE").execute(&mut *held).await.unwrap();
    let mut child = rotation(&portal);
    until(async || keys_in_use(&mut portal.database.superuser().await).await == ["v1", "v2:1"]).await;
    let (code, _, complaint) = portal.run(&["secrets", "rotate"]);
    assert!(code == Some(1) && complaint.contains("another rotation"), "{complaint}");
    child.kill().unwrap();
    child.wait().unwrap();
    held.rollback().await.unwrap();
    // Half of it is sealed with each key; everything is read, by this server and by one that begins now.
    assert_eq!(
        (keys_in_use(&mut db).await, finished(&mut db).await),
        (vec!["v1".to_owned(), "v2:1".to_owned()], vec![(1, false)])
    );
    assert_eq!(reaches(&portal).await["reachable"], true);
    let portal = portal.kill().start_again().await;
    assert_eq!(reaches(&portal).await["reachable"], true);
    let (code, said, _) = portal.run(&["secrets", "check"]);
    assert!(code == Some(0) && said.contains("2 secrets open"), "{said}");
    // The killed one's lock goes with its connection, which Postgres notices when it comes back to it.
    until(async || portal.run(&["secrets", "rotate"]).0 == Some(0)).await;
    assert_eq!((keys_in_use(&mut db).await, finished(&mut db).await), (vec!["v2:1".to_owned()], vec![(1, true)]));
    assert_eq!(reaches(&portal).await["reachable"], true);
    let audit = portal.get("/audit?action=secrets.rotate").await.body.to_string();
    assert_eq!(audit.matches("a new key for everything sealed").count(), 1, "{audit}");
    assert_eq!(audit.matches("everything is sealed with the new key").count(), 1, "{audit}");
}

/// Edits at the same time as the rotation: none is lost, and nothing stays under the key of before.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_saved_meanwhile_is_not_left_behind() {
    let portal = RunningPortal::with_shop().await;
    let mut db = portal.database.superuser().await;
    let mut child = rotation(&portal);
    let mut saved = 0;
    while child.try_wait().unwrap().is_none() || saved < 5 {
        saved += 1;
        let config = json!({ "server": "https://a.test", "token": { "value": format!("t0k3n{saved}") } });
        let made = portal
            .post("/connections", &json!({ "name": format!("k{saved}"), "kind": "kubernetes", "config": config }))
            .await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(keys_in_use(&mut db).await, ["v2:1"]);
    let (code, said, _) = portal.run(&["secrets", "check"]);
    assert!(code == Some(0) && said.contains(&format!("{} secrets open", saved + 1)), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_fit_is_named_at_the_start() {
    let portal = RunningPortal::with_shop().await;
    assert_eq!(portal.run(&["secrets", "rotate"]).0, Some(0));
    let mut db = portal.database.superuser().await;
    // A secret that was changed in the database: the others go on, and this one can be given again.
    sqlx::query("UPDATE connections SET config = jsonb_set(config, '{kubeconfig,sealed}', '\"v2:1:AAAA\"')")
        .execute(&mut db)
        .await
        .unwrap();
    let (code, said, _) = portal.run(&["secrets", "check"]);
    assert!(code == Some(1) && said.contains("connection:c1 /kubeconfig does not open"), "{said}");
    let portal = portal.kill().start_again().await;
    let told = portal.post("/connections/c1/check", &json!({})).await;
    assert!(told.body["message"].as_str().unwrap().contains("does not open"), "{}", told.body);
    let kept = json!({ "config": { "kubeconfig": { "set": true }, "simulated": true } });
    let refused = portal.patch("/connections/c1", &kept).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/config/kubeconfig", "{}", refused.body);
    let kubeconfig = crate::support::kubeconfig(&portal.simulator.kubernetes_url("test"), "t");
    let given = json!({ "config": { "kubeconfig": { "value": kubeconfig }, "simulated": true } });
    assert_eq!(portal.patch("/connections/c1", &given).await.status, StatusCode::OK);
    assert_eq!(reaches(&portal).await["reachable"], true);
    // A key that was changed stops whoever begins.
    sqlx::query("UPDATE sealing_keys SET wrapped = 'v1:AAAA'").execute(&mut db).await.unwrap();
    let (code, _, complaint) = portal.run(&["migrate"]);
    assert!(code == Some(1) && complaint.contains("the sealing key 1 of this database does not open"), "{complaint}");
    // With the installation's key lost for good, the keys it had wrapped are gone too, and nobody is kept from starting.
    let portal = portal.kill();
    std::fs::remove_file(portal.data().join("secret.key")).unwrap();
    let (code, said, complaint) = portal.run(&["admin", "new-key"]);
    assert_eq!(code, Some(0), "{said}{complaint}");
    assert_eq!(finished(&mut db).await, []);
    let portal = portal.start_again().await;
    assert_eq!(portal.patch("/connections/c1", &given).await.status, StatusCode::OK);
    assert_eq!(reaches(&portal).await["reachable"], true);
}

#[tokio::test]
async fn nobody_rotates_but_the_portal_itself() {
    let portal = TestPortal::with_shop().await;
    let answer = portal.call(Method::POST, "/secrets/rotations", &portal.admin, Some(&json!({}))).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND, "there is no door to it over HTTP");
}

async fn until(holds: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(20), "it did not come to that");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
