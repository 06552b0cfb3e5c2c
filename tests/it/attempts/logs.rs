//! Attempt 23: line ends, escapes of terminals and JSON in what people write, read back from the log of a server that heard it all.

use super::process::serve;
use super::raw;
use crate::support::{RunningPortal, WORLD, client, deployment};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::fs::File;
use std::process::Stdio;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What a log in text would have to say for somebody to believe it.
const LINE: &str = "2026-01-01T00:00:00.000000Z ERROR passerelle_forged: had";
/// What a log in JSON would have to say.
const FIELD: &str = "\",\"target\":\"passerelle_forged\",\"x\":\"";

fn hostile() -> String {
    format!("<x>\r\n{LINE}\n\u{1b}[31m\u{9b}31m\u{7}\u{8}\u{2028}\u{202e}{FIELD}{{\"level\":\"ERROR\"}}")
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The log of a server, in a format, that was told all of it.
async fn said(format: &str) -> String {
    let portal = RunningPortal::idle(WORLD).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log");
    let settings = [
        ("PASSERELLE__LOG__FORMAT", format),
        ("PASSERELLE__LOG__FILTER", "warn,passerelle=debug"),
        ("PASSERELLE__SERVER__WORKER", "true"),
    ];
    let (server, url) = serve(&portal, &settings, Stdio::from(File::create(&file).unwrap()));
    by_strangers(&url).await;
    by_bytes(&url).await;
    by_an_administrator(&portal, &url).await;
    drop(server);
    // Not UTF-8 would be a fault too.
    std::fs::read_to_string(file).unwrap()
}

/// Names of sign-ins, reports of browsers and deliveries: nobody has to be known for these.
async fn by_strangers(url: &str) {
    let (http, hostile) = (client(), hostile());
    let post = |path: &str| http.post(format!("{url}{path}")).header("origin", url);
    let text = hostile.as_str();
    let report = json!({ "csp-report": { "document-uri": text, "effective-directive": text, "blocked-uri": text, "source-file": text } });
    for request in [
        post("/api/v1/sessions").json(&json!({ "user": text, "password": text })),
        post("/sign-in").form(&[("user", text), ("password", text), ("next", text), ("csrf", "")]),
        post("/csp-reports").json(&report),
        post(&format!("/api/v1/webhooks/github/{}", encoded(text)))
            .header("x-hub-signature-256", "sha256=00")
            .json(&report),
        post(&format!("/api/v1/deployments/{}/cancel", encoded(text))).json(&report),
    ] {
        let answer = request.send().await.unwrap();
        assert!(answer.status().as_u16() < 500, "{}: {}", answer.url(), answer.status());
    }
}

/// Paths, queries and headers that no client would send.
async fn by_bytes(url: &str) {
    let more = b"user-agent: x\x9b31m {\"target\":\"passerelle_forged\"}\r\nx-request-id: forged-id\r\nx-forwarded-for: \x9b31m\r\n";
    let targets: [&[u8]; 5] = [
        b"/nowhere/{\"target\":\"passerelle_forged\"}%0d%0a%1b[31m\xc2\x9b31m\xe2\x80\xa8",
        b"/sign-in?next=%0d%0a2026-01-01T00:00:00.000000Z%20ERROR%20passerelle_forged:%20had",
        b"/services/%0d%0a%1b%5b31m/passerelle_forged",
        b"/api/v1/services/%0d%0a%1b%5b31m/passerelle_forged",
        b"/\",\"target\":\"passerelle_forged\",\"x\":\"",
    ];
    for target in targets {
        let heard = raw::get(url, target, more).await;
        assert!(heard.status.is_some_and(|status| status < 500), "{}", heard.text);
        assert!(!heard.text.contains("forged-id"), "the id of a request is the portal's own: {}", heard.text);
    }
    // A second line of a header, and an escape in one, are no request at all.
    for more in [&b"x-a: b\r\n\t2026-01-01T00:00:00.000000Z ERROR passerelle_forged: had\r\n"[..], b"x-a: \x1b[31m\r\n"]
    {
        assert_eq!(raw::get(url, "/nowhere", more).await.status, Some(400));
    }
}

/// Reasons, which may have several lines, and names, which may not.
async fn by_an_administrator(portal: &RunningPortal, url: &str) {
    let http = client();
    let post = |path: &str, body: &Value| {
        http.post(format!("{url}/api/v1{path}")).bearer_auth(&portal.admin).json(body).send()
    };
    let mut wanted = deployment("tinyweb:v2");
    wanted["reason"] = json!(hostile());
    let named = json!({ "name": hostile(), "tier": "staging", "order": 3 });
    for (path, body) in [("/deployments", &wanted), ("/environments", &named)] {
        assert_eq!(post(path, body).await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    wanted["reason"] = json!(format!("in order\r\n{LINE}\n{{{FIELD}}}"));
    let asked = post("/deployments", &wanted).await.unwrap();
    assert_eq!(asked.status(), StatusCode::CREATED);
    let asked: Value = asked.json().await.unwrap();
    let ended = portal.ended(asked["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}

/// Nothing in it that a terminal obeys or that a reader takes for the end of a line, and yet it was told.
fn assert_escaped(log: &str) {
    let obeyed = |c: &char| (c.is_control() && *c != '\n') || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}');
    assert_eq!(log.chars().find(obeyed), None, "{log}");
    assert!(!log.contains("forged-id"), "{log}");
    let lines = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(lines("a page tried what its policy refuses"), 1, "{log}");
    assert!(lines("passerelle_forged") >= 4, "the report and three paths: {log}");
    // Behind the letter of an escaped line end.
    assert!(log.contains(&format!("n{LINE}")), "{log}");
    assert!(lines("driving") >= 1, "the deployment was driven here: {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_of_the_log_is_one_event_whatever_somebody_wrote() {
    let log = said("text").await;
    assert_escaped(&log);
    for line in log.lines() {
        let words: Vec<&str> = line.split_whitespace().take(3).collect();
        let [at, level, target] = words[..] else { panic!("not an event: {line:?}") };
        assert!(OffsetDateTime::parse(at, &Rfc3339).is_ok(), "{line}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&level), "{line}");
        assert!(!target.starts_with("passerelle_forged"), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_is_a_line_of_the_log_in_json() {
    let log = said("json").await;
    assert_escaped(&log);
    assert!(!log.contains("\"target\":\"passerelle_forged\""), "no field of its own: {log}");
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(OffsetDateTime::parse(event["timestamp"].as_str().unwrap(), &Rfc3339).is_ok(), "{line}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].iter().any(|level| event["level"] == *level), "{line}");
        assert!(event["fields"].is_object(), "{line}");
        assert!(!event["target"].as_str().unwrap().starts_with("passerelle_forged"), "{line}");
    }
}
