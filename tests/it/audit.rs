//! The audit's chain over a real database: it holds, and it names what somebody with every right has changed.

use crate::support::TestPortal;
use passerelle_server::audit::{CHECKPOINT_FILE, Verdict, VerifyingKey, public_key, verify, verify_lines};
use reqwest::StatusCode;
use serde_json::{Value, json};
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

/// Everything as JSON lines.
async fn exported(test: &TestPortal) -> Vec<Value> {
    let text = test.get("/audit/export?format=jsonl").await.body;
    // One line alone is read as JSON, several come as they are.
    let lines = text.as_str().unwrap().lines();
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn offline(test: &TestPortal, lines: &[Value]) -> Verdict {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    verify_lines(&text, &public_key(&test.portal.keys), Vec::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_verifies_without_the_portal_until_somebody_touches_it() {
    let test = TestPortal::with_shop().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let lines = exported(&test).await;
    let good = offline(&test, &lines);
    assert!(good.is_good() && good.report().rows > 5, "{good}");
    assert_eq!(good.report().rows, i64::try_from(lines.len()).unwrap());

    let middle = lines.len() / 2;
    let id = lines[middle]["id"].as_i64().unwrap();
    let mut edited = lines.clone();
    edited[middle]["actor"] = json!("somebody else");
    let mut retold = lines.clone();
    retold[middle]["reason"] = json!("another reason");
    let mut deleted = lines.clone();
    deleted.remove(middle);
    let mut swapped = lines.clone();
    swapped.swap(middle, middle + 1);
    let mut renumbered = swapped.clone();
    for (at, from) in [(middle, middle + 1), (middle + 1, middle)] {
        renumbered[at]["id"] = swapped[from]["id"].clone();
        renumbered[at]["chain"] = swapped[from]["chain"].clone();
    }
    let mut inserted = lines.clone();
    let mut false_row = lines[0].clone();
    false_row["id"] = json!(lines[0]["id"].as_i64().unwrap() + 1);
    false_row["chain"]["position"] = json!(lines.len() + 1);
    false_row["chain"]["checkpoint"] = Value::Null;
    inserted.insert(0, false_row.clone());
    let mut unsealed = lines.clone();
    false_row["chain"] = Value::Null;
    unsealed.insert(0, false_row);
    let oldest_gone = &lines[..lines.len() - 1];
    for (what, tampered, told) in [
        ("edited", &edited[..], format!("row {id} ")),
        ("edited", &retold[..], format!("row {id} ")),
        ("deleted", &deleted[..], format!("position {}", lines[middle]["chain"]["position"])),
        ("reordered", &swapped[..], "reordered".to_owned()),
        ("reordered and renumbered", &renumbered[..], "row ".to_owned()),
        ("inserted", &inserted[..], format!("row {} ", lines[0]["id"].as_i64().unwrap() + 1)),
        ("inserted without a place", &unsealed[..], "no place in the chain".to_owned()),
        ("the oldest deleted", oldest_gone, "position 1 ".to_owned()),
    ] {
        let bad = offline(&test, tampered);
        assert!(!bad.is_good() && bad.to_string().contains(&told), "{what}: {bad}");
    }
    // A chain that was built anew is whole in itself, but nobody without the key can sign it.
    let other = VerifyingKey::from_hex(&"58".repeat(32));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if let Some(other) = other {
        assert!(!verify_lines(&text, &other, Vec::new()).unwrap().is_good(), "another key passed");
    }
    // The newest rows are missing: only checkpoints kept elsewhere can tell.
    let file = tokio::fs::read_to_string(test.data.path().join(CHECKPOINT_FILE)).await.unwrap();
    let kept = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let cut: String = lines[1..].iter().map(|line| format!("{line}\n")).collect();
    assert!(!verify_lines(&cut, &public_key(&test.portal.keys), kept).unwrap().is_good());
}
