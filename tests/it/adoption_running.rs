//! A service that runs already is found on its connection, tells what the form asks, and is bound.

use crate::adoption::{Adopting, start};
use passerelle_contract::access::Role;
use reqwest::StatusCode;
use serde_json::{Value, json};

const FORM: &str = "/onboard/small-service/adopt";

fn runs(changes: &Value) -> Value {
    let mut runs = json!({ "connection": "c1", "group": "shop", "name": "api", "environment": "production" });
    runs.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    runs
}

/// Without a repository.
fn wanted(changes: &Value) -> Value {
    json!({ "from": null, "runs": runs(changes),
        "answers": { "description": "Answers", "owner": "group:shop/sellers", "system": "shop/shop" } })
}

async fn bindings(world: &Adopting) -> Vec<Value> {
    world.test.get("/bindings?environment=production").await.body["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_listed_with_whose_it_is() {
    let world = start(&[("README.md", "# shop\n")]).await;
    let all = world.test.get("/connections/c1/running").await;
    assert_eq!(all.status, StatusCode::OK, "{}", all.body);
    let told: Vec<_> = all.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["group"], &one["name"], &one["service"]))
        .collect();
    assert_eq!(
        told,
        [(&json!("shop"), &json!("api"), &Value::Null), (&json!("shop"), &json!("web"), &json!("shop/web"))],
        "{}",
        all.body
    );
    assert_eq!(all.body["items"][0]["config"], json!({ "namespace": "shop", "deployment": "api" }));
    assert_eq!(all.body["items"][0]["image"], "tinyweb:v1");
    let other = world.test.get("/connections/c1/running?group=empty").await;
    assert_eq!(other.body["items"], json!([]), "{}", other.body);
    for (query, status, pointer) in [
        ("c1/running?group=A_B", StatusCode::UNPROCESSABLE_ENTITY, json!("/group")),
        ("none/running", StatusCode::NOT_FOUND, Value::Null),
        ("c1/running?groups=x", StatusCode::UNPROCESSABLE_ENTITY, json!("/groups")),
    ] {
        let refused = world.test.get(&format!("/connections/{query}")).await;
        assert_eq!(
            (refused.status, &refused.body["errors"][0]["pointer"]),
            (status, &pointer),
            "{query}: {}",
            refused.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_tells_answers_and_is_bound() {
    let world = start(&[("README.md", "# shop\n")]).await;
    let seen = world.adopt("/preview", wanted(&json!({}))).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
    assert_eq!((&seen.body["service"], &seen.body["known"]), (&json!("shop/api"), &json!(true)), "{}", seen.body);
    let found = seen.body["found"].as_array().unwrap();
    let name = found.iter().find(|one| one["parameter"] == "name").unwrap();
    assert_eq!((&name["value"], &name["told_by"]), (&json!("api"), &json!("c1/shop/api")));
    assert!(bindings(&world).await.is_empty());

    let made = world.adopt("", wanted(&json!({}))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let step = made.body["steps"].as_array().unwrap().iter().find(|step| step["step"] == "bindings").unwrap();
    assert_eq!((&step["state"], &step["message"]), (&json!("done"), &json!("what runs in production is bound to it")));
    let bound = bindings(&world).await;
    assert_eq!((&bound[0]["service"], &bound[0]["connection"]), (&json!("shop/api"), &json!("c1")), "{bound:?}");
    assert_eq!(bound[0]["config"], json!({ "namespace": "shop", "deployment": "api" }));
    let live = world.test.get("/services/shop/api/environments/production/live").await;
    assert!(live.body["image"].as_str().unwrap().starts_with("tinyweb:v1@"), "{}", live.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_bound_is_told_where_it_was_given() {
    let world = start(&[("README.md", "# shop\n")]).await;
    for (changes, pointer) in [
        (json!({ "connection": "none" }), "/runs/connection"),
        (json!({ "environment": "none" }), "/runs/environment"),
        (json!({ "name": "none" }), "/runs/name"),
        (json!({ "group": "other" }), "/runs/name"),
        (json!({ "group": "A B" }), "/runs/group"),
        // Another service is bound to it.
        (json!({ "name": "web", "environment": "staging" }), "/runs/name"),
    ] {
        let rows = world.test.rows().await;
        let mut wanted = wanted(&changes);
        wanted["answers"]["name"] = json!("orders");
        let refused = world.adopt("", wanted).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{changes}: {}", refused.body);
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{changes}: {}", refused.body);
        assert_eq!(world.test.rows().await, rows, "{changes}");
    }
    // Whoever may make services but not bind them sees nothing of what runs.
    let developer = world.test.another("dora", Role::Developer).await;
    assert!(!developer.get(FORM).await.html.contains("runs.connection"));
    let fields =
        [("act", "look"), ("runs.connection", "c1"), ("runs.name", "shop/api"), ("runs.environment", "production")];
    assert_eq!(developer.post(FORM, &fields).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_leads_from_the_connection_to_the_binding_without_scripts() {
    let world = start(&[("README.md", "# shop\n")]).await;
    let person = world.test.person().await;
    assert!(person.get(FORM).await.html.contains("name=\"runs.connection\""));
    let place = [("runs.connection", "c1"), ("runs.environment", "production")];
    let listed = person.post(FORM, &[vec![("act", "look")], place.to_vec()].concat()).await;
    assert_eq!(listed.status, StatusCode::OK, "{}", listed.html);
    assert!(listed.html.contains("shop/api · tinyweb:v1") && listed.html.contains("· shop/web"), "{}", listed.html);
    let chosen = [place[0], place[1], ("runs.name", "shop/api")];
    let seen = person.post(FORM, &[vec![("act", "look")], chosen.to_vec()].concat()).await;
    assert_eq!(seen.status, StatusCode::OK, "{}", seen.html);
    assert!(seen.html.contains("c1/shop/api") && seen.html.contains("Some answers were not found"), "{}", seen.html);
    let answers = [
        ("shown", "name,description,owner,system"),
        ("p.name", "api"),
        ("p.description", "Answers"),
        ("p.owner", "group:shop/sellers"),
        ("p.system", "shop/shop"),
    ];
    let made = person.post(FORM, &[vec![("act", "adopt")], chosen.to_vec(), answers.to_vec()].concat()).await.led_to();
    assert!(made.starts_with("/onboarding/"), "{made}");
    assert_eq!(bindings(&world).await.len(), 1);
}
