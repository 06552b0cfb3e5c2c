//! Attempt 13: bodies of webhooks that never end, and bodies that would be enormous if somebody unpacked them.

use super::raw;
use crate::support::{Answer, TestPortal};
use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::{Hmac, Mac};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::Sha256;
use std::io::Write as _;
use std::time::{Duration, Instant};

const SECRET: &str = "a secret of the webhook";
const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
const MIB: usize = 1 << 20;
/// What the portal reads of a body that is too large, so that its sender gets to hear the answer, and what lies in the buffers of the sockets.
const READ_AT_MOST: usize = 128 * MIB;

/// `shop/api` is built in `acme/shop`: by `hub` on GitHub, whose events are signed, and by `lab` on GitLab, whose secret goes along.
pub async fn shop() -> TestPortal {
    let test = TestPortal::with_shop().await;
    let base = test.simulator.pipelines_url();
    for (name, provider) in [("hub", "github"), ("lab", "gitlab")] {
        let config = json!({ "provider": provider, "base_url": base, "token": { "value": "t" },
            "webhook_secret": { "value": SECRET }, "simulated": true });
        let made = test.post("/connections", &json!({ "name": name, "kind": "ci", "config": config })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    }
    let config = json!({ "repository": "acme/shop", "environment": "api-staging", "workflow": "deploy.yml",
        "release_image": "ghcr.io/acme/api:{tag}" });
    let binding =
        json!({ "service": "shop/api", "environment": "staging", "kind": "ci", "connection": "hub", "config": config });
    let bound = test.post("/bindings", &binding).await;
    assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
    test
}

/// What GitHub says when a release of `acme/shop` is published.
pub fn released(tag: &str) -> Value {
    json!({ "action": "published", "repository": { "full_name": "acme/shop", "html_url": "https://github.com/acme/shop" },
        "release": { "tag_name": tag, "draft": false, "target_commitish": SHA, "body": "what is new" } })
}

/// Sends GitHub's event with the signature that belongs to exactly these bytes.
pub async fn hear(test: &TestPortal, delivery: &str, encoding: Option<&str>, body: Vec<u8>) -> Answer {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(&body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let request = test.http.post(format!("{}/api/v1/webhooks/github/hub", test.url));
    let request = request.header("x-hub-signature-256", signature).header("x-github-event", "release");
    send(request.header("x-github-delivery", delivery), encoding, body).await
}

async fn send(request: reqwest::RequestBuilder, encoding: Option<&str>, body: Vec<u8>) -> Answer {
    let request = request.header("content-type", "application/json");
    let request = match encoding {
        Some(encoding) => request.header("content-encoding", encoding),
        None => request,
    };
    let response = request.body(body).send().await.unwrap();
    let status = response.status();
    Answer { status, body: response.json().await.unwrap_or(Value::Null) }
}

pub async fn releases(test: &TestPortal) -> Value {
    test.get("/services/shop/api/releases").await.body["total"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_in_chunks_is_answered_long_before_its_end() {
    let test = shop().await;
    let before = test.rows().await;
    let head = format!(
        "POST /api/v1/webhooks/github/hub HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         x-hub-signature-256: sha256={}\r\nx-github-event: release\r\nx-github-delivery: d-1\r\ntransfer-encoding: chunked\r\n\r\n",
        raw::authority(&test.url),
        "0".repeat(64)
    );
    let chunk = [format!("{MIB:x}\r\n").into_bytes(), vec![b' '; MIB], b"\r\n".to_vec()].concat();
    let pieces = std::iter::once(head.into_bytes()).chain(std::iter::repeat_n(chunk, 1024));
    let start = Instant::now();
    let heard = raw::exchange(&test.url, pieces.chain(std::iter::once(b"0\r\n\r\n".to_vec()))).await;
    assert!(start.elapsed() < Duration::from_secs(20), "{:?} for {} bytes", start.elapsed(), heard.sent);
    assert_eq!(heard.status, Some(413), "{}", heard.text);
    assert!(heard.text.contains("\"code\":\"too_large\""), "a problem that says so: {}", heard.text);
    assert!(heard.sent < READ_AT_MOST, "{} bytes were taken", heard.sent);
    assert_eq!(test.rows().await, before);
    assert_eq!(test.get("/services").await.status, StatusCode::OK, "and the portal goes on");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Half a gigabyte and more behind less than a megabyte: the event, and white space, which JSON may end with. Whoever unpacked it would find
/// an event that holds.
fn bomb(event: &str) -> Vec<u8> {
    let (mut packed, spaces) = (gzip(event.as_bytes()), gzip(&vec![b' '; MIB]));
    let times = (MIB - packed.len()) / spaces.len();
    assert!(times > 500, "{times} MB, packed");
    for _ in 0..times {
        packed.extend_from_slice(&spaces);
    }
    packed
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_packed_is_never_unpacked_whoever_signed_it() {
    let test = shop().await;
    let before = test.rows().await;
    let event = released("v1").to_string();
    let (small, large) = (gzip(event.as_bytes()), bomb(&event));
    let start = Instant::now();
    for (encoding, body) in
        [("gzip", &small), ("gzip", &large), ("x-gzip", &small), ("deflate", &small), ("br", &small)]
    {
        let answer = hear(&test, "d-1", Some(encoding), body.clone()).await;
        let what = format!("{encoding}, {} bytes: {}", body.len(), answer.body);
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{what}");
        assert_eq!(
            (&answer.body["code"], &answer.body["errors"][0]["pointer"]),
            (&json!("invalid_input"), &json!("")),
            "{what}"
        );
    }
    let gitlab = test.http.post(format!("{}/api/v1/webhooks/gitlab/lab", test.url)).header("x-gitlab-token", SECRET);
    let answer = send(gitlab, Some("gzip"), large).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    assert!(start.elapsed() < Duration::from_secs(8), "nothing was unpacked: {:?}", start.elapsed());
    assert_eq!(test.rows().await, before);
    assert_eq!(releases(&test).await, 0);
    // The event itself is good, and its delivery was not taken for one that came before.
    let plain = hear(&test, "d-1", None, event.into_bytes()).await;
    assert_eq!(plain.body["releases"][0]["state"], "created", "{}", plain.body);
    assert_eq!(releases(&test).await, 1);
}
