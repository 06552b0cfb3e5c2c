//! Approvals: who may give them, what voids them, and what a freeze does meanwhile.

use super::{begins, gate, production, staged, to_production};
use crate::support::TestPortal;
use passerelle_contract::access::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

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

#[tokio::test(flavor = "multi_thread")]
async fn what_the_environment_is_belongs_to_what_was_agreed_to() {
    let test = production(2).await;
    staged(&test, "tinyweb:v2").await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let bob = test.signed_in("bob", Role::Operator).await;
    let cleo = test.signed_in("cleo", Role::Operator).await;
    let asked = ada.post("/deployments", &to_production("tinyweb:v2")).await;
    let id = asked.body["id"].as_str().unwrap().to_owned();
    assert_eq!(bob.approve(&id).await.status, StatusCode::OK);
    let slower = json!({ "progress_deadline_s": 900 });
    let patched = test.call(Method::PATCH, "/environments/production", &test.admin, Some(&slower)).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    let stale = cleo.approve(&id).await;
    assert_eq!(stale.status, StatusCode::CONFLICT, "{}", stale.body);
    assert!(stale.body["detail"].as_str().unwrap().contains("or the environment was changed"), "{}", stale.body);
    assert_eq!(test.get(&format!("/deployments/{id}")).await.body["approvals"]["given"], 0);
    assert_eq!(bob.approve(&id).await.body["state"], "awaiting_approval");
    let last = cleo.approve(&id).await;
    assert!(last.status == StatusCode::OK && begins(&last.body), "{}", last.body);
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
