//! A Prometheus that has counted what the test says, minute by minute.

use super::TestPortal;
use axum::http::StatusCode as Answered;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse as _;
use axum::routing::post;
use axum::{Form, Json, Router};
use passerelle_server::slo::Measurer;
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use time::OffsetDateTime;

/// Bad and all events of one service by the minute since 1970; minutes that are not there were quiet.
#[derive(Debug, Clone, Default)]
struct Counted(Arc<Mutex<BTreeMap<i64, (u64, u64)>>>);

pub struct FakePrometheus {
    pub url: String,
    counted: Counted,
    broken: Arc<AtomicBool>,
}

impl FakePrometheus {
    pub async fn start() -> Self {
        let counted = Counted::default();
        let (ranges, instants) = (counted.clone(), counted.clone());
        let broken = Arc::new(AtomicBool::new(false));
        let away = Arc::clone(&broken);
        let guard = from_fn(move |request, next: Next| {
            let away = away.load(Ordering::Relaxed);
            async move { if away { Answered::SERVICE_UNAVAILABLE.into_response() } else { next.run(request).await } }
        });
        let router = Router::new()
            .route("/api/v1/query_range", post(move |Form(form)| async move { Json(ranges.range(&form)) }))
            .route("/api/v1/query", post(move |Form(form)| async move { Json(instants.instant(&form)) }))
            .layer(guard);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, counted, broken }
    }

    /// Answers 503 from now on, or no more.
    pub fn fails(&self, fails: bool) {
        self.broken.store(fails, Ordering::Relaxed);
    }

    /// Replaces what was counted in a minute.
    pub fn count(&self, minute: i64, bad: u64, total: u64) {
        self.counted.0.lock().unwrap().insert(minute, (bad, total));
    }
}

impl TestPortal {
    /// With the shop, and the connection `prom` to a Prometheus.
    pub async fn with_prometheus() -> (Self, FakePrometheus) {
        let (test, prometheus) = (Self::with_shop().await, FakePrometheus::start().await);
        let connection = json!({ "name": "prom", "kind": "prometheus", "config": { "url": prometheus.url } });
        assert_eq!(test.post("/connections", &connection).await.status, StatusCode::CREATED);
        (test, prometheus)
    }

    /// Measures every objective up to now.
    pub async fn measure(&self) {
        self.measure_at(OffsetDateTime::now_utc().unix_timestamp()).await;
    }

    /// As if it were then, in seconds since 1970.
    pub async fn measure_at(&self, now: i64) {
        Measurer::new(self.portal.slo.clone()).pass(now).await.unwrap();
    }
}

impl Counted {
    fn events(&self, query: &str, minute: i64) -> Option<u64> {
        let (bad, total) = *self.0.lock().unwrap().get(&minute)?;
        Some(if query.contains("5..") { bad } else { total })
    }

    fn range(&self, form: &HashMap<String, String>) -> Value {
        let number = |name: &str| form[name].parse::<i64>().unwrap();
        let (from, to, query) = (number("start"), number("end"), &form["query"]);
        let points = (0..=(to - from) / 60).map(|index| from + index * 60);
        // The minute that ends at a moment is the one before it.
        let values: Vec<Value> =
            points.filter_map(|at| Some(json!([at, self.events(query, at / 60 - 1)?.to_string()]))).collect();
        answer("matrix", &json!({ "metric": { "service": "web" }, "values": values }))
    }

    fn instant(&self, form: &HashMap<String, String>) -> Value {
        let query = &form["query"];
        let to = form.get("time").map_or(0, |time| time.parse::<i64>().unwrap() / 60);
        // The daily reconciliation asks for whole days.
        let sum: u64 = (to - 1440..to).filter_map(|minute| self.events(query, minute)).sum();
        answer("vector", &json!({ "metric": {}, "value": [0, sum.to_string()] }))
    }
}

fn answer(kind: &str, series: &Value) -> Value {
    json!({ "status": "success", "data": { "resultType": kind, "result": [series] } })
}
