//! Which ways in there are: a provider that is down, passwords for some or nobody, users that are disabled.

use super::liar::Lie;
use super::providers::{Browser, Providers, refusals, sessions};
use crate::support::{PASSWORD, TestPortal};
use passerelle_contract::access::Role;
use reqwest::{Method, StatusCode};
use serde_json::json;

const ADMINS: &str = "groups_claim = \"groups\"\nroles = [{ group = \"admins\", role = \"admin\" }]";

async fn with_password(test: &TestPortal, user: &str) -> StatusCode {
    test.call(Method::POST, "/sessions", "", Some(&json!({ "user": user, "password": PASSWORD }))).await.status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_holds_nobody_else_up() {
    let providers = Providers::start(2).await;
    providers.liars[0].tell(Some(Lie::DescriptionFails));
    let test = providers.portal().await;
    let mut browser = Browser::new(&test);
    let page = browser.get("/sign-in").await;
    assert!(page.status == StatusCode::OK && page.html.contains("/auth/p0/") && page.html.contains("/auth/p1/"));
    let down = browser.get("/auth/p0/sign-in").await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(down.html.contains("cannot be reached") && down.html.contains("/auth/p1/sign-in"), "{}", down.html);
    browser.sign_in(&providers, 1, "/").await.led_to();
    assert!(browser.me().await.is_some());
    test.another("grace", Role::Admin).await;
    assert_eq!(browser.get("/auth/nobody/sign-in").await.status, StatusCode::SEE_OTHER, "already signed in");
    assert_eq!(Browser::new(&test).get("/auth/nobody/sign-in").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_end_only_once_a_provider_has_worked() {
    for (local, administrator) in [("administrators", StatusCode::NO_CONTENT), ("nobody", StatusCode::UNAUTHORIZED)] {
        let providers = Providers::start(1).await;
        let test = providers.portal_with(local, ADMINS).await;
        test.another("grace", Role::Admin).await;
        test.another("eve", Role::Developer).await;
        let mut page = Browser::new(&test);
        assert!(page.get("/sign-in").await.html.contains("name=\"password\""));
        providers.liars[0].sign_in("s", json!({ "groups": ["admins"] }));
        assert_eq!(Browser::new(&test).sign_in(&providers, 0, "/").await.led_to(), "/");
        assert_eq!(with_password(&test, "eve").await, StatusCode::UNAUTHORIZED, "{local}");
        assert_eq!(with_password(&test, "grace").await, administrator, "{local}");
        assert!(refusals(&test).await.iter().any(|row| row.starts_with("sign-in with a password is not open")));
        let html = page.get("/sign-in").await.html;
        assert_eq!(html.contains("name=\"password\""), local == "administrators", "{html}");
        assert_eq!(html.contains("Administrators: sign in with a password"), local == "administrators");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_locked_out_by_a_provider_without_an_administrator() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("nobody", "").await;
    test.another("grace", Role::Admin).await;
    test.another("eve", Role::Developer).await;
    Browser::new(&test).sign_in(&providers, 0, "/").await.led_to();
    assert_eq!(with_password(&test, "grace").await, StatusCode::NO_CONTENT);
    assert_eq!(with_password(&test, "eve").await, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_here_stays_out() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", ADMINS).await;
    providers.liars[0].sign_in("s", json!({ "preferred_username": "ada", "groups": ["admins"] }));
    let mut browser = Browser::new(&test);
    browser.sign_in(&providers, 0, "/").await.led_to();
    let off = test.call(Method::PATCH, "/users/ada", &test.admin, Some(&json!({ "disabled": true }))).await;
    // The last administrator of everything may be one of a provider.
    assert_eq!(off.status, StatusCode::CONFLICT, "{}", off.body);
    test.another("grace", Role::Admin).await;
    let off = test.call(Method::PATCH, "/users/ada", &test.admin, Some(&json!({ "disabled": true }))).await;
    assert_eq!(off.status, StatusCode::OK, "{}", off.body);
    assert!(browser.me().await.is_none());
    let before = sessions(&test).await;
    let shown = browser.sign_in(&providers, 0, "/").await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
    assert!(shown.html.contains("is disabled in this portal"), "{}", shown.html);
    assert_eq!(sessions(&test).await, before);
    assert!(refusals(&test).await[0].starts_with("the user is disabled; at p0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_counted_with_those_of_passwords() {
    let providers = Providers::start(1).await;
    let test = providers.portal().await;
    let mut last = StatusCode::OK;
    for _ in 0..31 {
        last = Browser::new(&test).get("/auth/p0/callback?code=a&state=b").await.status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(with_password(&test, "nobody").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refusals(&test).await.len(), 30);
}
