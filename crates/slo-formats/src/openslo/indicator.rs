//! SLI: what is measured.

use crate::fields::{Fields, Report};
use crate::model::Query;
use crate::promql::Selector;
use passerelle_contract::{Text, text};
use serde_json::Value;

/// An indicator before an objective gives a threshold its meaning.
#[derive(Debug, Clone)]
pub(super) enum Indicator {
    Good { good: Source, total: Source },
    Bad { bad: Source, total: Source },
    Threshold(Source),
}

#[derive(Debug, Clone)]
pub(super) struct Source {
    pub query: Query,
    pub data_source: Option<String>,
}

impl Indicator {
    pub fn data_source(&self) -> Option<&str> {
        let source = match self {
            Self::Good { total, .. } | Self::Bad { total, .. } => total,
            Self::Threshold(source) => source,
        };
        source.data_source.as_deref()
    }
}

pub(super) fn read(spec: &Value, pointer: &str, report: &mut Report<'_>) -> Option<Indicator> {
    let fields = Fields::of(spec, pointer, &["description", "thresholdMetric", "ratioMetric"], report)?;
    fields.text("description", report);
    match (fields.get("thresholdMetric"), fields.get("ratioMetric")) {
        (Some(metric), None) => {
            let at = fields.at("thresholdMetric");
            let source = source(metric, &at, Use::Value, report)?;
            Some(Indicator::Threshold(source))
        }
        (None, Some(metric)) => ratio(metric, &fields.at("ratioMetric"), report),
        _ => {
            report.refuse(pointer, text!("must have exactly one of thresholdMetric and ratioMetric"));
            None
        }
    }
}

fn ratio(metric: &Value, pointer: &str, report: &mut Report<'_>) -> Option<Indicator> {
    let fields = Fields::of(metric, pointer, &["counter", "good", "bad", "total", "rawType", "raw"], report)?;
    let counter = fields.boolean("counter", report).unwrap_or(false);
    if fields.get("raw").is_some() || fields.get("rawType").is_some() {
        report.refuse(&fields.at("raw"), text!("a stored ratio has no number of events; give good (or bad) and total"));
        return None;
    }
    let Some(total) = fields.get("total") else {
        report.refuse(&fields.at("total"), text!("is missing"));
        return None;
    };
    let how = Use::Events { counter };
    let total = source(total, &fields.at("total"), how, report);
    match (fields.get("good"), fields.get("bad")) {
        (Some(good), None) => {
            let good = source(good, &fields.at("good"), how, report)?;
            Some(Indicator::Good { good, total: total? })
        }
        (None, Some(bad)) => {
            let bad = source(bad, &fields.at("bad"), how, report)?;
            Some(Indicator::Bad { bad, total: total? })
        }
        _ => {
            report.refuse(pointer, text!("must have exactly one of good and bad beside total"));
            None
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Use {
    Value,
    Events { counter: bool },
}

fn source(value: &Value, pointer: &str, how: Use, report: &mut Report<'_>) -> Option<Source> {
    let fields = Fields::of(value, pointer, &["metricSource"], report)?;
    let Some(value) = fields.get("metricSource") else {
        report.refuse(&fields.at("metricSource"), text!("is missing"));
        return None;
    };
    let at = fields.at("metricSource");
    let fields = Fields::of(value, &at, &["metricSourceRef", "type", "spec"], report)?;
    let data_source = fields.text("metricSourceRef", report).map(str::to_owned);
    if let Some(kind) = fields.text("type", report)
        && !kind.eq_ignore_ascii_case("prometheus")
    {
        report.refuse(&fields.at("type"), text!("is {kind}; known is Prometheus", kind));
        return None;
    }
    let Some(spec) = fields.get("spec") else {
        report.refuse(&fields.at("spec"), text!("is missing"));
        return None;
    };
    // What else a source's `spec` holds is the source's own affair.
    let at = fields.at("spec");
    let text = spec.get("query").and_then(Value::as_str).filter(|text| !text.trim().is_empty() && text.len() <= 10_000);
    let Some(text) = text else {
        report.refuse(&format!("{at}/query"), text!("must be a PromQL query"));
        return None;
    };
    match query(text, how) {
        Ok(query) => Some(Source { query, data_source }),
        Err(message) => {
            report.refuse(&format!("{at}/query"), message);
            None
        }
    }
}

/// Spellings of "the range goes here": sloth, OpenSLO's examples, Grafana.
const WINDOWS: [&str; 4] = ["{{.window}}", "{{ .window }}", "$__window", "$__range"];

fn query(text: &str, how: Use) -> Result<Query, Text> {
    let mut template = text.trim().to_owned();
    for spelling in WINDOWS {
        template = template.replace(spelling, "{{.window}}");
    }
    if template.contains("{{.window}}") {
        let per_second = template.contains("rate(");
        return Ok(Query::Windowed { template, per_second });
    }
    match how {
        Use::Value => Ok(Query::Instant(template)),
        Use::Events { counter: true } => Selector::parse(&template).map(Query::Counter).map_err(|error| {
            text!(
                "a counter must be a selector such as http_requests_total{{code=~\"5..\"}}, alone or inside sum(), or a \
                 query with the range [{{{{.window}}}}]: {error}",
                error
            )
        }),
        Use::Events { counter: false } => Err(
            text!("events need counter: true with a selector, or a query with the range [{{{{.window}}}}], for example \
             sum(increase(http_requests_total[{{{{.window}}}}]))")),
    }
}
