//! The audit on its way to a SIEM: every sealed row once and in order, past a collector that fails, in three formats; and what arrived verifies.

use crate::support::{Receiver, TestPortal};
use passerelle_server::audit::{public_key, verify_lines};
use passerelle_server::config::{AuditConfig, load};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn streams(toml: &str) -> AuditConfig {
    load(Some(toml), std::iter::empty()).unwrap().audit
}

/// Waits until every stream has had every sealed row, and everything is sealed.
async fn sent(test: &TestPortal) -> Vec<Value> {
    let start = Instant::now();
    loop {
        // In this order: what is sealed after the first question would else be missing from the second answer.
        let newest = test.get("/audit?limit=1").await.body["items"][0]["sealed"] == true;
        let streams = test.get("/audit/streams").await.body.as_array().unwrap().clone();
        if newest && streams.iter().all(|stream| stream["waiting"] == 0 && stream["failure"].is_null()) {
            return streams;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "{streams:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn act(test: &TestPortal, name: &str) {
    let environment = json!({ "name": name, "tier": "staging", "order": 9 });
    assert_eq!(test.post("/environments", &environment).await.status, StatusCode::CREATED);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_arrives_in_order_and_what_arrived_verifies() {
    let collector = Receiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (secret, file) = (folder.path().join("authorization"), folder.path().join("audit.jsonl"));
    std::fs::write(&secret, "Splunk s3cret-of-the-collector\n").unwrap();
    let toml = format!(
        "[[audit.streams]]\nid = 'siem'\nto = '{}/in?index=a'\nauthorization = 'file:{}'\n
         [[audit.streams]]\nid = 'ocsf'\nto = '{}/ocsf'\nformat = 'ocsf'\n
         [[audit.streams]]\nid = 'cef'\nto = '{}/cef'\nformat = 'cef'\n
         [[audit.streams]]\nid = 'file'\nto = 'file:{}'",
        collector.url,
        secret.display(),
        collector.url,
        collector.url,
        file.display()
    );
    // The first messages are refused, whichever stream they are of.
    collector.answer(&[(503, "later"), (500, ""), (302, ""), (429, "")]);
    let test = TestPortal::start_with(|config, _| config.audit = streams(&toml)).await;
    for name in ["one", "two", "three"] {
        act(&test, name).await;
    }
    let told = sent(&test).await;
    assert_eq!(told[0]["to"], "127.0.0.1", "without the path: {told:?}");
    let at = |path: &str| collector.all().into_iter().filter(|got| got.path.starts_with(path)).collect::<Vec<_>>();
    let end = told[0]["position"].as_i64().unwrap();

    let lines: String = at("/in").iter().map(|got| got.body.clone()).collect();
    let good = verify_lines(&lines, &public_key(&test.portal.keys), Vec::new()).unwrap();
    assert!(good.is_good() && good.report().rows == end, "{good}, of {end}");
    let got = &at("/in")[0];
    assert_eq!(got.headers["authorization"], "Splunk s3cret-of-the-collector");
    assert!(got.headers["idempotency-key"].to_str().unwrap().starts_with("siem-1-"));
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(verify_lines(&written, &public_key(&test.portal.keys), Vec::new()).unwrap().is_good());
    assert_eq!(i64::try_from(written.lines().count()).unwrap(), end);

    let ocsf: String = at("/ocsf").iter().map(|got| got.body.clone()).collect();
    let events: Vec<Value> = ocsf.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(events.iter().all(|event| event["class_uid"] == 6003));
    let made = events.iter().rfind(|event| event["api"]["operation"] == "environment.edit").unwrap();
    assert_eq!((&made["actor"]["user"]["name"], &made["status"]), (&json!("root"), &json!("Success")));
    let cef: String = at("/cef").iter().map(|got| got.body.clone()).collect();
    assert!(cef.lines().all(|line| line.starts_with("CEF:0|Passerelle|Passerelle|")) && cef.contains("suser=root"));
    // The export speaks the same formats.
    let export = test.get("/audit/export?format=cef&action=environment.edit").await.body;
    assert_eq!(export.as_str().unwrap().lines().count(), 3, "{export}");

    // Tampering on the way is found: a row is missing, or moved.
    let all: Vec<&str> = written.lines().collect();
    let (mut gone, mut moved) = (all.clone(), all.clone());
    gone.remove(1);
    moved.swap(1, 2);
    for (what, bad) in [("gone", gone), ("moved", moved)] {
        let verdict = verify_lines(&(bad.join("\n") + "\n"), &public_key(&test.portal.keys), Vec::new()).unwrap();
        assert!(!verdict.is_good(), "{what}");
    }
    // What was sent twice is no tampering, and somebody else's line in its place is.
    let twice = format!("{written}{}\n{}\n", all[all.len() - 2], all[all.len() - 1]);
    assert!(verify_lines(&twice, &public_key(&test.portal.keys), Vec::new()).unwrap().is_good());
    let forged = format!("{written}{}\n", all[all.len() - 1].replace("root", "mallory"));
    assert!(!verify_lines(&forged, &public_key(&test.portal.keys), Vec::new()).unwrap().is_good());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_told_and_holds_nothing_up() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let toml = format!("[[audit.streams]]\nid = 'siem'\nto = 'http://{address}/in'");
    let test = TestPortal::start_with(|config, _| config.audit = streams(&toml)).await;
    act(&test, "one").await;
    let start = Instant::now();
    let told = loop {
        let told = test.get("/audit/streams").await.body[0].clone();
        if told["failure"].is_string() && told["waiting"].as_i64() > Some(0) {
            break told;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{told}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(told["failure"], "127.0.0.1: the connection failed");
    assert!(told["failing_since"].is_string() && told["sent_at"].is_null(), "{told}");
    let page = test.http.get(format!("{}/audit", test.url)).bearer_auth(&test.admin).send().await.unwrap();
    assert_ne!(page.status(), StatusCode::INTERNAL_SERVER_ERROR);
    act(&test, "two").await;

    // Whoever reads one team's rows learns nothing of where all of them go.
    let scope = passerelle_contract::access::Scope::Team("shop/sellers".to_owned());
    let token = test.token("seller", passerelle_contract::access::Role::Developer, scope).await;
    let refused = test.call(reqwest::Method::GET, "/audit/streams", &token, None).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.body);
}
