//! Two dozen secrets go in by every door; none comes out again: not in the log at its most talkative, the API, the pages, the audit and its export, the metrics, the
//! data folder or the database, in none of six ways of writing it.

use crate::support::{RunningPortal, client};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// With what each format writes in its own way; numbered, so that one is told from another.
fn canary(at: usize) -> String {
    format!("C4nary{at:02}/+&<\"'>%=~{:x}", 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(at as u64 + 1))
}

/// Where the names of an address would break.
fn plain(at: usize) -> String {
    canary(at).chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Six ways of writing it: as it is, for HTML, for JSON, percent-encoded, in hexadecimal digits, and in Base64 wherever it begins there.
fn written(secret: &str) -> Vec<(&'static str, String)> {
    let html = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let json = serde_json::to_string(secret).unwrap().trim_matches('"').to_owned();
    let percent: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let mut all = vec![
        ("as it is", secret.to_owned()),
        ("for HTML", html.replace('\'', "&#x27;")),
        ("for HTML", html),
        ("for JSON", json),
        ("percent-encoded", percent),
        ("in hexadecimal digits", hex::encode(secret)),
    ];
    for before in 0..3 {
        // What stands before moves the digits; those at both ends hang on the neighbours.
        let moved = [&vec![b'.'; before], secret.as_bytes()].concat();
        for alphabet in [&STANDARD, &URL_SAFE_NO_PAD] {
            let text = alphabet.encode(&moved);
            let whole = text.trim_end_matches('=');
            let from = if before == 0 { 0 } else { 4 };
            all.push(("in Base64", whole[from..whole.len() - 2].to_owned()));
        }
    }
    all
}

/// A second process on the same database and data, which writes everything down that it would ever log.
struct Talkative {
    child: Child,
    url: String,
    log: std::path::PathBuf,
}

impl Talkative {
    fn start(portal: &RunningPortal, folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = folder.join("talk.log");
        let file = File::create(&log).unwrap();
        let child = portal
            .command()
            .arg("serve")
            .env("PASSERELLE__SERVER__LISTEN", format!("127.0.0.1:{port}"))
            .env("PASSERELLE__LOG__FILTER", "debug")
            .stdout(Stdio::from(file.try_clone().unwrap()))
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap();
        Self { child, url: format!("http://127.0.0.1:{port}"), log }
    }
}

impl Drop for Talkative {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was said, with where.
struct Heard {
    http: reqwest::Client,
    url: String,
    all: Vec<(String, String)>,
}

impl Heard {
    async fn ask(&mut self, request: reqwest::RequestBuilder, place: String) -> (u16, String) {
        let response = request.send().await.unwrap();
        let (status, head) = (response.status().as_u16(), format!("{:?}", response.headers()));
        let text = response.text().await.unwrap();
        self.all.push((place, format!("{head}\n{text}")));
        (status, text)
    }

    async fn api(&mut self, method: Method, path: &str, token: &str, body: Option<&Value>) -> (u16, String) {
        let mut request = self.http.request(method.clone(), format!("{}/api/v1{path}", self.url)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        self.ask(request, format!("{method} {path}")).await
    }

    async fn page(&mut self, path: &str, cookie: &str) -> u16 {
        let request = self.http.get(format!("{}{path}", self.url)).header("cookie", cookie);
        self.ask(request, format!("page {path}")).await.0
    }
}

fn connections() -> Vec<Value> {
    let value = |at: usize| json!({ "value": canary(at) });
    let kubeconfig = crate::support::kubeconfig("http://127.0.0.1:1", &canary(0));
    let account = json!({ "type": "service_account", "client_email": "a@b.test", "private_key": canary(11),
        "token_uri": "http://127.0.0.1:1/token" });
    let of = |name: &str, kind: &str, config: Value| json!({ "name": name, "kind": kind, "config": config });
    let nowhere = "http://127.0.0.1:1";
    vec![
        of("k", "kubernetes", json!({ "kubeconfig": { "value": kubeconfig } })),
        of(
            "hub",
            "ci",
            json!({ "provider": "github", "base_url": nowhere, "token": value(1), "webhook_secret": value(2) }),
        ),
        of(
            "lab",
            "ci",
            json!({ "provider": "gitlab", "base_url": nowhere, "token": value(3), "trigger_token": value(4), "webhook_secret": value(5) }),
        ),
        of("prom", "prometheus", json!({ "url": nowhere, "bearer": value(6) })),
        of(
            "prom-two",
            "prometheus",
            json!({ "url": nowhere, "username": "u", "password": value(7), "headers": { "X-Key": value(8) } }),
        ),
        of("images", "registry", json!({ "host": "127.0.0.1:1", "username": "u", "password": value(9) })),
        of("run", "cloud_run", json!({ "project": "p", "region": "r", "endpoint": nowhere, "token": value(10) })),
        of(
            "run-two",
            "cloud_run",
            json!({ "project": "p", "region": "r", "endpoint": nowhere, "credentials": { "value": account.to_string() } }),
        ),
        of(
            "site",
            "static_site",
            json!({ "bucket": "site", "store": "s3", "endpoint": nowhere, "access_key_id": "AK", "secret_access_key": value(12), "session_token": value(13) }),
        ),
        of(
            "swarm",
            "docker_swarm",
            json!({ "endpoint": "tcp://127.0.0.1:1", "tls": { "ca": value(14), "cert": value(15), "key": value(16) } }),
        ),
    ]
}

fn channels() -> Vec<Value> {
    vec![
        json!({ "name": "chat", "kind": "slack", "config": { "url": { "value": format!("http://127.0.0.1:1/services/{}", plain(17)) } } }),
        json!({ "name": "hook", "kind": "webhook", "config": { "url": "http://127.0.0.1:1/", "secret": { "value": canary(18) } } }),
        json!({ "name": "mail", "kind": "email", "config": { "host": "127.0.0.1", "port": 1, "security": "none", "username": "u",
            "password": { "value": canary(19) }, "from": "a@b.test", "to": ["c@d.test"] } }),
    ]
}

/// Sends them in, uses them, and edits what holds them.
async fn put_in(heard: &mut Heard, admin: &str) {
    for connection in connections() {
        let (status, said) = heard.api(Method::POST, "/connections", admin, Some(&connection)).await;
        assert_eq!(status, 201, "{connection}: {said}");
        let path = format!("/connections/{}", connection["name"].as_str().unwrap());
        heard.api(Method::POST, &format!("{path}/check"), admin, Some(&json!({}))).await;
        heard.api(Method::GET, &format!("{path}/running"), admin, None).await;
        // Refused by a field beside the secrets, and changed.
        let mut wrong = connection["config"].clone();
        wrong["nothing"] = json!("x");
        let (status, _) = heard.api(Method::PATCH, &path, admin, Some(&json!({ "config": wrong }))).await;
        assert_eq!(status, 422, "{path}");
        let same = json!({ "config": connection["config"] });
        assert_eq!(heard.api(Method::PATCH, &path, admin, Some(&same)).await.0, 200, "{path}");
    }
    for channel in channels() {
        let (status, said) = heard.api(Method::POST, "/notifications/channels", admin, Some(&channel)).await;
        assert_eq!(status, 201, "{channel}: {said}");
        let path = format!("/notifications/channels/{}/test", channel["name"].as_str().unwrap());
        heard.api(Method::POST, &path, admin, Some(&json!({}))).await;
    }
}

/// Makes a person who signs in, and gives the session and a token of theirs; both are secrets too.
async fn people(heard: &mut Heard, admin: &str) -> (String, String) {
    let ada = json!({ "name": "ada", "display_name": "Ada", "password": canary(20) });
    assert_eq!(heard.api(Method::POST, "/users", admin, Some(&ada)).await.0, 201);
    let role = json!({ "user": "ada", "role": "admin", "scope": { "kind": "everything" } });
    assert_eq!(heard.api(Method::POST, "/role-bindings", admin, Some(&role)).await.0, 201);
    // A wrong password, and one in the field of the name.
    for (user, password) in [("ada".to_owned(), canary(21)), (canary(22), "x".to_owned())] {
        let request = heard.http.post(format!("{}/api/v1/sessions", heard.url));
        let refused =
            heard.ask(request.json(&json!({ "user": user, "password": password })), "sign-in".to_owned()).await;
        assert_eq!(refused.0, 401, "{}", refused.1);
    }
    assert_eq!(heard.api(Method::GET, "/users", &canary(23), None).await.0, 401);
    // What is given once is not kept with what was heard.
    let request = heard.http.post(format!("{}/api/v1/sessions", heard.url));
    let answer = request.json(&json!({ "user": "ada", "password": canary(20) })).send().await.unwrap();
    assert!(answer.status().is_success());
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
    let request = heard.http.post(format!("{}/api/v1/tokens", heard.url)).header("cookie", &cookie);
    let new = json!({ "name": "n", "role": "viewer", "expires_in_days": 1 });
    let answer = request.header("origin", &heard.url).json(&new).send().await.unwrap();
    let token: Value = answer.json().await.unwrap();
    (cookie, token["token"].as_str().unwrap().to_owned())
}

/// Everything that can be read without naming an object, and the objects made here.
async fn read_all(heard: &mut Heard, admin: &str, cookie: &str) {
    let (_, description) = heard.api(Method::GET, "/openapi.json", admin, None).await;
    let description: Value = serde_json::from_str(&description).unwrap();
    let paths: Vec<String> = description["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, operations)| !path.contains('{') && operations["get"].is_object() && !path.ends_with("/stream"))
        .map(|(path, _)| path.trim_start_matches("/api/v1").to_owned())
        .collect();
    assert!(paths.len() > 25, "{paths:?}");
    let objects = ["k", "hub", "lab", "prom", "prom-two", "images", "run", "run-two", "site", "swarm"]
        .map(|name| format!("/connections/{name}"))
        .into_iter()
        .chain(["chat", "hook", "mail"].map(|name| format!("/notifications/channels/{name}")))
        .chain(
            [
                "/audit?limit=200",
                "/audit/export?format=jsonl",
                "/audit/export?format=csv",
                "/audit/export?format=ocsf",
                "/audit/export?format=cef",
            ]
            .map(str::to_owned),
        );
    for path in paths.into_iter().filter(|path| !path.contains("events/stream")).chain(objects) {
        heard.api(Method::GET, &path, admin, None).await;
    }
    for page in [
        "/",
        "/connections",
        "/connections/new",
        "/notifications",
        "/notifications/deliveries",
        "/access",
        "/access/users",
        "/access/tokens",
        "/access/sessions",
        "/audit",
        "/connections/k",
        "/connections/prom-two",
        "/connections/swarm",
        "/notifications/channels/hook",
        "/notifications/channels/mail",
    ] {
        let status = heard.page(page, cookie).await;
        assert_eq!(status, 200, "{page}");
    }
    let request = heard.http.get(format!("{}/metrics", heard.url)).bearer_auth(admin);
    heard.ask(request, "metrics".to_owned()).await;
}

/// Each row of each table as text; bytes are hexadecimal digits there.
async fn database(portal: &RunningPortal) -> String {
    let mut connection = portal.database.superuser().await;
    let tables: Vec<String> =
        sqlx::query_scalar("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let mut dump = String::new();
    for table in tables {
        let sql = format!("SELECT coalesce(string_agg(to_jsonb(t)::text, E'\\n'), '') FROM {table} t");
        let rows: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        dump.push_str(&rows);
        dump.push('\n');
    }
    dump
}

#[tokio::test(flavor = "multi_thread")]
async fn what_went_in_comes_out_nowhere() {
    let portal = RunningPortal::idle(crate::support::WORLD).await;
    let folder = tempfile::tempdir().unwrap();
    let talkative = Talkative::start(&portal, folder.path());
    let mut heard = Heard { http: client(), url: talkative.url.clone(), all: Vec::new() };
    let start = Instant::now();
    while heard.http.get(format!("{}/readyz", heard.url)).send().await.is_err() {
        assert!(start.elapsed() < Duration::from_secs(30), "the second process does not come up");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    put_in(&mut heard, &portal.admin).await;
    let (cookie, token) = people(&mut heard, &portal.admin).await;
    read_all(&mut heard, &portal.admin, &cookie).await;
    let log = std::fs::read_to_string(&talkative.log).unwrap();
    assert!(log.lines().count() > 50, "the log says little: {log}");
    heard.all.push(("the log".to_owned(), log));
    heard.all.push(("the database".to_owned(), database(&portal).await));
    let checkpoints = portal.data().join(passerelle_server::audit::CHECKPOINT_FILE);
    heard.all.push(("the checkpoints".to_owned(), std::fs::read_to_string(checkpoints).unwrap_or_default()));

    let session = cookie.split_once('=').unwrap().1.to_owned();
    let secrets: Vec<String> =
        (0..24).map(|at| if at == 17 { plain(at) } else { canary(at) }).chain([session, token]).collect();
    let mut found = Vec::new();
    for secret in &secrets {
        for (how, text) in written(secret) {
            assert!(text.len() >= 16, "{how}: {text}");
            let places = heard.all.iter().filter(|(_, said)| said.contains(&text));
            found.extend(places.map(|(place, _)| format!("{secret} {how} in {place}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    // The search itself finds what is there.
    assert!(heard.all.iter().any(|(_, said)| said.contains("prom-two")));
}
