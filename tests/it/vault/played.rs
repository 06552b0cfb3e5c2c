//! Against a server of our own: signing in, tokens that end, and everything that can be in the way, each told by its name.

use super::{connect, portal, refused, tried};
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[derive(Default)]
struct Book {
    /// Answers every read with this status.
    status: Option<u16>,
    /// Tokens that are accepted.
    tokens: Vec<String>,
    /// How long new tokens last, in seconds.
    lasts: u64,
    /// Path, and answer of a read.
    secrets: HashMap<String, (u16, Value)>,
    seen: Vec<String>,
    namespaces: Vec<String>,
}

#[derive(Clone, Default)]
struct Played(Arc<Mutex<Book>>);

impl Played {
    async fn start(lasts: u64) -> (Self, String) {
        let played = Self::default();
        played.0.lock().unwrap().lasts = lasts;
        played.keep("passerelle/c1", json!({ "token": "t", "number": 5 }));
        let router = Router::new().route("/v1/{*path}", axum::routing::any(answer)).with_state(played.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (played, url)
    }

    fn keep(&self, path: &str, fields: Value) {
        let answer = json!({ "data": { "data": fields, "metadata": { "version": 1, "deletion_time": "" } } });
        self.0.lock().unwrap().secrets.insert(path.to_owned(), (200, answer));
    }

    fn seen(&self, what: &str) -> usize {
        self.0.lock().unwrap().seen.iter().filter(|seen| seen.as_str() == what).count()
    }
}

fn denied() -> Response {
    (StatusCode::FORBIDDEN, Json(json!({ "errors": ["permission denied"] }))).into_response()
}

async fn answer(
    State(played): State<Played>,
    Path(path): Path<String>,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut book = played.0.lock().unwrap();
    book.seen.push(format!("{method} {path}"));
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    book.namespaces.push(header("x-vault-namespace"));
    let token = header("x-vault-token");
    let known = book.tokens.contains(&token);
    let lasts = book.lasts;
    if path == "auth/kubernetes/login" {
        let sent: Value = serde_json::from_slice(&body).unwrap();
        if (&sent["role"], &sent["jwt"]) != (&json!("portal"), &json!("the.pods.token")) {
            return denied();
        }
        let token = format!("login-{}", book.seen.len());
        book.tokens.push(token.clone());
        let auth = json!({ "client_token": token, "lease_duration": lasts, "renewable": true });
        return Json(json!({ "auth": auth })).into_response();
    }
    if !known {
        return denied();
    }
    match path.as_str() {
        "auth/token/lookup-self" => Json(json!({ "data": { "ttl": lasts, "renewable": true } })).into_response(),
        "auth/token/renew-self" => {
            Json(json!({ "auth": { "lease_duration": lasts, "renewable": true, "client_token": token } }))
                .into_response()
        }
        path => {
            if let Some(status) = book.status {
                return StatusCode::from_u16(status).unwrap().into_response();
            }
            let found = path.strip_prefix("secret/data/").and_then(|path| book.secrets.get(path));
            let (status, body) = found.cloned().unwrap_or((404, json!({ "errors": [] })));
            (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
        }
    }
}

fn given(token: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("token"), token).unwrap();
    let reference = format!("file:{}", folder.path().join("token").display());
    (folder, reference)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_read_where_it_lies_and_kept_for_a_moment() {
    let (played, url) = Played::start(3600).await;
    played.0.lock().unwrap().tokens.push("given".to_owned());
    let (_folder, token) = given("given\n");
    let portal = portal(|vault| {
        (vault.address, vault.token, vault.namespace) = (url, token, "team/shop".to_owned());
    })
    .await;
    let made = connect(&portal, "c1", json!({ "vault": "passerelle/c1#token" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.body["config"]["token"], json!({ "vault": "passerelle/c1#token" }), "the reference is shown");
    for _ in 0..3 {
        assert!(tried(&portal, "c1").await.0);
    }
    assert_eq!((played.seen("GET secret/data/passerelle/c1"), played.seen("GET auth/token/lookup-self")), (1, 1));
    assert!(played.0.lock().unwrap().namespaces.iter().all(|namespace| namespace == "team/shop"));
    let mut db = portal.database.superuser().await;
    let stored: String = sqlx::query_scalar("SELECT config::text FROM connections").fetch_one(&mut db).await.unwrap();
    assert!(stored.contains("passerelle/c1#token") && !stored.contains("sealed"), "{stored}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_told_by_its_field() {
    let (played, url) = Played::start(3600).await;
    played.0.lock().unwrap().tokens.push("given".to_owned());
    let (folder, token) = given("given");
    let portal = portal(|vault| (vault.address, vault.token, vault.cache_s) = (url, token, 0)).await;
    {
        let mut book = played.0.lock().unwrap();
        let deleted = json!({ "data": { "data": null, "metadata": { "deletion_time": "2026-11-22T03:56:24Z" } } });
        book.secrets.insert("passerelle/deleted".to_owned(), (404, deleted));
        book.secrets
            .insert("passerelle/secret-of-others".to_owned(), (403, json!({ "errors": ["permission denied"] })));
        book.secrets.insert("passerelle/old".to_owned(), (200, json!({ "data": { "token": "t" } })));
    }
    for (reference, said) in [
        ("passerelle/c1", "must be PATH#FIELD"),
        ("passerelle/../c1#token", "must be PATH#FIELD"),
        ("passerelle/c1?version=1#token", "must be PATH#FIELD"),
        ("elsewhere/c1#token", "must lie below passerelle/"),
        ("passerelle/none#token", "passerelle/none is not in Vault"),
        ("passerelle/deleted#token", "was deleted"),
        ("passerelle/c1#tokn", "has no field tokn; it has number, token"),
        ("passerelle/c1#number", "is no text"),
        ("passerelle/secret-of-others#token", "does not let the portal read"),
        ("passerelle/old#token", "no KV engine of version 2"),
    ] {
        let answer = connect(&portal, "c1", json!({ "vault": reference })).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{reference}: {}", answer.body);
        let (pointer, message) = refused(&answer);
        assert!(pointer == "/config/token" && message.contains(said), "{reference}: {pointer} {message}");
    }
    for (status, said) in
        [(503, "Vault is sealed"), (429, "standby"), (473, "standby"), (307, "standby"), (500, "answered 500")]
    {
        played.0.lock().unwrap().status = Some(status);
        let answer = connect(&portal, "c1", json!({ "vault": "passerelle/c1#token" })).await;
        assert!(
            answer.status.is_server_error() && answer.body["detail"].as_str().unwrap().contains(said),
            "{}",
            answer.body
        );
    }
    played.0.lock().unwrap().status = None;
    assert_eq!(connect(&portal, "c1", json!({ "vault": "passerelle/c1#token" })).await.status, StatusCode::CREATED);
    assert!(tried(&portal, "c1").await.0);
    // The token ended: another one in its file is taken up by itself.
    played.0.lock().unwrap().tokens = vec!["next".to_owned()];
    let (reachable, said) = tried(&portal, "c1").await;
    assert!(!reachable && said.contains("vault.token"), "{said}");
    std::fs::write(folder.path().join("token"), "next").unwrap();
    assert!(tried(&portal, "c1").await.0);
    for word in ["given", "next", "permission denied"] {
        let audit = portal.get("/audit").await.body.to_string();
        assert!(!audit.contains(&format!("\"{word}\"")), "{word}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_pod_signs_in_is_renewed_and_fetched_anew() {
    let (played, url) = Played::start(9).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "the.pods.token").unwrap();
    let portal = portal(|vault| {
        (vault.address, vault.kubernetes_role, vault.cache_s) = (url, "portal".to_owned(), 0);
        vault.kubernetes_token_file = file.display().to_string();
    })
    .await;
    assert_eq!(connect(&portal, "c1", json!({ "vault": "passerelle/c1#token" })).await.status, StatusCode::CREATED);
    assert_eq!((played.seen("POST auth/kubernetes/login"), played.seen("POST auth/token/renew-self")), (1, 0));
    // Two thirds of its nine seconds.
    tokio::time::sleep(Duration::from_millis(6200)).await;
    assert!(tried(&portal, "c1").await.0);
    assert_eq!((played.seen("POST auth/kubernetes/login"), played.seen("POST auth/token/renew-self")), (1, 1));
    // It ended, or was revoked: signed in again.
    played.0.lock().unwrap().tokens.clear();
    assert!(tried(&portal, "c1").await.0);
    assert_eq!(played.seen("POST auth/kubernetes/login"), 2);
    std::fs::write(&file, "another.pods.token").unwrap();
    played.0.lock().unwrap().tokens.clear();
    let (reachable, said) = tried(&portal, "c1").await;
    assert!(!reachable && said.contains("sign in as the role portal"), "{said}");
    std::fs::remove_file(&file).unwrap();
    let (reachable, said) = tried(&portal, "c1").await;
    assert!(!reachable && said.contains("cannot be read"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_vault_no_reference_to_it_is_taken() {
    let portal = portal(|_| ()).await;
    let (pointer, message) = refused(&connect(&portal, "c1", json!({ "vault": "passerelle/c1#token" })).await);
    assert!(pointer == "/config/token" && message.contains("vault.address"), "{pointer} {message}");
}
