//! Attempt 1: two credentials at once, one in the address, and one of a megabyte, on every route of the API.

use super::hosts::status_of;
use super::routes::{self, Route};
use crate::support::TestPortal;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// One way to present what would be a good token by itself.
struct Attempt {
    what: &'static str,
    /// Values of `Authorization`.
    headers: Vec<String>,
    in_address: bool,
}

fn attempts(token: &str) -> Vec<Attempt> {
    let (good, bad) = (format!("Bearer {token}"), "Bearer x".to_owned());
    let attempt = |what, headers, in_address| Attempt { what, headers, in_address };
    vec![
        attempt("the same header twice", vec![good.clone(), good.clone()], false),
        attempt("a good header, then a bad one", vec![good.clone(), bad.clone()], false),
        attempt("a bad header, then a good one", vec![bad, good.clone()], false),
        attempt("two in one header", vec![format!("{good}, {good}")], false),
        attempt("in the address", Vec::new(), true),
        attempt("in the address and in a header", vec![good], true),
    ]
}

/// Behind a proxy that is believed: each attempt comes from an address of its own, so that no limit answers in the place of the check.
async fn portal() -> TestPortal {
    TestPortal::start_with(|config, _| config.server.trusted_proxies = "127.0.0.1/32".to_owned()).await
}

/// An address of the network that is kept for trying equipment.
fn source(number: usize) -> String {
    format!("198.18.{}.{}", number / 250, number % 250 + 1)
}

async fn send(test: &TestPortal, attempt: &Attempt, route: &Route, number: usize) -> (StatusCode, Value) {
    let mut url = format!("{}/api/v1{}", test.url, route.path);
    if attempt.in_address {
        url = format!("{url}?access_token={}", test.admin);
    }
    let mut request = test.http.request(route.method.clone(), url).header("x-forwarded-for", source(number));
    for value in &attempt.headers {
        request = request.header("authorization", value);
    }
    if route.method != Method::GET {
        request = request.json(&json!({}));
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap_or_default())
}

async fn refused_credentials(test: &TestPortal) -> Value {
    test.get("/audit?action=access.sign_in&outcome=denied").await.body["total"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_credentials_and_one_in_the_address_are_refused_on_every_route() {
    let test = portal().await;
    let (routes, rows) = (routes::all(&test).await, test.rows().await);
    let (mut tried, mut wrong) = (0, Vec::new());
    for attempt in attempts(&test.admin) {
        for route in &routes {
            tried += 1;
            let (status, problem) = send(&test, &attempt, route, tried).await;
            if status != StatusCode::UNAUTHORIZED || problem["code"] != "unauthenticated" {
                wrong.push(format!("{} {}, {}: {status} {problem}", route.method, route.template, attempt.what));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(refused_credentials(&test).await, tried, "each is a row of the audit");
    assert_eq!(test.rows().await, rows, "nothing was changed");
    assert_eq!(test.get("/me").await.status, StatusCode::OK, "by itself the token is good");
    // Under another name a parameter is no credential at all.
    for name in ["access%5Ftoken", "token", "bearer_token", "private_token", "apikey"] {
        let answer = test.call(Method::GET, &format!("/me?{name}={}", test.admin), "", None).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_of_a_token_is_refused_on_every_route_and_the_server_goes_on() {
    let test = portal().await;
    let (routes, rows) = (routes::all(&test).await, test.rows().await);
    let (mut cut_off, mut wrong) = (0, Vec::new());
    for (number, route) in routes.iter().enumerate() {
        for size in [300 << 10, 1 << 20] {
            let head = format!(
                "{} /api/v1{} HTTP/1.1\r\nhost: portal.test\r\nconnection: close\r\ncontent-length: 0\r\nx-forwarded-for: {}\r\n",
                route.method,
                route.path,
                source(number)
            );
            let request = format!("{head}authorization: Bearer {}\r\n\r\n", "x".repeat(size));
            let status = status_of(&test, request.into_bytes()).await;
            // The server reads so many bytes of headers at most; what is less gets as far as the check.
            let good = if size < 1 << 20 { status == Some(401) } else { matches!(status, Some(431) | None) };
            cut_off += usize::from(status == Some(431));
            if !good {
                wrong.push(format!("{} {} with {size} bytes: {status:?}", route.method, route.template));
            }
        }
    }
    assert!(wrong.is_empty(), "{} are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(cut_off > 0, "nobody was told why");
    assert_eq!(refused_credentials(&test).await, routes.len(), "what was read is a row each, what was cut off is none");
    assert_eq!(test.rows().await, rows, "nothing was changed");
    assert_eq!(test.get("/me").await.status, StatusCode::OK, "the server goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_on_is_slowed_down_and_fills_no_audit() {
    let test = TestPortal::start().await;
    let me = routes::all(&test).await.into_iter().find(|route| route.template == "/me").unwrap();
    for attempt in attempts(&test.admin).iter().cycle().take(100) {
        let (status, problem) = send(&test, attempt, &me, 0).await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")), "{problem}");
    }
    for attempt in attempts(&test.admin) {
        // Nobody is believed about their address here, so another one does not help.
        let (status, problem) = send(&test, &attempt, &me, 7).await;
        assert_eq!((status, &problem["code"]), (StatusCode::TOO_MANY_REQUESTS, &json!("rate_limited")), "{problem}");
    }
    assert_eq!(refused_credentials(&test).await, 100);
    assert_eq!(test.get("/me").await.status, StatusCode::OK, "a good token from the same address");
}
