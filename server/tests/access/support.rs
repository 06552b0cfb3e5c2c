//! One database and one stack per test.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use passerelle_contract::access::{Role, Scope};
use passerelle_server::http::{self, Health, HttpSettings, Stack};
use passerelle_server::identity::{self, IdentityService, SetUp};
use passerelle_server::kernel::{Ctx, Db, Directory, Keys, Object, ReadScope, Result, Via};
use passerelle_test_db::Database;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

pub const PASSWORD: &str = "correct horse battery";
pub const ORIGIN: &str = "http://portal.test";

/// These tests have no catalog.
#[derive(Debug)]
struct Empty;

#[async_trait::async_trait]
impl Directory for Empty {
    async fn object(&self, _: Option<&str>, _: Option<&str>) -> Result<Object> {
        Ok(Object::new("portal", "all"))
    }
    async fn services_in(&self, _: &ReadScope) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    async fn environments_in(&self, _: &[String]) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
}

pub struct Portal {
    pub identity: IdentityService,
    pub db: Db,
    pub url: String,
    /// How often the route `/api/v1/effect` ran.
    pub effects: Arc<AtomicUsize>,
    app: Router,
}

pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
    /// The first that it sets: the session's.
    pub cookie: Option<String>,
    /// By which the browser is known again.
    pub device: Option<String>,
    pub replayed: bool,
}

impl Portal {
    pub async fn new() -> Self {
        Self::on(&Database::create().await.url).await
    }

    /// Another process on the same database.
    pub async fn on(url: &str) -> Self {
        let db = Db::connect(url, 4).await.unwrap();
        let identity = IdentityService::new(db.clone(), Keys::from_bytes([7; 32]));
        let effects = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&effects);
        let effect = axum::routing::post(move || async move {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            axum::Json(json!({ "effect": counter.fetch_add(1, Ordering::SeqCst) + 1 }))
        });
        let panics = axum::routing::get(|| async {
            let empty: Vec<u8> = Vec::new();
            empty.first().unwrap().to_string()
        });
        let api: OpenApiRouter = identity::routes::routes(identity.clone(), Arc::new(Empty));
        let routes = http::rest(api.route("/effect", effect).route("/panics", panics))
            .merge(http::health(Health::new(db.clone())));
        let settings = HttpSettings::default();
        let app = http::stack(routes, Stack { identity: identity.clone(), db: db.clone(), settings });
        Self { identity, db, url: url.to_owned(), effects, app }
    }

    /// With the first administrator `root`.
    pub async fn set_up() -> Self {
        let portal = Self::new().await;
        portal.first_admin().await;
        portal
    }

    pub async fn first_admin(&self) {
        let path = self.identity.setup_path_if_needed().await.unwrap().unwrap();
        let token = path.strip_prefix("/setup?token=").unwrap();
        self.identity.set_up(&nobody(), &first(token)).await.unwrap();
    }

    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("host", "portal.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.answer(request.body(body).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert!(header("x-request-id").is_some_and(|id| Uuid::parse_str(&id).is_ok()));
        assert!(header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
        let (status, cookie, replayed) =
            (response.status(), header("set-cookie"), header("idempotency-replayed").is_some());
        let mut cookies =
            response.headers().get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned());
        let device = cookies.find(|cookie| cookie.starts_with("passerelle_device="));
        let bytes = to_bytes(response.into_body(), 1 << 22).await.unwrap();
        Answer { status, body: serde_json::from_slice(&bytes).unwrap_or(Value::Null), cookie, device, replayed }
    }

    pub async fn with_token(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        self.send(method, path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    pub async fn token(&self, user: &str, role: Role) -> String {
        let ctx = Ctx::system(Via::Cli, "test");
        self.identity.create_service_token(&ctx, user, role, Scope::Everything, 1).await.unwrap().token
    }

    /// The cookie of a new session.
    pub async fn sign_in(&self, user: &str, password: &str) -> Answer {
        let body = json!({ "user": user, "password": password });
        self.send("POST", "/api/v1/sessions", &[("origin", ORIGIN)], Some(body)).await
    }

    /// The same from an address, by a browser with these cookies.
    pub async fn sign_in_from(&self, source: [u8; 4], cookies: &str, user: &str, password: &str) -> Answer {
        let mut request = Request::builder().method("POST").uri("/api/v1/sessions").header("host", "portal.test");
        request = request.header("origin", ORIGIN).header("content-type", "application/json");
        if !cookies.is_empty() {
            request = request.header("cookie", cookies);
        }
        let body = json!({ "user": user, "password": password });
        let mut request = request.body(Body::from(body.to_string())).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from((source, 443))));
        self.answer(request).await
    }

    pub async fn audited(&self, action: &str, outcome: &str) -> i64 {
        sqlx::query_scalar("SELECT count(*) FROM audit_events WHERE action = $1 AND outcome = $2")
            .bind(action)
            .bind(outcome)
            .fetch_one(self.db.pool())
            .await
            .unwrap()
    }
}

pub fn first(token: &str) -> SetUp {
    SetUp {
        token: token.to_owned(),
        user: "root".to_owned(),
        password: PASSWORD.to_owned(),
        display_name: "Root".to_owned(),
    }
}

pub fn nobody() -> Ctx {
    Ctx::anonymous(Via::Page, "test".to_owned())
}

/// What a browser sends back of a `Set-Cookie`.
pub fn cookie(answer: &Answer) -> String {
    pair(answer.cookie.as_ref())
}

/// The same of the cookie by which it is known again.
pub fn device(answer: &Answer) -> String {
    pair(answer.device.as_ref())
}

fn pair(set_cookie: Option<&String>) -> String {
    set_cookie.unwrap().split(';').next().unwrap().to_owned()
}
