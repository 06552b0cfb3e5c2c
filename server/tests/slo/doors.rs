//! The doors of a source: TLS with an authority of one's own, a password, a token, a tenant and headers. What opens them is never shown.

use crate::measuring::{AVAILABILITY, history};
use crate::peer::{DOOR, Prometheus};
use crate::support::{Shop, now, root};
use axum::Router;
use axum::extract::Form;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use passerelle_contract::environments::ConnectionPatch;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

const PASSWORD: &str = "correct horse";
/// bcrypt of it, as `htpasswd -B` writes it.
const HASH: &str = "$2b$10$nd67WLfCW3KxSJLV.NinTO1yoIjCEIS4B5d/z/CusDsEW1JMrwfta";

impl Shop {
    /// What the check of the connection says with other settings.
    async fn with(&self, config: Value) -> (bool, String) {
        let patch = ConnectionPatch { config: Some(config) };
        self.portal.environments.patch_connection(&root(), "prom", patch).await.unwrap();
        let check = self.portal.environments.check_connection(&root(), "prom").await.unwrap();
        (check.reachable, check.message)
    }

    /// The pointers of what is refused.
    async fn refused(&self, config: Value) -> Vec<String> {
        let patch = ConnectionPatch { config: Some(config) };
        crate::support::pointers(self.portal.environments.patch_connection(&root(), "prom", patch).await.unwrap_err())
    }

    /// Neither the page nor the audit has any of these.
    async fn hides(&self, secrets: &[&str]) {
        let shown = self.portal.environments.get_connection(&root(), "prom").await.unwrap();
        let shown = serde_json::to_string(&shown).unwrap();
        assert!(shown.contains(r#"{"set":true}"#), "{shown}");
        let audited =
            self.texts("SELECT coalesce(before::text, '') || coalesce(after::text, '') FROM audit_events").await;
        let stored = self.texts("SELECT config::text FROM connections").await;
        for secret in secrets {
            assert!(!shown.contains(secret) && !audited.contains(secret) && !stored.contains(secret), "{secret}");
        }
    }
}

/// An authority, and a certificate of 127.0.0.1 signed by it. False when there is no openssl.
fn certificates(folder: &Path) -> bool {
    std::fs::write(folder.join("san"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    let steps = [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ours",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout tls.key -out tls.csr -subj /CN=prometheus",
        "x509 -req -in tls.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out tls.pem",
    ];
    for step in steps {
        let Ok(made) = Command::new("openssl").args(step.split(' ')).current_dir(folder).output() else {
            println!("skipped: openssl is not installed");
            return false;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_behind_tls_and_a_password() {
    let folder = tempfile::tempdir().unwrap();
    if !certificates(folder.path()) {
        return;
    }
    let door = format!(
        "tls_server_config: {{cert_file: tls.pem, key_file: tls.key}}\nbasic_auth_users: {{portal: '{HASH}'}}\n"
    );
    std::fs::write(folder.path().join(DOOR), door).unwrap();
    let Some(prometheus) = Prometheus::behind(&history(now().div_euclid(60)), folder).await else { return };
    let (url, place) = (&prometheus.url, prometheus.folder.path());
    let shop = Shop::open(url).await;
    let id = shop.import(AVAILABILITY).await[0];
    shop.pass().await;
    let why = shop.slo(id).await.source_error.unwrap();
    assert!(why.contains("an authority that is not known here"), "{why}");

    let pem = std::fs::read_to_string(place.join("ca.pem")).unwrap();
    let file = place.join("ca.pem").display().to_string();
    let user = |password: &str, ca: Value| json!({ "url": url, "username": "portal", "password": { "value": password }, "ca_certificate": ca });
    let (reachable, said) = shop.with(user("wrong horse", json!(pem))).await;
    assert!(!reachable && said.contains("refused our credentials"), "{said}");
    let (reachable, said) = shop.with(json!({ "url": url, "ca_certificate": pem })).await;
    assert!(!reachable && said.contains("refused our credentials"), "{said}");
    let other = std::fs::read_to_string(place.join("tls.pem")).unwrap();
    let elsewhere = url.replace("127.0.0.1", "localhost");
    let named =
        json!({ "url": elsewhere, "username": "portal", "password": { "value": PASSWORD }, "ca_certificate": pem });
    let (reachable, said) = shop.with(named).await;
    assert!(!reachable && said.contains("for another name"), "{said}");
    for ca in [json!(pem), json!({ "file": file }), json!(format!("{other}{pem}"))] {
        let (reachable, said) = shop.with(user(PASSWORD, ca)).await;
        assert!(reachable, "{said}");
    }
    shop.pass().await;
    let slo = shop.slo(id).await;
    assert_eq!((slo.source_error, slo.bad), (None, 5000.0), "counted through the door");
    shop.hides(&[PASSWORD, "wrong horse"]).await;
    let nowhere = json!({ "url": url, "ca_certificate": { "file": place.join("none.pem") } });
    assert_eq!(shop.refused(nowhere).await, ["/config/ca_certificate"]);
}

/// Answers as Mimir does behind a proxy: only to this token, this tenant and this header.
async fn guarded(headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
    let has = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    if !has("authorization", "Bearer token-of-the-portal") || !has("x-route", "key-of-the-route") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if !has("x-scope-orgid", "shop|shared") {
        let text = json!({ "status": "error", "errorType": "no org id", "error": "no org id" });
        return (StatusCode::BAD_REQUEST, axum::Json(text)).into_response();
    }
    let result = match (form.get("start"), form.get("end")) {
        (Some(start), Some(end)) => {
            let (start, end): (i64, i64) = (start.parse().unwrap(), end.parse().unwrap());
            let value = if form["query"].contains("5..") { "1" } else { "10" };
            let values: Vec<Value> = (start..=end).step_by(60).map(|at| json!([at, value])).collect();
            json!([{ "metric": { "service": "web" }, "values": values }])
        }
        _ => json!([{ "metric": {}, "value": [0, "1"] }]),
    };
    axum::Json(json!({ "status": "success", "data": { "result": result } })).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_a_tenant_and_a_header() {
    let router = Router::new()
        .route("/prometheus/api/v1/query_range", post(guarded))
        .route("/prometheus/api/v1/query", post(guarded));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prometheus", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let shop = Shop::open(&url).await;
    let id = shop.import("service_level_objectives: [{name: Web, sli: availability, target: 50, window: 1d}]").await[0];
    let token = json!({ "value": "token-of-the-portal" });
    let headers = json!({ "X-Route": { "value": "key-of-the-route" } });
    for (config, says) in [
        (json!({ "url": url }), "credentials"),
        (
            json!({ "url": url, "bearer": { "value": "another" }, "headers": headers, "org_id": "shop|shared" }),
            "credentials",
        ),
        (json!({ "url": url, "bearer": token, "org_id": "shop|shared" }), "credentials"),
        (json!({ "url": url, "bearer": token, "headers": headers }), "no org id"),
    ] {
        let (reachable, said) = shop.with(config).await;
        assert!(!reachable && said.contains(says), "{says}: {said}");
        shop.pass().await;
        assert!(shop.slo(id).await.source_error.unwrap().contains(says));
    }
    let (reachable, said) =
        shop.with(json!({ "url": url, "bearer": token, "headers": headers, "org_id": "shop|shared" })).await;
    assert!(reachable, "{said}");
    // As a form sends what it was shown.
    let kept = json!({ "url": url, "bearer": { "set": true }, "headers": { "X-Route": { "set": true } }, "org_id": "shop|shared" });
    assert!(shop.with(kept).await.0, "what was stored is kept");
    shop.pass().await;
    let slo = shop.slo(id).await;
    assert_eq!((slo.source_error, slo.remaining.as_str()), (None, "0.800000"));
    shop.hides(&["token-of-the-portal", "key-of-the-route"]).await;
    for (config, pointer) in [
        (json!({ "url": url, "bearer": token, "username": "a", "password": token }), "/config/bearer"),
        (json!({ "url": url, "username": "a" }), "/config/password"),
        (json!({ "url": url, "headers": { "a b": token } }), "/config/headers"),
        (json!({ "url": url, "bearer": token, "headers": { "Authorization": token } }), "/config/headers"),
        (json!({ "url": url, "org_id": "a", "headers": { "x-scope-orgid": token } }), "/config/headers"),
        (json!({ "url": url, "org_id": "a\nb" }), "/config/org_id"),
        (json!({ "url": url.replace("http://", "http://user:pass@") }), "/config/url"),
        (json!({ "url": url, "ca_certificate": "no PEM" }), "/config/ca_certificate"),
        (json!({ "url": url, "timeout_s": 61 }), "/config/timeout_s"),
    ] {
        assert_eq!(shop.refused(config).await, [pointer]);
    }
}
