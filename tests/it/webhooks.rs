//! Webhooks of GitHub and GitLab: what was built becomes a release, once, when its sender knows the secret, and in no other case.

use crate::support::{Answer, TestPortal};
use hmac::{Hmac, Mac};
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "a secret of the webhook";
const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn binding(service: &str, connection: &str, environment: &str, more: Value) -> Value {
    let mut config = json!({ "repository": "acme/shop", "environment": format!("{service}-{environment}") });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "service": service, "environment": environment, "kind": "ci", "connection": connection, "config": config })
}

/// `shop/api` is deployed by a workflow of `acme/shop` on GitHub; a project of the same name is on GitLab.
async fn shop() -> TestPortal {
    let test = TestPortal::with_shop().await;
    let base = test.simulator.pipelines_url();
    for (name, provider, secret) in
        [("hub", "github", Some(SECRET)), ("lab", "gitlab", Some("another")), ("deaf", "github", None)]
    {
        let mut config =
            json!({ "provider": provider, "base_url": base, "token": { "value": "t" }, "simulated": true });
        if let Some(secret) = secret {
            config["webhook_secret"] = json!({ "value": secret });
        }
        let made = test.post("/connections", &json!({ "name": name, "kind": "ci", "config": config })).await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
        assert_eq!(made.body["config"]["token"], json!({ "set": true }), "{}", made.body);
    }
    let config = json!({ "workflow": "deploy.yml", "release_image": "ghcr.io/acme/api:{tag}" });
    let bound = test.post("/bindings", &binding("shop/api", "hub", "staging", config)).await;
    assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
    test
}

fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

async fn send(test: &TestPortal, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Answer {
    let mut request =
        test.http.post(format!("{}/api/v1/webhooks/{path}", test.url)).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.body(body).send().await.unwrap();
    let status = response.status();
    Answer { status, body: response.json().await.unwrap_or(Value::Null) }
}

async fn github(test: &TestPortal, connection: &str, event: &str, delivery: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let signed = signature(SECRET, body.as_bytes());
    let headers =
        [("x-hub-signature-256", signed.as_str()), ("x-github-event", event), ("x-github-delivery", delivery)];
    send(test, &format!("github/{connection}"), &headers, body).await
}

fn repository(name: &str) -> Value {
    json!({ "full_name": name, "html_url": format!("https://github.com/{name}") })
}

fn released(name: &str, tag: &str) -> Value {
    json!({ "action": "published", "repository": repository(name), "release": { "tag_name": tag, "draft": false,
        "target_commitish": SHA, "html_url": format!("https://github.com/{name}/releases/tag/{tag}"), "body": "what is new" } })
}

fn passed(workflow: &str, cause: &str) -> Value {
    json!({ "action": "completed", "repository": repository("acme/shop"), "workflow_run": { "conclusion": "success", "event": cause,
        "head_sha": SHA, "head_branch": "main", "path": format!(".github/workflows/{workflow}"),
        "head_repository": { "full_name": "acme/shop" }, "html_url": "https://github.com/acme/shop/actions/runs/7" } })
}

async fn releases(test: &TestPortal, service: &str) -> Vec<Value> {
    let page = test.get(&format!("/services/{service}/releases")).await.body;
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_release_becomes_a_release_once() {
    let test = shop().await;
    let event = released("Acme/Shop", "v1.2");
    let first = github(&test, "hub", "release", "d-1", &event).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    let made = &first.body["releases"][0];
    assert_eq!(
        (&made["service"], &made["version"], &made["state"]),
        (&json!("shop/api"), &json!("v1.2"), &json!("created"))
    );
    let again = github(&test, "hub", "release", "d-1", &event).await;
    assert_eq!((again.status, &again.body["repeated"]), (StatusCode::OK, &json!(true)), "{}", again.body);
    let another = github(&test, "hub", "release", "d-2", &event).await;
    assert_eq!(another.body["releases"][0]["state"], "known", "{}", another.body);

    let all = releases(&test, "shop/api").await;
    assert_eq!(all.len(), 1, "{all:?}");
    let one = &all[0];
    assert_eq!(
        (&one["image"], &one["commit"], &one["git_ref"]),
        (&json!("ghcr.io/acme/api:v1.2"), &json!(SHA), &json!(SHA))
    );
    assert_eq!(
        (&one["repository_url"], &one["notes"]),
        (&json!("https://github.com/Acme/Shop"), &json!("what is new"))
    );
    let created = test.get("/audit?action=release.create").await.body;
    assert_eq!(
        (&created["total"], &created["items"][0]["actor"]),
        (&json!(1), &json!("system:webhook:hub")),
        "{created}"
    );
    assert_eq!(created["items"][0]["via"], "webhook");
    let heard = test.get("/audit?action=webhook.hear&outcome=success").await.body;
    assert_eq!((&heard["total"], &heard["items"][0]["object"]), (&json!(2), &json!("connection:hub")), "{heard}");

    // A release never changes: the same version with another image is told, not taken.
    let digest = format!("sha256:{}", "a".repeat(64));
    let pushed = json!({ "action": "published", "repository": repository("acme/shop"), "registry_package": {
        "package_type": "CONTAINER", "package_version": { "package_url": "ghcr.io/acme/api:v1.2",
        "container_metadata": { "tag": { "name": "v1.2", "digest": digest } } } } });
    let refused = github(&test, "hub", "registry_package", "d-3", &pushed).await;
    assert_eq!(
        (refused.status, &refused.body["releases"][0]["state"]),
        (StatusCode::OK, &json!("refused")),
        "{}",
        refused.body
    );
    assert_eq!(releases(&test, "shop/api").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_secret_is_refused_and_leaves_nothing() {
    let test = shop().await;
    let body = released("acme/shop", "v1").to_string();
    let good = signature(SECRET, body.as_bytes());
    let before = test.rows().await;
    let foreign = signature("another", body.as_bytes());
    let spaced = format!("{body} ");
    let sha1 = "sha1=0123456789012345678901234567890123456789";
    let tries: [(&str, &str, Option<&str>, &str); 8] = [
        ("github/hub", "x-hub-signature-256", None, &body),
        ("github/hub", "x-hub-signature", Some(sha1), &body),
        ("github/hub", "x-hub-signature-256", Some(sha1), &body),
        ("github/hub", "x-hub-signature-256", Some(&foreign), &body),
        ("github/hub", "x-hub-signature-256", Some(&good), &spaced),
        ("github/none", "x-hub-signature-256", Some(&good), &body),
        ("github/deaf", "x-hub-signature-256", Some(&good), &body),
        ("gitlab/hub", "x-gitlab-token", Some(SECRET), &body),
    ];
    for (path, header, value, body) in tries {
        let mut headers = vec![("x-github-event", "release"), ("x-github-delivery", "d")];
        headers.extend(value.map(|value| (header, value)));
        let answer = send(&test, path, &headers, body.to_owned()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {value:?}: {}", answer.body);
        assert!(!answer.body.to_string().contains(SECRET), "{}", answer.body);
    }
    for path in ["gitlab/lab", "gitlab/c1"] {
        let answer = send(&test, path, &[("x-gitlab-token", "anothe")], body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}: {}", answer.body);
    }
    assert_eq!(test.rows().await, before);
    let denied = test.get("/audit?outcome=denied").await.body;
    assert!(denied["total"].as_i64().unwrap() >= 6, "{denied}");
    // Somebody's token opens nothing here.
    let developer = test.token("developer", Role::Developer, Scope::Everything).await;
    let request = test.http.post(format!("{}/api/v1/webhooks/github/hub", test.url)).bearer_auth(&developer);
    let answer = request.header("content-type", "application/json").body(body.clone()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    // Who keeps trying is slowed down.
    let mut last = StatusCode::UNAUTHORIZED;
    for _ in 0..200 {
        last = send(&test, "github/hub", &[("x-hub-signature-256", foreign.as_str())], body.clone()).await.status;
        if last == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nobodys_or_no_build_is_ignored_and_bad_bodies_are_refused() {
    let test = shop().await;
    let before = test.rows().await;
    let mut draft = released("acme/shop", "v1");
    draft["release"]["draft"] = json!(true);
    for (event, body) in [
        ("release", released("acme/unknown", "v1")),
        ("release", draft),
        ("ping", json!({ "zen": "x", "repository": repository("acme/shop") })),
        ("push", json!({ "repository": repository("acme/shop") })),
        ("release", json!({})),
        ("workflow_run", passed("deploy.yml", "workflow_dispatch")),
    ] {
        let answer = github(&test, "hub", event, "d-9", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{event}: {}", answer.body);
        assert!(answer.body["ignored"].as_str().is_some_and(|why| why.len() > 10), "{event}: {}", answer.body);
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, expected) in [
        (deep, StatusCode::UNPROCESSABLE_ENTITY),
        ("{".to_owned(), StatusCode::UNPROCESSABLE_ENTITY),
        (String::new(), StatusCode::UNPROCESSABLE_ENTITY),
        ("x".repeat(2 << 20), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let signed = signature(SECRET, body.as_bytes());
        let headers =
            [("x-hub-signature-256", signed.as_str()), ("x-github-event", "release"), ("x-github-delivery", "d")];
        let answer = send(&test, "github/hub", &headers, body.clone()).await;
        assert_eq!(answer.status, expected, "{}", answer.body);
    }
    // Without an announced length the same limit holds.
    let chunks = futures::stream::iter((0..64).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 64 << 10])));
    let body = reqwest::Body::wrap_stream(chunks);
    let answer = send(&test, "github/hub", &[("x-hub-signature-256", "sha256=00")], body).await;
    assert!(answer.status.is_client_error(), "{}", answer.status);
    // A delivery without its name cannot be told from its own repetition.
    let nameless = github(&test, "hub", "release", "", &released("acme/shop", "v1")).await;
    assert_eq!(nameless.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", nameless.body);
    assert_eq!(test.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_run_of_the_workflow_that_builds_is_a_release() {
    let test = shop().await;
    let config = json!({ "workflow": "deploy.yml", "build_workflow": "build.yml", "release_image": "ghcr.io/acme/web:{short_sha}" });
    let bound = test.post("/bindings", &binding("shop/web", "hub", "production", config)).await;
    assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
    for (workflow, cause) in [("deploy.yml", "push"), ("build.yml", "pull_request")] {
        let answer = github(&test, "hub", "workflow_run", "d-1", &passed(workflow, cause)).await;
        assert!(answer.body["ignored"].is_string(), "{}", answer.body);
    }
    let answer = github(&test, "hub", "workflow_run", "d-2", &passed("build.yml", "push")).await;
    let made = &answer.body["releases"][0];
    assert_eq!(
        (&made["service"], &made["version"], &made["state"]),
        (&json!("shop/web"), &json!("0123456"), &json!("created")),
        "{}",
        answer.body
    );
    let one = &releases(&test, "shop/web").await[0];
    assert_eq!(
        (&one["image"], &one["build_url"]),
        (&json!("ghcr.io/acme/web:0123456"), &json!("https://github.com/acme/shop/actions/runs/7"))
    );
    assert!(releases(&test, "shop/api").await.is_empty(), "its images are named by tags");
}

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_is_heard_by_its_token_and_a_repeated_delivery_is_known_by_its_key() {
    let test = shop().await;
    let config = json!({ "release_image": "registry.example/acme/web:{version}" });
    let bound = test.post("/bindings", &binding("shop/web", "lab", "production", config)).await;
    assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
    let body = json!({ "object_kind": "release", "action": "create", "tag": "v3.1", "commit": { "id": SHA },
        "project": { "path_with_namespace": "acme/shop", "web_url": "https://gitlab.com/acme/shop" },
        "url": "https://gitlab.com/acme/shop/-/releases/v3.1", "description": "" })
    .to_string();
    for (key, repeated) in [("k-1", false), ("k-1", true)] {
        let headers = [("x-gitlab-token", "another"), ("x-gitlab-event", "Release Hook"), ("idempotency-key", key)];
        let answer = send(&test, "gitlab/lab", &headers, body.clone()).await;
        assert_eq!((answer.status, &answer.body["repeated"]), (StatusCode::OK, &json!(repeated)), "{}", answer.body);
    }
    // Without any name of the delivery its content is its name.
    let named = send(&test, "gitlab/lab", &[("x-gitlab-token", "another")], body.clone()).await;
    assert_eq!(named.body["releases"][0]["state"], "known", "{}", named.body);
    let again = send(&test, "gitlab/lab", &[("x-gitlab-token", "another")], body).await;
    assert_eq!(again.body["repeated"], true, "{}", again.body);
    assert_eq!(releases(&test, "shop/web").await[0]["image"], "registry.example/acme/web:3.1");
}

/// Whose builds `hub` may tell of.
async fn hears(test: &TestPortal, from: Value) {
    let base = test.simulator.pipelines_url();
    let config = json!({ "provider": "github", "base_url": base, "token": { "set": true }, "webhook_secret": { "set": true },
        "hear_from": from, "simulated": true });
    let patched = test.call(Method::PATCH, "/connections/hub", &test.admin, Some(&json!({ "config": config }))).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_names_repositories_too_and_a_plan_links_to_the_commits() {
    let test = shop().await;
    let web = "
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: web
  namespace: shop
  title: Web shop
  annotations:
    github.com/project-slug: acme/frontend
    passerelle.dev/release-image: 'tinyweb:{tag}'
spec: { type: service, lifecycle: production, owner: group:shop/sellers, system: shop }
";
    assert_eq!(test.import(web).await.status, StatusCode::OK);
    // The catalog alone gives nobody's secret a say: the connection has to name the repository too.
    let foreign = github(&test, "hub", "release", "d-0", &released("acme/frontend", "v1")).await;
    assert!(foreign.body["ignored"].as_str().unwrap().contains("acme/frontend"), "{}", foreign.body);
    hears(&test, json!(["acme/other", "shop/*"])).await;
    let other = github(&test, "hub", "release", "d-0", &released("acme/frontend", "v1")).await;
    assert!(other.body["ignored"].is_string(), "{}", other.body);
    assert!(releases(&test, "shop/web").await.is_empty());
    hears(&test, json!(["acme/*"])).await;
    for (delivery, tag) in [("d-1", "v1"), ("d-2", "v2")] {
        let mut event = released("acme/frontend", tag);
        event["release"]["target_commitish"] = json!("main");
        let answer = github(&test, "hub", "release", delivery, &event).await;
        assert_eq!(answer.body["releases"][0]["state"], "created", "{}", answer.body);
    }
    let id = test
        .post(
            "/deployments",
            &json!({ "service": "shop/web", "environment": "staging", "version": "v1", "reason": "a test" }),
        )
        .await;
    assert_eq!(test.ended(id.body["id"].as_str().unwrap()).await["state"], "succeeded");
    let plan =
        test.post("/plans", &json!({ "service": "shop/web", "environment": "staging", "version": "v2" })).await.body;
    assert_eq!(plan["compare_url"], "https://github.com/acme/frontend/compare/v1...v2", "{plan}");
    let same =
        test.post("/plans", &json!({ "service": "shop/web", "environment": "staging", "version": "v1" })).await.body;
    assert_eq!(same["compare_url"], Value::Null, "{same}");
    let ada = test.another("ada", Role::Developer).await;
    let page = ada.get("/services/shop/web/deploy?environment=staging&version=v2").await;
    assert!(page.html.contains("https://github.com/acme/frontend/compare/v1...v2"), "{}", page.html);
    for (field, value) in [("repository_url", "http://github.com/a/b"), ("git_ref", "a..b")] {
        let mut release = json!({ "service": "shop/web", "version": "v9", "image": "tinyweb:v9" });
        release[field] = json!(value);
        let answer = test.post("/releases", &release).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], format!("/{field}"), "{}", answer.body);
    }
}
