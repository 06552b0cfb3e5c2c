//! The part of Prometheus' HTTP API that the portal asks, answered from a model of traffic instead of stored samples.
//!
//! The model depends on the seed and on the time only, so that any minute of the past has the same figures whenever it is asked for.

mod query;
mod traffic;

use crate::call::{self, Call};
use crate::world::MetricsWorld;
use axum::http::StatusCode;
use axum::response::Response;
use query::{Parsed, parse};
use serde_json::{Value, json};
use time::OffsetDateTime;
use traffic::{Series, Traffic};

/// Points that are answered at once, as a real server refuses more.
const MOST_POINTS: i64 = 11_000;

#[derive(Debug)]
pub(crate) struct Metrics {
    services: Vec<Traffic>,
}

impl Metrics {
    pub(crate) fn new(world: &MetricsWorld, seed: u64) -> Self {
        let services = world.services.iter().map(|(name, service)| Traffic::new(name, service, seed));
        Self { services: services.collect() }
    }

    pub(crate) fn answer(&self, call: &Call) -> Response {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(&call.body).into_owned().collect();
        let field = |name: &str| {
            let mut all = form.iter().chain(&call.query).filter(|(key, _)| key == name);
            all.next().map(|(_, value)| value.as_str())
        };
        let number =
            |name: &str| field(name).and_then(|text| text.parse::<f64>().ok()).map(|number| number.round() as i64);
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let promql = field("query").unwrap_or_default();
        let Some(parsed) = parse(promql) else { return refused("the simulator answers the portal's own queries only") };
        match call.path.as_str() {
            "/api/v1/query" => instant(self.at(&parsed, number("time").unwrap_or(now), now)),
            "/api/v1/query_range" => match (number("start"), number("end"), number("step")) {
                (Some(from), Some(to), Some(step)) if step > 0 && (to - from) / step < MOST_POINTS => {
                    self.range(&parsed, (from, to.min(now), step))
                }
                _ => refused("start, end and step must be given, for at most 11,000 points"),
            },
            _ => call::json(StatusCode::NOT_FOUND, &json!({"status": "error", "errorType": "not_found"})),
        }
    }

    /// The series that a query is about, with the labels that tell its answers apart.
    fn found(&self, parsed: &Parsed) -> Vec<(Value, Vec<(&Traffic, Series)>)> {
        let mut groups: Vec<(Value, Vec<(&Traffic, Series)>)> = Vec::new();
        for traffic in &self.services {
            for series in traffic.series(&parsed.metric) {
                let labels = traffic.labels(&series);
                if !parsed.matches(&labels) {
                    continue;
                }
                let shown = labels.iter().filter(|(name, _)| parsed.by.contains(name));
                let shown: Value = shown.map(|(name, value)| (name.clone(), json!(value))).collect();
                match groups.iter_mut().find(|(other, _)| *other == shown) {
                    Some((_, members)) => members.push((traffic, series)),
                    None => groups.push((shown, vec![(traffic, series)])),
                }
            }
        }
        groups
    }

    fn range(&self, parsed: &Parsed, (from, to, step): (i64, i64, i64)) -> Response {
        let series = self.found(parsed).into_iter().map(|(labels, members)| {
            let values: Vec<Value> = (0..=(to - from).div_euclid(step))
                .map(|index| from + index * step)
                .map(|at| json!([at, text(parsed, counted(&members, at, parsed.seconds.unwrap_or(step)))]))
                .collect();
            json!({"metric": labels, "values": values})
        });
        let series: Vec<Value> = series.collect();
        success("matrix", &series)
    }

    fn at(&self, parsed: &Parsed, at: i64, now: i64) -> Vec<Value> {
        if parsed.constant {
            return vec![json!({"metric": {}, "value": [at, "1"]})];
        }
        let found = self.found(parsed).into_iter().map(|(labels, members)| {
            let count = counted(&members, at.min(now), parsed.seconds.unwrap_or(60));
            json!({"metric": labels, "value": [at, text(parsed, count)]})
        });
        found.collect()
    }
}

/// Events in the whole minutes of the `seconds` before `at`.
fn counted(members: &[(&Traffic, Series)], at: i64, seconds: i64) -> u64 {
    let (last, first) = (at.div_euclid(60), (at - seconds).div_euclid(60));
    members
        .iter()
        .map(|(traffic, series)| (first..last).map(|minute| traffic.events(series, minute)).sum::<u64>())
        .sum()
}

#[expect(clippy::cast_precision_loss, reason = "counts of a day at most")]
fn text(parsed: &Parsed, count: u64) -> String {
    match (parsed.per_second, parsed.seconds) {
        (true, Some(seconds)) if seconds > 0 => (count as f64 / seconds as f64).to_string(),
        _ => count.to_string(),
    }
}

fn instant(series: Vec<Value>) -> Response {
    success("vector", &series)
}

fn success(kind: &str, result: &[Value]) -> Response {
    call::json(StatusCode::OK, &json!({"status": "success", "data": {"resultType": kind, "result": result}}))
}

fn refused(why: &str) -> Response {
    call::json(StatusCode::BAD_REQUEST, &json!({"status": "error", "errorType": "bad_data", "error": why}))
}

pub(crate) fn injected(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    call::json(status, &json!({"status": "error", "errorType": "internal", "error": "simulated"}))
}
