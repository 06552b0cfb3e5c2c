//! The whole demo through the API: twice without a change, and a dry run that tells every difference beforehand.

use crate::support::{Database, TestPortal, config};
use axum::Router;
use passerelle_server::kernel::{Db, Keys};
use passerelle_server::portal::Portal;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// The folder as the command line sends it.
fn demo() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo");
    let mut stream = String::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let text = std::fs::read_to_string(&path).unwrap();
                if text.lines().any(|line| line.starts_with("apiVersion:")) {
                    let name = path.strip_prefix(&root).unwrap().display();
                    stream.push_str(&format!("# passerelle-file: {name}\n{text}\n"));
                }
            }
        }
    }
    stream
}

fn counts(report: &Value) -> [i64; 4] {
    ["created", "updated", "archived", "errors_total"].map(|name| report[name].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_imports_twice_without_a_change() {
    let test = TestPortal::start().await;
    // What deploys by itself would write while the rows are counted.
    let demo = demo().replace("automatic: true", "automatic: false");
    let dry = test.send(reqwest::Method::POST, "/catalog/imports?dry_run=true", "application/yaml", demo.clone()).await;
    assert_eq!((dry.status, &dry.body["errors_total"]), (StatusCode::OK, &json!(0)), "{}", dry.body);
    let first = test.import(demo.clone()).await.body;
    let [created, updated, archived, errors] = counts(&first);
    assert!(created > 200, "{first}");
    assert_eq!(dry.body["created"], created, "the dry run said so beforehand");
    assert_eq!([updated, archived, errors], [0; 3], "{first}");
    let rows = test.rows().await;
    let events = test.get("/audit?limit=1").await.body["total"].as_i64().unwrap();
    let again = test.import(demo.clone()).await.body;
    assert_eq!(counts(&again), [0; 4], "{again}");
    assert_eq!(again["unchanged"], created);
    assert_eq!(test.rows().await, rows);
    let after = test.get("/audit?limit=1").await.body["total"].as_i64().unwrap();
    assert_eq!(after - events, 1, "that somebody imported is written down, and nothing else");
    let dry = test.send(reqwest::Method::POST, "/catalog/imports?dry_run=true", "application/yaml", demo).await.body;
    assert_eq!(counts(&dry), [0; 4], "{dry}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_every_field() {
    let test = TestPortal::with_shop().await;
    let document =
        |kind: &str, spec: Value| format!("---\napiVersion: passerelle.dev/v1\nkind: {kind}\nspec: {spec}\n");
    let staging = |field: &str, value: Value| {
        let mut spec = json!({ "name": "staging", "tier": "staging", "order": 1 });
        spec[field] = value;
        document("Environment", spec)
    };
    let config = |more: Value| {
        let mut config = json!({ "namespace": "shop", "deployment": "web" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let spec = json!({ "service": "shop/web", "environment": "staging", "kind": "kubernetes", "connection": "c1", "config": config });
        document("Binding", spec)
    };
    let connection = test.get("/connections/c1").await.body;
    let kept = document("Connection", json!({ "name": "c1", "kind": "kubernetes", "config": connection["config"] }));
    let mut changed = connection["config"].clone();
    changed["simulated"] = json!(false);
    let changed = document("Connection", json!({ "name": "c1", "kind": "kubernetes", "config": changed }));
    for (yaml, expected) in [
        (staging("order", json!(1)), "unchanged"),
        (staging("auto_rollback", json!(false)), "updated"),
        (staging("progress_deadline_s", json!(77)), "updated"),
        (config(json!({})), "unchanged"),
        (config(json!({ "container": "web" })), "updated"),
        (kept, "unchanged"),
        (changed, "updated"),
        (config(json!({ "colour": "red" })), "refused"),
        (staging("order", json!(0)), "refused"),
    ] {
        let before = test.rows().await;
        let dry =
            test.send(reqwest::Method::POST, "/catalog/imports?dry_run=true", "application/yaml", yaml.clone()).await;
        let told = if dry.status == StatusCode::UNPROCESSABLE_ENTITY {
            "refused"
        } else if dry.body["unchanged"] == 1 {
            "unchanged"
        } else {
            dry.body["changes"][0]["change"].as_str().unwrap()
        };
        assert_eq!(told, expected, "{yaml}: {}", dry.body);
        assert_eq!(test.rows().await, before);
    }
    assert_eq!(test.get("/environments/staging").await.body["auto_rollback"], true, "a dry run changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_portal_that_is_let_go() {
    let (database, data) = (Database::create().await, tempfile::tempdir().unwrap());
    let db = Db::connect(&database.url, 2).await.unwrap();
    let portal = Portal::open(db, Keys::from_bytes([3; 32])).await.unwrap();
    let router = portal.router(Router::new(), &config(data.path()));
    let catalog = Arc::downgrade(&portal.catalog);
    drop(portal);
    assert!(catalog.upgrade().is_some(), "who answers requests has it");
    drop(router);
    assert!(catalog.upgrade().is_none(), "its parts hold each other");
}
