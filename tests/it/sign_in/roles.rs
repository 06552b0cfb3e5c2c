//! Who somebody is, and which roles their groups give.

use super::providers::{Browser, Providers};
use crate::support::PASSWORD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const ROLES: &str = "groups_claim = \"groups\"
roles = [{ group = \"7f-admins\", role = \"admin\" }, { group = \"8a-sellers\", role = \"operator\", scope = \"team:shop/sellers\" }]";

fn roles(me: &Value) -> Vec<&str> {
    let mut roles: Vec<_> = me["roles"].as_array().unwrap().iter().map(|role| role["role"].as_str().unwrap()).collect();
    roles.sort_unstable();
    roles
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_follow_the_groups_and_those_by_hand_stay() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", ROLES).await;
    let liar = &providers.liars[0];
    let mut browser = Browser::new(&test);
    liar.sign_in("s", json!({ "preferred_username": "ada", "groups": ["8a-sellers", "unknown", "7f-admins"] }));
    assert_eq!(browser.sign_in(&providers, 0, "/matrix").await.led_to(), "/matrix");
    assert_eq!(roles(&browser.me().await.unwrap()), ["admin", "operator"]);
    // By hand, the same role on the same scope as the group gives, and another one.
    for role in ["admin", "viewer"] {
        let binding = json!({ "user": "ada", "role": role, "scope": { "kind": "everything" } });
        assert_eq!(test.post("/role-bindings", &binding).await.status, StatusCode::CREATED);
    }
    let listed = test.get("/role-bindings?user=ada").await.body;
    let of_group =
        listed["items"].as_array().unwrap().iter().find(|one| one["source"]["group"] == "7f-admins").unwrap();
    assert_eq!(of_group["source"], json!({ "provider": "p0", "group": "7f-admins" }));
    let path = format!("/role-bindings/{}", of_group["id"].as_str().unwrap());
    let kept = test.call(Method::DELETE, &path, &test.admin, None).await;
    assert_eq!(kept.status, StatusCode::CONFLICT, "{}", kept.body);
    let page = browser.get("/access?user=ada").await;
    assert!(page.html.contains("by the group 7f-admins at p0"), "{}", page.html);
    // Out of the groups: at the next sign-in what they gave is gone, at once and everywhere.
    liar.sign_in("s", json!({ "preferred_username": "ada", "groups": ["unknown"] }));
    assert_eq!(Browser::new(&test).sign_in(&providers, 0, "/").await.led_to(), "/");
    assert_eq!(roles(&browser.me().await.unwrap()), ["admin", "viewer"]);
    let rows = test.get("/audit?action=access.sign_in&object=user:ada&outcome=success").await.body;
    assert_eq!(
        (&rows["items"][0]["after"]["roles"], &rows["items"][1]["after"]["roles"][0]["group"]),
        (&json!([]), &json!("7f-admins"))
    );
    assert_eq!(test.get("/users?user=ada").await.body["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_odd_claim_gives_no_role_and_a_page_that_says_so() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", ROLES).await;
    let many: Vec<String> = (0..5000).map(|n| format!("7f-{n}")).collect();
    for (claim, why) in [
        (json!(null), "absent"),
        (json!("7f-admins"), "odd"),
        (json!(7), "odd"),
        (json!([["7f-admins"]]), "odd"),
        (json!({ "7f-admins": true }), "odd"),
        (json!(["7f-admins", 7]), "odd"),
        (json!(many), "odd"),
        (json!(["7F-ADMINS", "7f-admins "]), "none"),
        (json!([]), "none"),
    ] {
        providers.liars[0].sign_in("s", json!({ "preferred_username": "ada", "groups": claim }));
        let mut browser = Browser::new(&test);
        assert_eq!(browser.sign_in(&providers, 0, "/services").await.led_to(), format!("/auth/no-role?why={why}"));
        assert!(roles(&browser.me().await.unwrap()).is_empty());
        let page = browser.get(&format!("/auth/no-role?why={why}")).await;
        assert!(page.status == StatusCode::OK && page.html.contains("without a role"), "{}", page.html);
        assert_eq!(browser.get("/api/v1/environments").await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_and_a_name_make_nobody_an_administrator() {
    let providers = Providers::start(2).await;
    let test = providers.portal_with("everybody", "").await;
    let user = json!({ "name": "grace", "display_name": "Grace", "password": PASSWORD });
    assert_eq!(test.post("/users", &user).await.status, StatusCode::CREATED);
    let binding = json!({ "user": "grace", "role": "admin", "scope": { "kind": "everything" } });
    assert_eq!(test.post("/role-bindings", &binding).await.status, StatusCode::CREATED);
    let claims = json!({ "email": "grace@example.org", "email_verified": true, "preferred_username": "grace", "name": "Grace",
        "roles": ["admin"], "groups": ["admin"] });
    let mut seen = Vec::new();
    // Two subjects of one issuer, and the same subject at another one: three people, none of them Grace.
    for (n, subject) in [(0, "s-1"), (0, "s-2"), (1, "s-1")] {
        providers.liars[n].sign_in(subject, claims.clone());
        let mut browser = Browser::new(&test);
        assert_eq!(browser.sign_in(&providers, n, "/").await.led_to(), "/auth/no-role?why=not-asked");
        let me = browser.me().await.unwrap();
        assert!(roles(&me).is_empty(), "{me}");
        seen.push(me["user"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["grace-2", "grace-3", "grace-4"]);
    // Nor does a user of a provider have a password.
    let attempt = json!({ "user": "grace-2", "password": PASSWORD });
    assert_eq!(test.call(Method::POST, "/sessions", "", Some(&attempt)).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn twelve_first_sign_ins_at_once_are_one_user() {
    let providers = Providers::start(1).await;
    let test = providers.portal_with("everybody", "").await;
    let doors = futures::future::join_all((0..12).map(|_| async {
        let mut browser = Browser::new(&test);
        let door = browser.open_door(&providers, 0, "/").await;
        (browser, door)
    }))
    .await;
    let came = futures::future::join_all(doors.into_iter().map(|(mut browser, door)| async move {
        browser.get(&door).await.led_to();
        browser.me().await.unwrap()["user"].as_str().unwrap().to_owned()
    }))
    .await;
    assert!(came.iter().all(|user| user == "person"), "{came:?}");
    assert_eq!(test.rows().await["user_identities"], 1);
}
