//! The deploy page: nothing that was chosen or typed is lost unseen; and pages for those who may only look.

use crate::support::{Shown, TestPortal};
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

const DEPLOY: &str = "/services/shop/web/deploy?environment=staging";

async fn with_release() -> TestPortal {
    let test = TestPortal::with_shop().await;
    let release = json!({ "service": "shop/web", "version": "2.0.0", "image": "tinyweb:v2" });
    let made = test.post("/releases", &release).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    test
}

fn planned(page: &Shown) -> bool {
    page.html.contains("id=\"f-reason\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_and_an_image_are_asked_about_and_links_keep_what_was_chosen() {
    let test = with_release().await;
    let grace = test.person().await;
    let both = grace.get(&format!("{DEPLOY}&version=2.0.0&image=tinyweb:v3&exempt=p0_fix")).await;
    assert_eq!(both.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", both.html);
    assert!(both.html.contains("id=\"f-image-err\"") && both.html.contains("You have chosen release 2.0.0 too."));
    assert!(both.html.contains("value=\"tinyweb:v3\"") && !planned(&both), "{}", both.html);
    // "Deploy again" names both, and they are the same.
    let again = grace.get(&format!("{DEPLOY}&version=2.0.0&image=tinyweb:v2")).await;
    assert!(again.status == StatusCode::OK && planned(&again), "{}", again.html);
    let other = grace.get(&format!("{DEPLOY}&image=tinyweb:v3&exempt=p0_fix")).await;
    assert!(planned(&other) && other.html.contains("value=\"tinyweb:v3\""), "{}", other.html);
    let link = "/services/shop/web/deploy?environment=staging&amp;image=tinyweb%3Av3&amp;exempt=p0_fix";
    assert!(other.html.contains(link), "{}", other.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_is_shown_in_short_and_can_be_copied_whole() {
    let test = with_release().await;
    let grace = test.person().await;
    let digest = "ab".repeat(32);
    let page = grace.get(&format!("{DEPLOY}&image=tinyweb@sha256:{digest}")).await;
    let whole = format!("data-copy=\"tinyweb@sha256:{digest}\"");
    assert_eq!(page.html.matches(&whole).count(), 1, "once: {}", page.html);
    assert!(page.html.contains("tinyweb@sha256:abababababab…"), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_names_a_release_or_an_image() {
    let test = with_release().await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let grace = test.person().await;
    let fields = [("to", "2.0.0"), ("to_image", "tinyweb:v3"), ("change_reason", "kept reason")];
    let deployment = test.get("/deployments").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let page = grace.post(&format!("/deployments/{deployment}/change"), &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.html);
    for path in ["/deployments/nonsense", "/deployments/nonsense/live"] {
        let absent = grace.get(path).await;
        assert_eq!(absent.status, StatusCode::NOT_FOUND, "{path}");
        assert!(absent.html.contains("<h1"), "a page: {}", absent.html);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_freeze_is_shown_without_a_form_to_those_who_cannot_change_it() {
    let test = TestPortal::with_shop().await;
    let freeze = json!({ "scope": { "kind": "environment", "value": "staging" }, "title": "Big day" });
    let made: Value = test.post("/freezes", &freeze).await.body;
    let path = format!("/freezes/{}", made["id"].as_str().unwrap());
    let (grace, vera) = (test.person().await, test.another("vera", Role::Viewer).await);
    let form = "name=\"scope_kind\"";
    assert!(grace.get(&path).await.html.contains(form));
    let shown = vera.get(&path).await;
    assert!(shown.html.contains("You cannot change this freeze") && !shown.html.contains(form), "{}", shown.html);
    assert!(!shown.html.contains("/lift\"") && shown.html.contains("until it is lifted"), "{}", shown.html);
    let odd = [("title", "Kept title"), ("scope_kind", "global"), ("time_zone", "UTC"), ("repeats", "sometimes")];
    let refused = grace.post("/freezes/new", &odd).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.html);
    assert!(refused.html.contains("f-repeats-err") && refused.html.contains("Kept title"), "{}", refused.html);
}
