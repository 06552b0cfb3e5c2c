//! Manifests that come with a release, over HTTP: applied in a namespace that is made, an object gone with the next version, back when the
//! bundle is gone, a version that crashes, and a process that dies in the middle.

use crate::support::{Answer, RunningPortal, TestPortal};
use axum::Router;
use axum::extract::{Path, State};
use passerelle_simulator::Simulator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Kept = Arc<Mutex<BTreeMap<String, Vec<u8>>>>;

/// Where a pipeline puts what it builds.
struct Shelf {
    url: String,
    kept: Kept,
}

impl Shelf {
    async fn start() -> Self {
        let kept = Kept::default();
        let give = |State(kept): State<Kept>, Path(name): Path<String>| async move {
            kept.lock().unwrap().get(&name).cloned().ok_or(axum::http::StatusCode::NOT_FOUND)
        };
        let router = Router::new().route("/{name}", axum::routing::get(give)).with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, kept }
    }

    /// A bundle with the Deployment `shop` and these ConfigMaps, as a release names it.
    fn put(&self, maps: &[(&str, Value)]) -> Value {
        let mut files = vec![("deploy/deployment.json".to_owned(), workload().to_string())];
        for (name, data) in maps {
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
            files.push((format!("deploy/{name}.json"), map.to_string()));
        }
        let mut archive = tar::Builder::new(Vec::new());
        for (path, content) in &files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
        let bytes = archive.into_inner().unwrap();
        let sha256 = hex::encode(Sha256::digest(&bytes));
        self.kept.lock().unwrap().insert(format!("{sha256}.tar"), bytes);
        json!({ "url": format!("{}/{sha256}.tar", self.url), "sha256": sha256 })
    }

    fn clear(&self) {
        self.kept.lock().unwrap().clear();
    }
}

fn workload() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}, "spec": {
        "replicas": 2, "selector": {"matchLabels": {"app": "shop"}},
        "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "shop", "image": "placeholder",
            "env": [{"name": "TTL", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "TTL"}}}],
            "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}}}]}}}})
}

fn config() -> Value {
    json!({ "config": { "namespace": "made", "deployment": "shop", "manifests": { "path": "deploy", "create_namespace": true } } })
}

async fn bind(test: &TestPortal) {
    let binding = test.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let patched = test.call(Method::PATCH, &format!("/bindings/{binding}"), &test.admin, Some(&config())).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
}

fn release(version: &str, image: &str, manifests: &Value) -> Value {
    json!({ "service": "shop/web", "version": version, "image": image, "manifests": manifests })
}

async fn released(test: &TestPortal, version: &str, image: &str, manifests: &Value) {
    let made = test.post("/releases", &release(version, image, manifests)).await;
    assert_eq!((made.status, &made.body["manifests"]), (StatusCode::CREATED, manifests), "{}", made.body);
}

fn of_version(version: &str) -> Value {
    json!({ "service": "shop/web", "environment": "staging", "version": version, "reason": "a test" })
}

async fn deployed(test: &TestPortal, version: &str) -> Value {
    ended_of(test, test.post("/deployments", &of_version(version)).await).await
}

async fn ended_of(test: &TestPortal, asked: Answer) -> Value {
    assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
    test.ended(asked.body["id"].as_str().unwrap()).await
}

/// An object of the simulated cluster, as its owner sees it.
async fn object(http: &reqwest::Client, simulator: &Simulator, path: &str) -> Value {
    let request = http.get(format!("{}{path}", simulator.kubernetes_url("test"))).bearer_auth("t");
    request.send().await.unwrap().json().await.unwrap()
}

/// The ConfigMaps of the manifests with their values, and the image that runs.
async fn there(http: &reqwest::Client, simulator: &Simulator) -> (Vec<(String, String)>, String) {
    let maps = "/api/v1/namespaces/made/configmaps?labelSelector=passerelle.dev/binding";
    let maps = object(http, simulator, maps).await;
    let map = |map: &Value| {
        let name = map["metadata"]["name"].as_str().unwrap().to_owned();
        (name, map["data"]["TTL"].as_str().unwrap_or_default().to_owned())
    };
    let found = maps["items"].as_array().unwrap().iter().map(map).collect();
    let deployment = object(http, simulator, "/apis/apps/v1/namespaces/made/deployments/shop").await;
    let image = deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap().to_owned();
    (found, image)
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn line<'a>(plan: &'a Value, field: &str) -> &'a Value {
    let lines = plan["diff"].as_array().unwrap();
    lines.iter().find(|line| line["field"] == field).unwrap_or_else(|| panic!("no line {field}: {plan}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_comes_with_its_manifests_and_goes_back_with_them() {
    let test = TestPortal::with_shop().await;
    let shelf = Shelf::start().await;
    bind(&test).await;
    let first = shelf.put(&[("shop", json!({"TTL": "30"})), ("old", json!({"TTL": "1"}))]);
    released(&test, "1.0", "tinyweb:v1", &first).await;
    let plan = test.post("/plans", &of_version("1.0")).await.body;
    assert_eq!(plan["incomplete"], Value::Null, "{plan}");
    let findings = plan["findings"].as_array().unwrap();
    assert!(findings.iter().all(|one| one["severity"] != "error"), "{plan}");
    assert!(findings.iter().any(|one| one["code"] == "namespace_made"), "{plan}");
    assert_eq!(line(&plan, "ConfigMap old")["after"], "is made");

    let ended = deployed(&test, "1.0").await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let one = (pairs(&[("old", "1"), ("shop", "30")]), "tinyweb:v1".to_owned());
    assert_eq!(there(&test.http, &test.simulator).await, one);

    // The same image: what makes it another version are its manifests.
    let second = shelf.put(&[("shop", json!({"TTL": "60"})), ("new", json!({"TTL": "2"}))]);
    released(&test, "1.1", "tinyweb:v1", &second).await;
    let plan = test.post("/plans", &of_version("1.1")).await.body;
    assert_eq!(
        (&line(&plan, "ConfigMap shop data.TTL")["before"], &line(&plan, "ConfigMap shop data.TTL")["after"]),
        (&json!("30"), &json!("60"))
    );
    assert_eq!(line(&plan, "ConfigMap old")["after"], "is deleted once the new version is healthy");
    let ended = deployed(&test, "1.1").await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let two = (pairs(&[("new", "2"), ("shop", "60")]), "tinyweb:v1".to_owned());
    assert_eq!(there(&test.http, &test.simulator).await, two);

    a_crash_goes_back(&test, &shelf, &two).await;

    shelf.clear();
    let back = test.post("/services/shop/web/environments/staging/rollback", &json!({})).await;
    let ended = ended_of(&test, back).await;
    assert_eq!((&ended["state"], &ended["version"]), (&json!("succeeded"), &json!("1.0")), "{ended}");
    assert_eq!(there(&test.http, &test.simulator).await, one);
}

/// What a failed version has brought goes with it.
async fn a_crash_goes_back(test: &TestPortal, shelf: &Shelf, before: &(Vec<(String, String)>, String)) {
    let third = shelf.put(&[("shop", json!({"TTL": "90"})), ("worse", json!({}))]);
    released(test, "1.2", "tinyweb:v4", &third).await;
    let ended = deployed(test, "1.2").await;
    assert_eq!((&ended["state"], &ended["failure"]["cause"]), (&json!("rolled_back"), &json!("crash_loop")), "{ended}");
    assert_eq!(&there(&test.http, &test.simulator).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_manifests_are_named_and_change_nothing() {
    let test = TestPortal::with_shop().await;
    let shelf = Shelf::start().await;
    bind(&test).await;
    let bundle = shelf.put(&[("shop", json!({"TTL": "30"}))]);
    for (field, value) in
        [("sha256", "ABC"), ("sha256", ""), ("url", "ftp://example.test/a"), ("url", "https://u:p@example.test/a")]
    {
        let mut wrong = bundle.clone();
        wrong[field] = json!(value);
        let answer = test.post("/releases", &release("0.1", "tinyweb:v1", &wrong)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
        assert_eq!(answer.body["errors"][0]["pointer"], format!("/manifests/{field}"), "{}", answer.body);
    }
    let mut other = bundle.clone();
    other["sha256"] = json!("0".repeat(64));
    released(&test, "0.2", "tinyweb:v1", &other).await;
    let asked = test.post("/deployments", &of_version("0.2")).await;
    let ended = if asked.body["ended_at"].is_null() { ended_of(&test, asked).await } else { asked.body };
    assert!(ended.to_string().contains("their SHA-256 is another"), "{ended}");
    assert_ne!(ended["state"], "succeeded");
    // A namespace that may not be made is named.
    let binding = test.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let mut config = config();
    config["config"]["manifests"]["create_namespace"] = json!(false);
    let patched = test.call(Method::PATCH, &format!("/bindings/{binding}"), &test.admin, Some(&config)).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    released(&test, "0.3", "tinyweb:v1", &bundle).await;
    let plan = test.post("/plans", &of_version("0.3")).await.body;
    assert!(plan["findings"].as_array().unwrap().iter().any(|one| one["code"] == "missing_namespace"), "{plan}");
    let made = object(&test.http, &test.simulator, "/api/v1/namespaces/made").await;
    assert_eq!(made["code"], 404, "{made}");
}

/// Killed when the first object is written: another process ends it, with one rollout.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_manifests_are_applied() {
    let portal = RunningPortal::with_shop().await;
    let shelf = Shelf::start().await;
    let http = crate::support::client();
    let binding = portal.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let patch = http.patch(format!("{}/api/v1/bindings/{binding}", portal.url)).bearer_auth(&portal.admin);
    assert_eq!(patch.json(&config()).send().await.unwrap().status(), StatusCode::OK);
    let maps: Vec<(String, Value)> = (0..20).map(|number| (format!("map-{number}"), json!({"TTL": "1"}))).collect();
    let mut maps: Vec<(&str, Value)> = maps.iter().map(|(name, data)| (name.as_str(), data.clone())).collect();
    maps.push(("shop", json!({"TTL": "30"})));
    let made = portal.post("/releases", &release("1.0", "tinyweb:v1", &shelf.put(&maps))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let asked = portal.post("/deployments", &of_version("1.0")).await;
    let id = asked.body["id"].as_str().unwrap().to_owned();
    let start = Instant::now();
    while portal.simulator.effects("/k8s/test", "configmaps/made/map-0") == 0 {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing was written");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let killed = portal.kill();
    shelf.clear();
    let portal = killed.start_again().await;
    let ended = portal.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let (found, image) = there(&http, &portal.simulator).await;
    assert_eq!((found.len(), image.as_str()), (21, "tinyweb:v1"));
    let deployment = object(&http, &portal.simulator, "/apis/apps/v1/namespaces/made/deployments/shop").await;
    assert_eq!(deployment["metadata"]["generation"], 1, "one rollout: {deployment}");
}
