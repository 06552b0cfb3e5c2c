//! Whether an image is in its registry is seen before it is deployed, over HTTP; a roll back asks no registry.

use crate::support::{TestPortal, deployment, kubeconfig};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const DIGEST: &str = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A registry of one image, `web:2`, for `ci` with the password `hunter2`.
async fn registry() -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = vec![0; 8192];
                let read = stream.read(&mut head).await.unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).into_owned();
                let known = head.lines().any(|line| line.eq_ignore_ascii_case("authorization: Basic Y2k6aHVudGVyMg=="));
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let answer = match path.as_str() {
                    _ if !known => "401 X\r\nwww-authenticate: Basic realm=\"r\"\r\n".to_owned(),
                    "/v2/" => "200 X\r\n".to_owned(),
                    "/v2/web/manifests/2" => format!("200 X\r\ndocker-content-digest: {DIGEST}\r\n"),
                    path if path == format!("/v2/web/manifests/{DIGEST}") => {
                        format!("200 X\r\ndocker-content-digest: {DIGEST}\r\n")
                    }
                    _ => "404 X\r\n".to_owned(),
                };
                let answer = format!("HTTP/1.1 {answer}content-length: 0\r\nconnection: close\r\n\r\n");
                drop(stream.write_all(answer.as_bytes()).await);
            });
        }
    });
    (host, task)
}

/// The connection of the shop is no simulation any more, as far as the portal knows.
async fn in_earnest() -> TestPortal {
    let test = TestPortal::with_shop().await;
    let config = kubeconfig(&test.simulator.kubernetes_url("test"), "t");
    let config = json!({ "config": { "kubeconfig": { "value": config } } });
    let patched = test.call(Method::PATCH, "/connections/c1", &test.admin, Some(&config)).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    test
}

fn told(plan: &Value, code: &str) -> Vec<(String, String)> {
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let all = plan["findings"].as_array().unwrap().iter().filter(|one| one["code"] == code);
    all.map(|one| (text(one, "severity"), text(one, "message"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_seen_before_it_is_deployed_and_a_way_back_needs_no_registry() {
    let test = in_earnest().await;
    let (host, serving) = registry().await;
    let image = |rest: &str| format!("{host}/web{rest}");
    let plan = test.post("/plans", &deployment(&image(":2"))).await.body;
    let unseen = told(&plan, "image_unseen");
    assert_eq!(unseen[0].0, "warning", "{plan}");
    assert!(unseen[0].1.contains("other credentials"), "{unseen:?}");

    let connection = json!({ "name": "images", "kind": "registry", "config": {
        "host": host, "username": "ci", "password": { "value": "hunter2" } } });
    let made = test.post("/connections", &connection).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert!(!made.body.to_string().contains("hunter2"));
    let checked = test.post("/connections/images/check", &json!({})).await;
    assert_eq!(checked.body["reachable"], true, "{}", checked.body);
    let bound = json!({ "service": "shop/web", "environment": "production", "kind": "registry", "connection": "images", "config": {} });
    assert_eq!(test.post("/bindings", &bound).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    let plan = test.post("/plans", &deployment(&image(":2"))).await.body;
    let tag = told(&plan, "mutable_tag");
    assert_eq!((tag.len(), tag[0].0.as_str()), (1, "warning"), "{plan}");
    assert!(tag[0].1.ends_with(DIGEST), "{tag:?}");
    let pinned = test.post("/plans", &deployment(&image(&format!(":2@{DIGEST}")))).await.body;
    assert!(told(&pinned, "mutable_tag").is_empty() && told(&pinned, "image_missing").is_empty(), "{pinned}");
    let missing = test.post("/plans", &deployment(&image(":3"))).await.body;
    assert_eq!(told(&missing, "image_missing")[0].0, "error", "{missing}");
    // Without a host it may be on the nodes already.
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await.body;
    assert!(told(&plan, "image_unseen").is_empty() && told(&plan, "image_missing").is_empty(), "{plan}");

    assert_eq!(test.ended(&test.deploy(&image(":2")).await).await["state"], "succeeded");
    serving.abort();
    let back = test.post("/services/shop/web/environments/staging/rollback", &json!({ "reason": "a test" })).await;
    let ended = test.ended(back.body["id"].as_str().unwrap()).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_no_registry_changes_nothing() {
    let test = in_earnest().await;
    let (host, _serving) = registry().await;
    let connection = json!({ "name": "images", "kind": "registry", "config": {
        "host": host, "username": "ci", "password": { "value": "hunter2" } } });
    assert_eq!(test.post("/connections", &connection).await.status, StatusCode::CREATED);
    let before = test.simulator.effects("/k8s/test", "deployments.apps/shop/web");
    let asked = test.post("/deployments", &deployment(&format!("{host}/web:nope"))).await;
    let ended = match asked.body["ended_at"].is_null() {
        true => test.ended(asked.body["id"].as_str().unwrap()).await,
        false => asked.body,
    };
    assert!(ended.to_string().contains("is not in the registry"), "{ended}");
    assert!(matches!(ended["state"].as_str(), Some("failed" | "blocked")), "{ended}");
    assert_eq!(test.simulator.effects("/k8s/test", "deployments.apps/shop/web"), before, "nothing was changed");
}
