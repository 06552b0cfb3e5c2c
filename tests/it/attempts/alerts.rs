//! Attempt 14: messages of an Alertmanager with far too many alerts, from another age, for nobody, and about services outside of every folder.

use crate::support::{Answer, TestPortal};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const WEBHOOK: &str = "/webhooks/alertmanager/prom?namespace=shop&environment=staging";
const JSON: &str = "application/json";
/// As an Alertmanager writes the end of what still fires.
const NO_END: &str = "0001-01-01T00:00:00Z";

async fn shop() -> TestPortal {
    let test = TestPortal::with_shop().await;
    let prometheus = json!({ "name": "prom", "kind": "prometheus", "config": { "url": "http://127.0.0.1:9" } });
    let made = test.post("/connections", &prometheus).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    test
}

fn alert(number: usize, service: &str, starts_at: &str, ends_at: &str) -> Value {
    let status = if ends_at == NO_END { "firing" } else { "resolved" };
    json!({ "status": status, "fingerprint": format!("{number:x}"), "startsAt": starts_at, "endsAt": ends_at,
        "labels": { "alertname": "Down", "service": service } })
}

fn message(alerts: &[Value]) -> Value {
    json!({ "version": "4", "receiver": "passerelle", "alerts": alerts })
}

/// The text of a message with so many different alerts; as values they would take longer than all else here.
fn many(count: usize) -> String {
    let alerts: Vec<String> = (0..count)
        .map(|number| {
            format!(
                "{{\"status\":\"firing\",\"labels\":{{\"alertname\":\"a\"}},\"startsAt\":\"2026-11-01T10:00:00Z\",\
                 \"endsAt\":\"{NO_END}\",\"fingerprint\":\"{number:x}\"}}"
            )
        })
        .collect();
    format!("{{\"version\":\"4\",\"alerts\":[{}]}}", alerts.join(","))
}

/// Nothing was stored, and nothing is said to have been heard.
async fn nothing_was_heard(test: &TestPortal) {
    let list = test.get("/alerts").await;
    assert_eq!((list.status, &list.body["total"]), (StatusCode::OK, &json!(0)), "{}", list.body);
    let heard = test.get("/audit?action=alert.report&outcome=success").await.body;
    assert_eq!(heard["total"], 0, "{heard}");
}

fn pointer(answer: &Answer) -> &Value {
    &answer.body["errors"][0]["pointer"]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_alerts_are_refused_by_their_size_and_by_their_number() {
    let test = shop().await;
    let all = many(100_000);
    let announced = test.send(Method::POST, WEBHOOK, JSON, all.clone()).await;
    let chunks: Vec<_> = all.as_bytes().chunks(1 << 20).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect();
    let body = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    let streamed = test.send(Method::POST, WEBHOOK, JSON, body).await;
    for answer in [announced, streamed] {
        let told = (answer.status, &answer.body["code"]);
        assert_eq!(told, (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")), "{}", answer.body);
    }
    // As many as a body may hold, and one more than a message may.
    for count in [7_000, 1_001] {
        let text = many(count);
        assert!(text.len() < 1 << 20, "{count} alerts in {} bytes", text.len());
        let answer = test.send(Method::POST, WEBHOOK, JSON, text).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert_eq!(pointer(&answer), "/alerts", "{}", answer.body);
        assert!(answer.body["errors"][0]["message"].as_str().unwrap().contains("1000"), "{}", answer.body);
    }
    nothing_was_heard(&test).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_began_long_ago_is_kept_as_it_was_told_and_what_ended_long_ago_is_not_kept() {
    let test = shop().await;
    let ages = ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "1999-12-31T23:59:59Z"];
    let firing: Vec<Value> = ages.iter().enumerate().map(|(at, age)| alert(at, "web", age, NO_END)).collect();
    let told = test.post(WEBHOOK, &message(&firing)).await;
    assert_eq!((told.status, &told.body["new"]), (StatusCode::OK, &json!(3)), "{}", told.body);
    let list = test.get("/alerts?service=shop/web").await;
    assert_eq!(list.status, StatusCode::OK, "{}", list.body);
    let shown: Vec<&str> =
        list.body["items"].as_array().unwrap().iter().map(|one| one["started_at"].as_str().unwrap()).collect();
    assert_eq!(shown, [ages[2], ages[1], ages[0]], "the newest first");
    let over = alert(9, "web", "1999-01-01T00:00:00Z", "1999-01-02T00:00:00Z");
    assert_eq!(test.post(WEBHOOK, &message(&[over])).await.status, StatusCode::OK);
    let person = test.person().await;
    for page in ["/alerts", "/alerts?state=resolved", "/services/shop/web?tab=alerts"] {
        let shown = person.get(page).await;
        assert_eq!(shown.status, StatusCode::OK, "{page}: {}", shown.html);
    }
    // The next message is when what ended more than 400 days ago goes.
    assert_eq!(test.post(WEBHOOK, &message(&[])).await.status, StatusCode::OK);
    let left = test.get("/alerts?state=resolved").await.body;
    assert_eq!(left["total"], 0, "{left}");
}

/// The hour is in the calendar; in UTC it is not. Neither Postgres nor the list that shows it could say when that was.
#[tokio::test(flavor = "multi_thread")]
async fn a_moment_outside_of_the_calendar_is_refused_by_name_and_spoils_no_list() {
    let test = shop().await;
    let (before_all, after_all) = ("0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00");
    for (told, named) in [
        (alert(1, "web", before_all, NO_END), "/alerts/0/startsAt"),
        (alert(2, "web", "2026-11-01T10:00:00Z", after_all), "/alerts/0/endsAt"),
    ] {
        let answer = test.post(WEBHOOK, &message(&[told])).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{named}: {}", answer.body);
        assert_eq!(pointer(&answer), named, "{}", answer.body);
        nothing_was_heard(&test).await;
    }
    for (query, named) in [(format!("from={before_all}"), "/from"), (format!("to={after_all}"), "/to")] {
        let answer = test.get(&format!("/audit?{}", query.replace('+', "%2B"))).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", answer.body);
        assert_eq!(pointer(&answer), named, "{}", answer.body);
    }
    let freeze = json!({ "scope": { "kind": "global" }, "title": "For ever", "starts_at": before_all });
    let answer = test.post("/freezes", &freeze).await;
    assert_eq!((answer.status, pointer(&answer)), (StatusCode::UNPROCESSABLE_ENTITY, &json!("/starts_at")));
    assert_eq!(test.get("/freezes").await.status, StatusCode::OK);
}

/// `../prod` is a text like any other: it names no service, and so belongs to nobody but those who see everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_label_leads_to_no_service_but_the_one_that_it_names() {
    let test = shop().await;
    let odd = [
        "../prod",
        "../web",
        "shop/../web",
        "./web",
        "web/",
        "/web",
        "shop//web",
        "shop/web/..",
        "web%00",
        "..%2fweb",
        "shop%2Fweb",
        "web ",
        "web\n",
        "web\u{202e}",
        "component:shop/web",
        "*",
        "%",
        "_eb",
        "web' OR '1'='1",
    ];
    let alerts: Vec<Value> =
        odd.iter().enumerate().map(|(at, service)| alert(at, service, "2026-11-01T10:00:00Z", NO_END)).collect();
    let told = test.post(WEBHOOK, &message(&alerts)).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    let expected = json!({ "new": odd.len(), "resolved": 0, "unchanged": 0, "without_service": odd.len() });
    assert_eq!(told.body, expected);
    let all = test.get("/alerts?limit=200").await.body;
    let kept: Vec<(&Value, &Value)> =
        all["items"].as_array().unwrap().iter().map(|one| (&one["labels"]["service"], &one["service"])).collect();
    assert_eq!(kept.len(), odd.len(), "{all}");
    for service in odd {
        assert!(kept.contains(&(&json!(service), &Value::Null)), "{service:?} stays as it was told: {all}");
    }
    for service in ["shop/web", "shop/api"] {
        assert_eq!(test.get(&format!("/alerts?service={service}")).await.body["total"], 0, "{service}");
    }
    let seller = test.token("seller", Role::Viewer, Scope::Team("shop/sellers".into())).await;
    let seen = test.call(Method::GET, "/alerts", &seller, None).await;
    assert_eq!((seen.status, &seen.body["total"]), (StatusCode::OK, &json!(0)), "{}", seen.body);
}

/// The receiver's name is the Alertmanager's own affair; who is meant is said by the address, where an unknown one is absent.
#[tokio::test(flavor = "multi_thread")]
async fn the_receiver_opens_nothing_and_an_unknown_address_is_absent() {
    let test = shop().await;
    let one = alert(1, "web", "2026-11-01T10:00:00Z", NO_END);
    for path in ["/webhooks/alertmanager/nobody", "/webhooks/alertmanager/..%2Fprom", "/webhooks/alertmanager/PROM"] {
        let answer = test.post(path, &message(std::slice::from_ref(&one))).await;
        let told = (answer.status, &answer.body["code"]);
        assert_eq!(told, (StatusCode::NOT_FOUND, &json!("not_found")), "{path}: {}", answer.body);
    }
    let mut cluster = message(std::slice::from_ref(&one));
    cluster["receiver"] = json!("prom");
    let answer = test.post("/webhooks/alertmanager/c1", &cluster).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "a cluster has no alerts, whatever the receiver: {}", answer.body);
    nothing_was_heard(&test).await;
    for (receiver, new) in
        [(json!("nobody-knows"), 1), (json!("../../prom"), 0), (json!("x".repeat(10_000)), 0), (json!(null), 0)]
    {
        let mut told = message(std::slice::from_ref(&one));
        told["receiver"] = receiver;
        let answer = test.post(WEBHOOK, &told).await;
        assert_eq!((answer.status, &answer.body["new"]), (StatusCode::OK, &json!(new)), "{}", answer.body);
    }
    assert_eq!(test.get("/alerts").await.body["total"], 1, "it is one alert, told four times");
}
