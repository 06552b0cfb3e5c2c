//! The pages of notifications, and the link in the message that asks for an approval.

use crate::support::{Person, Receiver, Shown, TestPortal};
use passerelle_contract::access::Role;
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use serde_json::json;

fn error_at(page: &Shown, field: &str) -> String {
    let id = format!("id=\"f-{field}-err\"");
    let Some((_, rest)) = page.html.split_once(&id) else { panic!("no error beside {field}: {}", page.html) };
    let (_, rest) = rest.split_once("<span>").unwrap();
    rest.split_once("</span>").unwrap().0.to_owned()
}

fn refused(page: &Shown) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.html);
}

/// Where a form led to.
fn led(page: &Shown) -> String {
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
    page.headers[LOCATION].to_str().unwrap().to_owned()
}

/// The values of a form with some of them changed.
fn with<'a>(all: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = all.iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes).copied().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_made_tried_changed_stopped_and_deleted_by_forms_that_lose_nothing() {
    let test = TestPortal::with_shop().await;
    let receiver = Receiver::start().await;
    let grace = test.person().await;
    assert!(grace.get("/notifications").await.html.contains("No channel yet"));
    let kinds = grace.get("/notifications/channels/new").await;
    assert!(["Slack", "Webhook", "E-mail"].iter().all(|kind| kinds.html.contains(kind)), "{}", kinds.html);

    let url = format!("{}/hook", receiver.url);
    let form = [
        ("kind", "webhook"),
        ("name", "hook"),
        ("config.url", url.as_str()),
        ("config.secret:from", "value"),
        ("config.secret", "a secret of the test"),
        ("language", "fr"),
        ("enabled", "true"),
    ];
    let new = "/notifications/channels/new";
    let bad = grace.post(new, &with(&form, &[("config.url", "kept.example"), ("name", "Kept Name")])).await;
    refused(&bad);
    assert!(error_at(&bad, "name").len() > 8);
    assert!(bad.html.contains("Kept Name") && bad.html.contains("kept.example"), "{}", bad.html);
    assert!(!bad.html.contains("a secret of the test"), "a secret never comes back into a form");
    let bad = grace.post(new, &with(&form, &[("config.secret", "short")])).await;
    refused(&bad);
    assert!(error_at(&bad, "config.secret").contains("16"), "{}", bad.html);
    let page = led(&grace.post(new, &form).await);
    assert_eq!(page, "/notifications/channels/hook");

    assert_eq!(led(&grace.post(&format!("{page}/test"), &[("next", page.as_str())]).await), page);
    let tried = &receiver.wait_for(1).await[0];
    assert!(tried.body.contains("Message d’essai : le canal hook fonctionne"), "{}", tried.body);
    receiver.answer(&[(500, "")]);
    let told = grace.post(&format!("{page}/test"), &[]).await;
    let flash = told.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap()).collect::<String>();
    assert!(flash.contains("psl_flash") && flash.contains("500"), "what was answered is told: {flash}");

    let shown = grace.get(&page).await;
    let etag = crate::support::hidden(&shown.html, "etag").replace("&quot;", "\"");
    let edit =
        [("etag", etag.as_str()), ("config.url", url.as_str()), ("config.secret:from", "keep"), ("language", "en")];
    let elsewhere = grace.post(&page, &with(&edit, &[("config.url", "https://evil.example.test/")])).await;
    refused(&elsewhere);
    assert!(error_at(&elsewhere, "config.secret").contains("address"), "{}", elsewhere.html);
    assert_eq!(led(&grace.post(&page, &edit).await), page);
    assert_eq!(test.get("/notifications/channels/hook").await.body["enabled"], false, "the box was not ticked");
    let late = grace.post(&page, &edit).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "somebody changed it since: {}", late.html);
    assert!(grace.get("/notifications").await.html.contains("stopped"));

    assert_eq!(led(&grace.post(&format!("{page}/delete"), &[]).await), "/notifications");
    assert_eq!(grace.get(&page).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_made_changed_and_deleted_and_the_log_is_shown() {
    let test = TestPortal::with_shop().await;
    let receiver = Receiver::start().await;
    let grace = test.person().await;
    assert!(grace.get("/notifications/rules/new").await.html.contains("Make a channel first."));
    let slack = json!({ "name": "ops", "kind": "slack", "config": { "url": { "value": receiver.url } } });
    assert_eq!(test.post("/notifications/channels", &slack).await.status, StatusCode::CREATED);
    let form = [
        ("channel", "ops"),
        ("team", "shop/sellers"),
        ("system", ""),
        ("environment", "staging"),
        ("tier", ""),
        ("event.deployment.succeeded", "true"),
        ("event.deployment.failed", "true"),
        ("enabled", "true"),
    ];
    let bad = grace.post("/notifications/rules/new", &with(&form, &[("team", "kept team")])).await;
    refused(&bad);
    assert!(error_at(&bad, "team").len() > 8);
    assert!(bad.html.contains("value=\"kept team\""), "{}", bad.html);
    assert_eq!(bad.html.matches("checked").count(), 3, "the boxes stay ticked: {}", bad.html);
    assert_eq!(led(&grace.post("/notifications/rules/new", &form).await), "/notifications/rules");
    let list = grace.get("/notifications/rules").await;
    assert!(list.html.contains("shop/sellers") && list.html.contains("Deployment failed"), "{}", list.html);
    let rules = test.get("/notifications/rules").await.body;
    let page = format!("/notifications/rules/{}", rules["items"][0]["id"].as_str().unwrap());
    assert_eq!(grace.get(&page).await.html.matches("checked").count(), 3);

    receiver.answer(&[(404, "no_service")]);
    test.ended(&test.deploy("tinyweb:v2").await).await;
    receiver.wait_for(1).await;
    let failed = loop {
        let log = grace.get("/notifications/deliveries?state=failed&service=shop/web").await;
        if log.html.contains("no_service") {
            break log;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(failed.html.contains("Send again"), "{}", failed.html);
    let retry = failed.html.split("action=\"").find(|part| part.contains("/retry\"")).unwrap();
    let retry = retry.split('"').next().unwrap().to_owned();
    let viewer = test.another("vera", Role::Viewer).await;
    assert_eq!(viewer.get("/notifications").await.status, StatusCode::FORBIDDEN);
    assert_eq!(viewer.post(&retry, &[]).await.status, StatusCode::FORBIDDEN);
    let back = led(&grace.post(&retry, &[("filters", "?state=failed&service=shop%2Fweb")]).await);
    assert_eq!(back, "/notifications/deliveries?state=failed&service=shop%2Fweb");
    receiver.wait_for(2).await;

    assert_eq!(led(&grace.post(&page, &with(&form, &[("enabled", "")])).await), "/notifications/rules");
    assert_eq!(test.get("/notifications/rules").await.body["items"][0]["enabled"], false);
    assert_eq!(led(&grace.post(&format!("{page}/delete"), &[]).await), "/notifications/rules");
    assert_eq!(test.get("/notifications/rules").await.body["total"], 0);
}

/// `shop/web` in production, where one other person has to approve, and a channel that is told of requests.
async fn asking() -> (TestPortal, Receiver) {
    let (test, receiver) = (TestPortal::with_shop().await, Receiver::start().await);
    let binding = json!({ "service": "shop/web", "environment": "production", "kind": "kubernetes", "connection": "c1",
        "config": { "namespace": "shop", "deployment": "api" } });
    let slack = json!({ "name": "ops", "kind": "slack", "config": { "url": { "value": receiver.url } } });
    let rule = json!({ "channel": "ops", "tier": "production",
        "events": ["approval.requested", "approval.given", "approval.voided"] });
    for (path, body) in [("/bindings", binding), ("/notifications/channels", slack), ("/notifications/rules", rule)] {
        let made = test.post(path, &body).await;
        assert_eq!(made.status, StatusCode::CREATED, "{path}: {}", made.body);
    }
    let policy = json!({ "preflight": "block", "approval": { "needed": 1 } });
    let put = test.call(Method::PUT, "/gates/policies/production", &test.admin, Some(&policy)).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    (test, receiver)
}

async fn ask(grace: &Person<'_>) -> String {
    let fields = [("environment", "production"), ("image", "tinyweb:v2"), ("reason", "a test"), ("confirm", "web")];
    led(&grace.post("/services/shop/web/deploy", &fields).await)
}

/// The way of the signed link in a message.
fn link(body: &str) -> String {
    let (_, rest) = body.split_once("/approve/").unwrap_or_else(|| panic!("no link: {body}"));
    let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    format!("/approve/{token}")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_leads_whoever_may_approve_to_the_decision_and_proves_nothing() {
    let (test, receiver) = asking().await;
    let (grace, bob, vera) =
        (test.person().await, test.another("bob", Role::Operator).await, test.another("vera", Role::Viewer).await);
    let deployment = ask(&grace).await;
    let link = link(&receiver.wait_for(1).await[0].body);
    let approve = [("decision", "approve"), ("note", "")];

    let nobody = grace.anonymous();
    let sent_away = led(&nobody.get(&link).await);
    assert!(sent_away.starts_with("/sign-in?next=%2Fapprove%2F"), "{sent_away}");
    assert!(led(&nobody.post(&link, &approve).await).starts_with("/sign-in"));
    let own = grace.get(&link).await;
    assert!(own.html.contains("You asked for it, so another person has to approve."), "{}", own.html);
    assert_eq!(grace.post(&link, &approve).await.status, StatusCode::FORBIDDEN);
    assert!(!vera.get(&link).await.html.contains("value=\"approve\""));
    assert_eq!(vera.post(&link, &approve).await.status, StatusCode::FORBIDDEN);
    let mut edited = link.clone();
    let last = if edited.pop() == Some('A') { 'B' } else { 'A' };
    edited.push(last);
    assert_eq!(bob.get(&edited).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bob.post(&edited, &approve).await.status, StatusCode::NOT_FOUND);

    for _ in 0..2 {
        let page = bob.get(&link).await;
        assert!(page.status == StatusCode::OK && page.html.contains("value=\"approve\""), "{}", page.html);
    }
    let state = test.get(&format!("/deployments/{}", deployment.rsplit('/').next().unwrap())).await.body;
    assert_eq!(state["state"], "awaiting_approval", "reading changes nothing");
    let silent = bob.post(&link, &[("decision", "reject"), ("note", "")]).await;
    refused(&silent);
    assert!(error_at(&silent, "note").len() > 8);
    assert_eq!(led(&bob.post(&link, &approve).await), deployment);
    let ended = test.ended(deployment.rsplit('/').next().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let over = bob.get(&link).await;
    assert!(
        over.html.contains("does not wait for approval any more") && !over.html.contains("value=\"approve\""),
        "{}",
        over.html
    );
    assert_eq!(bob.post(&link, &approve).await.status, StatusCode::CONFLICT);
    let told = receiver.wait_for(2).await;
    assert!(told[1].body.contains("Approved by bob: shop/web v2 to production"), "{}", told[1].body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_good_for_exactly_what_was_asked_for() {
    let (test, receiver) = asking().await;
    let (grace, bob) = (test.person().await, test.another("bob", Role::Operator).await);
    let deployment = ask(&grace).await;
    let first = link(&receiver.wait_for(1).await[0].body);
    let change = [("to", ""), ("to_image", "tinyweb:v3"), ("change_reason", "another version")];
    led(&grace.post(&format!("{deployment}/change"), &change).await);
    let second = link(&receiver.wait_for(2).await[1].body);
    assert_ne!(first, second);
    let old = bob.get(&first).await;
    assert!(
        old.html.contains("what is asked for has changed") && !old.html.contains("value=\"approve\""),
        "{}",
        old.html
    );
    assert_eq!(bob.post(&first, &[("decision", "approve")]).await.status, StatusCode::CONFLICT);
    assert!(bob.get(&second).await.html.contains("v3"));
    assert_eq!(led(&bob.post(&second, &[("decision", "approve")]).await), deployment);
}
