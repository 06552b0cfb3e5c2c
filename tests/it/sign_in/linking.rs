//! A local user gets a provider as a further way in: by proof, and in no other way.

use super::liar::Liar;
use super::providers::{Browser, Providers, SESSION, refusals};
use crate::support::{PASSWORD, TestPortal};
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use reqwest::header::LOCATION;
use serde_json::json;
use std::sync::Arc;
use url::Url;

/// Signed in with a password, in a browser.
async fn local<'t>(test: &'t TestPortal, name: &str) -> Browser<'t> {
    let person = test.another(name, Role::Viewer).await;
    let mut browser = Browser::new(test);
    let (key, value) = person.cookie.split_once('=').unwrap();
    browser.cookies.insert(key.to_owned(), value.to_owned());
    browser
}

/// With the password, as far as the provider and back to the door.
async fn asked(browser: &mut Browser<'_>, liar: &Arc<Liar>) -> String {
    let csrf = crate::support::hidden(&browser.get("/access/sign-in").await.html, "csrf");
    let page = browser.post("/access/sign-in/p0", &[("csrf", &csrf), ("password", PASSWORD)]).await;
    assert_eq!((page.status, page.headers.get(LOCATION)), (StatusCode::OK, None), "{}", page.html);
    let (_, rest) = page.html.split_once(&format!("href=\"{}/authorize", liar.issuer)).unwrap();
    let query = rest.split_once('"').unwrap().0.replace("&amp;", "&");
    let address = Url::parse(&format!("{}/authorize{query}", liar.issuer)).unwrap();
    format!("/auth/p0/callback?{}", liar.authorize(&address))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_proves_both_may_sign_in_both_ways() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", "").await;
    let liar = &providers.liars[0];
    liar.sign_in("subject-of-eve", json!({ "preferred_username": "somebody" }));
    let mut eve = local(&test, "eve").await;
    // Without the password nothing begins.
    let csrf = crate::support::hidden(&eve.get("/access/sign-in").await.html, "csrf");
    eve.post("/access/sign-in/p0", &[("csrf", &csrf), ("password", "wrong wrong wrong")]).await.refused();
    let before = eve.cookies[SESSION].clone();
    let door = asked(&mut eve, liar).await;
    assert_eq!(eve.get(&door).await.led_to(), "/access/sign-in");
    assert_ne!(eve.cookies[SESSION], before, "a new id after the proof");
    let page = eve.get("/access/sign-in").await;
    assert!(page.html.contains(&liar.issuer) && !page.html.contains("action=\"/access/sign-in/p0\""), "{}", page.html);
    let mut other = Browser::new(&test);
    assert_eq!(other.sign_in(&providers, 0, "/services").await.led_to(), "/services");
    assert_eq!(other.me().await.unwrap()["user"], "eve");
    let rows = test.get("/audit?actor=eve&action=access.own&outcome=success").await.body;
    assert_eq!(rows["items"][0]["after"]["subject"], "subject-of-eve", "{rows}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_half_of_a_proof_links_anything() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", "").await;
    let liar = &providers.liars[0];
    // Somebody has a user of their own.
    Browser::new(&test).sign_in(&providers, 0, "/").await.led_to();
    let mut eve = local(&test, "eve").await;
    let door = asked(&mut eve, liar).await;
    let taken = eve.get(&door).await;
    assert_eq!(taken.status, StatusCode::CONFLICT, "{}", taken.html);
    assert!(refusals(&test).await[0].starts_with("the provider's person has a user already"));
    // Begun by one and ended in the browser of another, or of nobody.
    liar.sign_in("new-subject", json!({}));
    let mut mallory = local(&test, "mallory").await;
    for victim in [Some(&mut mallory), None] {
        let door = asked(&mut eve, liar).await;
        let mut foreign = victim.map_or_else(|| Browser::new(&test), |victim| victim.clone());
        let session = foreign.cookies.get(SESSION).cloned();
        foreign.cookies = eve.cookies.clone();
        foreign.cookies.remove(SESSION);
        foreign.cookies.extend(session.map(|session| (SESSION.to_owned(), session)));
        assert_eq!(foreign.get(&door).await.status, StatusCode::BAD_REQUEST);
        assert!(refusals(&test).await[0].starts_with("the further way to sign in was asked for in another session"));
    }
    assert_eq!(test.rows().await["user_identities"], 1);
}
