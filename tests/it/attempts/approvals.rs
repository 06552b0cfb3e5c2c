//! Attempt 4: what was approved for one image counts for no other, whether the request is changed or made anew.

use crate::support::TestPortal;
use passerelle_contract::access::Role;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// `shop/web` is bound in production, where two approvals are needed and nothing else stands in the way.
async fn production() -> TestPortal {
    let test = TestPortal::with_shop().await;
    test.bind_production().await;
    let put = test.put("/gates/policies/production", &json!({ "approval": { "needed": 2 } })).await;
    assert_eq!(put.status, StatusCode::OK, "{}", put.body);
    test
}

fn wanted(image: &str) -> Value {
    json!({ "service": "shop/web", "environment": "production", "image": image, "reason": "a test" })
}

/// State, image, who asks, and how many approvals count.
fn stand(deployment: &Value) -> Value {
    json!([deployment["state"], deployment["image"], deployment["requested_by"], deployment["approvals"]["given"]])
}

async fn seen(test: &TestPortal, id: &str) -> Value {
    test.get(&format!("/deployments/{id}")).await.body
}

fn id_of(answer: &Value) -> String {
    answer["id"].as_str().unwrap_or_else(|| panic!("no deployment: {answer}")).to_owned()
}

/// What the approvals are bound to.
async fn bound_to(test: &TestPortal, id: &str) -> String {
    let mut database = test.database.superuser().await;
    sqlx::query_scalar("SELECT encode(fingerprint, 'hex') FROM deployments WHERE id::text = $1")
        .bind(id)
        .fetch_one(&mut database)
        .await
        .unwrap()
}

/// The image in production, as the cluster has it.
async fn runs(test: &TestPortal) -> String {
    let url = format!("{}/apis/apps/v1/namespaces/shop/deployments/api", test.simulator.kubernetes_url("test"));
    let object: Value = test.http.get(url).bearer_auth("t").send().await.unwrap().json().await.unwrap();
    object["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_of_one_image_does_not_count_when_the_request_is_changed_to_another() {
    let test = production().await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let bob = test.signed_in("bob", Role::Operator).await;
    let cleo = test.signed_in("cleo", Role::Operator).await;
    let asked = ada.post("/deployments", &wanted("tinyweb:v2")).await.body;
    assert_eq!(stand(&asked), json!(["awaiting_approval", "tinyweb:v2", "ada", 0]), "{asked}");
    let id = id_of(&asked);
    assert_eq!(bob.approve(&id).await.body["approvals"]["given"], 1);
    let of_v2 = bound_to(&test, &id).await;

    let path = format!("/deployments/{id}");
    let changed = ada.call(Method::PATCH, &path, "en", &wanted("tinyweb:v5")).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(stand(&changed.body), json!(["awaiting_approval", "tinyweb:v5", "ada", 0]), "{}", changed.body);
    assert!(changed.body["approvals"]["all"][0]["void"].is_string(), "{}", changed.body);
    assert_ne!(bound_to(&test, &id).await, of_v2);
    let rows = test.get(&format!("/audit?action=deployment.create&object=deployment:{id}")).await.body;
    assert_eq!(rows["items"][0]["after"]["voided"], 1, "{rows}");

    // With bob's word about the former image it would be the second, and it would run.
    let one = cleo.approve(&id).await;
    assert_eq!(one.status, StatusCode::OK, "{}", one.body);
    assert_eq!(stand(&one.body), json!(["awaiting_approval", "tinyweb:v5", "ada", 1]), "{}", one.body);
    assert_eq!(runs(&test).await, "tinyweb:v1");
    let last = bob.approve(&id).await;
    assert_eq!(last.status, StatusCode::OK, "bob has looked at the new one: {}", last.body);
    let ended = test.ended(&id).await;
    assert_eq!((&ended["state"], &ended["image"]), (&json!("succeeded"), &json!("tinyweb:v5")), "{ended}");
    assert_eq!(runs(&test).await, "tinyweb:v5");
    let said = test.get("/audit?action=deployment.approve&outcome=success").await.body;
    assert_eq!(said["total"], 3, "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_of_one_request_counts_for_no_later_one() {
    let test = production().await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let bob = test.signed_in("bob", Role::Operator).await;
    let cleo = test.signed_in("cleo", Role::Operator).await;
    let first = id_of(&ada.post("/deployments", &wanted("tinyweb:v2")).await.body);
    assert_eq!(bob.approve(&first).await.body["approvals"]["given"], 1);
    let cancel = json!({ "reason": "another one instead" });
    let cancelled = ada.post(&format!("/deployments/{first}/cancel"), &cancel).await;
    assert_eq!(cancelled.body["state"], "cancelled", "{}", cancelled.body);

    let plan = ada.post("/plans", &wanted("tinyweb:v5")).await.body;
    let gates = plan["gates"].as_array().unwrap();
    let approval = gates.iter().find(|gate| gate["kind"] == "approval").unwrap();
    assert_eq!(approval["verdict"], "wait", "{plan}");
    let second = ada.post("/deployments", &wanted("tinyweb:v5")).await.body;
    assert_eq!(stand(&second), json!(["awaiting_approval", "tinyweb:v5", "ada", 0]), "{second}");
    assert_eq!(second["approvals"]["all"], json!([]), "{second}");
    let second = id_of(&second);
    let one = cleo.approve(&second).await.body;
    assert_eq!(stand(&one), json!(["awaiting_approval", "tinyweb:v5", "ada", 1]), "{one}");
    assert_eq!(runs(&test).await, "tinyweb:v1");
    let late = cleo.approve(&first).await;
    assert_eq!((late.status, &late.body["code"]), (StatusCode::CONFLICT, &json!("conflict")), "{}", late.body);
    assert_eq!(bob.approve(&second).await.status, StatusCode::OK);
    assert_eq!(test.ended(&second).await["state"], "succeeded");

    // Neither what was approved and never ran, nor what was approved by all and ran, is approved for the next time.
    for image in ["tinyweb:v2", "tinyweb:v5"] {
        let again = ada.post("/deployments", &wanted(image)).await.body;
        assert_eq!(stand(&again), json!(["awaiting_approval", image, "ada", 0]), "{again}");
        assert_eq!(again["approvals"]["all"], json!([]), "{again}");
        let cancelled = ada.post(&format!("/deployments/{}/cancel", id_of(&again)), &cancel).await;
        assert_eq!(cancelled.body["state"], "cancelled", "{}", cancelled.body);
    }
    assert_eq!(runs(&test).await, "tinyweb:v5");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_approves_and_then_changes_the_image_is_the_one_who_asks() {
    let test = production().await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let bob = test.signed_in("bob", Role::Operator).await;
    let id = id_of(&ada.post("/deployments", &wanted("tinyweb:v2")).await.body);
    assert_eq!(bob.approve(&id).await.body["approvals"]["given"], 1);
    let changed = bob.call(Method::PATCH, &format!("/deployments/{id}"), "en", &wanted("tinyweb:v5")).await;
    assert_eq!(stand(&changed.body), json!(["awaiting_approval", "tinyweb:v5", "bob", 0]), "{}", changed.body);
    let own = bob.approve(&id).await;
    assert_eq!((own.status, &own.body["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")), "{}", own.body);
    // Who asked at first is another person than who asks now.
    let one = ada.approve(&id).await.body;
    assert_eq!(stand(&one), json!(["awaiting_approval", "tinyweb:v5", "bob", 1]), "{one}");
    assert_eq!(runs(&test).await, "tinyweb:v1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_being_approved_cannot_get_another_image() {
    let test = production().await;
    let ada = test.signed_in("ada", Role::Operator).await;
    let bob = test.signed_in("bob", Role::Operator).await;
    let release = |image: &str| json!({ "service": "shop/web", "version": "2.0.0", "image": image });
    assert_eq!(test.post("/releases", &release("tinyweb:v2")).await.status, StatusCode::CREATED);
    let by_version =
        json!({ "service": "shop/web", "environment": "production", "version": "2.0.0", "reason": "a test" });
    let id = id_of(&ada.post("/deployments", &by_version).await.body);
    assert_eq!(bob.approve(&id).await.body["approvals"]["given"], 1);
    let (of_v2, rows) = (bound_to(&test, &id).await, test.rows().await);
    let again = ada.post("/releases", &release("tinyweb:v5")).await;
    assert_eq!((again.status, &again.body["code"]), (StatusCode::CONFLICT, &json!("already_exists")), "{}", again.body);
    let waits = seen(&test, &id).await;
    assert_eq!(stand(&waits), json!(["awaiting_approval", "tinyweb:v2", "ada", 1]), "{waits}");
    assert_eq!(bound_to(&test, &id).await, of_v2);
    assert_eq!(test.rows().await, rows);
}
