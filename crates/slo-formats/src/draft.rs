//! What a form knows of one objective: the texts that somebody typed, written as an OpenSLO document. Nothing is judged here; reading
//! the document does that, and [`field_of`] says which field each of its problems is about.

use crate::duration;
use crate::model::{Definition, Query, Sli, Window};
use passerelle_slo_math::{Method, Ratio};
use serde_json::{Map, Number, Value, json};

/// One objective as texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// a-z, 0-9 and `-`.
    pub name: String,
    pub title: String,
    pub description: String,
    /// `namespace/name`.
    pub service: String,
    /// Name of the connection.
    pub connection: String,
    /// `bad`, `good` or `threshold`.
    pub indicator: String,
    /// The query of the bad or good events, or of the value.
    pub part: String,
    /// The query of all events.
    pub total: String,
    /// `lt`, `lte`, `gt` or `gte`.
    pub op: String,
    pub threshold: String,
    /// Percent of good events.
    pub objective: String,
    /// `30d`, or calendar units such as `1M` when there is a zone.
    pub window: String,
    /// IANA zone; empty for a rolling window.
    pub zone: String,
    /// When the first calendar period began.
    pub start: String,
    /// `Occurrences`, `Timeslices` or `RatioTimeslices`.
    pub method: String,
    /// Length of a slice, for example `5m`.
    pub slice: String,
    /// Share of good events that a slice needs.
    pub slice_target: String,
}

impl Draft {
    /// The texts that a form of this definition begins with.
    #[must_use]
    pub fn of(definition: &Definition) -> Self {
        let (indicator, part, total) = match &definition.sli {
            Sli::Good { good, total } => ("good", text(good), text(total)),
            Sli::Bad { bad, total } => ("bad", text(bad), text(total)),
            Sli::Threshold { value, .. } => ("threshold", text(value), String::new()),
        };
        let (op, threshold) = match &definition.sli {
            Sli::Threshold { op, threshold, .. } => (op.as_str().to_owned(), digits(*threshold)),
            Sli::Good { .. } | Sli::Bad { .. } => Default::default(),
        };
        let (window, zone, start) = match &definition.window {
            Window::Rolling { seconds } => (duration::short(*seconds), String::new(), String::new()),
            Window::Calendar { start, count, unit, zone } => {
                (duration::calendar_text(*count, *unit), zone.clone(), start.clone())
            }
        };
        let (method, slice, slice_target) = match definition.method {
            Method::Occurrences => ("Occurrences", String::new(), String::new()),
            Method::Timeslices(rule) => ("Timeslices", duration::short(rule.slice_s.into()), digits(rule.target)),
            Method::RatioTimeslices(rule) => ("RatioTimeslices", duration::short(rule.slice_s.into()), String::new()),
        };
        Self {
            name: definition.name.clone(),
            title: definition.title.clone(),
            description: definition.description.clone().unwrap_or_default(),
            service: definition.service.clone().unwrap_or_default(),
            connection: definition.data_source.clone().unwrap_or_default(),
            indicator: indicator.to_owned(),
            part,
            total,
            op,
            threshold,
            objective: definition.objective.percent(),
            window,
            zone,
            start,
            method: method.to_owned(),
            slice,
            slice_target,
        }
    }

    /// One OpenSLO document.
    #[must_use]
    pub fn document(&self) -> String {
        let mut metadata = Map::new();
        metadata.insert("name".to_owned(), json!(self.name));
        put(&mut metadata, "displayName", &self.title);
        let mut spec = Map::new();
        put(&mut spec, "description", &self.description);
        put(&mut spec, "service", &self.service);
        let named = json!({"metadata": {"name": self.name}, "spec": self.indicator()});
        spec.insert("indicator".to_owned(), named);
        spec.insert("timeWindow".to_owned(), json!([self.window()]));
        spec.insert("budgetingMethod".to_owned(), json!(self.method));
        spec.insert("objectives".to_owned(), json!([self.goal()]));
        let document = json!({"apiVersion": "openslo/v1", "kind": "SLO", "metadata": metadata, "spec": spec});
        // A tree of maps, lists, texts and numbers can always be written.
        serde_yaml_ng::to_string(&document).unwrap_or_default()
    }

    fn indicator(&self) -> Value {
        let source = |query: &str| {
            let mut source = Map::new();
            put(&mut source, "metricSourceRef", &self.connection);
            source.insert("type".to_owned(), json!("Prometheus"));
            source.insert("spec".to_owned(), json!({"query": query}));
            json!({"metricSource": source})
        };
        match self.indicator.as_str() {
            "threshold" => json!({"thresholdMetric": source(&self.part)}),
            kind => {
                let part = if kind == "good" { "good" } else { "bad" };
                json!({"ratioMetric": {"counter": true, part: source(&self.part), "total": source(&self.total)}})
            }
        }
    }

    fn window(&self) -> Value {
        if self.zone.is_empty() {
            return json!({"duration": self.window, "isRolling": true});
        }
        let start = match (self.start.as_str(), self.window.ends_with('w')) {
            ("", true) => "2026-01-05 00:00:00",
            ("", false) => "2026-01-01 00:00:00",
            (start, _) => start,
        };
        json!({"duration": self.window, "isRolling": false, "calendar": {"startTime": start, "timeZone": self.zone}})
    }

    fn goal(&self) -> Value {
        let mut goal = Map::new();
        if self.indicator == "threshold" {
            goal.insert("op".to_owned(), json!(self.op));
            goal.insert("value".to_owned(), number(&self.threshold));
        }
        goal.insert("targetPercent".to_owned(), number(&self.objective));
        if self.method == "Timeslices" {
            goal.insert("timeSliceTarget".to_owned(), number(&self.slice_target));
        }
        if self.method != "Occurrences" {
            goal.insert("timeSliceWindow".to_owned(), json!(self.slice));
        }
        Value::Object(goal)
    }
}

/// The field of a [`Draft`] that a pointer into its document is about; empty for none.
#[must_use]
pub fn field_of(pointer: &str) -> &'static str {
    const FIELDS: [(&str, &str); 17] = [
        ("/metadata/name", "title"),
        ("/metadata/displayName", "title"),
        ("/spec/description", "description"),
        ("/spec/service", "service"),
        ("/spec/indicator/spec/ratioMetric/total", "total"),
        ("/spec/indicator/spec/ratioMetric", "part"),
        ("/spec/indicator/spec/thresholdMetric", "part"),
        ("/spec/indicator", "part"),
        ("/spec/timeWindow/0/calendar", "zone"),
        ("/spec/timeWindow", "window"),
        ("/spec/budgetingMethod", "method"),
        ("/spec/objectives/0/op", "op"),
        ("/spec/objectives/0/value", "threshold"),
        ("/spec/objectives/0/targetPercent", "objective"),
        ("/spec/objectives/0/timeSliceTarget", "slice_target"),
        ("/spec/objectives/0/timeSliceWindow", "slice"),
        ("/spec/objectives", "objective"),
    ];
    FIELDS.iter().find(|(prefix, _)| pointer.starts_with(prefix)).map_or("", |(_, field)| field)
}

fn put(map: &mut Map<String, Value>, key: &str, text: &str) {
    if !text.is_empty() {
        map.insert(key.to_owned(), json!(text));
    }
}

fn text(query: &Query) -> String {
    match query {
        Query::Counter(selector) => selector.to_string(),
        Query::Windowed { template, .. } => template.clone(),
        Query::Instant(text) => text.clone(),
    }
}

fn digits(value: Ratio) -> String {
    let text = value.decimal(12);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Digits as a number where they are one; the reader says what else may stand there.
fn number(digits: &str) -> Value {
    if let Ok(whole) = digits.parse::<i64>() {
        return json!(whole);
    }
    digits.parse().ok().and_then(Number::from_f64).map_or_else(|| json!(digits), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conventions, read_documents};

    fn draft() -> Draft {
        let text = |text: &str| text.to_owned();
        Draft {
            name: text("web"),
            title: text("Web: answers"),
            description: text("Pages come."),
            service: text("shop/web"),
            connection: text("prom"),
            indicator: text("bad"),
            part: text("http_requests_total{code=~\"5..\",service=\"web\"}"),
            total: text("http_requests_total{service=\"web\"}"),
            objective: text("99.95"),
            window: text("30d"),
            method: text("Occurrences"),
            ..Draft::default()
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let threshold = Draft {
            indicator: "threshold".to_owned(),
            part: "histogram_quantile(0.95, x)".to_owned(),
            total: String::new(),
            op: "lte".to_owned(),
            threshold: "0.5".to_owned(),
            method: "Timeslices".to_owned(),
            slice: "5m".to_owned(),
            slice_target: "0.9".to_owned(),
            ..draft()
        };
        let calendar = Draft {
            window: "1M".to_owned(),
            zone: "Europe/Paris".to_owned(),
            start: "2026-01-01 00:00:00".to_owned(),
            indicator: "good".to_owned(),
            ..draft()
        };
        for draft in [draft(), threshold, calendar] {
            let outcome = read_documents(&draft.document(), &Conventions::usual("web"));
            assert_eq!((&outcome.problems, &outcome.warnings), (&Vec::new(), &Vec::new()), "{}", draft.document());
            let (_, definition) = outcome.definitions().next().unwrap();
            assert_eq!(Draft::of(definition), draft);
        }
    }

    #[test]
    fn every_problem_belongs_to_a_field() {
        let wrong = [
            (Draft { objective: "100".to_owned(), ..draft() }, "objective"),
            (Draft { objective: "many".to_owned(), ..draft() }, "objective"),
            (Draft { window: "1m".to_owned(), ..draft() }, "window"),
            (Draft { part: "rate(".to_owned(), ..draft() }, "part"),
            (Draft { total: String::new(), ..draft() }, "total"),
            (Draft { window: "1M".to_owned(), zone: "Mars".to_owned(), ..draft() }, "zone"),
            (Draft { method: "Timeslices".to_owned(), ..draft() }, "slice"),
            (Draft { method: "Sometimes".to_owned(), ..draft() }, "method"),
            (Draft { name: "A B".to_owned(), ..draft() }, "title"),
        ];
        for (draft, field) in wrong {
            let outcome = read_documents(&draft.document(), &Conventions::usual("web"));
            let fields: Vec<&str> = outcome.problems.iter().map(|problem| field_of(&problem.pointer)).collect();
            assert!(fields.contains(&field), "{field}: {:?}", outcome.problems);
        }
    }
}
