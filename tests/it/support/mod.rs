//! A portal of one's own for each test.

mod binary;
mod mail;
mod person;
mod prometheus;
mod receiver;
mod signed_in;

pub use binary::RunningPortal;
pub use mail::MailSink;
pub use passerelle_test_db::Database;
pub use person::{Person, Shown, hidden};
pub use prometheus::FakePrometheus;
pub use receiver::{Received, Receiver};
pub use signed_in::PASSWORD;

use passerelle_contract::access::{Role, Scope};
use passerelle_server::config::Config;
use passerelle_server::kernel::{Ctx, Db, Keys, Via};
use passerelle_server::portal::{Jobs, Portal};
use passerelle_simulator::{Simulator, World};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// What every test runs against: three namespaces' worth of one service on a simulated cluster.
pub const WORLD: &str = "
seed: 1
speed: 40
clusters:
  test:
    namespaces:
      shop:
        deployments:
          web: { image: 'tinyweb:v1', replicas: 2, progress_deadline_s: 600 }
          api: { image: 'tinyweb:v1', replicas: 1, progress_deadline_s: 30 }
projects:
  test:
    locations:
      europe-west1:
        api: { image: 'team/api:1' }
github:
  acme/shop:
    workflows:
      deploy.yml: { jobs: [{ name: deploy }] }
gitlab:
  acme/shop:
    jobs: [{ name: test, stage: test }, { name: deploy-prod, stage: deploy-prod, manual: true }]
buckets:
  site:
    archives:
    - { index.html: '<p>one</p>', assets/app-1a2b3c4d.js: 'one()' }
    - { index.html: '<p>two</p>', assets/app-5e6f7a8b.js: 'two()' }
";

const CATALOG: &str = "
apiVersion: backstage.io/v1alpha1
kind: System
metadata: { name: shop, namespace: shop }
spec: { owner: group:shop/sellers }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: web, namespace: shop, title: Web shop }
spec: { type: service, lifecycle: production, owner: group:shop/sellers, system: shop }
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: { name: api, namespace: shop }
spec: { type: service, lifecycle: production, owner: group:shop/cooks }
";

/// A portal in this process, serving on a free port.
pub struct TestPortal {
    pub url: String,
    pub admin: String,
    pub portal: Portal,
    pub simulator: Simulator,
    pub database: Database,
    pub http: reqwest::Client,
    stop: CancellationToken,
    pub data: tempfile::TempDir,
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

impl TestPortal {
    pub async fn start() -> Self {
        Self::start_with(|_, _| ()).await
    }

    /// With a configuration of its own, which may name the address that the portal has.
    pub async fn start_with(change: impl FnOnce(&mut Config, &str)) -> Self {
        // Whoever was first has installed it for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let database = Database::create().await;
        let data = tempfile::tempdir().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut config = config(data.path());
        change(&mut config, &url);
        let db = Db::connect(&database.url, 8).await.unwrap();
        let portal = Portal::open(db, Keys::from_bytes([3; 32])).await.unwrap();
        let stop = CancellationToken::new();
        portal.spawn_jobs(Jobs { worker: true }, &config, stop.clone());
        let pages = passerelle_app::router(portal.clone(), passerelle_app::Assets::default());
        let router = portal.router(pages, &config);
        let service = router.into_make_service_with_connect_info::<std::net::SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let simulator = Simulator::start(World::parse(WORLD).unwrap()).await.unwrap();
        let mut test = Self { url, admin: String::new(), portal, simulator, database, http: client(), stop, data };
        test.admin = test.token("root", Role::Admin, Scope::Everything).await;
        test
    }

    /// With the catalog imported, two environments, a connection to the simulated cluster, and `shop/web` bound in staging.
    pub async fn with_shop() -> Self {
        let test = Self::start().await;
        seed(&test.http, &test.url, &test.admin, &test.simulator.kubernetes_url("test")).await;
        test
    }

    /// A new token of a new service user.
    pub async fn token(&self, user: &str, role: Role, scope: Scope) -> String {
        let ctx = Ctx::system(Via::Cli, "test");
        self.portal.identity.create_service_token(&ctx, user, role, scope, 1).await.unwrap().token
    }

    pub async fn call(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Answer {
        call(&self.http, &self.url, method, path, token, body).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, &self.admin, None).await
    }

    /// A body as it stands, as the administrator.
    pub async fn send(&self, method: Method, path: &str, mime: &str, body: impl Into<reqwest::Body>) -> Answer {
        let request = self.http.request(method, format!("{}/api/v1{path}", self.url)).bearer_auth(&self.admin);
        answer(request.header("content-type", mime).body(body)).await
    }

    pub async fn import(&self, yaml: impl Into<reqwest::Body>) -> Answer {
        self.send(Method::POST, "/catalog/imports", "application/yaml", yaml).await
    }

    /// How many rows each table holds, but for those that only say that somebody asked.
    pub async fn rows(&self) -> BTreeMap<String, i64> {
        let mut database = self.database.superuser().await;
        let tables: Vec<String> = sqlx::query_scalar(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_name NOT LIKE 'audit_%'
             AND table_name NOT IN ('sessions', 'job_leases', 'binding_states', '_sqlx_migrations')",
        )
        .fetch_all(&mut database)
        .await
        .unwrap();
        let mut rows = BTreeMap::new();
        for table in tables {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut database).await.unwrap();
            rows.insert(table, count);
        }
        rows
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, &self.admin, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::PUT, path, &self.admin, Some(body)).await
    }

    /// Binds `shop/web` in production too.
    pub async fn bind_production(&self) {
        let binding = json!({ "service": "shop/web", "environment": "production", "kind": "kubernetes", "connection": "c1",
            "config": { "namespace": "shop", "deployment": "api" } });
        let bound = self.post("/bindings", &binding).await;
        assert_eq!(bound.status, StatusCode::CREATED, "{}", bound.body);
    }

    /// Asks for a deployment of `shop/web` in staging and gives its id.
    pub async fn deploy(&self, image: &str) -> String {
        let answer = self.post("/deployments", &deployment(image)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a deployment has ended.
    pub async fn ended(&self, id: &str) -> Value {
        ended(&self.http, &self.url, &self.admin, id).await
    }
}

impl Drop for TestPortal {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub fn deployment(image: &str) -> Value {
    json!({ "service": "shop/web", "environment": "staging", "image": image, "reason": "a test" })
}

pub fn config(data: &std::path::Path) -> Config {
    let mut config = Config::default();
    config.data.folder = data.to_owned();
    config.deployments.verify_ms = 300;
    // The receivers of messages are on this machine.
    config.outbound.allow_networks = "127.0.0.0/8".to_owned();
    config.notifications.retry_ms = 100;
    config.onboarding.repositories = data.display().to_string();
    // Tests ask faster than people do; `tests/it/rates.rs` is about the limits.
    (config.server.requests_per_minute, config.server.writes_per_minute) = (0, 0);
    config.onboarding.templates = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/templates").to_owned();
    config
}

pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(30))
        .build()
        .unwrap()
}

pub async fn call(
    http: &reqwest::Client,
    url: &str,
    method: Method,
    path: &str,
    token: &str,
    body: Option<&Value>,
) -> Answer {
    let mut request = http.request(method, format!("{url}/api/v1{path}"));
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    answer(request).await
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status();
    let text = response.text().await.unwrap();
    Answer { status, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}

/// As the text of a file.
pub fn kubeconfig(cluster: &str, token: &str) -> String {
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{ "name": "c", "cluster": { "server": cluster } }],
        "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u" } }],
        "users": [{ "name": "u", "user": { "token": token } }]
    })
    .to_string()
}

pub async fn seed(http: &reqwest::Client, url: &str, admin: &str, cluster: &str) {
    let response = http
        .post(format!("{url}/api/v1/catalog/imports?source=test"))
        .bearer_auth(admin)
        .header("content-type", "application/yaml")
        .body(CATALOG)
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    let kubeconfig = kubeconfig(cluster, "t");
    let steps = [
        ("/environments", json!({ "name": "staging", "tier": "staging", "order": 1, "progress_deadline_s": 20 })),
        ("/environments", json!({ "name": "production", "tier": "production", "order": 2 })),
        (
            "/connections",
            json!({ "name": "c1", "kind": "kubernetes", "config": { "kubeconfig": { "value": kubeconfig }, "simulated": true } }),
        ),
        (
            "/bindings",
            json!({ "service": "shop/web", "environment": "staging", "kind": "kubernetes", "connection": "c1",
                    "config": { "namespace": "shop", "deployment": "web" } }),
        ),
    ];
    for (path, body) in steps {
        let answer = call(http, url, Method::POST, path, admin, Some(&body)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{path}: {}", answer.body);
    }
}

pub async fn ended(http: &reqwest::Client, url: &str, token: &str, id: &str) -> Value {
    let start = Instant::now();
    loop {
        let answer = call(http, url, Method::GET, &format!("/deployments/{id}"), token, None).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        if !answer.body["ended_at"].is_null() {
            return answer.body;
        }
        assert!(start.elapsed() < Duration::from_secs(90), "still not ended: {}", answer.body);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
