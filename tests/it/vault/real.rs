//! Against a real OpenBao (`bao` in the path, or the program that `PASSERELLE_TEST_BAO` names): a token with a policy that ends, and the sign-in
//! of Kubernetes, whose API server is played.

use super::{connect, portal, refused, tried};
use axum::http::StatusCode;
use axum::{Json, Router, routing::post};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

struct Bao {
    child: Child,
    url: String,
    http: reqwest::Client,
    folder: tempfile::TempDir,
}

impl Drop for Bao {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bao {
    /// None where there is no such program.
    async fn start() -> Option<Self> {
        let program = std::env::var("PASSERELLE_TEST_BAO").unwrap_or_else(|_| "bao".to_owned());
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("-dev-listen-address=127.0.0.1:{port}");
        let started = Command::new(&program)
            .args(["server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root", &listen])
            .env("HOME", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) => {
                println!("skipped: {program} (OpenBao) cannot be run: {error}");
                return None;
            }
        };
        let bao = Self { child, url: format!("http://127.0.0.1:{port}"), http: crate::support::client(), folder };
        for _ in 0..300 {
            // The engine of the secrets is there last.
            let mounts =
                bao.http.get(format!("{}/v1/sys/mounts", bao.url)).header("X-Vault-Token", "root").send().await;
            if let Ok(answer) = mounts
                && answer.text().await.unwrap_or_default().contains("\"secret/\"")
            {
                return Some(bao);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("OpenBao did not come up");
    }

    /// As the administrator.
    async fn put(&self, place: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/v1/{place}", self.url)).header("X-Vault-Token", "root");
        let answer = request.json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{place}: {}", answer.status());
        serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default()
    }

    async fn secrets(&self) {
        self.put("secret/data/passerelle/c1", json!({ "data": { "token": "t" } })).await;
        self.put("secret/data/elsewhere/c1", json!({ "data": { "token": "t" } })).await;
        let policy = "path \"secret/data/passerelle/*\" { capabilities = [\"read\"] }";
        self.put("sys/policies/acl/portal", json!({ "policy": policy })).await;
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_one_is_read_with_a_token_that_is_renewed_until_its_longest_life() {
    let Some(bao) = Bao::start().await else { return };
    bao.secrets().await;
    let short = json!({ "policies": ["portal"], "ttl": "12s", "explicit_max_ttl": "30s" });
    let token = |made: Value| made["auth"]["client_token"].as_str().unwrap().to_owned();
    let file = bao.file("token", "none yet");
    let portal = portal(|vault| {
        (vault.address, vault.token) = (bao.url.clone(), format!("file:{file}"));
        (vault.folder, vault.cache_s) = (String::new(), 0);
    })
    .await;
    bao.file("token", &token(bao.put("auth/token/create", short.clone()).await));
    let made = connect(&portal, "c1", json!({ "vault": "passerelle/c1#token" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    for (reference, said) in [
        ("elsewhere/c1#token", "does not let the portal read"),
        ("passerelle/c2#token", "is not in Vault"),
        ("passerelle/c1#other", "it has token"),
    ] {
        let (pointer, message) = refused(&connect(&portal, "c2", json!({ "vault": reference })).await);
        assert!(pointer == "/config/token" && message.contains(said), "{reference}: {message}");
    }
    // Eighteen seconds: longer than it lasts without being renewed.
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let (reachable, said) = tried(&portal, "c1").await;
        assert!(reachable, "{said}");
    }
    tokio::time::sleep(Duration::from_secs(14)).await;
    let (reachable, said) = tried(&portal, "c1").await;
    assert!(!reachable && said.contains("vault.token"), "{said}");
    bao.file("token", &token(bao.put("auth/token/create", short).await));
    assert!(tried(&portal, "c1").await.0, "a new token in the file is taken up");
    bao.put("secret/delete/passerelle/c1", json!({ "versions": [1] })).await;
    let (reachable, said) = tried(&portal, "c1").await;
    assert!(!reachable && said.contains("was deleted"), "{said}");
    bao.put("sys/seal", json!({})).await;
    let (reachable, said) = tried(&portal, "c1").await;
    assert!(!reachable && said.contains("sealed"), "{said}");
}

/// Kubernetes' answer to the question whose token that is.
async fn review(Json(asked): Json<Value>) -> (StatusCode, Json<Value>) {
    let user = json!({ "username": "system:serviceaccount:portal:passerelle", "uid": "u1", "groups": [] });
    let good = asked["spec"]["token"] == jwt();
    let status = if good { json!({ "authenticated": true, "user": user }) } else { json!({ "authenticated": false }) };
    let answer = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status });
    (StatusCode::CREATED, Json(answer))
}

/// A service account's token in shape; who it is of is asked of the API server.
fn jwt() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let account = json!({ "namespace": "portal", "serviceaccount": { "name": "passerelle", "uid": "u1" } });
    let claims = json!({ "iss": "https://kubernetes.default.svc", "sub": "system:serviceaccount:portal:passerelle",
        "iat": 1_700_000_000, "exp": 4_000_000_000_u64, "kubernetes.io": account });
    format!("{}.{}.{}", part(json!({ "alg": "RS256", "kid": "k" })), part(claims), URL_SAFE_NO_PAD.encode([7_u8; 256]))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_one_lets_the_service_account_of_a_pod_in() {
    let Some(bao) = Bao::start().await else { return };
    let authority = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x", "-keyout", "/dev/null"])
        .output();
    let Some(authority) = authority.ok().filter(|made| made.status.success()) else {
        return println!("skipped: no openssl");
    };
    let authority = String::from_utf8(authority.stdout).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let cluster = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/apis/authentication.k8s.io/v1/tokenreviews", post(review));
    tokio::spawn(async move { axum::serve(listener, router).await });
    bao.put("sys/auth/kubernetes", json!({ "type": "kubernetes" })).await;
    bao.secrets().await;
    let config = json!({ "kubernetes_host": cluster, "disable_local_ca_jwt": true, "token_reviewer_jwt": "r", "kubernetes_ca_cert": authority });
    bao.put("auth/kubernetes/config", config).await;
    let role = json!({ "bound_service_account_names": ["passerelle"], "bound_service_account_namespaces": ["portal"],
        "token_policies": ["portal"], "token_ttl": "4s", "token_max_ttl": "8s" });
    bao.put("auth/kubernetes/role/portal", role).await;
    let file = bao.file("pod", &jwt());
    let portal = portal(|vault| {
        (vault.address, vault.kubernetes_role, vault.cache_s) = (bao.url.clone(), "portal".to_owned(), 0);
        vault.kubernetes_token_file = file;
    })
    .await;
    let made = connect(&portal, "c1", json!({ "vault": "passerelle/c1#token" })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    // Twelve seconds: past every renewal, so it signs in again by itself.
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let (reachable, said) = tried(&portal, "c1").await;
        assert!(reachable, "{said}");
    }
    bao.file("pod", "not.a.token");
    tokio::time::sleep(Duration::from_secs(9)).await;
    let (reachable, said) = tried(&portal, "c1").await;
    assert!(!reachable && said.contains("sign in as the role portal"), "{said}");
}
