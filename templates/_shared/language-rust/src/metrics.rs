//! What Prometheus reads, and the access log: both from one look at each request.

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry, TextEncoder};
use std::time::Instant;

/// Probes and scrapes are neither counted nor logged: they would dilute the error rate that the objectives are measured by.
const QUIET: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The service's metrics.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    duration: HistogramVec,
}

impl Metrics {
    /// # Errors
    /// Two metrics have one name.
    pub fn new() -> Result<Self, prometheus::Error> {
        // <{ slo_latency_ms }> ms is the bound of the latency objective, so it must be a bucket: slo/openslo.yaml counts what is below it.
        let mut buckets = vec![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, <{ slo_latency_ms }>.0 / 1000.0];
        buckets.sort_by(f64::total_cmp);
        buckets.dedup();
        let requests = Opts::new("http_requests_total", "Requests answered.");
        let duration = HistogramOpts::new("http_request_duration_seconds", "Time to the end.").buckets(buckets);
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(requests, &["method", "route", "code"])?,
            duration: HistogramVec::new(duration, &["method", "route"])?,
        };
        metrics.registry.register(Box::new(metrics.requests.clone()))?;
        metrics.registry.register(Box::new(metrics.duration.clone()))?;
        Ok(metrics)
    }

    /// # Errors
    /// A metric cannot be written.
    pub fn text(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}

/// Counts, times and logs a request. The label is the route (`/items/{id}`), never the path: paths are endless, series are not.
pub async fn observe(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("unmatched", MatchedPath::as_str).to_owned();
    if QUIET.contains(&route.as_str()) {
        return next.run(request).await;
    }
    let started = Instant::now();
    let method = request.method().as_str().to_owned();
    let trace_id = trace_id(request.headers());
    let response = next.run(request).await;
    let (took, code) = (started.elapsed().as_secs_f64(), response.status().as_u16());
    metrics.requests.with_label_values(&[method.as_str(), &route, &code.to_string()]).inc();
    metrics.duration.with_label_values(&[method.as_str(), &route]).observe(took);
    tracing::info!(method, route, code, ms = (took * 10_000.0).round() / 10.0, trace_id, "request");
    response
}

/// The trace of a W3C `traceparent` header, so that a log line is found from its trace.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let mut parts = headers.get("traceparent")?.to_str().ok()?.split('-');
    parts.nth(1).filter(|id| id.len() == 32).map(str::to_owned)
}
