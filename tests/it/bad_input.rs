//! Bad input over HTTP: a typed 4xx that names the field and what is allowed, and nothing half-done.

use crate::support::{Answer, TestPortal, deployment};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const BIDI: &str = "we\u{202e}b";
const SCRIPT: &str = "<script>alert(1)</script>";

/// A problem document of this status, with an error at the pointer that says something.
fn assert_refused(answer: &Answer, status: StatusCode, pointer: &str, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.body);
    assert!(answer.body["code"].is_string() && answer.body["request_id"].is_string(), "{what}: {}", answer.body);
    let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
    let found = errors.iter().find(|error| error["pointer"] == pointer);
    let message = found.and_then(|error| error["message"].as_str()).unwrap_or_default();
    assert!(message.len() > 8, "{what}: nothing is said about {pointer}: {}", answer.body);
}

/// A good body with one field that is not.
fn with(good: &Value, field: &str, value: Value) -> Value {
    let mut body = good.clone();
    body[field] = value;
    body
}

/// JSON bodies: what is sent, and the pointer that must be named.
#[expect(clippy::too_many_lines, reason = "one table")]
fn bodies() -> Vec<(Method, &'static str, Value, &'static str)> {
    let dev = json!({ "name": "dev", "tier": "development", "order": 3 });
    let environment = |field: &str, value: Value| with(&dev, field, value);
    let wanted = deployment("tinyweb:v2");
    let deploy = |field: &str, value: Value| with(&wanted, field, value);
    let nine = json!({ "service": "shop/web", "version": "9", "image": "tinyweb:v9" });
    let release = |field: &str, value: Value| with(&nine, field, value);
    let api = json!({ "service": "shop/api", "environment": "staging", "kind": "kubernetes", "connection": "c1",
        "config": { "namespace": "shop", "deployment": "api" } });
    let binding = |field: &str, value: Value| with(&api, field, value);
    let swarm = json!({ "name": "c2", "kind": "docker_swarm", "config": { "endpoint": "tcp://127.0.0.1:1" } });
    let connection = |field: &str, value: Value| with(&swarm, field, value);
    let eve = json!({ "name": "eve", "display_name": "Eve", "password": "correct horse battery" });
    let user = |field: &str, value: Value| with(&eve, field, value);
    let post = Method::POST;
    let mut cases = Vec::new();
    let mut case = |path: &'static str, body: Value, pointer: &'static str| {
        cases.push((post.clone(), path, body, pointer));
    };
    let long = "x".repeat(5000);
    // Names
    for name in [BIDI, SCRIPT, "", "Prod", "a\u{0}b", &long] {
        case("/environments", environment("name", json!(name)), "/name");
        case("/connections", connection("name", json!(name)), "/name");
        case("/users", user("name", json!(name)), "/name");
    }
    case("/users", user("display_name", json!(BIDI)), "/display_name");
    case("/users", user("display_name", json!(long)), "/display_name");
    // Unknown fields
    case("/environments", environment("colour", json!("red")), "/colour");
    case("/connections", connection("colour", json!("red")), "/colour");
    case("/bindings", binding("colour", json!("red")), "/colour");
    case(
        "/bindings",
        binding("config", json!({ "namespace": "shop", "deployment": "api", "colour": 1 })),
        "/config/colour",
    );
    case("/deployments", deploy("replica", json!(3)), "/replica");
    case("/plans", deploy("replica", json!(3)), "/replica");
    case("/releases", release("colour", json!("red")), "/colour");
    let digest = "a".repeat(64);
    case("/releases", release("manifests", json!({ "url": "file:///etc/passwd", "sha256": digest })), "/manifests/url");
    case("/releases", release("manifests", json!({ "url": "https://a.test/x", "sha256": "A" })), "/manifests/sha256");
    let escaping = json!({ "namespace": "shop", "deployment": "api", "manifests": { "path": "../x" } });
    case("/bindings", binding("config", escaping), "/config/manifests/path");
    case("/users", user("admin", json!(true)), "/admin");
    // Wrong types and numbers out of range
    case("/environments", environment("order", json!(-1)), "/order");
    case("/environments", environment("order", json!(70000)), "/order");
    case("/environments", environment("order", json!("3")), "/order");
    case("/environments", environment("order", json!(0)), "/order");
    case("/environments", environment("tier", json!("moon")), "/tier");
    case("/environments", environment("progress_deadline_s", json!(-5)), "/progress_deadline_s");
    case("/environments", environment("auto_rollback", json!("yes")), "/auto_rollback");
    case("/environments", json!([1, 2]), "");
    case("/connections", connection("kind", json!("nomad")), "/kind");
    case("/connections", connection("config", json!(null)), "/config");
    case("/bindings", binding("service", json!({ "a": 1 })), "/service");
    case("/bindings", binding("environment", json!("moon")), "/environment");
    case("/bindings", binding("connection", json!("moon")), "/connection");
    case("/bindings", binding("config", json!({ "namespace": "sh\u{0}op", "deployment": "api" })), "/config/namespace");
    // Deployments
    case("/deployments", deploy("image", json!("-v")), "/image");
    case("/deployments", deploy("image", json!(SCRIPT)), "/image");
    case("/deployments", deploy("image", json!(long)), "/image");
    case("/deployments", deploy("reason", json!(long)), "/reason");
    case("/deployments", deploy("reason", json!(BIDI)), "/reason");
    case("/deployments", deploy("reason", json!("a\u{0}b")), "/reason");
    case("/deployments", deploy("reason", json!(null)), "/reason");
    case("/deployments", deploy("service", json!("../web")), "/service");
    case("/deployments", deploy("version", json!("v1")), "/release");
    case("/deployments", deploy("release", json!("not-a-uuid")), "/release");
    case("/releases", release("commit", json!("--upload-pack=x")), "/commit");
    case("/releases", release("build_url", json!("javascript:alert(1)")), "/build_url");
    case("/releases", release("version", json!(BIDI)), "/version");
    case("/releases", release("notes", json!(long)), "/notes");
    for (name, body, pointer) in [
        ("scale", json!({ "replicas": -1 }), "/replicas"),
        ("scale", json!({ "replicas": 2_147_483_648_i64 }), "/replicas"),
        ("scale", json!({ "replicas": "3" }), "/replicas"),
        ("scale", json!({ "replicas": 2.5 }), "/replicas"),
        ("scale", json!({}), "/replicas"),
        ("scale", json!({ "replicas": 2, "reason": BIDI }), "/reason"),
        ("rollback", json!({ "config": "yesterday" }), "/config"),
        ("rollback", json!({ "to": "0199a000-0000-7000-8000-000000000000" }), "/to"),
        ("rollback", json!({ "to": 5 }), "/to"),
        ("restart", json!({ "why": "x" }), "/why"),
        ("hold", json!({}), "/reason"),
    ] {
        let path: &'static str = match name {
            "scale" => "/services/shop/web/environments/staging/scale",
            "rollback" => "/services/shop/web/environments/staging/rollback",
            "restart" => "/services/shop/web/environments/staging/restart",
            _ => "/services/shop/web/environments/staging/hold",
        };
        case(path, body, pointer);
    }
    cases.push((Method::PATCH, "/services/shop/web", json!({ "title": BIDI }), "/title"));
    cases.push((Method::PATCH, "/services/shop/web", json!({ "tags": ["A B"] }), "/tags/0"));
    cases.push((Method::PATCH, "/services/shop/web", json!({ "colour": "red" }), "/colour"));
    cases.push((Method::PATCH, "/environments/staging", json!({ "order": -1 }), "/order"));
    cases.push((Method::PATCH, "/environments/staging", json!({ "name": "other" }), "/name"));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_field_is_named_and_nothing_is_half_done() {
    let test = TestPortal::with_shop().await;
    let before = test.rows().await;
    for (method, path, body, pointer) in bodies() {
        let answer = test.call(method.clone(), path, &test.admin, Some(&body)).await;
        let mut shown = body.to_string();
        shown.truncate(shown.char_indices().nth(200).map_or(shown.len(), |(at, _)| at));
        assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, pointer, &format!("{method} {path} {shown}"));
    }
    assert_eq!(test.rows().await, before);
    assert_eq!(test.simulator.effects("/k8s/test", "deployments.apps/shop/web"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_is_a_conflict_and_what_is_no_json_is_refused_as_such() {
    let test = TestPortal::with_shop().await;
    let before = test.rows().await;
    for (path, body) in [
        ("/environments", json!({ "name": "staging", "tier": "staging", "order": 4 })),
        (
            "/connections",
            json!({ "name": "c1", "kind": "docker_swarm", "config": { "endpoint": "tcp://127.0.0.1:1" } }),
        ),
    ] {
        let answer = test.post(path, &body).await;
        assert_eq!((answer.status, &answer.body["code"]), (StatusCode::CONFLICT, &json!("already_exists")), "{path}");
        assert!(answer.body["detail"].as_str().unwrap().contains("exists already"), "{}", answer.body);
    }
    let json_mime = "application/json";
    let good = deployment("tinyweb:v2").to_string();
    let bodies: [(&str, Vec<u8>, &str); 9] = [
        (json_mime, b"{\"service\": \"shop/\xff\xfe\"}".to_vec(), "/service"),
        (json_mime, b"\xff\xfe\x00".to_vec(), ""),
        (json_mime, b"{\"service\": \"shop/web\"".to_vec(), ""),
        (json_mime, format!("{good} {good}").into_bytes(), ""),
        (json_mime, "[".repeat(20_000).into_bytes(), ""),
        (json_mime, b"{\"service\": \"shop/web\", \"service\": \"shop/api\"}".to_vec(), "/service"),
        ("text/plain", good.clone().into_bytes(), "/headers/content-type"),
        ("application/x-www-form-urlencoded", good.clone().into_bytes(), "/headers/content-type"),
        ("", good.into_bytes(), "/headers/content-type"),
    ];
    for (mime, body, pointer) in bodies {
        let what = format!("{mime} {}", String::from_utf8_lossy(&body[..body.len().min(60)]));
        let answer = test.send(Method::POST, "/deployments", mime, body).await;
        assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, pointer, &what);
    }
    let large = test.send(Method::POST, "/deployments", json_mime, vec![b' '; 2 << 20]).await;
    assert_eq!((large.status, &large.body["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!("too_large")));
    assert_eq!(test.rows().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_paths_are_refused_by_name() {
    let test = TestPortal::with_shop().await;
    for list in ["/services", "/entities", "/deployments", "/audit", "/bindings", "/users", "/tokens", "/role-bindings"]
    {
        // Another list's cursor, an edited one, and what is none.
        let cursor = test.get("/services?limit=1").await.body["next_cursor"].as_str().unwrap().to_owned();
        let edited = cursor.replace(['a', 'A'], "b");
        let mut wrong = vec![edited, "../../etc".to_owned(), "0".to_owned(), "%F0%9F%92%A5".to_owned()];
        if list != "/services" {
            wrong.push(cursor);
        }
        for cursor in wrong {
            let answer = test.get(&format!("{list}?cursor={cursor}")).await;
            assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, "/cursor", &format!("{list} {cursor}"));
        }
    }
    for (path, pointer) in [
        ("/services?limit=0", "/limit"),
        ("/services?limit=-1", "/limit"),
        ("/services?limit=1000000", "/limit"),
        ("/services?sort=colour", "/sort"),
        ("/services?colour=red", "/colour"),
        ("/deployments?state=odd", "/state"),
        ("/deployments?environment=a%00b", "/environment"),
        ("/audit?actor=%00", "/actor"),
        ("/audit?from=yesterday", "/from"),
        ("/audit/export?format=pdf", "/format"),
        ("/services/shop/web/graph?depth=99", "/depth"),
        ("/users?user=%00", "/user"),
        ("/deployments/nonsense", "/path/id"),
        ("/environments/st%00aging", "/path"),
        ("/services/%ff%fe/web", "/path/namespace"),
    ] {
        let answer = test.get(path).await;
        assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, pointer, path);
    }
    let absent = test.get("/environments/we%E2%80%AEb").await;
    assert_eq!(absent.status, StatusCode::NOT_FOUND);
    let long = test.get(&format!("/services?q={}", "x".repeat(2000))).await;
    assert_refused(&long, StatusCode::UNPROCESSABLE_ENTITY, "/q", "a long search");
    assert!(test.get(&format!("/services?q={}", "x".repeat(60_000))).await.status.is_client_error());
}

fn component(more_metadata: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{namespace: shop, {more_metadata}}}\nspec: {{type: service, lifecycle: production, owner: x, {spec}}}\n"
    )
}

/// Nine anchors of nine aliases each: 3 * 10^8 values from 500 bytes.
fn bomb() -> String {
    let head =
        "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: bomb}\nspec:\n  a0: &a0 [x]\n";
    (1..=9).fold(head.to_owned(), |text, level| {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        format!("{text}  a{level}: &a{level} [{below}]\n")
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_go_in_is_named_by_its_place() {
    let test = TestPortal::with_shop().await;
    let before = test.rows().await;
    let part = |name: &str, of: &str| {
        format!(
            "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {name}, namespace: shop}}\nspec: {{type: service, lifecycle: production, owner: x, subcomponentOf: {of}}}\n"
        )
    };
    let portal = |kind: &str, spec: &str| format!("---\napiVersion: passerelle.dev/v1\nkind: {kind}\nspec: {spec}\n");
    let twice = portal("Environment", "{name: dev, tier: development, order: 5}").repeat(2);
    for (what, yaml, pointer) in [
        ("anchor bomb", bomb(), "/spec/a4/4"),
        ("not YAML", "---\napiVersion: [\n".to_owned(), "/apiVersion/0"),
        ("twice", component("name: two", "").repeat(2), "/metadata/name"),
        ("bidi", component(&format!("name: {BIDI:?}").replace("\\u{202e}", "\\u202e"), ""), "/metadata/name"),
        ("script", component(&format!("name: {SCRIPT:?}"), ""), "/metadata/name"),
        ("bidi title", component("name: ok, title: \"a\\u202eb\"", ""), "/metadata/title"),
        ("NUL", component("name: ok, title: \"a\\0b\"", ""), "/metadata/title"),
        ("long name", component(&format!("name: {}", "x".repeat(100)), ""), "/metadata/name"),
        ("long title", component(&format!("name: ok, title: {}", "x".repeat(5000)), ""), "/metadata/title"),
        ("link", component("name: ok, links: [{url: 'javascript:alert(1)'}]", ""), "/metadata/links/0/url"),
        ("no name", component("title: x", ""), "/metadata/name"),
        ("circle", part("a", "b") + &part("b", "c") + &part("c", "a"), "/spec/subcomponentOf"),
        ("itself", part("a", "a"), "/spec/subcomponentOf"),
        (
            "portal, unknown field",
            portal("Environment", "{name: dev, tier: staging, order: 3, colour: red}"),
            "/spec/colour",
        ),
        ("portal, wrong type", portal("Environment", "{name: dev, tier: staging, order: -3}"), "/spec/order"),
        ("portal, out of range", portal("Environment", "{name: dev, tier: staging, order: 0}"), "/spec/order"),
        ("portal, name", portal("Environment", "{name: 'a<b', tier: staging, order: 3}"), "/spec/name"),
        ("portal, twice", twice, "/spec/name"),
        ("portal, unknown kind", portal("Budget", "{}"), "/kind"),
    ] {
        for path in ["/catalog/imports", "/catalog/imports?dry_run=true"] {
            let answer = test.send(Method::POST, path, "application/yaml", yaml.clone()).await;
            assert_refused(&answer, StatusCode::UNPROCESSABLE_ENTITY, pointer, what);
            let message = answer.body["errors"][0]["message"].as_str().unwrap();
            assert!(message.contains("catalog-info.yaml#") && message.contains("line "), "{what}: {message}");
        }
        assert_eq!(test.rows().await, before, "{what}");
    }
    // Beside good ones only the broken ones stay out, and each is told.
    let mixed = component("name: good", "") + &component("name: 'b ad'", "") + &bomb();
    let report = test.import(mixed).await;
    assert_eq!(report.status, StatusCode::OK, "{}", report.body);
    assert_eq!((&report.body["created"], &report.body["errors_total"]), (&json!(1), &json!(2)), "{}", report.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_cannot_be_read_changes_nothing() {
    let test = TestPortal::with_shop().await;
    let before = test.rows().await;
    let utf8 = test.import(b"---\napiVersion: \xff\xfe\n".to_vec()).await;
    assert_refused(&utf8, StatusCode::UNPROCESSABLE_ENTITY, "", "UTF-8");
    let path = test.import("# passerelle-file: ../../etc/passwd\nkind: X\n").await;
    assert_refused(&path, StatusCode::UNPROCESSABLE_ENTITY, "/files", "a path that leaves the upload");
    for query in ["?colour=red", "?dry_run=perhaps"] {
        let answer = test.send(Method::POST, &format!("/catalog/imports{query}"), "application/yaml", "").await;
        assert!(answer.status == StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", answer.body);
    }
    let source = test.send(Method::POST, "/catalog/imports?source=a%E2%80%AEb", "application/yaml", "").await;
    assert_refused(&source, StatusCode::UNPROCESSABLE_ENTITY, "/source", "source");
    // 50 MB, with its length announced and without.
    let document = component("name: large", "").into_bytes();
    let large: Vec<u8> = document.iter().copied().cycle().take(50 << 20).collect();
    let announced = test.import(large.clone()).await;
    let chunks = large.chunks(1 << 20).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>();
    let streamed = test.import(reqwest::Body::wrap_stream(futures::stream::iter(chunks))).await;
    for answer in [announced, streamed] {
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.body);
        assert_eq!(answer.body["code"], "too_large");
        assert!(answer.body["detail"].as_str().unwrap().contains("33554432 bytes"), "{}", answer.body);
    }
    assert_eq!(test.rows().await, before);
}
