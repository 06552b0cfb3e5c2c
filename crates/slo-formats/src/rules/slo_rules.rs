//! The rules of one SLO.

use crate::duration::short;
use crate::model::{Definition, Query, Sli};
use crate::promql::{Selector, quote};
use passerelle_slo_math::{AlertPair, Method, Ratio, Severity, pairs_for, unreachable_pairs};
use serde_json::{Map, Value, json};

/// An SLO with the labels that its series and alerts carry.
#[derive(Debug, Clone, PartialEq)]
pub struct RuledSlo {
    pub definition: Definition,
    /// `namespace/name` of the catalog.
    pub service: String,
    /// Tier of the environments it is for; stays the same when the objective changes.
    pub tier: String,
}

impl RuledSlo {
    fn labels(&self) -> Value {
        json!({"service": self.service, "slo": self.definition.name, "tier": self.tier})
    }

    pub(super) fn matchers(&self) -> String {
        format!("service={},slo={},tier={}", quote(&self.service), quote(&self.definition.name), quote(&self.tier))
    }

    pub(super) fn alert_name(&self, severity: Severity) -> &'static str {
        match severity {
            Severity::Page => "ErrorBudgetBurnsFast",
            Severity::Ticket => "ErrorBudgetBurns",
        }
    }

    /// The pairs that can fire.
    pub(super) fn pairs(&self) -> Vec<AlertPair> {
        let pairs = pairs_for(self.definition.window.nominal_s());
        let never = unreachable_pairs(self.definition.objective, &pairs);
        pairs.into_iter().filter(|pair| !never.contains(pair)).collect()
    }
}

/// One group per SLO, so that one that is slow delays no other.
#[must_use]
pub fn groups(slos: &[RuledSlo]) -> Vec<Value> {
    slos.iter()
        .map(|slo| {
            let mut rules = recordings(slo);
            rules.extend(alerts(slo));
            json!({"name": format!("slo:{}:{}", slo.service, slo.definition.name), "interval": "30s", "rules": rules})
        })
        .collect()
}

fn windows(slo: &RuledSlo) -> Vec<u64> {
    let mut windows: Vec<u64> =
        pairs_for(slo.definition.window.nominal_s()).iter().flat_map(|pair| [pair.short_s, pair.long_s]).collect();
    windows.sort_unstable();
    windows.dedup();
    windows
}

fn recordings(slo: &RuledSlo) -> Vec<Value> {
    let record = |name: String, expr: String| json!({"record": name, "expr": expr, "labels": slo.labels()});
    let windows = windows(slo);
    let mut rules: Vec<Value> = windows
        .iter()
        .map(|window| {
            let window = short(*window);
            record(format!("slo:sli_error:ratio_rate{window}"), error_ratio(slo, &window))
        })
        .collect();
    let first = short(windows.first().copied().unwrap_or(300));
    let (bad, total) = rates(&slo.definition, &first);
    rules.push(record("slo:events_total:rate".to_owned(), total.clone()));
    rules.push(record("slo:events_bad:rate".to_owned(), format!("{bad} or 0 * {total}")));
    rules.push(record(
        "slo:objective:ratio".to_owned(),
        format!("vector({})", decimal(slo.definition.objective.share())),
    ));
    rules.push(record("slo:error_budget_remaining:ratio".to_owned(), remaining(slo)));
    rules
}

/// Of events: sums over the period, not a mean of ratios.
fn remaining(slo: &RuledSlo) -> String {
    let period = short(slo.definition.window.nominal_s());
    let of = |series: &str| format!("sum_over_time({series}{{{}}}[{period}])", slo.matchers());
    let budget = decimal(slo.definition.objective.budget_ratio());
    format!("1 - {} / ({} > 0) / {budget}", of("slo:events_bad:rate"), of("slo:events_total:rate"))
}

fn error_ratio(slo: &RuledSlo, window: &str) -> String {
    let (bad, total) = rates(&slo.definition, window);
    format!("({bad} or 0 * {total}) / ({total} > 0)")
}

/// Bad and total as rates over a window, each without labels.
fn rates(definition: &Definition, window: &str) -> (String, String) {
    match &definition.sli {
        Sli::Bad { bad, total } => (rate(bad, window), rate(total, window)),
        Sli::Good { good, total } => {
            let total = rate(total, window);
            (format!("clamp_min({total} - ({} or 0 * {total}), 0)", rate(good, window)), total)
        }
        Sli::Threshold { value, op, threshold } => {
            let step_s = definition.method.step_s();
            let step = short(u64::from(step_s));
            let sample = match value {
                Query::Windowed { template, .. } => template.replace("{{.window}}", &step),
                Query::Instant(text) => text.clone(),
                Query::Counter(selector) => format!("sum(rate({selector}[{step}]))"),
            };
            let slices = format!("count_over_time(({sample})[{window}:{step}])");
            let good =
                format!("sum_over_time((({sample}) {} bool {})[{window}:{step}])", op.symbol(), decimal(*threshold));
            (format!("({slices} - {good})"), slices)
        }
    }
}

fn rate(query: &Query, window: &str) -> String {
    match query {
        Query::Counter(selector) => counter_rate(selector, window),
        Query::Windowed { template, .. } => format!("({})", template.replace("{{.window}}", window)),
        Query::Instant(text) => format!("({text})"),
    }
}

fn counter_rate(selector: &Selector, window: &str) -> String {
    format!("sum(rate({selector}[{window}]))")
}

fn alerts(slo: &RuledSlo) -> Vec<Value> {
    let mut rules: Vec<Value> =
        [Severity::Page, Severity::Ticket].into_iter().filter_map(|severity| burn_alert(slo, severity)).collect();
    let expr = format!("absent(slo:events_total:rate{{{}}})", slo.matchers());
    rules.push(alert(slo, "ErrorBudgetNotMeasured", &expr, "10m", "ticket", "there is no data for this objective"));
    rules
}

fn burn_alert(slo: &RuledSlo, severity: Severity) -> Option<Value> {
    let budget = decimal(slo.definition.objective.budget_ratio());
    let conditions: Vec<String> = slo
        .pairs()
        .iter()
        .filter(|pair| pair.severity == severity)
        .map(|pair| {
            let above = |window_s| {
                let series = format!("slo:sli_error:ratio_rate{}{{{}}}", short(window_s), slo.matchers());
                format!("{series} > ({} * {budget})", decimal(pair.factor))
            };
            format!("({} and {})", above(pair.long_s), above(pair.short_s)) + &enough(slo, pair.long_s)
        })
        .collect();
    if conditions.is_empty() {
        return None;
    }
    let text = match severity {
        Severity::Page => "the error budget burns so fast that it is gone within days",
        Severity::Ticket => "the error budget burns faster than it may",
    };
    Some(alert(slo, slo.alert_name(severity), &conditions.join(" or "), "0s", severity.as_str(), text))
}

/// A quiet service does not page on one failure.
fn enough(slo: &RuledSlo, long_s: u64) -> String {
    let least = slo.definition.min_bad_events;
    if least == 0 || slo.definition.method != Method::Occurrences {
        return String::new();
    }
    let (bad, _) = rates(&slo.definition, &short(long_s));
    format!(" and on () ({bad} * {long_s} >= {least})")
}

fn alert(slo: &RuledSlo, name: &str, expr: &str, held: &str, severity: &str, text: &str) -> Value {
    let mut labels = Map::new();
    labels.insert("severity".to_owned(), json!(severity));
    if let Value::Object(own) = slo.labels() {
        labels.extend(own);
    }
    json!({
        "alert": name, "expr": expr, "for": held, "labels": labels,
        "annotations": annotations(slo, text),
    })
}

fn annotations(slo: &RuledSlo, text: &str) -> Value {
    json!({"summary": format!("{}, {}: {text}", slo.service, slo.definition.title)})
}

fn decimal(value: Ratio) -> String {
    let text = value.decimal(12);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
