//! Signing out: here, at the provider too, by the provider, and everywhere at once.

use super::providers::{Browser, Providers, refusals};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const VIEWERS: &str = "groups_claim = \"groups\"\nroles = [{ group = \"g\", role = \"viewer\" }]";

async fn told(test: &crate::support::TestPortal, provider: &str, token: &str) -> StatusCode {
    let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", token).finish();
    let request = test.http.post(format!("{}/auth/{provider}/backchannel-logout", test.url));
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(body).send().await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_here_may_sign_out_there_too() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", VIEWERS).await;
    providers.liars[0].sign_in("s", json!({ "groups": ["g"] }));
    let mut browser = Browser::new(&test);
    browser.sign_in(&providers, 0, "/").await.led_to();
    let csrf = browser.csrf().await;
    let out = browser.post("/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(out.led_to(), "/sign-in?signed_out=true&of=p0");
    browser.cookies.clear();
    let page = browser.get("/sign-in?signed_out=true&of=p0").await;
    assert!(page.html.contains("href=\"/auth/p0/sign-out\"") && page.html.contains("Sign out at Provider 0 too"));
    assert!(!browser.get("/sign-in?signed_out=true&of=<b>").await.html.contains("<b>"));
    let there = browser.get("/auth/p0/sign-out").await;
    let back = url::form_urlencoded::byte_serialize(format!("{}/sign-in", test.url).as_bytes()).collect::<String>();
    let issuer = &providers.liars[0].issuer;
    assert_eq!(there.led_to(), format!("{issuer}/end?client_id=passerelle&post_logout_redirect_uri={back}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_ends_the_sessions_that_it_names() {
    let providers = Providers::start(2).await;
    let test = providers.portal_with("everybody", VIEWERS).await;
    let sign_in = async |n: usize, subject: &str, sid: &str| {
        providers.liars[n].sign_in(subject, json!({ "groups": ["g"], "sid": sid }));
        let mut browser = Browser::new(&test);
        browser.sign_in(&providers, n, "/").await.led_to();
        browser
    };
    let (mut one, mut two) = (sign_in(0, "a", "s-1").await, sign_in(0, "a", "s-2").await);
    let (mut other, mut elsewhere) = (sign_in(0, "b", "s-3").await, sign_in(1, "a", "s-1").await);
    let token = |subject: &str, sid: Option<&str>, id: &str, twist: Value| {
        providers.liars[0].logout_token(subject, sid, id, &twist)
    };
    for (cause, bad) in [
        ("the logout token is for another client", token("a", None, "x", json!({ "aud": "other" }))),
        ("a logout token has no nonce", token("a", None, "x", json!({ "nonce": "n" }))),
        ("the token tells no logout", token("a", None, "x", json!({ "events": {} }))),
        ("this is no logout token", "a.b.c".to_owned()),
        ("the logout token is of another issuer", token("a", None, "x", json!({ "iss": providers.liars[1].issuer }))),
    ] {
        assert_eq!(told(&test, "p0", &bad).await, StatusCode::BAD_REQUEST, "{cause}");
        assert!(refusals(&test).await[0].starts_with(cause), "{cause}: {:?}", refusals(&test).await);
    }
    // Signed by another provider, and one that is meant for another.
    let foreign = providers.liars[1].logout_token("a", None, "x", &json!({ "iss": providers.liars[0].issuer }));
    assert_eq!(told(&test, "p1", &foreign).await, StatusCode::BAD_REQUEST);
    assert!(one.me().await.is_some() && two.me().await.is_some());
    // One session of the person, then the rest.
    let first = token("a", Some("s-1"), "1", json!({}));
    assert_eq!(told(&test, "p0", &first).await, StatusCode::OK);
    assert!(one.me().await.is_none() && two.me().await.is_some());
    assert_eq!(told(&test, "p0", &first).await, StatusCode::BAD_REQUEST, "once");
    assert_eq!(told(&test, "p0", &token("a", None, "2", json!({}))).await, StatusCode::OK);
    assert!(two.me().await.is_none());
    assert!(other.me().await.is_some() && elsewhere.me().await.is_some(), "nobody else's");
    let rows = test.get("/audit?action=access.sign_in&outcome=success").await.body;
    assert_eq!(rows["items"][0]["reason"], "signed out at p0: 1 sessions ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_sessions_of_a_person_end_at_once() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", VIEWERS).await;
    providers.liars[0].sign_in("s", json!({ "preferred_username": "ada", "groups": ["g"] }));
    let mut browsers = [Browser::new(&test), Browser::new(&test), Browser::new(&test)];
    for browser in &mut browsers {
        browser.sign_in(&providers, 0, "/").await.led_to();
    }
    let [one, two, three] = &mut browsers;
    let page = one.get("/access/sessions").await;
    assert!(page.html.contains("End all sessions"), "{}", page.html);
    let csrf = one.csrf().await;
    one.post("/access/sessions", &[("csrf", &csrf), ("user", "ada")]).await.led_to();
    assert!(one.me().await.is_none() && two.me().await.is_none() && three.me().await.is_none());
    // Somebody else's only by an administrator.
    three.sign_in(&providers, 0, "/").await.led_to();
    let csrf = three.csrf().await;
    let refused = three.post("/access/sessions", &[("csrf", &csrf), ("user", "root")]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.html);
    let ended = test.call(Method::DELETE, "/sessions?user=ada", &test.admin, None).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT, "{}", ended.body);
    assert!(three.me().await.is_none());
}
