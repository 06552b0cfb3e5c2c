//! Showing again who one is, before production and before the glass: by password, or anew at the provider.

use super::liar::{Liar, now};
use super::providers::{Browser, Providers, SESSION, refusals};
use crate::support::{PASSWORD, TestPortal, deployment};
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

const GLASS: &str = "/services/shop/web/break-glass";

/// As far as the provider and back to the door; on the way it is asked to ask anew.
async fn asked(browser: &mut Browser<'_>, liar: &Liar, next: &str) -> String {
    let left = browser.get(&format!("/auth/p0/confirm?next={next}")).await;
    let address = Url::parse(&left.led_to()).unwrap();
    let asks = |name: &str, value: &str| address.query_pairs().any(|(key, is)| key == name && is == value);
    assert!(asks("prompt", "login") && asks("max_age", "0"), "{address}");
    format!("/auth/p0/callback?{}", liar.authorize(&address))
}

/// Ada comes in by the provider, has no password, and operates everything.
async fn ada<'t>(test: &'t TestPortal, providers: &Providers) -> Browser<'t> {
    crate::support::seed(&test.http, &test.url, &test.admin, &test.simulator.kubernetes_url("test")).await;
    test.bind_production().await;
    providers.liars[0].sign_in("subject-of-ada", json!({ "preferred_username": "ada" }));
    let mut browser = Browser::new(test);
    browser.sign_in(providers, 0, "/").await.led_to();
    let role = json!({ "user": "ada", "role": "operator", "scope": { "kind": "everything" } });
    assert_eq!(test.post("/role-bindings", &role).await.status, StatusCode::CREATED);
    browser
}

/// As if the sign-in were long ago.
async fn time_passes(test: &TestPortal) {
    let mut database = test.database.superuser().await;
    sqlx::query(
        "UPDATE sessions SET data = jsonb_set(data, '{proven_at}', to_jsonb((data ->> 'proven_at')::bigint - 86400))",
    )
    .execute(&mut database)
    .await
    .unwrap();
    // What is known of sessions is forgotten with every change of access.
    let token = test.post("/tokens", &json!({ "name": "t", "role": "viewer" })).await.body;
    let revoke = format!("/tokens/{}", token["id"].as_str().unwrap());
    test.call(reqwest::Method::DELETE, &revoke, &test.admin, None).await;
}

async fn break_glass(browser: &mut Browser<'_>) -> (StatusCode, Value) {
    let open = json!({ "service": "shop/web", "environment": "production", "reason": "payments are down, see 4711" });
    browser.post_json("/api/v1/break-glass", &open).await
}

fn to_production(image: &str) -> Value {
    let mut body = deployment(image);
    body["environment"] = json!("production");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_password_the_provider_opens_the_way_to_the_glass() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", "").await;
    let liar = &providers.liars[0];
    let mut ada = ada(&test, &providers).await;
    let (status, body) = break_glass(&mut ada).await;
    assert_eq!(
        (status, &body["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/password")),
        "{body}"
    );
    assert!(body.to_string().contains("confirm who you are at your provider"), "{body}");
    let page = ada.get(&format!("{GLASS}?environment=production")).await;
    assert!(page.html.contains("/confirm?next="), "{}", page.html);
    let confirm = ada.get("/confirm?next=%2Fservices").await;
    assert!(
        confirm.html.contains("Confirm at Provider 0") && !confirm.html.contains("type=\"password\""),
        "{}",
        confirm.html
    );

    liar.sign_in("subject-of-ada", json!({ "auth_time": now() }));
    let before = ada.cookies[SESSION].clone();
    let door = asked(&mut ada, liar, "/services").await;
    assert_eq!(ada.get(&door).await.led_to(), "/services");
    assert_ne!(ada.cookies[SESSION], before, "a new id after the proof");
    let page = ada.get(&format!("{GLASS}?environment=production")).await;
    assert!(!page.html.contains("type=\"password\""), "{}", page.html);
    let (status, body) = break_glass(&mut ada).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    let told = test.get("/audit?actor=ada&action=access.sign_in&outcome=success").await.body;
    assert_eq!(told["items"][0]["reason"], "showed again who they are, at p0", "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_session_at_the_provider_or_somebody_else_confirms_nothing() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", "").await;
    let liar = &providers.liars[0];
    let mut ada = ada(&test, &providers).await;
    for (subject, claims, cause) in [
        ("subject-of-ada", json!({}), "the provider does not say when it asked who it is (auth_time)"),
        ("subject-of-ada", json!({ "auth_time": now() - 600 }), "the provider did not ask anew who it is (auth_time)"),
        ("subject-of-ada", json!({ "auth_time": "now" }), "what the token endpoint sent cannot be read"),
        ("subject-of-eve", json!({ "auth_time": now() }), "the provider's person is not who is signed in here"),
    ] {
        liar.sign_in(subject, claims);
        let door = asked(&mut ada, liar, "/").await;
        let refused = ada.get(&door).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{}", refused.html);
        assert!(refused.html.contains("Confirm who you are"), "{}", refused.html);
        assert!(refusals(&test).await[0].starts_with(cause), "{:?}", refusals(&test).await[0]);
        assert_eq!(break_glass(&mut ada).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    }
    // Begun by one and ended in the browser of nobody.
    liar.sign_in("subject-of-ada", json!({ "auth_time": now() }));
    let door = asked(&mut ada, liar, "/").await;
    let mut nobody = ada.clone();
    nobody.cookies.remove(SESSION);
    assert_eq!(nobody.get(&door).await.status, StatusCode::BAD_REQUEST);
    assert!(refusals(&test).await[0].starts_with("the confirmation was asked for in another session"));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_while_production_asks_again_and_nothing_typed_is_lost() {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    let person = test.another("ada", Role::Operator).await;
    let mut ada = Browser::new(&test);
    let (key, value) = person.cookie.split_once('=').unwrap();
    ada.cookies.insert(key.to_owned(), value.to_owned());
    time_passes(&test).await;

    let (status, body) = ada.post_json("/api/v1/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("confirmation_needed")), "{body}");
    let denied = test.get("/audit?actor=ada&action=deployment.create&outcome=denied").await.body;
    assert_eq!(denied["items"][0]["reason"], "showed too long ago who they are", "{denied}");
    // Nor by a token that would not be asked.
    let (status, body) = ada.post_json("/api/v1/tokens", &json!({ "name": "t", "role": "operator" })).await;
    assert_eq!((status, &body["code"]), (StatusCode::FORBIDDEN, &json!("confirmation_needed")), "{body}");
    let waiver = json!({ "service": "shop/web", "vulnerability": "CVE-2024-1", "reason": "not reachable", "expires_at": "2099-01-01T00:00:00Z" });
    assert_eq!(ada.post_json("/api/v1/waivers", &waiver).await.1["code"], "confirmation_needed");
    // Elsewhere, and back to safety, nothing is asked.
    let (status, body) = ada.post_json("/api/v1/deployments", &deployment("tinyweb:v2")).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    test.ended(body["id"].as_str().unwrap()).await;
    let hold = "/api/v1/services/shop/web/environments/production/hold";
    assert!(ada.post_json(hold, &json!({ "reason": "wait a moment" })).await.0.is_success());
    let resume = "/api/v1/services/shop/web/environments/production/resume";
    assert_eq!(ada.post_json(resume, &json!({ "reason": "go on now" })).await.1["code"], "confirmation_needed");

    let form = "/services/shop/web/deploy?environment=production&image=tinyweb%3Av2&reason=a%20good%20one";
    let led = ada.get(form).await.led_to();
    assert!(led.starts_with("/confirm?next=") && led.contains("tinyweb") && led.contains("good"), "{led}");
    let page = ada.get(&led).await;
    let (csrf, next) = (crate::support::hidden(&page.html, "csrf"), crate::support::hidden(&page.html, "next"));
    let next = next.replace("&amp;", "&");
    let wrong = ada.post("/confirm", &[("csrf", &csrf), ("next", &next), ("password", "wrong wrong wrong")]).await;
    wrong.refused();
    assert_eq!(wrong.error_at("password"), "does not fit");
    let before = ada.cookies[SESSION].clone();
    let back = ada.post("/confirm", &[("csrf", &csrf), ("next", &next), ("password", PASSWORD)]).await.led_to();
    assert_ne!(ada.cookies[SESSION], before);
    let page = ada.get(&back).await;
    assert!(page.html.contains("a good one") && page.html.contains("tinyweb:v2"), "{}", page.html);
    let (status, body) = ada.post_json("/api/v1/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");

    time_passes(&test).await;
    let confirmation = json!({ "password": PASSWORD });
    let (status, body) = ada.post_json("/api/v1/sessions/current/confirmation", &confirmation).await;
    assert_eq!(status, StatusCode::NO_CONTENT, "{body}");
    assert!(ada.post_json(resume, &json!({ "reason": "go on now" })).await.0.is_success());
    let token = test.post("/sessions/current/confirmation", &confirmation).await;
    assert_eq!(token.status, StatusCode::FORBIDDEN, "{}", token.body);
}
