//! What stands in the way of taking a binding or its connection away, and what signing out leaves behind.

use crate::support::{Answer, PASSWORD, Shown, TestPortal};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn binding(test: &TestPortal) -> Value {
    test.get("/bindings?service=shop/web").await.body["items"][0].clone()
}

fn refused(answer: &Answer, holder: &str) {
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::CONFLICT, &json!("deployment_active")));
    assert_eq!(answer.body["holder"], holder, "{}", answer.body);
    assert!(answer.body["detail"].as_str().unwrap().contains(holder), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_stays_while_a_deployment_runs_through_it() {
    let test = TestPortal::with_shop().await;
    let person = test.person().await;
    let before = binding(&test).await;
    let path = format!("/bindings/{}", before["id"].as_str().unwrap());
    let holder = test.deploy("tinyweb:v2").await;
    let elsewhere = json!({ "config": { "namespace": "shop", "deployment": "api" } });
    refused(&test.call(Method::PATCH, &path, &test.admin, Some(&elsewhere)).await, &holder);
    refused(&test.call(Method::DELETE, &path, &test.admin, None).await, &holder);
    refused(&test.call(Method::DELETE, "/connections/c1", &test.admin, None).await, &holder);
    for form in [format!("{path}/delete"), "/connections/c1/delete".to_owned()] {
        let page = person.post(&form, &[]).await;
        assert_eq!(page.status, StatusCode::CONFLICT, "{form}");
        assert!(page.html.contains(&format!("href=\"/deployments/{holder}\"")), "{form}: {}", page.html);
    }
    assert_eq!(test.ended(&holder).await["state"], "succeeded");
    assert_eq!(binding(&test).await, before);
    // Nothing runs any more.
    let bound = test.call(Method::DELETE, "/connections/c1", &test.admin, None).await;
    assert_eq!((bound.status, &bound.body["code"]), (StatusCode::CONFLICT, &json!("conflict")), "{}", bound.body);
    assert_eq!(test.call(Method::DELETE, &path, &test.admin, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(test.call(Method::DELETE, "/connections/c1", &test.admin, None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_leaves_nothing_of_the_person_in_the_browser() {
    let test = TestPortal::start().await;
    let person = test.person().await;
    let fields = [("user", "grace"), ("password", PASSWORD), ("next", "/")];
    let signed_in = person.anonymous().post("/sign-in", &fields).await;
    let set = |shown: &Shown| {
        let all = shown.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().unwrap().to_owned());
        all.collect::<Vec<String>>()
    };
    let known = set(&signed_in).into_iter().find(|cookie| cookie.starts_with("passerelle_device="));
    assert!(known.is_some_and(|cookie| cookie.contains("; HttpOnly; SameSite=Lax")), "the browser is known again");
    let inside = person.get("/environments").await;
    assert!(inside.status.is_success() && inside.headers.get("clear-site-data").is_none());
    let out = person.post("/sign-out", &[]).await;
    assert_eq!(out.status, StatusCode::SEE_OTHER, "{}", out.html);
    // Not `cookies`: the browser is to be known the next time too. The session's goes by itself.
    assert_eq!(out.headers["clear-site-data"], r#""cache", "storage""#);
    let gone = set(&out);
    assert!(gone.iter().any(|one| one.starts_with("passerelle_session=;") && one.contains("Max-Age=0")), "{gone:?}");
    assert!(!gone.iter().any(|one| one.starts_with("passerelle_device=")), "{gone:?}");
    let location = out.headers["location"].to_str().unwrap();
    let told = person.anonymous().get(location).await;
    assert!(told.html.contains("class=\"alert ok\""), "{}", told.html);
    assert_eq!(person.get("/environments").await.status, StatusCode::SEE_OTHER, "the old cookie opens nothing");
}
