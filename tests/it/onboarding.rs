//! Golden paths over HTTP: looked at, made, refused, finished later; with the template in `templates/`.

use crate::support::{Answer, TestPortal};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

pub const TEAMS: &str = "
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: sellers, namespace: shop }
spec: { type: team, children: [] }
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: { name: cooks, namespace: shop }
spec: { type: team, children: [] }
";

/// With teams in the catalog, as a golden path asks for one.
pub async fn with_teams(test: TestPortal) -> TestPortal {
    assert_eq!(test.import(TEAMS).await.status, StatusCode::OK);
    test
}

async fn start() -> TestPortal {
    with_teams(TestPortal::with_shop().await).await
}

/// What is asked for, with the name `orders`.
pub fn body(changes: Value) -> Value {
    let mut answers = json!({ "name": "orders", "description": "Takes: #orders", "owner": "group:shop/sellers", "system": "shop/shop" });
    answers.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    json!({ "template": "small-service", "answers": answers })
}

fn pointers(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    answer.body["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap().to_owned())
        .collect()
}

fn steps(made: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    made["steps"].as_array().unwrap().iter().map(|step| (text(&step["step"]), text(&step["state"]))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_looked_at_made_and_downloaded() {
    let test = start().await;
    let listed = test.get("/templates").await.body;
    assert!(listed["items"].as_array().unwrap().iter().any(|one| one["id"] == "small-service"), "{listed}");
    let template = test.get("/templates/small-service").await.body;
    assert_eq!(template["schema"]["properties"]["port"]["maximum"], 65535);
    assert_eq!(template["steps"][0]["parameters"][0], "name");
    let example = json!({ "template": "small-service", "answers": template["example"] });
    assert_eq!(
        test.post("/onboardings/preview", &example).await.status,
        StatusCode::OK,
        "the example is accepted as it stands"
    );

    let before = test.rows().await;
    let preview = test.post("/onboardings/preview", &body(json!({}))).await;
    assert_eq!(preview.status, StatusCode::OK, "{}", preview.body);
    assert_eq!(preview.body["service"], "shop/orders");
    let readme = preview.body["files"].as_array().unwrap().iter().find(|file| file["path"] == "README.md").unwrap();
    assert_eq!(readme["content"], "# orders\n\nTakes: \\#orders\n");
    assert_eq!(test.rows().await, before, "looking changes nothing");

    let made = test.post("/onboardings", &body(json!({}))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(steps(&made.body), [("catalog".to_owned(), "done".to_owned())]);
    assert_eq!((&made.body["state"], &made.body["created_by"]), (&json!("done"), &json!("root")));
    let service = test.get("/services/shop/orders").await.body;
    assert_eq!((&service["owner"], &service["system"]), (&json!("shop/sellers"), &json!("shop/shop")));
    assert_eq!(service["description"], "Takes: #orders");
    assert_eq!(service["annotations"]["passerelle.dev/template"], "small-service@1.0.0");
    assert_eq!(test.get("/entities/api/shop/orders-api").await.status, StatusCode::OK);

    let id = made.body["id"].as_str().unwrap();
    let audited = test.get("/audit?action=onboarding.create").await.body;
    assert_eq!(audited["total"], 1, "{audited}");
    assert_eq!(audited["items"][0]["after"]["template_version"], "1.0.0");
    let found = test.get("/onboardings?service=shop/orders").await.body;
    assert_eq!((&found["total"], &found["items"][0]["id"]), (&json!(1), &json!(id)));
    assert_eq!(test.get("/onboardings?template=other").await.body["total"], 0);
    archive(&test, id).await;
}

async fn archive(test: &TestPortal, id: &str) {
    let mut downloads = Vec::new();
    for _ in 0..2 {
        let request = test.http.get(format!("{}/api/v1/onboardings/{id}/archive", test.url)).bearer_auth(&test.admin);
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["content-type"], "application/zip");
        assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"orders.zip\"");
        downloads.push(response.bytes().await.unwrap());
    }
    assert!(downloads[0].starts_with(b"PK") && downloads[0] == downloads[1], "the same bytes each time");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_answers_are_told_by_name_and_nothing_is_half_done() {
    let test = start().await;
    let before = test.rows().await;
    for (changes, wanted) in [
        (json!({ "name": "../x" }), "/answers/name"),
        (json!({ "name": "web" }), "/answers/name"),
        (json!({ "name": "a;b", "port": 80 }), "/answers/port"),
        (json!({ "description": "{{7*7}}" }), "/answers/description"),
        (json!({ "description": "a\n  hostNetwork: true" }), "/answers/description"),
        (json!({ "description": "a\u{202e}b" }), "/answers/description"),
        (json!({ "description": "x".repeat(1 << 19) }), "/answers/description"),
        (json!({ "owner": "group:shop/nobody" }), "/answers/owner"),
        (json!({ "owner": null }), "/answers/owner"),
        (json!({ "system": "shop/none" }), "/answers/system"),
        (json!({ "language": "cobol" }), "/answers/language"),
        (json!({ "colour": "red" }), "/answers/colour"),
        (json!({ "measured": "yes" }), "/answers/measured"),
    ] {
        for path in ["/onboardings/preview", "/onboardings"] {
            let answer = test.post(path, &body(changes.clone())).await;
            assert!(pointers(&answer).iter().any(|pointer| pointer == wanted), "{changes}: {}", answer.body);
        }
    }
    let unknown = test.post("/onboardings", &json!({ "template": "none", "answers": {} })).await;
    assert_eq!(pointers(&unknown), ["/template"]);
    let more = test.post("/onboardings", &json!({ "template": "none", "answers": {}, "delivry": {} })).await;
    assert_eq!(pointers(&more), ["/delivry"]);
    assert_eq!(test.get("/templates/none").await.status, StatusCode::NOT_FOUND);
    for path in ["", "/archive"] {
        let none = test.get(&format!("/onboardings/00000000-0000-7000-8000-000000000000{path}")).await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(test.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_makes_a_service_gets_no_more_than_their_roles_give() {
    let (test, _prometheus) = TestPortal::with_prometheus().await;
    let test = with_teams(test).await;
    let scope = Scope::Team("shop/sellers".to_owned());
    let developer = test.token("dev", Role::Developer, scope.clone()).await;
    let viewer = test.token("looker", Role::Viewer, scope).await;
    let whole = body(json!({ "measured": true, "language": "container", "image": "a/b:1" }));
    let make = |token: &str, body: Value| {
        let (test, token) = (&test, token.to_owned());
        async move { test.call(Method::POST, "/onboardings", &token, Some(&body)).await }
    };
    assert_eq!(make(&viewer, whole.clone()).await.status, StatusCode::FORBIDDEN);
    let other = make(&developer, body(json!({ "owner": "group:shop/cooks", "system": "shop/shop" }))).await;
    assert_eq!(pointers(&other), ["/answers/owner"]);
    assert_eq!(test.get("/audit?action=onboarding.create&outcome=denied").await.body["total"], 1);

    let made = make(&developer, whole).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let waiting = [("catalog", "done"), ("objectives", "waiting"), ("bindings", "waiting")];
    let named = |all: &[(&str, &str)]| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>();
    assert_eq!((steps(&made.body), &made.body["state"]), (named(&waiting), &json!("incomplete")));
    assert!(made.body["steps"][1]["message"].as_str().unwrap().contains("operator"), "{}", made.body);
    assert!(made.body["steps"][2]["message"].as_str().unwrap().contains("admin"), "{}", made.body);
    assert_eq!(test.get("/slos?service=shop/orders").await.body["total"], 0);

    let retry = format!("/onboardings/{}/retry", made.body["id"].as_str().unwrap());
    assert_eq!(test.call(Method::POST, &retry, &viewer, None).await.status, StatusCode::FORBIDDEN);
    let finished = test.post(&retry, &json!({})).await;
    assert_eq!(finished.status, StatusCode::OK, "{}", finished.body);
    let done = [("catalog", "done"), ("objectives", "done"), ("bindings", "done")];
    assert_eq!((steps(&finished.body), &finished.body["state"]), (named(&done), &json!("done")));
    assert_eq!(test.get("/slos?service=shop/orders").await.body["total"], 1);
    let bindings = test.get("/bindings?service=shop/orders").await.body;
    assert_eq!(bindings["items"][0]["config"]["deployment"], "orders", "{bindings}");
    let again = test.post(&retry, &json!({})).await.body;
    assert_eq!(again, finished.body, "what is done is not done twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_may_not_see_does_not_exist() {
    let test = start().await;
    let made = test.post("/onboardings", &body(json!({}))).await.body;
    let stranger = test.token("stranger", Role::Developer, Scope::Team("shop/cooks".to_owned())).await;
    let id = made["id"].as_str().unwrap();
    for path in [format!("/onboardings/{id}"), format!("/onboardings/{id}/archive")] {
        assert_eq!(test.call(Method::GET, &path, &stranger, None).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(test.call(Method::GET, "/onboardings", &stranger, None).await.body["total"], 0);
    assert_eq!(test.call(Method::GET, "/templates", &stranger, None).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_makes_the_service_and_a_repeated_request_finds_it() {
    let test = start().await;
    let wanted = body(json!({}));
    let all = futures::future::join_all((0..12).map(|_| test.post("/onboardings", &wanted))).await;
    let made = all.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 1, "{:?}", all.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for refused in all.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        assert_eq!(pointers(refused), ["/answers/name"]);
    }
    let other = body(json!({ "name": "stock" }));
    let send = || async {
        let request = test.http.post(format!("{}/api/v1/onboardings", test.url)).bearer_auth(&test.admin);
        let response = request.header("idempotency-key", "one").json(&other).send().await.unwrap();
        (response.status(), response.json::<Value>().await.unwrap()["id"].clone())
    };
    let (first, second) = (send().await, send().await);
    assert_eq!((first.0, &first.1), (StatusCode::CREATED, &second.1));
    assert_eq!(test.get("/onboardings").await.body["total"], 2);
}
