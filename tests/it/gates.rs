//! Gates through the API: who may approve what, when nothing is deployed, and what gets past.

use crate::support::{PASSWORD, TestPortal};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// `shop/web` is bound in production too, and production asks for so many approvals.
async fn production(approvals: u8) -> TestPortal {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    let all = test.get("/gates/policies").await.body;
    let mut policy =
        all["items"].as_array().unwrap().iter().find(|one| one["tier"] == "production").unwrap()["policy"].clone();
    policy["approval"]["needed"] = json!(approvals);
    assert_eq!(test.put("/gates/policies/production", &policy).await.status, StatusCode::OK);
    test
}

fn to_production(image: &str) -> Value {
    json!({ "service": "shop/web", "environment": "production", "image": image, "reason": "a test" })
}

fn gate<'a>(deployment: &'a Value, kind: &str) -> &'a Value {
    let gates = deployment["gates"].as_array().unwrap();
    gates.iter().find(|gate| gate["kind"] == kind).unwrap_or_else(|| panic!("no gate {kind}: {deployment}"))
}

/// The engine may have taken it already when the answer is read.
fn begins(deployment: &Value) -> bool {
    ["queued", "running", "verifying", "succeeded"].iter().any(|state| deployment["state"] == *state)
}

async fn staged(test: &TestPortal, image: &str) {
    let ended = test.ended(&test.deploy(image).await).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn production_waits_for_two_others_and_a_change_voids_what_they_said() {
    let test = production(2).await;
    staged(&test, "tinyweb:v2").await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let bob = test.signed_in("bob", Role::Operator).await;
    let cleo = test.signed_in("cleo", Role::Operator).await;

    let asked = ada.post("/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!(
        (asked.status, &asked.body["state"]),
        (StatusCode::CREATED, &json!("awaiting_approval")),
        "{}",
        asked.body
    );
    let id = asked.body["id"].as_str().unwrap().to_owned();
    assert_eq!(gate(&asked.body, "approval")["verdict"], "wait");
    assert_eq!(gate(&asked.body, "promotion_order")["verdict"], "pass");

    let own = ada.approve(&id).await;
    assert_eq!(own.status, StatusCode::FORBIDDEN, "the one who asks does not count: {}", own.body);
    let token = test.post(&format!("/deployments/{id}/approve"), &json!({})).await;
    assert_eq!(token.status, StatusCode::FORBIDDEN, "a token never approves: {}", token.body);
    let one = bob.approve(&id).await;
    assert_eq!((one.status, &one.body["approvals"]["given"]), (StatusCode::OK, &json!(1)), "{}", one.body);
    assert_eq!(bob.approve(&id).await.status, StatusCode::CONFLICT, "one person counts once");

    // Another release: what was said is void, and who changed it is the one who asks.
    let mut other = to_production("tinyweb:v1");
    let refused = ada.call(Method::PATCH, &format!("/deployments/{id}"), "en", &json!({ "image": "a:1" })).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    other["image"] = json!("tinyweb:v2");
    (other["reason"], other["exempt"]) = (json!("changed"), json!("security_fix"));
    let mute = ada.call(Method::PATCH, &format!("/deployments/{id}"), "en", &other).await;
    assert_eq!(mute.body["errors"][0]["pointer"], "/reason", "a fix says what it fixes: {}", mute.body);
    other["reason"] = json!("the same again, changed");
    let changed = ada.call(Method::PATCH, &format!("/deployments/{id}"), "en", &other).await;
    assert_eq!(
        (changed.status, &changed.body["state"]),
        (StatusCode::OK, &json!("awaiting_approval")),
        "{}",
        changed.body
    );
    assert_eq!((&changed.body["approvals"]["given"], &changed.body["exempt"]), (&json!(0), &json!("security_fix")));
    assert!(changed.body["approvals"]["all"][0]["void"].is_string());

    // The binding stays while it is waited for; its connection may change: void again, told to the next one who approves.
    assert_eq!(bob.approve(&id).await.status, StatusCode::OK);
    let bindings = test.get("/bindings?environment=production").await.body;
    let binding = bindings["items"][0]["id"].as_str().unwrap();
    let config = json!({ "config": { "namespace": "shop", "deployment": "api", "container": "api" } });
    let patched = test.call(Method::PATCH, &format!("/bindings/{binding}"), &test.admin, Some(&config)).await;
    assert_eq!(patched.status, StatusCode::CONFLICT, "{}", patched.body);
    let kubeconfig = crate::support::kubeconfig(&test.simulator.kubernetes_url("test"), "another token");
    let config = json!({ "config": { "kubeconfig": { "value": kubeconfig }, "simulated": true } });
    let patched = test.call(Method::PATCH, "/connections/c1", &test.admin, Some(&config)).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    let stale = cleo.approve(&id).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.body);
    assert_eq!(test.get(&format!("/deployments/{id}")).await.body["approvals"]["given"], 0);

    assert_eq!(bob.approve(&id).await.body["state"], "awaiting_approval");
    let last = cleo.approve(&id).await;
    assert!(last.status == StatusCode::OK && begins(&last.body), "{}", last.body);
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert!(gate(&ended, "approval")["reason"].as_str().unwrap().contains("bob, cleo"), "{ended}");

    freeze_blocks_and_roll_back_passes(&test).await;
}

async fn freeze_blocks_and_roll_back_passes(test: &TestPortal) {
    let dora = test.signed_in("dora", Role::Operator).await;
    let freeze = json!({ "scope": { "kind": "environment", "value": "production" }, "title": "Black Friday",
        "ends_at": "2099-11-30T05:00:00Z" });
    let made = dora.post("/freezes", &freeze).await;
    assert_eq!((made.status, &made.body["active"]), (StatusCode::CREATED, &json!(true)), "{}", made.body);
    let blocked = dora.call(Method::POST, "/deployments", "fr-FR,fr;q=0.9", &to_production("tinyweb:v2")).await;
    assert_eq!((blocked.status, &blocked.body["state"]), (StatusCode::CREATED, &json!("blocked")), "{}", blocked.body);
    let frozen = gate(&blocked.body, "freeze");
    assert_eq!(
        (&frozen["verdict"], &frozen["frees_at"]),
        (&json!("block"), &json!("2099-11-30T05:00:00Z")),
        "{frozen}"
    );
    assert_eq!(frozen["reason"], "Gelé jusqu’au 30 nov. 2099 à 05:00 UTC : Black Friday (production, dora).");
    assert_eq!(frozen["facts"]["code"], "frozen");
    let plan = test.post("/plans", &to_production("tinyweb:v2")).await;
    assert!(
        gate(&plan.body, "freeze")["reason"].as_str().unwrap().starts_with("Frozen until 30 Nov 2099"),
        "{}",
        plan.body
    );
    let staging = test.post("/deployments", &crate::support::deployment("tinyweb:v2")).await;
    assert!(begins(&staging.body), "the freeze is of production: {}", staging.body);
    test.ended(staging.body["id"].as_str().unwrap()).await;

    let back =
        dora.post("/services/shop/web/environments/production/rollback", &json!({ "reason": "it is slow" })).await;
    assert_eq!(back.status, StatusCode::CREATED, "{}", back.body);
    let ended = test.ended(back.body["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "a roll back is always allowed: {ended}");

    let id = made.body["id"].as_str().unwrap();
    let lifted = dora.call(Method::DELETE, &format!("/freezes/{id}"), "en", &json!({})).await;
    assert_eq!(lifted.status, StatusCode::NO_CONTENT);
    assert_eq!(test.get("/freezes").await.body["total"], 0);
    assert_eq!(test.get("/freezes?all=true").await.body["items"][0]["lifted_by"], "dora");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixable_vulnerability_blocks_until_it_is_waived() {
    let test = production(0).await;
    let release = json!({ "service": "shop/web", "version": "2.0.0", "image": "tinyweb:v2" });
    let id = test.post("/releases", &release).await.body["id"].as_str().unwrap().to_owned();
    staged(&test, "tinyweb:v2").await;
    let path = format!("/releases/{id}/vulnerabilities");
    assert_eq!(test.get(&path).await.status, StatusCode::NOT_FOUND);
    let decision = "/gates/decision?service=shop/web&environment=production&version=2.0.0";
    assert_eq!(test.get(decision).await.body["decision"], "warn", "there is no report, and none is required");

    let found = json!({ "VulnerabilityID": "CVE-2024-1", "PkgName": "openssl", "InstalledVersion": "3.0.1",
        "FixedVersion": "3.0.2", "Severity": "HIGH" });
    let report =
        json!({ "SchemaVersion": 2, "ArtifactName": "tinyweb:v2", "Results": [{ "Vulnerabilities": [found] }] });
    let sent = test.put(&path, &report).await;
    assert_eq!((sent.status, &sent.body["scan"]["high"]), (StatusCode::OK, &json!(1)), "{}", sent.body);
    assert_eq!(test.put(&path, &json!({ "hello": 1 })).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let asked = test.get(decision).await.body;
    assert_eq!(asked["decision"], "block", "{asked}");
    assert!(asked["reasons"][0].as_str().unwrap().contains("CVE-2024-1 (openssl 3.0.1 → 3.0.2)"), "{asked}");
    let mut wanted = to_production("x");
    wanted.as_object_mut().unwrap().remove("image");
    wanted["version"] = json!("2.0.0");
    let blocked = test.post("/deployments", &wanted).await;
    assert_eq!(blocked.body["state"], "blocked", "{}", blocked.body);
    assert!(!blocked.body["ended_at"].is_null());

    let far = json!({ "service": "shop/web", "vulnerability": "CVE-2024-1", "reason": "not reachable from outside",
        "expires_at": "2099-01-01T00:00:00Z" });
    assert_eq!(test.post("/waivers", &far).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut waiver = far;
    let soon = time::OffsetDateTime::now_utc() + time::Duration::days(7);
    waiver["expires_at"] = json!(soon.format(&time::format_description::well_known::Rfc3339).unwrap());
    let made = test.post("/waivers", &waiver).await;
    assert_eq!((made.status, &made.body["active"]), (StatusCode::CREATED, &json!(true)), "{}", made.body);
    assert_eq!(test.get(decision).await.body["decision"], "allow");
    let goes = test.post("/deployments", &wanted).await;
    assert!(begins(&goes.body), "{}", goes.body);
    assert_eq!(test.ended(goes.body["id"].as_str().unwrap()).await["state"], "succeeded");

    let waiver = made.body["id"].as_str().unwrap();
    let revoked = test.call(Method::DELETE, &format!("/waivers/{waiver}"), &test.admin, None).await;
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(test.get(decision).await.body["decision"], "block");
    assert_eq!(test.get("/audit?action=release.scan").await.body["total"], 1);
}

/// The gates ask about the artifact, however its image is written.
#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_an_image_opens_no_gate() {
    let test = production(0).await;
    let digest = format!("sha256:{}", "ab".repeat(32));
    let pinned = format!("ghcr.example/acme/web:2.0@{digest}");
    let release = json!({ "service": "shop/web", "version": "2.0.0", "image": pinned });
    let id = test.post("/releases", &release).await.body["id"].as_str().unwrap().to_owned();
    let found = json!({ "VulnerabilityID": "CVE-2024-1", "PkgName": "openssl", "InstalledVersion": "3.0.1",
        "FixedVersion": "3.0.2", "Severity": "HIGH" });
    let report = json!({ "SchemaVersion": 2, "ArtifactName": pinned, "Results": [{ "Vulnerabilities": [found] }] });
    let sent = test.put(&format!("/releases/{id}/vulnerabilities"), &report).await;
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.body);
    let spellings = [
        pinned.clone(),
        format!("ghcr.example/acme/web@{digest}"),
        format!("mirror.example/web:latest@{digest}"),
        "ghcr.example/acme/web:2.0".to_owned(),
    ];
    for image in spellings {
        let asked = test.post("/deployments", &to_production(&image)).await;
        assert_eq!((&asked.body["state"], &asked.body["version"]), (&json!("blocked"), &json!("2.0.0")), "{image}");
        assert_eq!(gate(&asked.body, "vulnerability")["verdict"], "block", "{image}: {}", asked.body);
    }
    // What ran under a bare tag is not known to be this digest.
    staged(&test, "tinyweb:v2").await;
    let other = test.post("/deployments", &to_production(&format!("tinyweb:v2@{digest}"))).await;
    assert_eq!(gate(&other.body, "promotion_order")["facts"]["code"], "promotion_never_ran", "{}", other.body);
    assert!(begins(&test.post("/deployments", &to_production("tinyweb:v2")).await.body));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_healthy_before_does_not_come_to_production() {
    let test = production(0).await;
    let skipped = test.post("/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!(skipped.body["state"], "blocked", "{}", skipped.body);
    let never = gate(&skipped.body, "promotion_order");
    assert_eq!(never["facts"]["code"], "promotion_never_ran");
    assert!(never["reason"].as_str().unwrap().starts_with("v2 has not been healthy in staging"), "{never}");
    let crashed = test.ended(&test.deploy("tinyweb:v4").await).await;
    assert_eq!(crashed["state"], "rolled_back");
    assert_eq!(test.post("/deployments", &to_production("tinyweb:v4")).await.body["state"], "blocked");
    staged(&test, "tinyweb:v2").await;
    let goes = test.post("/deployments", &to_production("tinyweb:v2")).await;
    assert!(begins(&goes.body), "{}", goes.body);
    test.ended(goes.body["id"].as_str().unwrap()).await;
    let denied = test.get("/audit?outcome=denied&action=deployment.create").await;
    assert_eq!(denied.body["total"], 2, "{}", denied.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_glass_skips_the_gates_once_for_a_person_with_a_reason() {
    let test = production(2).await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let open = json!({ "service": "shop/web", "environment": "production", "reason": "payments are down, see 4711",
        "minutes": 30, "password": PASSWORD, "incident": "https://incidents.example/4711" });
    let with = |field: &str, value: Value| {
        let mut body = open.clone();
        body[field] = value;
        body
    };
    let token = test.post("/break-glass", &open).await;
    assert_eq!(token.status, StatusCode::FORBIDDEN, "never for a token: {}", token.body);
    for (field, value) in [
        ("reason", json!("hurry")),
        ("minutes", json!(61)),
        ("incident", json!("javascript:alert(1)")),
        ("password", json!("wrong")),
        ("service", json!("*")),
    ] {
        let refused = ada.post("/break-glass", &with(field, value)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], format!("/{field}"), "{}", refused.body);
    }
    assert_eq!(ada.post("/deployments", &to_production("tinyweb:v2")).await.body["state"], "blocked");

    let before = ada.cookie();
    let opened = ada.post("/break-glass", &open).await;
    assert_eq!(opened.status, StatusCode::CREATED, "{}", opened.body);
    assert_ne!(ada.cookie(), before, "the password was asked for again, so the session has a new id");
    assert_eq!(ada.post("/break-glass", &open).await.status, StatusCode::CONFLICT, "twice");
    let mut database = test.database.superuser().await;
    let told: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM outbox_events WHERE kind = 'break_glass.opened' AND payload ->> 'not_to' = 'ada'
         AND service = 'shop/web' AND environment = 'production'",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(told, 1, "a second person is told");

    let others = test.post("/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!(others.body["state"], "blocked", "it is for the one who opened it: {}", others.body);
    let goes = ada.post("/deployments", &to_production("tinyweb:v2")).await;
    assert!(begins(&goes.body), "{}", goes.body);
    assert_eq!(goes.body["break_glass"], opened.body["id"]);
    assert_eq!(gate(&goes.body, "promotion_order")["verdict"], "block", "what was skipped is kept");
    assert_eq!(gate(&goes.body, "break_glass")["verdict"], "warn");
    assert_eq!(test.ended(goes.body["id"].as_str().unwrap()).await["state"], "succeeded");
    assert_eq!(ada.post("/deployments", &to_production("tinyweb:v4")).await.body["state"], "blocked", "used up");

    assert_eq!(ada.post("/break-glass", &open).await.status, StatusCode::CREATED);
    sqlx::query("UPDATE break_glass SET opened_at = opened_at - interval '1 hour', expires_at = now() - interval '1 second' WHERE used_at IS NULL")
        .execute(&mut database)
        .await
        .unwrap();
    assert_eq!(ada.post("/deployments", &to_production("tinyweb:v4")).await.body["state"], "blocked", "over");
    assert_eq!(test.get("/break-glass").await.body["total"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_approval_is_rejected_cancelled_or_ends_by_itself() {
    let test = production(1).await;
    staged(&test, "tinyweb:v2").await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let ask = || async {
        test.post("/deployments", &to_production("tinyweb:v2")).await.body["id"].as_str().unwrap().to_owned()
    };

    let rejected = ask().await;
    let silent = ada.post(&format!("/deployments/{rejected}/reject"), &json!({})).await;
    assert_eq!(silent.status, StatusCode::UNPROCESSABLE_ENTITY, "a rejection says why");
    let holder = test.post("/deployments", &to_production("tinyweb:v2")).await;
    assert_eq!((holder.status, &holder.body["holder"]), (StatusCode::CONFLICT, &json!(rejected)), "it holds the lock");
    let no = ada.post(&format!("/deployments/{rejected}/reject"), &json!({ "reason": "no tests" })).await;
    assert_eq!(no.body["state"], "blocked", "{}", no.body);
    assert_eq!(gate(&no.body, "approval")["reason"], "Rejected by ada: no tests");
    assert_eq!(ada.approve(&rejected).await.status, StatusCode::CONFLICT);

    let cancelled = ask().await;
    let answer = test.post(&format!("/deployments/{cancelled}/cancel"), &json!({})).await;
    assert_eq!((answer.status, &answer.body["state"]), (StatusCode::OK, &json!("cancelled")), "{}", answer.body);

    let old = ask().await;
    let mut database = test.database.superuser().await;
    sqlx::query(
        "UPDATE deployments SET approval_until = now() - interval '1 second' WHERE state = 'awaiting_approval'",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let start = Instant::now();
    let ended = loop {
        let seen = test.get(&format!("/deployments/{old}")).await.body;
        if seen["state"] != "awaiting_approval" {
            break seen;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it must end by itself");
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(
        (&ended["state"], &gate(&ended, "approval")["facts"]["code"]),
        (&json!("blocked"), &json!("approval_expired"))
    );

    // A freeze that begins while it waits: the last approval finds it.
    let frozen = ask().await;
    let freeze = json!({ "scope": { "kind": "service", "value": "shop/web" }, "title": "red button" });
    assert_eq!(test.post("/freezes", &freeze).await.status, StatusCode::CREATED);
    let late = ada.approve(&frozen).await;
    assert_eq!(late.body["state"], "blocked", "{}", late.body);
    assert_eq!(gate(&late.body, "freeze")["frees_at"], Value::Null, "until it is lifted");
}

#[tokio::test(flavor = "multi_thread")]
async fn freezes_and_policies_are_checked_and_kept_from_those_who_may_not() {
    let test = production(0).await;
    let operator = test.token("olga", Role::Operator, Scope::Tier("staging".to_owned())).await;
    let freeze = |scope: Value| json!({ "scope": scope, "title": "no" });
    let as_operator = |body: Value| {
        let (test, operator) = (&test, operator.clone());
        async move { test.call(Method::POST, "/freezes", &operator, Some(&body)).await.status }
    };
    assert_eq!(as_operator(freeze(json!({ "kind": "environment", "value": "staging" }))).await, StatusCode::CREATED);
    assert_eq!(
        as_operator(freeze(json!({ "kind": "environment", "value": "production" }))).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(as_operator(freeze(json!({ "kind": "global" }))).await, StatusCode::FORBIDDEN);

    let team = async |name: &str| test.post("/freezes", &freeze(json!({ "kind": "team", "value": name }))).await;
    for name in ["sellers", "group:shop/sellers", "shop/nobody"] {
        let nobody = team(name).await;
        assert_eq!(
            nobody.body["errors"][0]["pointer"], "/scope/value",
            "a freeze that reaches nobody: {}",
            nobody.body
        );
    }
    assert_eq!(team("shop/sellers").await.status, StatusCode::CREATED, "it owns a service");

    let mut weekend = json!({ "scope": { "kind": "global" }, "title": "Weekends", "starts_at": "2026-10-02T16:00:00Z",
        "ends_at": "2026-10-05T04:00:00Z", "recurrence": "FREQ=WEEKLY;BYDAY=FR", "time_zone": "Europe/Paris" });
    let made = test.post("/freezes", &weekend).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["windows"].as_array().unwrap().len(), 20);
    weekend["recurrence"] = json!("FREQ=SECONDLY");
    let refused = test.post("/freezes", &weekend).await;
    assert_eq!(refused.body["errors"][0]["pointer"], "/recurrence", "{}", refused.body);
    weekend["recurrence"] = Value::Null;
    let changed = test.put(&format!("/freezes/{}", made.body["id"].as_str().unwrap()), &weekend).await;
    assert_eq!((changed.status, &changed.body["active"]), (StatusCode::OK, &json!(false)), "{}", changed.body);

    let wrong = test.put("/gates/policies/production", &json!({ "approval": { "needed": 9 } })).await;
    assert_eq!(wrong.body["errors"][0]["pointer"], "/approval/needed", "{}", wrong.body);
    assert_eq!(test.put("/gates/policies/moon", &json!({})).await.status, StatusCode::NOT_FOUND);
    let off = test.put("/gates/policies/production", &json!({})).await;
    assert_eq!(off.status, StatusCode::OK, "{}", off.body);
    let plan = test.post("/plans", &to_production("tinyweb:v2")).await;
    assert_eq!(plan.body["gates"], json!([]), "{}", plan.body);
    let read = test.get("/gates/policies/production").await;
    assert_eq!((&read.body["policy"]["freeze"], &read.body["updated_by"]), (&json!("off"), &off.body["updated_by"]));
    let stale = test.http.put(format!("{}/api/v1/gates/policies/production", test.url)).bearer_auth(&test.admin);
    let stale = stale.header("if-match", "\"production-1\"").json(&json!({})).send().await.unwrap();
    assert_eq!(stale.status(), StatusCode::CONFLICT);
    let audited = test.get("/audit?action=gate.policy_edit&limit=1").await;
    assert_eq!(audited.body["items"][0]["after"]["freeze"], "off", "{}", audited.body);
}

/// Acceptance: approve, reject, cancel and deploy, 200 in parallel, have one winner and a legal history.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_at_once_have_one_winner_and_a_legal_history() {
    let test = production(1).await;
    staged(&test, "tinyweb:v2").await;
    let people = [
        test.signed_in("ada", Role::Operator).await,
        test.signed_in("bob", Role::Operator).await,
        test.signed_in("cleo", Role::Operator).await,
    ];
    let asked = test.post("/deployments", &to_production("tinyweb:v2")).await;
    let id = asked.body["id"].as_str().unwrap().to_owned();
    let (cancel, reject) = (format!("/deployments/{id}/cancel"), format!("/deployments/{id}/reject"));
    let (why, wanted) = (json!({ "reason": "no" }), to_production("tinyweb:v2"));
    let answers = futures::future::join_all((0..200).map(|n: usize| {
        let (test, person) = (&test, &people[n % 3]);
        let (id, cancel, reject, why, wanted) = (&id, &cancel, &reject, &why, &wanted);
        async move {
            match n % 4 {
                0 => ("approve", person.approve(id).await),
                1 => ("reject", person.post(reject, why).await),
                2 => ("cancel", test.post(cancel, why).await),
                _ => ("deploy", test.post("/deployments", wanted).await),
            }
        }
    }))
    .await;
    for (act, answer) in &answers {
        let fine = matches!(answer.status, StatusCode::OK | StatusCode::CREATED | StatusCode::CONFLICT);
        assert!(fine, "{act}: {} {}", answer.status, answer.body);
    }
    let won =
        |act: &str| answers.iter().filter(|(name, answer)| *name == act && answer.status == StatusCode::OK).count();
    assert!(won("approve") + won("reject") <= 1, "approved {} and rejected {}", won("approve"), won("reject"));
    assert!(won("approve") + won("reject") + won("cancel") >= 1, "somebody wins");
    if won("reject") == 1 {
        assert_eq!(won("cancel"), 0, "what was rejected cannot be cancelled");
    }
    let first = test.ended(&id).await;
    match (won("approve"), won("reject")) {
        (0, 1) => assert_eq!(first["state"], "blocked"),
        (0, 0) => assert_eq!(first["state"], "cancelled"),
        _ => assert!(first["state"] == "succeeded" || first["state"] == "cancelled", "{first}"),
    }
    history_is_legal(&test).await;
}

async fn history_is_legal(test: &TestPortal) {
    let mut database = test.database.superuser().await;
    let states: Vec<(uuid::Uuid, String)> = sqlx::query_as(
        "SELECT deployment_id, data ->> 'state' FROM deployment_events WHERE kind = 'state' ORDER BY deployment_id, id",
    )
    .fetch_all(&mut database)
    .await
    .unwrap();
    const ENDED: [&str; 6] = ["blocked", "succeeded", "failed", "rolled_back", "cancelled", "needs_person"];
    for pair in states.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        let (from, to) = (pair[0].1.as_str(), pair[1].1.as_str());
        assert!(!ENDED.contains(&from), "{} went on from {from} to {to}", pair[0].0);
        assert!(from != "queued" || to != "awaiting_approval", "back from {from} to {to}");
    }
    // One at a time: ids of events grow in the order in which the lock was held, so lives do not overlap.
    let overlaps: i64 = sqlx::query_scalar(
        "WITH lives AS (SELECT d.id, d.environment_id, min(v.id) AS first, max(v.id) AS last FROM deployments d
           JOIN deployment_events v ON v.deployment_id = d.id AND v.kind = 'state' GROUP BY d.id
           HAVING (array_agg(v.data ->> 'state' ORDER BY v.id))[1] <> 'blocked')
         SELECT count(*) FROM lives a JOIN lives b ON a.environment_id = b.environment_id AND a.id <> b.id
           AND a.first < b.first AND a.last > b.first",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(overlaps, 0);
    let rows: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM audit_events WHERE action IN ('deployment.approve') AND outcome = 'success'",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    let said: i64 = sqlx::query_scalar("SELECT count(*) FROM approvals").fetch_one(&mut database).await.unwrap();
    assert_eq!(rows, said, "each approval and rejection is an audit row, and nothing else is");
}
