//! The routes.

<% if database %>
use crate::database::Database;
<% endif %>
use crate::metrics::{Metrics, observe};
use crate::settings::Settings;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router, middleware};
<% if events %>
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
<% endif %>
use serde::Serialize;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What every request shares.
#[derive(Debug, Clone)]
pub struct App {
    settings: Arc<Settings>,
    metrics: Metrics,
    ready: Arc<AtomicBool>,
<% if database %>
    database: Database,
<% endif %>
}

impl App {
    /// # Errors
    /// A setting is of no use.
    pub fn new(settings: Settings) -> Result<Self, Box<dyn Error>> {
<% if database %>
        Ok(Self {
            metrics: Metrics::new()?,
            ready: Arc::new(AtomicBool::new(true)),
            database: Database::new(&settings.database_url)?,
            settings: Arc::new(settings),
        })
<% else %>
        Ok(Self { metrics: Metrics::new()?, ready: Arc::new(AtomicBool::new(true)), settings: Arc::new(settings) })
<% endif %>
    }

    /// From now on not ready: no new requests are to come.
    pub fn stop(&self) {
        self.ready.store(false, Ordering::Relaxed);
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/v1/info", get(info))
<% if events %>
        .route("/events", axum::routing::post(events))
<% endif %>
        .layer(middleware::from_fn_with_state(app.metrics.clone(), observe))
        .with_state(app)
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// Liveness: the process answers. It asks nobody else, so that a failing database never restarts the service.
async fn healthz() -> Json<Status> {
    Json(Status { status: "alive" })
}

/// Readiness: may requests come here now?
async fn readyz(State(app): State<App>) -> (StatusCode, Json<Status>) {
    if !app.ready.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Status { status: "stopping" }));
    }
<% if database %>
    if !app.database.answers().await {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(Status { status: "database does not answer" }));
    }
<% endif %>
    (StatusCode::OK, Json(Status { status: "ready" }))
}

/// Prometheus asks inside the network. What came through a proxy came from outside, and sees no metrics.
async fn metrics(State(app): State<App>, headers: HeaderMap) -> Response {
    if headers.contains_key("x-forwarded-for") {
        return StatusCode::NOT_FOUND.into_response();
    }
    match app.metrics.text() {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Serialize)]
struct Info {
    service: &'static str,
    version: String,
    environment: String,
}

/// Which version answers, and where: the first thing asked in an incident.
async fn info(State(app): State<App>) -> Json<Info> {
    let Settings { version, environment, .. } = &*app.settings;
    Json(Info { service: "<{ name }>", version: version.clone(), environment: environment.clone() })
}
<% if events %>

/// The part of a Pub/Sub push that we read. The message's id is the same when Pub/Sub delivers it again.
#[derive(Deserialize)]
struct Push {
    message: Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    message_id: String,
    #[serde(default)]
    data: String,
}

/// Pub/Sub delivers here. 2xx acknowledges; anything else is delivered again, and after some tries put aside (dead-letter topic).
/// A message can come twice: handle it so that the second time changes nothing.
async fn events(Json(Push { message }): Json<Push>) -> StatusCode {
    let Ok(data) = STANDARD.decode(&message.data) else { return StatusCode::BAD_REQUEST };
    tracing::info!(message_id = message.message_id, bytes = data.len(), "event");
    StatusCode::NO_CONTENT
}
<% endif %>
