//! Prometheus by its HTTP API (`/api/v1/query_range` and `/api/v1/query`, as forms by POST).

use crate::config::PrometheusConfig;
use crate::plan::{Planned, plan};
use crate::source::{MetricSource, Point, Range, SourceError, Wanted};
use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _};
use passerelle_contract::{Text, text};
use passerelle_slo_formats::Query;
use passerelle_targets::kubernetes::Certificate;
use passerelle_targets::{Secret, TargetError, outbound};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;
use url::Url;

/// Queries of one read that run at the same time.
const AT_ONCE: usize = 4;
const DEFAULT_TIMEOUT_S: u64 = 10;
/// By which Mimir and Thanos tell tenants apart.
const ORG_ID: &str = "x-scope-orgid";
/// Larger numbers than this are not counts of events.
const MAX_MILLI: f64 = 9.0e15;

/// An open connection.
#[derive(Debug, Clone)]
pub struct Prometheus {
    http: reqwest::Client,
    url: Url,
    config: PrometheusConfig,
}

impl Prometheus {
    /// # Errors
    /// [`TargetError::Config`] when a field cannot work.
    pub fn new(config: PrometheusConfig) -> Result<Self, TargetError> {
        let url = address(&config.url)?;
        if config.bearer.is_some() && config.username.is_some() {
            return Err(wrong("/bearer", text!("cannot stand beside username")));
        }
        if config.username.is_some() != config.password.is_some() {
            return Err(wrong("/password", text!("username and password belong together")));
        }
        check_headers(&config)?;
        let timeout_s = config.timeout_s.unwrap_or(DEFAULT_TIMEOUT_S);
        if !(1..=60).contains(&timeout_s) {
            return Err(wrong("/timeout_s", text!("must be 1 to 60")));
        }
        let mut builder = outbound::client().timeout(Duration::from_secs(timeout_s));
        for certificate in authorities(config.ca_certificate.as_ref())? {
            builder = builder.add_root_certificate(certificate);
        }
        let http = builder.build().map_err(|_| wrong("", text!("no client can be made of this")))?;
        Ok(Self { http, url, config })
    }

    /// What answers, for a person who tries the connection.
    ///
    /// # Errors
    /// When nothing does.
    pub async fn version(&self) -> Result<String, SourceError> {
        let answer: Vec<Series> = self.query("query", &[("query", "vector(1)".to_owned())]).await?;
        if answer.len() != 1 {
            return Err(SourceError::Malformed(text!("vector(1) has no single value")));
        }
        Ok("answers PromQL queries".to_owned())
    }

    fn headers(&self) -> Result<HeaderMap, SourceError> {
        let reveal = |secret: &Secret| secret.reveal().map_err(|error| SourceError::Refused(error.text()));
        let value = |text: &str| {
            let mut value = HeaderValue::from_str(text.trim())
                .map_err(|_| SourceError::Refused(text!("a header's value is not one")))?;
            value.set_sensitive(true);
            Ok(value)
        };
        let mut headers = HeaderMap::new();
        if let Some(org) = &self.config.org_id {
            headers.insert(HeaderName::from_static(ORG_ID), value(org)?);
        }
        for (name, secret) in &self.config.headers {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                headers.insert(name, value(&reveal(secret)?)?);
            }
        }
        if let Some(token) = &self.config.bearer {
            headers.insert(reqwest::header::AUTHORIZATION, value(&format!("Bearer {}", reveal(token)?.trim()))?);
        }
        Ok(headers)
    }

    async fn query(&self, path: &str, form: &[(&str, String)]) -> Result<Vec<Series>, SourceError> {
        let url = self.url.join(&format!("api/v1/{path}")).map_err(|_| SourceError::Refused(text!("the address")))?;
        let mut request = self.http.post(url).headers(self.headers()?).form(form);
        if let (Some(user), Some(password)) = (&self.config.username, &self.config.password) {
            let password = password.reveal().map_err(|error| SourceError::Refused(error.text()))?;
            request = request.basic_auth(user, Some(password.trim_end()));
        }
        let answer = request.send().await.map_err(|error| away(&outbound::unreachable("Prometheus", &error)))?;
        let status = answer.status();
        let body = outbound::read_body(answer, "Prometheus").await.map_err(|error| away(&error))?;
        series_of(status, &body)
    }

    async fn answer(
        &self,
        planned: &Planned,
        step_s: u32,
        range: Range,
    ) -> Result<BTreeMap<Vec<String>, Vec<Point>>, SourceError> {
        let form = [
            ("query", planned.promql.clone()),
            ("start", range.from.to_string()),
            ("end", range.to.to_string()),
            ("step", step_s.to_string()),
        ];
        let series = self.query("query_range", &form).await?;
        let factor = if planned.per_second && planned.counts { f64::from(step_s) } else { 1.0 };
        Ok(points_of(series, &planned.by, factor, planned.counts))
    }
}

/// The points of each series of a range, by the values of these labels: what is made of an answer, whoever sent it.
///
/// # Errors
/// What the status or the body says of itself, or that it is no answer of the Prometheus API.
pub fn read_range(
    status: reqwest::StatusCode,
    body: &[u8],
    by: &[String],
    counts: bool,
) -> Result<BTreeMap<Vec<String>, Vec<Point>>, SourceError> {
    Ok(points_of(series_of(status, body)?, by, 1.0, counts))
}

fn points_of(series: Vec<Series>, by: &[String], factor: f64, counts: bool) -> BTreeMap<Vec<String>, Vec<Point>> {
    let mut points = BTreeMap::new();
    for one in series {
        let values = by.iter().map(|label| one.metric.get(label).cloned().unwrap_or_default()).collect();
        let read = one.values.iter().map(|(at, text)| point(*at, text, factor, counts)).collect();
        points.insert(values, read);
    }
    points
}

fn series_of(status: reqwest::StatusCode, body: &[u8]) -> Result<Vec<Series>, SourceError> {
    if status == reqwest::StatusCode::UNAUTHORIZED || status == reqwest::StatusCode::FORBIDDEN {
        return Err(SourceError::Forbidden);
    }
    let parsed: Result<Answer, _> = serde_json::from_slice(body);
    match parsed {
        // An answer that says `error` is one, whatever its status.
        Ok(Answer { status: said, data: Some(data), .. }) if said == "success" && status.is_success() => {
            Ok(data.result)
        }
        Ok(Answer { error_type, .. }) if status.is_client_error() || status.is_success() => {
            // The kind of the error only: its text repeats the query.
            let kind = error_type.unwrap_or_else(|| format!("HTTP {}", status.as_u16()));
            Err(SourceError::Refused(Text::verbatim(kind)))
        }
        _ if status.is_success() => Err(SourceError::Malformed(text!("not an answer of the Prometheus API"))),
        _ => Err(SourceError::Unreachable(Text::verbatim(format!("HTTP {}", status.as_u16())))),
    }
}

fn wrong(pointer: &str, message: Text) -> TargetError {
    TargetError::Config { pointer: format!("/config{pointer}"), message }
}

/// With a slash at its end, so that paths are joined below it.
fn address(text: &str) -> Result<Url, TargetError> {
    let mut url =
        Url::parse(text).map_err(|_| wrong("/url", text!("must be an address such as http://prometheus:9090")))?;
    let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() || !plain {
        return Err(wrong("/url", text!("must be http or https, without a user, a password or a query")));
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

fn check_headers(config: &PrometheusConfig) -> Result<(), TargetError> {
    let own = |name: &str| {
        let signs_in = name.eq_ignore_ascii_case("authorization");
        signs_in && (config.bearer.is_some() || config.username.is_some())
            || name.eq_ignore_ascii_case(ORG_ID) && config.org_id.is_some()
    };
    for name in config.headers.keys() {
        if HeaderName::from_bytes(name.as_bytes()).is_err() {
            return Err(wrong("/headers", text!("has a name that is not a header's")));
        }
        if own(name) {
            return Err(wrong("/headers", text!("has {name}, which another field sets already", name)));
        }
    }
    if config.org_id.as_ref().is_some_and(|org| org.trim().is_empty() || HeaderValue::from_str(org).is_err()) {
        return Err(wrong("/org_id", text!("must be the value of a header")));
    }
    Ok(())
}

/// A file is read when the connection is opened: at the start, and when its configuration changes.
fn authorities(given: Option<&Certificate>) -> Result<Vec<reqwest::Certificate>, TargetError> {
    let pem = match given {
        None => return Ok(Vec::new()),
        Some(Certificate::Pem(pem)) => pem.clone(),
        Some(Certificate::Reference(secret)) => {
            secret.reveal().map_err(|error| wrong("/ca_certificate", error.text()))?
        }
    };
    let not_one = || wrong("/ca_certificate", text!("must be a certificate in PEM"));
    let found = reqwest::Certificate::from_pem_bundle(pem.as_bytes()).map_err(|_| not_one())?;
    if found.is_empty() { Err(not_one()) } else { Ok(found) }
}

fn away(error: &TargetError) -> SourceError {
    SourceError::Unreachable(match error {
        TargetError::Unreachable(why) => why.clone(),
        other => other.text(),
    })
}

fn point(at: f64, text: &str, factor: f64, counts: bool) -> Point {
    let value = text.parse::<f64>().ok().map(|value| (value * factor * 1000.0).round());
    let value = value.filter(|value| value.is_finite() && value.abs() < MAX_MILLI && !(counts && *value < 0.0));
    #[expect(clippy::cast_possible_truncation, reason = "checked to be within 2^53")]
    let milli = value.map(|value| value as i64);
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970")]
    let at = at.round() as i64;
    Point { at, milli }
}

#[async_trait]
impl MetricSource for Prometheus {
    async fn read(&self, wanted: &[Wanted], range: Range) -> Vec<Result<Vec<Point>, SourceError>> {
        let planned = plan(wanted);
        let step_s = wanted.first().map_or(60, |question| question.step_s);
        let mut answers: Vec<Result<Vec<Point>, SourceError>> = wanted.iter().map(|_| Ok(Vec::new())).collect();
        // Boxed, because the compiler cannot see that closures over borrowed plans are general enough.
        let calls: Vec<_> = planned.iter().map(|planned| self.answer(planned, step_s, range).boxed()).collect();
        let found: Vec<_> = futures::stream::iter(calls).buffered(AT_ONCE).collect().await;
        for (planned, answer) in planned.iter().zip(found) {
            for (values, questions) in &planned.questions {
                let points = match &answer {
                    Ok(series) => Ok(series.get(values).cloned().unwrap_or_default()),
                    Err(error) => Err(error.clone()),
                };
                for question in questions {
                    if let Some(place) = answers.get_mut(*question) {
                        *place = points.clone();
                    }
                }
            }
        }
        answers
    }

    async fn total(&self, query: &Query, seconds: u64, at: i64) -> Result<Option<i64>, SourceError> {
        let (promql, factor) = match query {
            Query::Counter(selector) => (format!("sum(increase({selector}[{seconds}s]))"), 1.0),
            Query::Windowed { template, per_second: false } => {
                (template.replace("{{.window}}", &format!("{seconds}s")), 1.0)
            }
            #[expect(clippy::cast_precision_loss, reason = "at most some days")]
            Query::Windowed { template, per_second: true } => {
                (template.replace("{{.window}}", &format!("{seconds}s")), seconds as f64)
            }
            Query::Instant(_) => return Ok(None),
        };
        let series = self.query("query", &[("query", promql), ("time", at.to_string())]).await?;
        let value = series.first().and_then(|one| one.value.as_ref());
        Ok(value.and_then(|(at, text)| point(*at, text, factor, true).milli))
    }
}

#[derive(Deserialize)]
struct Answer {
    status: String,
    #[serde(default)]
    data: Option<Data>,
    #[serde(default, rename = "errorType")]
    error_type: Option<String>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    #[serde(default)]
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
    #[serde(default)]
    value: Option<(f64, String)>,
}
