//! Post-mortems over HTTP: an incident opens a task, a message tells it, and somebody closes it by the API or by a form.

use crate::support::{FakePrometheus, Received, Receiver, TestPortal};
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use time::OffsetDateTime;

const FILE: &str = "service_level_objectives: [{name: Web, sli: availability, target: 99, window: 7d}]";

/// A service that fails for eighty minutes after its objective was made.
async fn burnt(test: &TestPortal, prometheus: &FakePrometheus) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp() / 60;
    for minute in now - 7 * 1440 - 10..now + 200 {
        let bad = if (now + 70..now + 150).contains(&minute) { 100 } else { 0 };
        prometheus.count(minute, bad, 100);
    }
    let path = "/slos/imports?service=shop/web&connection=prom";
    let made = test.send(reqwest::Method::POST, path, "application/yaml", FILE).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    test.measure().await;
    for minutes in [60, 100, 160] {
        test.measure_at((now + minutes) * 60 + 10).await;
    }
    made.body["slos"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_is_told_and_its_post_mortem_is_closed() {
    let (test, prometheus) = TestPortal::with_prometheus().await;
    let receiver = Receiver::start().await;
    let secret = json!({ "value": "a secret of this test" });
    let channel = json!({ "name": "hook", "kind": "webhook", "language": "fr", "config": { "url": receiver.url, "secret": secret } });
    assert_eq!(test.post("/notifications/channels", &channel).await.status, StatusCode::CREATED);
    let rule = json!({ "channel": "hook", "team": "shop/sellers", "events": ["budget.changed", "postmortem.opened"] });
    assert_eq!(test.post("/notifications/rules", &rule).await.status, StatusCode::CREATED);
    let slo = burnt(&test, &prometheus).await;

    let tasks = test.get("/postmortems?service=shop/web&state=open").await.body;
    assert_eq!((&tasks["total"], &tasks["items"][0]["bad"]), (&json!(1), &json!(8000.0)), "{tasks}");
    let id = tasks["items"][0]["id"].as_str().unwrap().to_owned();
    let messages = receiver.wait_for(2).await;
    let messages: Vec<Value> = messages.iter().map(Received::json).collect();
    let titles: Vec<&str> = messages.iter().map(|message| message["title"].as_str().unwrap()).collect();
    assert!(titles.contains(&"Post-mortem à rédiger : Web de shop/web"), "{titles:?}");
    let budget = messages.iter().find(|message| message["type"] == "budget.changed").unwrap();
    assert_eq!((&budget["event"]["objective"], &budget["event"]["verdict_before"]), (&json!(slo), &json!("ok")));
    assert!(budget["title"].as_str().unwrap().starts_with("Le budget d’erreur"), "{budget}");

    let person = test.person().await;
    let page = person.get(&format!("/slos/{slo}")).await.html;
    for words in ["Post-mortems", "to be written", "by 8,000 failures", "name=\"link\""] {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    for place in ["/services/shop/web", "/services/shop/web?tab=slos"] {
        let page = person.get(place).await.html;
        assert!(
            page.contains("1 post-mortem to write") && page.contains(&format!("/slos/{slo}#postmortems")),
            "{page}"
        );
    }
    let path = format!("/slos/{slo}/postmortems/{id}");
    let words = "The pool was too small.";
    let fields = |link: &'static str| [("postmortem", id.as_str()), ("link", link), ("words", words)];
    let refused = person.post(&path, &fields("ftp://wiki")).await;
    refused.refused();
    assert!(!refused.error_at("link").is_empty() && refused.html.contains(words), "{}", refused.html);
    let viewer = test.another("vera", Role::Viewer).await;
    assert_eq!(viewer.post(&path, &fields("https://wiki.example/1")).await.status, StatusCode::FORBIDDEN);
    assert!(
        !viewer.get(&format!("/slos/{slo}")).await.html.contains("name=\"link\""),
        "who may not close sees no form"
    );
    let closed = person.post(&path, &fields("https://wiki.example/1")).await;
    assert_eq!(closed.led_to(), format!("/slos/{slo}"));
    let page = person.get(&format!("/slos/{slo}")).await.html;
    assert!(page.contains("https://wiki.example/1") && page.contains(words), "{page}");
    assert!(!person.get("/services/shop/web").await.html.contains("post-mortem to write"));
    let twice = test.post(&format!("/postmortems/{id}/close"), &json!({ "link": "https://wiki.example/2" })).await;
    assert_eq!(twice.status, StatusCode::CONFLICT, "{}", twice.body);
    let audited = test.get("/audit?action=slo.postmortem&outcome=success").await.body;
    assert_eq!(audited["total"], 1, "{audited}");
    assert_eq!(test.get("/postmortems?state=closed").await.body["items"][0]["link"], "https://wiki.example/1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_is_named() {
    let test = TestPortal::with_shop().await;
    for (path, status) in [
        ("/postmortems?state=half", StatusCode::UNPROCESSABLE_ENTITY),
        ("/postmortems?slo=x", StatusCode::UNPROCESSABLE_ENTITY),
        ("/postmortems?service=shop/none", StatusCode::NOT_FOUND),
        ("/postmortems?slo=00000000-0000-7000-8000-000000000000", StatusCode::NOT_FOUND),
        ("/postmortems?limit=5", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        assert_eq!(test.get(path).await.status, status, "{path}");
    }
    let nowhere = "/postmortems/00000000-0000-7000-8000-000000000000/close";
    assert_eq!(test.post(nowhere, &json!({ "words": "what was learnt" })).await.status, StatusCode::NOT_FOUND);
    let unknown = test.post(nowhere, &json!({ "because": "x" })).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", unknown.body);
}
