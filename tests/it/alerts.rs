//! An Alertmanager's webhook: what it tells is shown where it belongs, once, to those who may see it.

use crate::support::TestPortal;
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const WEBHOOK: &str = "/webhooks/alertmanager/prom?namespace=shop&environment=staging";

fn alert(name: &str, service: &str, starts_at: &str) -> Value {
    json!({
        "status": "firing", "fingerprint": format!("{:x}", name.len() + service.len()), "startsAt": starts_at,
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "https://prometheus.example/graph?g0.expr=up",
        "labels": { "alertname": name, "service": service, "severity": "page" },
        "annotations": { "summary": format!("{name} of {service}"), "runbook_url": "javascript:alert(1)" },
    })
}

/// As an Alertmanager of version 0.27 sends it.
fn message(alerts: &[Value]) -> Value {
    json!({
        "receiver": "passerelle", "status": "firing", "alerts": alerts, "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://alertmanager.example", "version": "4", "groupKey": "{}:{}",
        "truncatedAlerts": 0,
    })
}

async fn shop() -> TestPortal {
    let test = TestPortal::with_shop().await;
    let prometheus = json!({ "name": "prom", "kind": "prometheus", "config": { "url": "http://127.0.0.1:9" } });
    let made = test.post("/connections", &prometheus).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    test
}

async fn told(test: &TestPortal, alerts: &[Value]) -> Value {
    let answer = test.post(WEBHOOK, &message(alerts)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    answer.body
}

fn report(new: u32, resolved: u32, unchanged: u32, without_service: u32) -> Value {
    json!({ "new": new, "resolved": resolved, "unchanged": unchanged, "without_service": without_service })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_told_once_and_ends_when_it_is_resolved() {
    let test = shop().await;
    let mut down = alert("ServiceDown", "web", "2026-11-01T10:00:00Z");
    let strange = alert("DiskFull", "nobody-knows", "2026-11-01T11:00:00Z");
    assert_eq!(told(&test, &[down.clone(), strange.clone()]).await, report(2, 0, 0, 1));
    assert_eq!(told(&test, &[down.clone(), strange]).await, report(0, 0, 2, 1));

    let found = test.get("/alerts?service=shop/web").await.body;
    assert_eq!(found["total"], 1, "{found}");
    let one = &found["items"][0];
    assert_eq!((&one["state"], &one["severity"]), (&json!("firing"), &json!("page")));
    assert_eq!((&one["environment"], &one["connection"]), (&json!("staging"), &json!("prom")));
    assert_eq!(one["source_url"], "https://prometheus.example/graph?g0.expr=up");
    assert_eq!(one["runbook_url"], Value::Null, "not an address that a browser may open: {one}");

    down["status"] = json!("resolved");
    down["endsAt"] = json!("2026-11-01T10:30:00Z");
    assert_eq!(told(&test, &[down.clone()]).await, report(0, 1, 0, 0));
    assert_eq!(test.get("/alerts?state=firing&service=shop/web").await.body["total"], 0);
    assert_eq!(test.get("/alerts?state=resolved").await.body["items"][0]["ended_at"], "2026-11-01T10:30:00Z");

    // It begins again: another occurrence of the same labels.
    let again = alert("ServiceDown", "web", "2026-11-02T10:00:00Z");
    assert_eq!(told(&test, &[again]).await, report(1, 0, 0, 0));
    assert_eq!(test.get("/alerts").await.body["total"], 3);
    let audited = test.get("/audit?action=alert.report&outcome=success").await.body;
    assert_eq!(audited["total"], 4, "{audited}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_paged_and_a_cursor_belongs_to_it() {
    let test = shop().await;
    let alerts: Vec<Value> = (1..=5).map(|day| alert("Slow", "web", &format!("2026-11-0{day}T10:00:00Z"))).collect();
    told(&test, &alerts).await;
    let (mut path, mut seen) = ("/alerts?limit=2".to_owned(), Vec::new());
    loop {
        let page = test.get(&path).await.body;
        assert_eq!(page["total"], 5);
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["started_at"].as_str().unwrap()[..10].to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/alerts?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, ["2026-11-05", "2026-11-04", "2026-11-03", "2026-11-02", "2026-11-01"]);
    assert_eq!(test.get("/alerts?cursor=x").await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_message_is_refused_by_field_and_leaves_nothing() {
    let test = shop().await;
    let mut bad = alert("ServiceDown", "web", "2026-11-01T10:00:00Z");
    bad["fingerprint"] = json!("../../x");
    let good = alert("Slow", "web", "2026-11-01T10:00:00Z");
    let answer = test.post(WEBHOOK, &message(&[good, bad])).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.body["errors"][0]["pointer"], "/alerts/1/fingerprint", "{}", answer.body);
    for wrong in [json!({ "version": "3", "alerts": [] }), json!({ "version": "4" }), json!([])] {
        let status = test.post(WEBHOOK, &wrong).await.status;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let elsewhere = test.post("/webhooks/alertmanager/c1", &message(&[])).await;
    assert_eq!(elsewhere.status, StatusCode::CONFLICT, "a cluster has no alerts: {}", elsewhere.body);
    assert_eq!(test.post("/webhooks/alertmanager/none", &message(&[])).await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get("/alerts").await.body["total"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_are_seen_by_those_who_see_their_service() {
    let test = shop().await;
    let named = |service: &str| alert("ServiceDown", service, "2026-11-01T10:00:00Z");
    told(&test, &[named("web"), named("api"), named("elsewhere")]).await;
    let cook = test.token("cook", Role::Viewer, Scope::Team("shop/cooks".into())).await;
    let seen = test.call(Method::GET, "/alerts", &cook, None).await.body;
    assert_eq!(seen["total"], 1, "{seen}");
    assert_eq!(seen["items"][0]["service"], "shop/api");
    let hidden = test.call(Method::GET, "/alerts?service=shop/web", &cook, None).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    // A token for one team cannot tell of everything.
    let developer = test.token("developer", Role::Developer, Scope::Team("shop/cooks".into())).await;
    let refused = test.call(Method::POST, WEBHOOK, &developer, Some(&message(&[]))).await;
    assert!(refused.status.is_client_error(), "{}", refused.body);
    let sender = test.token("alertmanager", Role::Developer, Scope::Everything).await;
    assert_eq!(test.call(Method::POST, WEBHOOK, &sender, Some(&message(&[]))).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_show_them_in_both_languages() {
    let test = shop().await;
    told(&test, &[alert("ServiceDown", "web", "2026-11-01T10:00:00Z"), alert("<b>", "gone", "2026-11-01T10:00:00Z")])
        .await;
    let mut ada = test.another("ada", Role::Viewer).await;
    let list = ada.get("/alerts").await;
    assert_eq!(list.status, StatusCode::OK);
    for words in ["ServiceDown of web", "/services/shop/web?tab=alerts", "no service of the catalog", "&lt;b&gt;"] {
        assert!(list.html.contains(words), "{words}: {}", list.html);
    }
    let tab = ada.get("/services/shop/web?tab=alerts").await;
    let linked = tab.html.contains("https://prometheus.example/graph");
    assert!(linked && tab.html.contains("ServiceDown of web"), "{}", tab.html);
    assert!(!tab.html.contains("javascript:"), "{}", tab.html);
    assert!(ada.get("/alerts?state=resolved").await.html.contains("No alert"));
    ada.speak("fr");
    let french = ada.get("/alerts?state=firing").await;
    assert!(french.html.contains("aucun service du catalogue"), "{}", french.html);
}
