//! `/healthz` says that the process answers, `/readyz` that it can do its work.

use crate::kernel::{AppError, Db};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Readiness is told within 5 s, also when the database hangs.
const PROBE_TIME: Duration = Duration::from_secs(3);

/// Cheap to clone; keep one to say that the process is ending.
#[derive(Debug, Clone)]
pub struct Health {
    db: Db,
    draining: Arc<AtomicBool>,
}

impl Health {
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, draining: Arc::default() }
    }

    /// From now on `/readyz` fails, so that a load balancer sends nothing new.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

pub fn health(health: Health) -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready)).with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    if health.draining.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "this process is ending\n").into_response();
    }
    match tokio::time::timeout(PROBE_TIME, health.db.ready()).await {
        Ok(Ok(())) => "ready\n".into_response(),
        Ok(Err(error)) => error.into_response(),
        Err(_) => AppError::Unavailable("no answer in time".into()).into_response(),
    }
}
