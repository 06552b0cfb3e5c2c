//! The audit's chain over a real database: it holds, and it names what somebody with every right has changed.

use crate::support::TestPortal;
use passerelle_server::audit::{CHECKPOINT_FILE, Verdict, verify};
use reqwest::StatusCode;
use serde_json::json;
use std::time::{Duration, Instant};

async fn verdict(test: &TestPortal) -> Verdict {
    verify(&test.portal.db, &test.portal.keys, &test.data.path().join(CHECKPOINT_FILE)).await.unwrap()
}

/// Waits until every row is sealed.
async fn sealed(test: &TestPortal) {
    let start = Instant::now();
    while test.get("/audit?limit=200").await.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .any(|event| event["sealed"] == false)
    {
        assert!(start.elapsed() < Duration::from_secs(20), "the sealer does not keep up");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_holds_until_a_row_is_edited_and_then_names_it() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    sealed(&test).await;
    let good = verdict(&test).await;
    assert!(good.is_good() && good.report().rows > 5, "{good}");

    let events = test.get("/audit?action=deployment.create").await.body;
    let id = events["items"][0]["id"].as_i64().unwrap();
    let mut superuser = test.database.superuser().await;
    sqlx::query("ALTER TABLE audit_events DISABLE TRIGGER ALL").execute(&mut superuser).await.unwrap();
    sqlx::query("UPDATE audit_events SET actor = 'somebody else' WHERE id = $1")
        .bind(id)
        .execute(&mut superuser)
        .await
        .unwrap();
    let bad = verdict(&test).await;
    assert!(!bad.is_good());
    assert!(bad.to_string().contains(&format!("row {id} ")), "{bad}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_cannot_change_the_audit() {
    let test = TestPortal::start().await;
    for statement in ["UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events", "TRUNCATE audit_events"] {
        assert!(sqlx::query(statement).execute(test.portal.db.pool()).await.is_err(), "{statement}");
    }
    let mut owner = test.database.superuser().await;
    assert!(
        sqlx::query("DELETE FROM audit_events").execute(&mut owner).await.is_err(),
        "a trigger stops the owner too"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_leaves_its_story() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let story = test.get("/audit?service=shop/web&environment=staging").await;
    assert_eq!(story.status, StatusCode::OK);
    let told: Vec<(String, String)> = story.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .map(|event| (event["action"].as_str().unwrap().to_owned(), event["outcome"].as_str().unwrap().to_owned()))
        .filter(|(action, _)| action.starts_with("deployment"))
        .collect();
    let expected = [("deployment.create", "success"), ("deployment.run", "intent"), ("deployment.run", "success")];
    assert_eq!(
        told,
        expected.map(|(action, outcome)| (action.to_owned(), outcome.to_owned())),
        "{}",
        json!(story.body)
    );
}
