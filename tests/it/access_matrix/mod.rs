//! Every route of the API with who may use it. A route that is not listed here fails the test.

mod cells;
mod pages;

use crate::support::TestPortal;
use passerelle_contract::access::{Role, Scope};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Who may call a route: nobody signed in, anybody signed in, or the least role on everything (in staging for deployments).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Anybody,
    SignedIn,
    Least(Role),
    /// Whoever shows by the delivery itself that it knows a secret.
    Proven,
}

use Role::{Admin, Developer, Operator};
use Who::{Anybody, Least, Proven, SignedIn};

const MATRIX: &[(&str, &str, Who)] = &[
    ("get", "/openapi.json", Anybody),
    ("get", "/me", SignedIn),
    ("get", "/me/permissions", SignedIn),
    ("get", "/tokens", SignedIn),
    ("post", "/tokens", SignedIn),
    ("delete", "/tokens/{id}", SignedIn),
    ("get", "/sessions", SignedIn),
    ("delete", "/sessions", SignedIn),
    ("delete", "/sessions/{id}", SignedIn),
    ("post", "/sessions", Anybody),
    ("post", "/sessions/current/confirmation", SignedIn),
    ("get", "/users", Least(Admin)),
    ("post", "/users", Least(Admin)),
    ("patch", "/users/{name}", Least(Admin)),
    ("get", "/users/{name}/permissions", Least(Admin)),
    ("get", "/permissions/holders", Least(Admin)),
    ("get", "/role-bindings", Least(Admin)),
    ("post", "/role-bindings", Least(Admin)),
    ("delete", "/role-bindings/{id}", Least(Admin)),
    ("get", "/audit", Least(Developer)),
    ("get", "/audit/export", Least(Developer)),
    ("get", "/audit/checkpoints", Least(Developer)),
    ("get", "/audit/streams", Least(Developer)),
    ("get", "/audit/archives", Least(Developer)),
    ("get", "/services", SignedIn),
    ("get", "/services/facets", SignedIn),
    ("get", "/services/{namespace}/{name}", SignedIn),
    ("patch", "/services/{namespace}/{name}", Least(Admin)),
    ("get", "/services/{namespace}/{name}/graph", SignedIn),
    ("get", "/entities", SignedIn),
    ("get", "/entities/{kind}/{namespace}/{name}", SignedIn),
    ("post", "/catalog/imports", Least(Admin)),
    ("get", "/environments", SignedIn),
    ("post", "/environments", Least(Admin)),
    ("get", "/environments/{name}", SignedIn),
    ("patch", "/environments/{name}", Least(Admin)),
    ("get", "/connections", Least(Developer)),
    ("post", "/connections", Least(Admin)),
    ("get", "/connections/{name}", Least(Developer)),
    ("patch", "/connections/{name}", Least(Admin)),
    ("delete", "/connections/{name}", Least(Admin)),
    ("post", "/connections/{name}/check", Least(Developer)),
    ("get", "/connections/{name}/running", Least(Admin)),
    ("get", "/bindings", SignedIn),
    ("get", "/bindings/{id}", SignedIn),
    ("post", "/bindings", Least(Admin)),
    ("patch", "/bindings/{id}", Least(Admin)),
    ("delete", "/bindings/{id}", Least(Admin)),
    ("get", "/target-kinds", SignedIn),
    ("get", "/slos", SignedIn),
    ("post", "/slos/imports", Least(Operator)),
    ("get", "/slos/rules.yaml", SignedIn),
    ("get", "/slos/policies", SignedIn),
    ("put", "/slos/policies/{tier}", Least(Admin)),
    ("get", "/slos/{id}", SignedIn),
    ("patch", "/slos/{id}", Least(Operator)),
    ("delete", "/slos/{id}", Least(Operator)),
    ("get", "/slos/{id}/source", SignedIn),
    ("get", "/slos/{id}/history", SignedIn),
    ("get", "/slos/{id}/corrections", SignedIn),
    ("post", "/slos/{id}/corrections", Least(Admin)),
    ("get", "/postmortems", SignedIn),
    ("post", "/postmortems/{id}/close", Least(Developer)),
    ("get", "/alerts", SignedIn),
    ("post", "/webhooks/alertmanager/{connection}", Least(Developer)),
    ("post", "/webhooks/github/{connection}", Proven),
    ("post", "/webhooks/gitlab/{connection}", Proven),
    ("get", "/matrix", SignedIn),
    ("post", "/plans", Least(Developer)),
    ("get", "/deployments", SignedIn),
    ("post", "/deployments", Least(Developer)),
    ("get", "/deployments/{id}", SignedIn),
    ("get", "/deployments/{id}/events", SignedIn),
    ("post", "/deployments/{id}/cancel", Least(Developer)),
    ("post", "/releases", Least(Developer)),
    ("get", "/services/{namespace}/{name}/releases", SignedIn),
    ("get", "/releases/{id}/vulnerabilities", SignedIn),
    ("put", "/releases/{id}/vulnerabilities", Least(Developer)),
    ("patch", "/deployments/{id}", Least(Developer)),
    ("post", "/deployments/{id}/approvals", Least(Developer)),
    ("post", "/deployments/{id}/approve", Least(Developer)),
    ("post", "/deployments/{id}/reject", Least(Developer)),
    ("get", "/gates/decision", SignedIn),
    ("get", "/gates/policies", SignedIn),
    ("get", "/gates/policies/{tier}", SignedIn),
    ("put", "/gates/policies/{tier}", Least(Admin)),
    ("get", "/freezes", SignedIn),
    ("post", "/freezes", Least(Operator)),
    ("get", "/freezes/{id}", SignedIn),
    ("put", "/freezes/{id}", Least(Operator)),
    ("delete", "/freezes/{id}", Least(Operator)),
    ("get", "/waivers", SignedIn),
    ("post", "/waivers", Least(Operator)),
    ("delete", "/waivers/{id}", Least(Operator)),
    ("get", "/break-glass", SignedIn),
    ("post", "/break-glass", Least(Developer)),
    ("get", "/templates", SignedIn),
    ("get", "/templates/{id}", SignedIn),
    ("post", "/onboardings/preview", Least(Developer)),
    ("get", "/onboardings", SignedIn),
    ("post", "/onboardings", Least(Developer)),
    ("get", "/onboardings/{id}", SignedIn),
    ("get", "/onboardings/{id}/archive", SignedIn),
    ("post", "/onboardings/{id}/retry", Least(Developer)),
    ("get", "/onboardings/{id}/deliveries", SignedIn),
    ("post", "/onboardings/{id}/deliveries", Least(Developer)),
    ("get", "/onboardings/{id}/deliveries/{delivery}", SignedIn),
    ("post", "/onboardings/{id}/deliveries/{delivery}/retry", Least(Developer)),
    ("post", "/onboardings/{id}/deliveries/{delivery}/undo", Least(Developer)),
    ("post", "/onboardings/{id}/updates/preview", Least(Developer)),
    ("post", "/onboardings/{id}/updates", Least(Developer)),
    ("post", "/adoptions/preview", Least(Developer)),
    ("post", "/adoptions", Least(Developer)),
    ("get", "/notifications/channels", Least(Developer)),
    ("post", "/notifications/channels", Least(Admin)),
    ("get", "/notifications/channels/{name}", Least(Developer)),
    ("patch", "/notifications/channels/{name}", Least(Admin)),
    ("delete", "/notifications/channels/{name}", Least(Admin)),
    ("post", "/notifications/channels/{name}/test", Least(Admin)),
    ("get", "/notifications/channel-kinds", SignedIn),
    ("get", "/notifications/rules", Least(Developer)),
    ("post", "/notifications/rules", Least(Admin)),
    ("get", "/notifications/rules/{id}", Least(Developer)),
    ("put", "/notifications/rules/{id}", Least(Admin)),
    ("delete", "/notifications/rules/{id}", Least(Admin)),
    ("get", "/notifications/deliveries", Least(Developer)),
    ("get", "/notifications/deliveries/{id}", Least(Developer)),
    ("post", "/notifications/deliveries/{id}/retry", Least(Operator)),
    ("get", "/services/{namespace}/{name}/environments/{environment}/live", SignedIn),
    ("post", "/services/{namespace}/{name}/environments/{environment}/rollback", Least(Developer)),
    ("post", "/services/{namespace}/{name}/environments/{environment}/restart", Least(Developer)),
    ("post", "/services/{namespace}/{name}/environments/{environment}/scale", Least(Developer)),
    ("post", "/services/{namespace}/{name}/environments/{environment}/hold", Least(Developer)),
    ("post", "/services/{namespace}/{name}/environments/{environment}/resume", Least(Developer)),
];

/// A body that gets past parsing, so that the refusal is about the right and not about the form.
fn body(path: &str) -> Value {
    let release = json!({ "service": "shop/web", "version": "9", "image": "a/b:9" });
    match path {
        "/deployments" | "/plans" => crate::support::deployment("tinyweb:v2"),
        "/releases" => release,
        "/environments" => json!({ "name": "dev", "tier": "development", "order": 9 }),
        "/connections" => json!({ "name": "x", "kind": "docker_swarm", "config": { "endpoint": "tcp://127.0.0.1:1" } }),
        "/bindings" => {
            json!({ "service": "shop/api", "environment": "staging", "kind": "kubernetes", "connection": "c1",
                               "config": { "namespace": "shop", "deployment": "api" } })
        }
        "/users" => json!({ "name": "eve", "display_name": "Eve", "password": "correct horse battery" }),
        "/tokens" => json!({ "name": "t", "role": "admin" }),
        "/role-bindings" => json!({ "user": "root", "role": "admin", "scope": { "kind": "everything" } }),
        // As JSON is YAML too.
        "/slos/imports" => json!({ "service_level_objectives": [
            { "name": "Web", "sli": "availability", "target": 99, "window": "7d" }
        ] }),
        path if path.ends_with("/corrections") => {
            json!({ "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z", "reason": "a load test of ours" })
        }
        "/slos/policies/{tier}" => {
            json!({ "warn_below": 25, "approval_below": 10, "block_at": 0, "missing": "warn" })
        }
        "/webhooks/alertmanager/{connection}" => json!({ "version": "4", "alerts": [] }),
        "/freezes" | "/freezes/{id}" => json!({ "scope": { "kind": "global" }, "title": "no" }),
        "/waivers" => json!({ "service": "shop/web", "vulnerability": "CVE-2024-1", "reason": "not reachable",
            "expires_at": "2026-01-01T00:00:00Z" }),
        "/notifications/channels" => {
            json!({ "name": "n1", "kind": "slack", "config": { "url": { "value": "https://hooks.example.org/a" } } })
        }
        "/notifications/rules" | "/notifications/rules/{id}" => json!({ "channel": "n1" }),
        "/sessions/current/confirmation" => json!({ "password": "x" }),
        "/break-glass" => {
            json!({ "service": "shop/web", "environment": "staging", "reason": "all is down now", "password": "x" })
        }
        "/onboardings/preview" | "/onboardings" | "/adoptions/preview" | "/adoptions" => {
            json!({ "template": "none", "answers": {} })
        }
        "/onboardings/{id}/deliveries" => json!({ "repository": "acme/orders" }),
        "/deployments/{id}" => crate::support::deployment("tinyweb:v2"),
        path if path.ends_with("/approvals") => json!({ "decision": "approve" }),
        path if path.ends_with("/reject") => json!({ "reason": "no" }),
        path if path.ends_with("/scale") => json!({ "replicas": 2 }),
        _ => json!({}),
    }
}

fn fill(path: &str, deployment: &str) -> String {
    let id = if path.starts_with("/deployments") { deployment } else { "00000000-0000-7000-8000-000000000000" };
    let path = if path == "/slos/imports" { "/slos/imports?service=shop/web&connection=c1" } else { path };
    path.replace("{namespace}", "shop")
        .replace("{environment}", "staging")
        .replace("{connection}", "c1")
        .replace("{kind}", "component")
        .replace("{tier}", "staging")
        .replace("{delivery}", "00000000-0000-7000-8000-000000000000")
        .replace("{id}", id)
        .replace(
            "{name}",
            if path.starts_with("/connections") {
                "c1"
            } else if path.starts_with("/environments") {
                "staging"
            } else {
                "web"
            },
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_listed() {
    let test = TestPortal::start().await;
    let spec = test.get("/openapi.json").await.body;
    let described: BTreeSet<(String, String)> = spec["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let path = path.trim_start_matches("/api/v1").to_owned();
            item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone())).collect::<Vec<_>>()
        })
        .collect();
    let listed: BTreeSet<(String, String)> = MATRIX
        .iter()
        .filter(|(_, path, _)| *path != "/openapi.json")
        .map(|(m, p, _)| ((*m).to_owned(), (*p).to_owned()))
        .collect();
    assert_eq!(described, listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_credential_or_with_a_bad_one() {
    let test = TestPortal::with_shop().await;
    for (method, path, who) in MATRIX {
        if *who == Anybody {
            continue;
        }
        for token in ["", "x", "psl_abc_def", &"x".repeat(5000)] {
            let answer = call(&test, method, path, token, "00000000-0000-7000-8000-000000000000").await;
            // A source that sends many bad tokens is slowed down, which is a refusal too.
            let slowed = !token.is_empty() && answer.0 == StatusCode::TOO_MANY_REQUESTS;
            assert!(
                slowed || answer.0 == StatusCode::UNAUTHORIZED,
                "{method} {path} with '{token:.10}': {} {}",
                answer.0,
                answer.1
            );
        }
    }
}

/// Rows of the audit are for ever: whoever has no credential writes none.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_fills_the_audit() {
    let test = TestPortal::with_shop().await;
    let before = test.get("/audit").await.body["total"].as_u64().unwrap();
    for path in ["/access/tokens/x/delete", "/connections/new", "/freezes/new", "/services/shop/web/deploy"] {
        let form =
            test.http.post(format!("{}{path}", test.url)).header("content-type", "application/x-www-form-urlencoded");
        let status = form.body("csrf=&name=x").send().await.unwrap().status();
        assert!(status.is_redirection() || status.is_client_error(), "{path}: {status}");
        test.http.get(format!("{}{path}", test.url)).send().await.unwrap();
    }
    for path in ["/deployments", "/connections"] {
        assert_eq!(test.call(Method::POST, path, "", Some(&body(path))).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(test.get("/audit").await.body["total"].as_u64().unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_route_refuses_the_role_below_the_one_it_needs() {
    let test = TestPortal::with_shop().await;
    let id = test.deploy("tinyweb:v2").await;
    let viewer = test.token("viewer", Role::Viewer, Scope::Everything).await;
    let developer = test.token("developer", Role::Developer, Scope::Everything).await;
    for (method, path, who) in MATRIX {
        let Least(least) = who else { continue };
        let below: &[&str] = if *least >= Operator { &[&viewer, &developer] } else { &[&viewer] };
        for token in below {
            let (status, body) = call(&test, method, path, token, &id).await;
            // What does not exist and what is forbidden may look alike.
            assert!(
                matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND),
                "{method} {path}: {status} {body}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewers_token_changes_nothing() {
    let test = TestPortal::with_shop().await;
    let id = test.ended(&test.deploy("tinyweb:v2").await).await["id"].as_str().unwrap().to_owned();
    let viewer = test.token("viewer", Role::Viewer, Scope::Everything).await;
    for (method, path, _) in
        MATRIX.iter().filter(|(method, path, who)| *method != "get" && *path != "/plans" && *who != Anybody)
    {
        let (status, body) = call(&test, method, path, &viewer, &id).await;
        assert!(status.is_client_error(), "{method} {path}: {status} {body}");
    }
    let changes = test.get("/audit?actor=viewer&outcome=success").await.body;
    assert_eq!(changes["total"], 0, "{changes}");
}

async fn call(test: &TestPortal, method: &str, path: &str, token: &str, deployment: &str) -> (StatusCode, Value) {
    let body = body(path);
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
    let body = if method == Method::GET { None } else { Some(&body) };
    let answer = test.call(method, &fill(path, deployment), token, body).await;
    (answer.status, answer.body)
}
