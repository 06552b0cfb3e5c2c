//! The pages of the gates: approving, changing and breaking the glass by forms, policies, freezes and waivers, and what they
//! say when a value is refused.

use crate::support::{PASSWORD, Person, Shown, TestPortal, hidden};
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

const PLACE: &str = "/services/shop/web";

/// `shop/web` is bound in production too, and production asks for so many approvals.
async fn production(approvals: u8) -> TestPortal {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    let policy = json!({ "preflight": "block", "freeze": "block", "promotion_order": { "mode": "block" },
        "approval": { "needed": approvals } });
    let put = test.put("/gates/policies/production", &policy).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    test
}

async fn deploy(person: &Person<'_>, image: &str) -> Shown {
    let fields = [("environment", "production"), ("image", image), ("reason", "a test"), ("confirm", "web")];
    person.post(&format!("{PLACE}/deploy"), &fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_person_approves_on_the_page_and_it_runs() {
    let test = production(1).await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let (grace, bob) = (test.person().await, test.another("bob", Role::Operator).await);
    let plan = grace.get(&format!("{PLACE}/deploy?environment=production&image=tinyweb:v2")).await;
    assert!(plan.html.contains("Ask for approval: v2 to production"), "{}", plan.html);
    let page = deploy(&grace, "tinyweb:v2").await.led_to();
    let own = grace.get(&page).await;
    assert!(own.html.contains("You asked for it, so another person has to approve."), "{}", own.html);
    assert!(own.html.contains("Approvals: 0 of 1") && !own.html.contains("value=\"approve\""));
    assert!(!grace.get("/approvals").await.html.contains(&page), "one's own request does not wait for oneself");

    assert!(bob.get("/").await.html.contains("1 deployment waits for your approval"));
    let waiting = bob.get("/approvals").await;
    assert!(waiting.html.contains(&page) && waiting.html.contains(">1</span>"), "the navigation counts it");
    assert!(!grace.get("/approvals").await.html.contains(">1</span>"));
    let silent = bob.post(&format!("{page}/approval"), &[("decision", "reject"), ("note", "")]).await;
    silent.refused();
    assert!(silent.error_at("note").len() > 8);
    let odd = bob.post(&format!("{page}/approval"), &[("decision", "maybe"), ("note", "kept note")]).await;
    odd.refused();
    assert!(odd.html.contains("kept note"), "{}", odd.html);
    let mine = grace.post(&format!("{page}/approval"), &[("decision", "approve")]).await;
    assert_eq!(mine.status, StatusCode::FORBIDDEN, "{}", mine.html);

    let done = bob.post(&format!("{page}/approval"), &[("decision", "approve"), ("note", "looks right")]).await;
    assert_eq!(done.led_to(), page);
    let ended = test.ended(page.rsplit('/').next().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let after = bob.get(&page).await;
    assert!(after.html.contains("looks right") && !after.html.contains("value=\"approve\""), "{}", after.html);
    let late = bob.post(&format!("{page}/approval"), &[("decision", "approve")]).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_what_is_asked_for_voids_what_was_said() {
    let test = production(2).await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let (grace, bob) = (test.person().await, test.another("bob", Role::Operator).await);
    let page = deploy(&grace, "tinyweb:v2").await.led_to();
    bob.post(&format!("{page}/approval"), &[("decision", "approve")]).await.led_to();
    let said = bob.get(&page).await;
    assert!(said.html.contains("Approvals: 1 of 2") && said.html.contains("You have approved."), "{}", said.html);

    let bad = [("to", ""), ("to_image", "--rm"), ("change_reason", "kept reason")];
    let refused_change = grace.post(&format!("{page}/change"), &bad).await;
    refused_change.refused();
    assert!(refused_change.error_at("to_image").len() > 8);
    assert!(refused_change.html.contains("kept reason") && refused_change.html.contains("value=\"--rm\""));
    let change = [("to", ""), ("to_image", "tinyweb:v2"), ("change_reason", "the same, looked at again")];
    grace.post(&format!("{page}/change"), &change).await.led_to();
    let after = bob.get(&page).await;
    assert!(after.html.contains("Approvals: 0 of 2"), "{}", after.html);
    assert!(after.html.contains("does not count any more"), "{}", after.html);
    bob.post(&format!("{page}/approval"), &[("decision", "reject"), ("note", "not today")]).await.led_to();
    let blocked = grace.get(&page).await;
    assert!(blocked.html.contains("Rejected by bob: not today"), "{}", blocked.html);
}

fn glass<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let all = [
        ("environment", "production"),
        ("image", "tinyweb:v2"),
        ("why", "payments are down, kept"),
        ("incident", "https://incidents.example/4711"),
        ("minutes", "30"),
        ("password", PASSWORD),
        ("sure", "web"),
    ];
    let kept = all.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_glass_leads_past_the_gates_with_a_new_session() {
    let test = production(1).await;
    let mut grace = test.person().await;
    let path = format!("{PLACE}/deploy?environment=production&image=tinyweb:v2");
    let plan = grace.get(&path).await;
    assert!(plan.html.contains("Not now. In the way: Order of environments."), "{}", plan.html);
    assert!(plan.html.contains("Emergency: break the glass"), "{}", plan.html);
    let form = format!("{PLACE}/break-glass");
    for (field, value, at) in [
        ("why", "hurry", "why"),
        ("minutes", "61", "minutes"),
        ("minutes", "an hour", "minutes"),
        ("incident", "javascript:alert(1)", "incident"),
        ("password", "wrong", "password"),
        ("sure", "api", "sure"),
    ] {
        let page = grace.post(&form, &glass(&[(field, value)])).await;
        page.refused();
        assert!(page.error_at(at).len() > 8, "{field}={value}");
        assert!(field == "why" || page.html.contains("payments are down, kept"), "{}", page.html);
        assert!(!page.html.contains(PASSWORD), "a password never comes back");
    }
    let (old, other) = (grace.cookie.clone(), test.another("bob", Role::Operator).await);
    let opened = grace.post(&form, &glass(&[])).await;
    let back = opened.led_to();
    assert!(back.starts_with(&format!("{PLACE}/deploy?environment=production")), "{back}");
    grace.renew(&opened).await;
    assert_ne!(grace.cookie, old, "the session has a new id");
    let mut stale = grace.anonymous();
    stale.cookie = old;
    assert_eq!(stale.get("/access").await.status, StatusCode::SEE_OTHER, "the old one opens nothing");

    let plan = grace.get(&back).await;
    assert!(plan.html.contains("Deploy v2 to production, past the gates"), "{}", plan.html);
    assert!(other.get(&path).await.html.contains("Not now."), "it is for the one who opened it");
    let page = deploy(&grace, "tinyweb:v2").await.led_to();
    let ended = test.ended(page.rsplit('/').next().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let home = other.get("/").await;
    assert!(home.html.contains("grace broke the glass for shop/web in production"), "a second person: {}", home.html);
    assert!(!grace.get("/").await.html.contains("broke the glass"));
    let log = other.get("/break-glass").await;
    assert!(log.html.contains("payments are down") && log.html.contains(&page), "{}", log.html);
    assert!(log.html.contains("https://incidents.example/4711"));
    let viewer = test.another("vera", Role::Viewer).await;
    assert!(!viewer.get(&path).await.html.contains("Emergency: break the glass"));
    assert_eq!(viewer.post(&form, &glass(&[])).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_edited_by_a_form() {
    let test = production(0).await;
    let (grace, bob) = (test.person().await, test.another("bob", Role::Operator).await);
    let etag = hidden(&grace.get("/gates/production").await.html, "etag").replace("&quot;", "\"");
    let all = [
        ("etag", etag.as_str()),
        ("promotion_order", "warn"),
        ("minutes", "45"),
        ("preflight", "block"),
        ("vulnerability", "block"),
        ("report_required", "true"),
        ("error_budget", "off"),
        ("freeze", "block"),
        ("needed", "2"),
        ("hours", "8"),
        ("confirm", "production"),
    ];
    for (field, value) in [
        ("minutes", "20000"),
        ("minutes", ""),
        ("needed", "6"),
        ("needed", "-1"),
        ("hours", "0"),
        ("freeze", "sometimes"),
        ("confirm", "prod"),
    ] {
        let mut fields = all;
        fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, old)| *old = value);
        let page = grace.post("/gates/production", &fields).await;
        page.refused();
        assert!(page.error_at(field).len() > 8, "{field}={value}");
        assert!(field == "minutes" || page.html.contains("value=\"45\""), "{field}={value}: {}", page.html);
    }
    assert_eq!(grace.post("/gates/production", &all).await.led_to(), "/gates");
    let late = grace.post("/gates/production", &all).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.html.contains("it was changed since you read it"), "{}", late.html);
    let saved = test.get("/gates/policies").await.body;
    let policy = &saved["items"].as_array().unwrap().iter().find(|one| one["tier"] == "production").unwrap()["policy"];
    let wanted = json!({ "promotion_order": { "mode": "warn", "healthy_minutes": 45 }, "preflight": "block",
        "vulnerability": { "mode": "block", "report_required": true }, "error_budget": "off", "freeze": "block",
        "approval": { "needed": 2, "expires_after_hours": 8 } });
    assert_eq!(policy, &wanted);
    assert!(grace.get("/gates").await.html.contains("2 people, within 8 h"));
    let environment = grace.get("/environments/production").await;
    assert!(environment.html.contains("Inherited from the tier production"), "{}", environment.html);
    assert_eq!(bob.post("/gates/production", &all).await.status, StatusCode::FORBIDDEN);
    assert!(bob.get("/gates/production").await.html.contains("needs the role admin"));
    assert_eq!(grace.get("/gates/moon").await.status, StatusCode::NOT_FOUND);
}

fn freeze<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let all = [
        ("title", "Weekends, kept"),
        ("scope_kind", "environment"),
        ("scope", "production"),
        ("starts_at", "2026-10-02T18:00"),
        ("ends_at", "2026-10-05T06:00"),
        ("time_zone", "Europe/Paris"),
        ("repeats", "weekly"),
    ];
    let kept = all.into_iter().filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn freezes_are_made_shown_changed_and_lifted() {
    let test = production(0).await;
    let grace = test.person().await;
    let before = test.rows().await;
    for (field, value, at) in [
        ("title", "", "title"),
        ("scope", "", "scope"),
        ("scope", "moon", "scope"),
        ("starts_at", "soon", "starts_at"),
        ("ends_at", "2026-10-01T06:00", "ends_at"),
        ("time_zone", "Paris", "time_zone"),
        ("repeats", "custom", "recurrence"),
    ] {
        let page = grace.post("/freezes/new", &freeze(&[(field, value)])).await;
        page.refused();
        assert!(page.error_at(at).len() > 8, "{field}={value}");
        assert!(field == "title" || page.html.contains("Weekends, kept"), "{field}={value}: {}", page.html);
    }
    let custom = freeze(&[("repeats", "custom"), ("recurrence", "FREQ=SECONDLY")]);
    let page = grace.post("/freezes/new", &custom).await;
    page.refused();
    assert!(page.error_at("recurrence").contains("FREQ"));
    let shown = grace.post("/freezes/new", &freeze(&[("act", "preview")])).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.html);
    assert_eq!(shown.html.matches("18:00 to Mon").count(), 5, "the next five windows: {}", shown.html);
    assert_eq!(test.rows().await, before, "showing makes nothing");

    assert_eq!(grace.post("/freezes/new", &freeze(&[])).await.led_to(), "/freezes");
    let list = grace.get("/freezes?month=2026-12").await;
    assert!(list.html.contains("every week · Europe/Paris"), "{}", list.html);
    assert!(list.html.contains("December 2026") && list.html.contains("17:00–24:00"), "{}", list.html);
    let made = test.get("/freezes").await.body["items"][0].clone();
    let path = format!("/freezes/{}", made["id"].as_str().unwrap());
    let edit = grace.get(&path).await;
    assert!(edit.html.contains("value=\"2026-10-02T18:00\""), "{}", edit.html);
    grace.post(&path, &freeze(&[("title", "Every weekend"), ("scope_kind", "global"), ("scope", "")])).await.led_to();
    let changed = test.get(&format!("/freezes/{}", made["id"].as_str().unwrap())).await.body;
    assert_eq!((&changed["title"], &changed["scope"]["kind"]), (&json!("Every weekend"), &json!("global")));
    assert_eq!(grace.post(&format!("{path}/lift"), &[]).await.led_to(), "/freezes");
    assert!(grace.get(&path).await.html.contains("lifted by grace"));
    assert_eq!(grace.post(&format!("{path}/lift"), &[]).await.status, StatusCode::CONFLICT);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_red_button_marks_what_is_frozen_everywhere() {
    let test = production(0).await;
    test.ended(&test.deploy("tinyweb:v2").await).await;
    let (grace, vera) = (test.person().await, test.another("vera", Role::Viewer).await);
    let mute = grace.post("/freezes/stop", &[("why", " ")]).await;
    mute.refused();
    mute.error_at("why");
    assert!(!vera.get("/freezes").await.html.contains("Stop the line now"));
    assert_eq!(vera.post("/freezes/stop", &[("why", "because")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(grace.post("/freezes/stop", &[("why", "Payments are down")]).await.led_to(), "/freezes");
    let home = vera.get("/").await;
    assert!(home.html.contains("Frozen: Payments are down, until it is lifted"), "{}", home.html);
    for page in ["/environments/production", "/services/shop/web/deploy?environment=production&image=tinyweb:v2"] {
        assert!(grace.get(page).await.html.contains("Frozen: Payments are down"), "{page}");
    }
    let blocked = deploy(&grace, "tinyweb:v2").await.led_to();
    let page = grace.get(&blocked).await;
    assert!(page.html.contains("Freezes</span>") && page.html.contains("An operator can help"), "{}", page.html);
    assert!(page.html.contains("Emergency: break the glass"), "{}", page.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vulnerability_is_waived_from_the_release() {
    let test = production(0).await;
    let release = json!({ "service": "shop/web", "version": "2.0.0", "image": "tinyweb:v2" });
    let id = test.post("/releases", &release).await.body["id"].as_str().unwrap().to_owned();
    let grace = test.person().await;
    let path = format!("/releases/{id}");
    assert!(grace.get(&path).await.html.contains("No report yet"));
    let found = json!({ "VulnerabilityID": "CVE-2024-1", "PkgName": "openssl", "InstalledVersion": "3.0.1",
        "FixedVersion": "3.0.2", "Severity": "HIGH", "Title": "<b>bad</b>" });
    let report: Value =
        json!({ "SchemaVersion": 2, "ArtifactName": "tinyweb:v2", "Results": [{ "Vulnerabilities": [found] }] });
    let sent = test.put(&format!("/releases/{id}/vulnerabilities"), &report).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.body);
    let shown = grace.get(&path).await;
    let waive = "/services/shop/web/waivers?vulnerability=CVE-2024-1&amp;package=openssl";
    assert!(shown.html.contains(waive) && !shown.html.contains("<b>bad"), "{}", shown.html);
    let releases = grace.get("/services/shop/web?tab=releases").await;
    assert!(releases.html.contains("0 CRITICAL, 1 HIGH") && releases.html.contains(&path), "{}", releases.html);

    let form = "/services/shop/web/waivers";
    let soon = (time::OffsetDateTime::now_utc() + time::Duration::days(7)).date().to_string();
    let all =
        [("vulnerability", "CVE-2024-1"), ("package", "openssl"), ("until", &soon), ("why", "not reachable, kept")];
    for (field, value) in [("vulnerability", "*"), ("until", "2099-01-01"), ("until", "soon"), ("why", "later")] {
        let mut fields = all;
        fields.iter_mut().filter(|(name, _)| *name == field).for_each(|(_, old)| *old = value);
        let page = grace.post(form, &fields).await;
        page.refused();
        assert!(page.error_at(field).len() > 8, "{field}={value}");
        assert!(field == "why" || page.html.contains("not reachable, kept"), "{}", page.html);
    }
    assert_eq!(grace.post(form, &all).await.led_to(), form);
    assert!(grace.get(&path).await.html.contains("waived"));
    let waiver = test.get("/waivers?service=shop/web").await.body["items"][0].clone();
    let revoke = format!("/waivers/{}/revoke", waiver["id"].as_str().unwrap());
    let vera = test.another("vera", Role::Viewer).await;
    assert_eq!(vera.post(&revoke, &[("service", "shop/web")]).await.status, StatusCode::FORBIDDEN);
    assert!(vera.get(form).await.html.contains("You cannot make waivers"));
    assert_eq!(grace.post(&revoke, &[("service", "shop/web")]).await.led_to(), form);
    assert!(grace.get(form).await.html.contains("revoked"));
}
