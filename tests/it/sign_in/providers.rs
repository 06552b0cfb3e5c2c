//! Lying providers behind a server, a portal that knows them, and browsers that go between the two.

use super::liar::{Liar, SECRET, Told};
use crate::support::{Shown, TestPortal};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use passerelle_server::config::load;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// `p0`, `p1`, ...: each an issuer of its own.
pub struct Providers {
    pub liars: Vec<Arc<Liar>>,
    secret: tempfile::TempDir,
}

impl Providers {
    pub async fn start(count: usize) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let liars: Vec<_> = (0..count).map(|n| Arc::new(Liar::new(&format!("{url}/{n}")))).collect();
        let app = axum::Router::new().fallback(answer).with_state(liars.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let secret = tempfile::tempdir().unwrap();
        std::fs::write(secret.path().join("secret"), format!("{SECRET}\n")).unwrap();
        Self { liars, secret }
    }

    /// A portal that knows all of them; `more` is further TOML of each, `local` who may use a password.
    pub async fn portal_with(&self, local: &str, more: &str) -> TestPortal {
        TestPortal::start_with(|config, url| {
            let mut text = format!("[server]\npublic_origin = \"{url}\"\n[sign_in]\nlocal = \"{local}\"\n");
            for (n, liar) in self.liars.iter().enumerate() {
                text.push_str(&format!(
                    "[[sign_in.providers]]\nid = \"p{n}\"\nname = \"Provider {n}\"\nissuer = \"{}\"\nclient_id = \"passerelle\"\n\
                     client_secret = \"file:{}\"\n{more}\n",
                    liar.issuer,
                    self.secret.path().join("secret").display()
                ));
            }
            let read = load(Some(&text), std::iter::empty()).unwrap();
            config.sign_in = read.sign_in;
            config.server.public_origin = read.server.public_origin;
        })
        .await
    }

    pub async fn portal(&self) -> TestPortal {
        self.portal_with("everybody", "groups_claim = \"groups\"").await
    }
}

async fn answer(State(liars): State<Vec<Arc<Liar>>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let (number, path) = uri.path()[1..].split_once('/').unwrap();
    let liar = &liars[number.parse::<usize>().unwrap()];
    let authorization = headers.get("authorization").map(|value| value.to_str().unwrap());
    let Told { status, mime, location, body, slow } =
        liar.answer(&format!("/{path}"), authorization, std::str::from_utf8(&body).unwrap());
    if slow {
        tokio::time::sleep(Duration::from_secs(20)).await;
    }
    let mut response = (StatusCode::from_u16(status).unwrap(), [("content-type", mime)], body).into_response();
    if let Some(location) = location {
        response.headers_mut().insert("location", location.parse().unwrap());
    }
    response
}

/// A browser with its cookies.
#[derive(Clone)]
pub struct Browser<'t> {
    test: &'t TestPortal,
    pub cookies: BTreeMap<String, String>,
    pub language: &'static str,
}

pub const SESSION: &str = "passerelle_session";
pub const PENDING: &str = "passerelle_sign_in";

impl<'t> Browser<'t> {
    pub fn new(test: &'t TestPortal) -> Self {
        Self { test, cookies: BTreeMap::new(), language: "en" }
    }

    pub async fn get(&mut self, path: &str) -> Shown {
        self.send(self.test.http.get(format!("{}{path}", self.test.url))).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Shown {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.test.http.post(format!("{}{path}", self.test.url)).header("origin", &self.test.url);
        self.send(request.header("content-type", "application/x-www-form-urlencoded").body(body)).await
    }

    /// As a script in the page does.
    pub async fn post_json(&mut self, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.test.http.post(format!("{}{path}", self.test.url)).header("origin", &self.test.url);
        let shown = self.send(request.json(body)).await;
        (shown.status, serde_json::from_str(&shown.html).unwrap_or_default())
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Shown {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = request.header("accept-language", self.language);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Shown { status, headers, html: response.text().await.unwrap() }
    }

    /// As far as the provider and back to the portal's door: the address that the provider sends the browser to.
    pub async fn open_door(&mut self, providers: &Providers, n: usize, next: &str) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
        let left = self.get(&format!("/auth/p{n}/sign-in?{query}")).await;
        let address = Url::parse(&left.led_to()).unwrap();
        format!("/auth/p{n}/callback?{}", providers.liars[n].authorize(&address))
    }

    /// All the way; the page or redirect at its end.
    pub async fn sign_in(&mut self, providers: &Providers, n: usize, next: &str) -> Shown {
        let door = self.open_door(providers, n, next).await;
        self.get(&door).await
    }

    /// Who the portal takes this browser for.
    pub async fn me(&mut self) -> Option<Value> {
        let shown = self.get("/api/v1/me").await;
        (shown.status == StatusCode::OK).then(|| serde_json::from_str(&shown.html).unwrap())
    }

    pub async fn csrf(&mut self) -> String {
        crate::support::hidden(&self.get("/auth/no-role").await.html, "csrf")
    }
}

impl Shown {
    pub fn location(&self) -> &str {
        self.headers.get(LOCATION).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// The newest refused sign-ins, as the audit tells them.
pub async fn refusals(test: &TestPortal) -> Vec<String> {
    let rows = test.get("/audit?action=access.sign_in&outcome=denied&limit=100").await.body;
    let items = rows["items"].as_array().unwrap().clone();
    items.iter().map(|row| row["reason"].as_str().unwrap_or_default().to_owned()).collect()
}

/// How many sessions there are.
pub async fn sessions(test: &TestPortal) -> i64 {
    let mut database = test.database.superuser().await;
    sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&mut database).await.unwrap()
}
