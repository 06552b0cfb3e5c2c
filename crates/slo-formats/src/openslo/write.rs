//! A definition as an OpenSLO document: what a form ends in.

use crate::duration;
use crate::model::{Definition, Query, Sli, Window};
use passerelle_slo_math::{Method, Ratio};
use serde_json::{Map, Number, Value, json};

/// One YAML document. Reading it gives the definition again.
#[must_use]
pub fn write(definition: &Definition) -> String {
    let mut metadata = Map::new();
    metadata.insert("name".to_owned(), json!(definition.name));
    if definition.title != definition.name {
        metadata.insert("displayName".to_owned(), json!(definition.title));
    }
    let mut spec = Map::new();
    if let Some(description) = &definition.description {
        spec.insert("description".to_owned(), json!(description));
    }
    if let Some(service) = &definition.service {
        spec.insert("service".to_owned(), json!(service));
    }
    spec.insert("indicator".to_owned(), json!({"metadata": {"name": definition.name}, "spec": indicator(definition)}));
    spec.insert("timeWindow".to_owned(), json!([window(&definition.window)]));
    let method = match definition.method {
        Method::Occurrences => "Occurrences",
        Method::Timeslices(_) => "Timeslices",
        Method::RatioTimeslices(_) => "RatioTimeslices",
    };
    spec.insert("budgetingMethod".to_owned(), json!(method));
    spec.insert("objectives".to_owned(), json!([objective(definition)]));
    let document = json!({"apiVersion": "openslo/v1", "kind": "SLO", "metadata": metadata, "spec": spec});
    // A tree of maps, lists, texts and numbers can always be written.
    serde_yaml_ng::to_string(&document).unwrap_or_default()
}

fn indicator(definition: &Definition) -> Value {
    let source = |query: &Query| {
        let text = match query {
            Query::Counter(selector) => selector.to_string(),
            Query::Windowed { template, .. } => template.clone(),
            Query::Instant(text) => text.clone(),
        };
        let mut source = Map::new();
        if let Some(name) = &definition.data_source {
            source.insert("metricSourceRef".to_owned(), json!(name));
        }
        source.insert("type".to_owned(), json!("Prometheus"));
        source.insert("spec".to_owned(), json!({"query": text}));
        json!({"metricSource": source})
    };
    match &definition.sli {
        Sli::Good { good, total } => {
            json!({"ratioMetric": {"counter": true, "good": source(good), "total": source(total)}})
        }
        Sli::Bad { bad, total } => {
            json!({"ratioMetric": {"counter": true, "bad": source(bad), "total": source(total)}})
        }
        Sli::Threshold { value, .. } => json!({"thresholdMetric": source(value)}),
    }
}

fn window(window: &Window) -> Value {
    match window {
        Window::Rolling { seconds } => json!({"duration": duration::short(*seconds), "isRolling": true}),
        Window::Calendar { start, count, unit, zone } => json!({
            "duration": duration::calendar_text(*count, *unit),
            "isRolling": false,
            "calendar": {"startTime": start, "timeZone": zone},
        }),
    }
}

fn objective(definition: &Definition) -> Value {
    let mut objective = Map::new();
    if let Sli::Threshold { op, threshold, .. } = &definition.sli {
        objective.insert("op".to_owned(), json!(op.as_str()));
        objective.insert("value".to_owned(), number(*threshold));
    }
    objective.insert("targetPercent".to_owned(), exact(&definition.objective.percent()));
    if let Method::Timeslices(rule) | Method::RatioTimeslices(rule) = definition.method {
        if matches!(definition.method, Method::Timeslices(_)) {
            objective.insert("timeSliceTarget".to_owned(), number(rule.target));
        }
        objective.insert("timeSliceWindow".to_owned(), json!(duration::short(u64::from(rule.slice_s))));
    }
    Value::Object(objective)
}

fn number(value: Ratio) -> Value {
    let text = value.decimal(12);
    exact(text.trim_end_matches('0').trim_end_matches('.'))
}

/// Digits as a number; the shortest double that is read back as the same digits, up to fifteen of them.
fn exact(digits: &str) -> Value {
    if let Ok(whole) = digits.parse::<i64>() {
        return json!(whole);
    }
    digits.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}
