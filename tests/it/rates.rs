//! Limits of requests: by who asks, by a stranger's address, and for changes by one route.

use crate::support::TestPortal;
use passerelle_contract::access::{Role, Scope};
use reqwest::StatusCode;
use serde_json::{Value, json};

async fn limited(requests: u32, writes: u32) -> TestPortal {
    TestPortal::start_with(|config, _| {
        (config.server.requests_per_minute, config.server.writes_per_minute) = (requests, writes);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_token_that_runs_wild_keeps_nobody_else_out() {
    let test = limited(30, 0).await;
    let wild = test.token("wild", Role::Viewer, Scope::Everything).await;
    let me = || test.http.get(format!("{}/api/v1/me", test.url)).bearer_auth(&wild).send();
    let mut asked = 0;
    let refused = loop {
        let answer = me().await.unwrap();
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        asked += 1;
        assert!(asked <= 32, "what comes back meanwhile is little");
    };
    assert!(asked >= 30, "{asked}");
    let wait: u64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=3).contains(&wait), "one comes back every two seconds: {wait}");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["code"], "rate_limited", "{problem}");
    assert_eq!(test.get("/me").await.status, StatusCode::OK, "another token of the same machine");
    // Without a credential the address is counted, and health never is.
    let page = |path: &str| test.http.get(format!("{}{path}", test.url)).send();
    let mut strangers = 0;
    while page("/sign-in").await.unwrap().status() != StatusCode::TOO_MANY_REQUESTS {
        strangers += 1;
        assert!(strangers <= 32, "a stranger is limited too");
    }
    // A browser is told on a page, in its language.
    let browser = test.http.get(format!("{}/sign-in", test.url)).header("accept", "text/html,*/*;q=0.8");
    let told = browser.header("accept-language", "fr").send().await.unwrap();
    assert_eq!(told.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(told.headers().contains_key("retry-after") && told.headers()["content-type"] == "text/html; charset=utf-8");
    let html = told.text().await.unwrap();
    assert!(html.contains("<html lang=\"fr\">") && html.contains("/docs/errors/rate_limited"), "{html}");
    for _ in 0..40 {
        assert_eq!(page("/healthz").await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(test.get("/me").await.status, StatusCode::OK, "strangers keep nobody out who is known");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_by_one_route_have_a_limit_of_their_own() {
    let test = limited(0, 4).await;
    let ask = |number: usize| {
        let body = json!({ "name": format!("token {number}"), "role": "viewer" });
        let test = &test;
        async move { test.post("/tokens", &body).await.status }
    };
    let mut made = 0;
    while ask(made).await != StatusCode::TOO_MANY_REQUESTS {
        made += 1;
        assert!(made <= 6, "there is a limit");
    }
    assert!(made >= 4, "{made}");
    assert_eq!(test.get("/tokens").await.status, StatusCode::OK, "reading goes on");
    let other = test.post("/environments", &json!({})).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "another route goes on: {}", other.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_can_report_what_the_policy_refused_and_nobody_has_to_be_signed_in() {
    let test = TestPortal::start().await;
    let page = test.http.get(format!("{}/sign-in", test.url)).send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with("report-uri /csp-reports"), "{policy}");
    let report = json!({ "csp-report": { "document-uri": format!("{}/sign-in", test.url), "blocked-uri": "inline" } });
    let send = |body: String| {
        let request =
            test.http.post(format!("{}/csp-reports", test.url)).header("content-type", "application/csp-report");
        request.header("sec-fetch-site", "same-origin").body(body).send()
    };
    assert_eq!(send(report.to_string()).await.unwrap().status(), StatusCode::NO_CONTENT);
    for bad in ["[1", "[]", "{\"csp-report\": 7}"] {
        assert_eq!(send(bad.to_owned()).await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }
    assert_eq!(send("x".repeat(2 << 20)).await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY);
}
