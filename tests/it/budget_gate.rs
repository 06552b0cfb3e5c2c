//! The gate of error budgets against objectives that are measured: from warn to approval to block as the budget goes, told to
//! people and to CI alike, and never in the way of a roll back.

use crate::support::{FakePrometheus, TestPortal};
use passerelle_contract::access::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use time::OffsetDateTime;

const FILE: &str = "service_level_objectives: [{name: Web, sli: availability, target: 99, window: 7d}]";
/// Events of the busy minute; at 99 % a hundredth of them may be bad.
const EVENTS: u64 = 1_000_000;
const ALLOWED: u64 = EVENTS / 100;

struct Shop {
    test: TestPortal,
    prometheus: FakePrometheus,
    /// The minute that everything happened in; the five newest are read again, so it can change.
    minute: i64,
}

fn minute_now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp() / 60
}

impl Shop {
    async fn open() -> Self {
        let (test, prometheus) = TestPortal::with_prometheus().await;
        test.bind_production().await;
        // Staging asks too, here.
        let policy = json!({ "preflight": "block", "error_budget": "block" });
        assert_eq!(test.put("/gates/policies/staging", &policy).await.status, StatusCode::OK);
        // Every minute of the period is known, all without an event but one.
        let minute = minute_now() - 2;
        for quiet in minute - 7 * 1440 - 10..minute + 30 {
            prometheus.count(quiet, 0, 0);
        }
        prometheus.count(minute, 0, EVENTS);
        let imported =
            test.send(Method::POST, "/slos/imports?service=shop/web&connection=prom", "application/yaml", FILE).await;
        assert_eq!((imported.status, &imported.body["created"]), (StatusCode::OK, &json!(1)), "{}", imported.body);
        Self { test, prometheus, minute }
    }

    /// So many bad events, measured.
    async fn burn(&self, bad: u64) {
        self.prometheus.count(self.minute, bad, EVENTS);
        self.test.measure().await;
    }

    async fn decision(&self, environment: &str) -> Value {
        let path = format!("/gates/decision?service=shop/web&environment={environment}");
        self.test.get(&path).await.body
    }
}

fn gate(gates: &Value) -> &Value {
    let all = gates["gates"].as_array().unwrap();
    all.iter().find(|gate| gate["kind"] == "error_budget").unwrap_or_else(|| panic!("not asked: {gates}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_warns_then_asks_then_blocks_at_the_exact_event() {
    let shop = Shop::open().await;
    // 25 %, 10 % and 0 of what is left, and one bad event to either side.
    let steps = [
        (0, "pass"),
        (ALLOWED * 75 / 100, "pass"),
        (ALLOWED * 75 / 100 + 1, "warn"),
        (ALLOWED * 90 / 100, "warn"),
        (ALLOWED * 90 / 100 + 1, "approval"),
        (ALLOWED - 1, "approval"),
        (ALLOWED, "block"),
        (ALLOWED + 1, "block"),
    ];
    for (bad, wanted) in steps {
        shop.burn(bad).await;
        let decision = shop.decision("production").await;
        let said = gate(&decision);
        let (verdict, whole) = match wanted {
            "pass" => ("pass", None),
            "warn" => ("warn", None),
            // The approval gate waits; this one says why.
            "approval" => ("warn", Some("approval")),
            _ => ("block", Some("block")),
        };
        assert_eq!(said["verdict"], verdict, "{bad} bad: {decision}");
        if let Some(whole) = whole {
            assert_eq!(decision["decision"], whole, "{bad} bad: {decision}");
        } else {
            assert!(["allow", "warn"].iter().any(|free| decision["decision"] == *free), "{bad} bad: {decision}");
        }
        let list = shop.test.get("/slos").await.body;
        let in_list = if wanted == "pass" { "ok" } else { wanted };
        assert_eq!(list["items"][0]["verdict"], in_list, "{bad} bad: {list}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spent_budget_stops_a_deployment_but_no_roll_back() {
    let shop = Shop::open().await;
    let test = &shop.test;
    for image in ["tinyweb:v1", "tinyweb:v2"] {
        let ended = test.ended(&test.deploy(image).await).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
    }
    shop.burn(ALLOWED + ALLOWED / 4).await;
    let stopped = test.post("/deployments", &crate::support::deployment("tinyweb:v1")).await;
    assert_eq!((stopped.status, &stopped.body["state"]), (StatusCode::CREATED, &json!("blocked")), "{}", stopped.body);
    let said = gate(&stopped.body);
    assert_eq!(said["facts"]["code"], "budget_spent", "{said}");
    assert!(said["reason"].as_str().unwrap().contains("25"), "the numbers are told: {said}");
    let plan = test.post("/plans", &crate::support::deployment("tinyweb:v1")).await.body;
    assert_eq!(gate(&plan)["reason"], said["reason"], "the page says the same: {plan}");
    assert_eq!(gate(&shop.decision("staging").await)["verdict"], "block", "and CI hears it too");

    a_fix_goes(test).await;
    let id = test.get("/slos").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let person = test.person().await;
    let page = person.get(&format!("/slos/{id}")).await;
    let stopped = format!("/deployments/{}", stopped.body["id"].as_str().unwrap());
    assert!(page.html.contains(&stopped), "the page of the budget says whom it stopped");
    assert!(page.html.contains("12,500 bad of 10,000 allowed"), "{}", page.html);

    let operator = test.signed_in("dora", Role::Operator).await;
    let back = "/services/shop/web/environments/staging/rollback";
    let back = operator.post(back, &json!({ "reason": "it burns" })).await;
    assert_eq!(back.status, StatusCode::CREATED, "{}", back.body);
    let ended = test.ended(back.body["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}

/// A security fix is told what is left, and goes; its class and reason stand with it.
async fn a_fix_goes(test: &TestPortal) {
    let mut fix = crate::support::deployment("tinyweb:v1");
    fix["exempt"] = json!("security_fix");
    fix["reason"] = json!("short");
    let refused = test.post("/deployments", &fix).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/reason"))
    );
    fix["reason"] = json!("closes CVE-2026-1 in the parser");
    assert_eq!(gate(&test.post("/plans", &fix).await.body)["verdict"], "warn");
    let path = "/gates/decision?service=shop/web&environment=staging&exempt=security_fix";
    assert_eq!(test.get(path).await.body["decision"], "warn");
    let goes = test.post("/deployments", &fix).await;
    assert_eq!((goes.status, &goes.body["exempt"]), (StatusCode::CREATED, &json!("security_fix")), "{}", goes.body);
    assert_eq!(gate(&goes.body)["facts"]["code"], "budget_exempt", "{}", goes.body);
    let ended = test.ended(goes.body["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let unknown = json!({ "service": "shop/web", "environment": "staging", "image": "a:1", "reason": "a test", "exempt": "mine" });
    assert_eq!(test.post("/deployments", &unknown).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_thresholds_are_policy() {
    let shop = Shop::open().await;
    shop.burn(ALLOWED / 2).await;
    assert_eq!(gate(&shop.decision("production").await)["verdict"], "pass");
    let strict = json!({ "warn_below": 80, "approval_below": 70, "block_at": 60, "missing": "block" });
    let path = "/slos/policies/production";
    let put = shop.test.put(path, &strict).await;
    assert_eq!((put.status, &put.body["policy"]["block_at"]), (StatusCode::OK, &json!(60)), "{}", put.body);
    assert_eq!(gate(&shop.decision("production").await)["verdict"], "block");
    assert_eq!(gate(&shop.decision("staging").await)["verdict"], "pass", "the policy of production is its own");
    for (field, wrong) in [("/approval_below", json!(90)), ("/block_at", json!(-101)), ("/warn_below", json!(101))] {
        let mut bad = strict.clone();
        bad[&field[1..]] = wrong;
        let refused = shop.test.put(path, &bad).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
        let named = refused.body["errors"].as_array().unwrap().iter().any(|error| error["pointer"] == field);
        assert!(named, "{field}: {}", refused.body);
    }
    let audited = shop.test.get("/audit?action=gate.policy_edit&outcome=success").await.body;
    assert_eq!(audited["total"], 2, "that of the gate in staging, and this one: {audited}");
}
