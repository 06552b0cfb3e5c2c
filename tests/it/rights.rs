//! What somebody can do, what another role would change, and who can do something: told, and nothing done.

use crate::support::TestPortal;
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// The acts of an answer that change, in order.
fn changed(answer: &Value) -> Vec<(&str, bool)> {
    let all = answer["permissions"].as_array().unwrap().iter();
    let changed = all.filter(|one| one["now"]["allowed"] != one["then"]["allowed"]);
    changed.map(|one| (one["now"]["action"].as_str().unwrap(), one["then"]["allowed"] == true)).collect()
}

fn of<'a>(answer: &'a Value, action: &str) -> &'a Value {
    answer["permissions"].as_array().unwrap().iter().find(|one| one["now"]["action"] == action).unwrap()
}

async fn binding_of(test: &TestPortal, user: &str) -> String {
    let all = test.get(&format!("/role-bindings?user={user}")).await.body;
    all["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_roles_is_looked_at_before_it_is_made() {
    let test = TestPortal::with_shop().await;
    test.token("ada", Role::Developer, Scope::Tier("staging".to_owned())).await;
    let rows = test.rows().await;
    let path = "/users/ada/permissions?service=shop/web&environment=production";
    let now = test.get(path).await.body;
    assert_eq!(now["roles"], json!([{ "role": "developer", "scope": { "kind": "tier", "value": "staging" } }]));
    let deploy = of(&now, "deployment.create");
    assert_eq!((&deploy["now"]["allowed"], &deploy["then"]), (&json!(false), &Value::Null));
    assert_eq!(deploy["now"]["because"], "deployment.create needs the role operator on shop/web in production");

    let given = test.get(&format!("{path}&role=operator&scope=tier:production")).await.body;
    assert_eq!(given["roles_then"].as_array().unwrap().len(), 2, "{given}");
    assert!(changed(&given).contains(&("deployment.create", true)) && !changed(&given).iter().any(|(_, more)| !more));
    assert_eq!(
        of(&given, "deployment.create")["then"]["because"],
        "role operator on tier production allows deployment.create"
    );
    assert_eq!(of(&given, "connection.edit")["then"]["allowed"], false, "an operator is no administrator");

    let binding = binding_of(&test, "ada").await;
    let staging = "/users/ada/permissions?service=shop/web&environment=staging";
    let taken = test.get(&format!("{staging}&without={binding}")).await.body;
    assert!(changed(&taken).contains(&("deployment.create", false)), "{taken}");
    assert_eq!(taken["roles_then"], json!([]));
    assert_eq!(test.rows().await, rows, "nothing was changed by looking");

    // What was told is what then happens.
    let grant = json!({ "user": "ada", "role": "operator", "scope": { "kind": "tier", "value": "production" } });
    assert_eq!(test.post("/role-bindings", &grant).await.status, StatusCode::CREATED);
    let after = test.get(path).await.body;
    for one in given["permissions"].as_array().unwrap() {
        assert_eq!(of(&after, one["now"]["action"].as_str().unwrap())["now"], one["then"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_told_by_field_and_only_administrators_ask() {
    let test = TestPortal::with_shop().await;
    let olga = test.token("olga", Role::Operator, Scope::Everything).await;
    let of_root = binding_of(&test, "olga").await;
    test.token("ada", Role::Viewer, Scope::Everything).await;
    for (query, field) in [
        ("scope=everything".to_owned(), "/scope"),
        ("role=viewer&scope=somewhere".to_owned(), "/scope"),
        ("role=viewer&scope=team:".to_owned(), "/scope"),
        ("role=viewer&scope=tier:moon".to_owned(), "/scope"),
        (format!("without={of_root}"), "/without"),
    ] {
        let answer = test.get(&format!("/users/ada/permissions?{query}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], field, "{query}: {}", answer.body);
    }
    for query in ["role=king", "without=x", "what=1"] {
        assert!(test.get(&format!("/users/ada/permissions?{query}")).await.status.is_client_error(), "{query}");
    }
    assert_eq!(test.get("/users/nobody/permissions").await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get("/users/ada/permissions?service=shop/gone").await.status, StatusCode::NOT_FOUND);
    let unknown = test.get("/permissions/holders?action=fly").await;
    assert_eq!(
        (unknown.status, &unknown.body["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/action"))
    );
    assert_eq!(test.get("/permissions/holders").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for path in ["/users/olga/permissions", "/users/nobody/permissions", "/permissions/holders?action=audit.read"] {
        assert_eq!(test.call(Method::GET, path, &olga, None).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_is_who_may_and_no_disabled_user_nor_a_token_where_a_person_is_needed() {
    let test = TestPortal::with_shop().await;
    let production = Scope::Tier("production".to_owned());
    test.token("ada", Role::Developer, Scope::Everything).await;
    test.token("robot", Role::Operator, production.clone()).await;
    let (_bob, _gone) = (test.signed_in("bob", Role::Operator).await, test.signed_in("gone", Role::Operator).await);
    let patch = json!({ "disabled": true });
    assert_eq!(test.call(Method::PATCH, "/users/gone", &test.admin, Some(&patch)).await.status, StatusCode::OK);
    let names = |body: &Value| -> Vec<String> {
        body["items"].as_array().unwrap().iter().map(|one| one["user"].as_str().unwrap().to_owned()).collect()
    };
    let place = "service=shop/web&environment=production";
    let all = test.get(&format!("/permissions/holders?action=deployment.create&{place}")).await.body;
    let deployers = names(&all);
    assert!(deployers.contains(&"bob".to_owned()) && deployers.contains(&"robot".to_owned()), "{all}");
    assert!(!deployers.iter().any(|name| ["ada", "gone"].contains(&name.as_str())), "{all}");
    assert_eq!(all["total"], deployers.len());
    let approvers = names(&test.get(&format!("/permissions/holders?action=deployment.approve&{place}")).await.body);
    assert!(approvers.contains(&"bob".to_owned()) && !approvers.contains(&"robot".to_owned()), "{approvers:?}");

    // Page by page the same.
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page =
            test.get(&format!("/permissions/holders?action=deployment.create&{place}&limit=1{cursor}")).await.body;
        paged.extend(names(&page));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(paged, deployers);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_tell_it_in_both_languages_and_to_administrators_only() {
    let test = TestPortal::with_shop().await;
    let mut grace = test.person().await;
    let bob = test.another("bob", Role::Operator).await;
    let asked = "/access/simulate?user=bob&service=shop/web&environment=production";
    let page = grace.get(asked).await;
    assert!(page.html.contains("What bob can do") && page.html.contains("connection.edit"), "{}", page.html);
    let given = grace.get(&format!("{asked}&role=admin&scope_kind=everything")).await;
    assert!(given.html.contains("gained") && given.html.contains("role admin on everything allows connection.edit"));
    let wrong = grace.get(&format!("{asked}&role=admin&scope_kind=team")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.error_at("scope").len() > 4 && wrong.html.contains("value=\"bob\""), "{}", wrong.html);
    assert!(grace.get("/access/simulate?user=nobody").await.html.contains("nobody"));
    let who = grace.get("/access/who?action=deployment.create&service=shop/web&environment=production").await;
    assert!(
        who.html.contains("/access/users/bob") && who.html.contains("role operator on everything allows"),
        "{}",
        who.html
    );
    let history = grace.get("/audit?object=user:bob").await;
    assert!(history.html.contains("access.edit") && history.html.contains("operator"), "{}", history.html);
    for path in ["/access/simulate?user=bob", "/access/who"] {
        assert_eq!(bob.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(!bob.get("/access").await.html.contains("/access/who"), "no tab that leads to a refusal");
    grace.speak("fr");
    let french = grace.get(&format!("{asked}&role=admin&scope_kind=everything")).await;
    assert!(french.html.contains("Ce que bob peut faire") && french.html.contains("gagné"), "{}", french.html);
}
