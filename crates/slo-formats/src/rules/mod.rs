//! Prometheus rules made from SLOs: a rule file, the same as a `PrometheusRule` object, and a `promtool test rules` file that proves them.
//!
//! Per SLO at most 14 rules: seven error ratios, two counts, the objective, what is left of the budget, and the alerts (page, ticket, absence).
//! Ratios divide sums of events, and are silent (not NaN) without traffic: `(bad or 0 * total) / (total > 0)`.

mod proof;
mod ready;
mod slo_rules;

pub use proof::proof;
pub use ready::{ReadyOptions, ready_alerts};
pub use slo_rules::{RuledSlo, groups};

use serde_json::{Value, json};

/// The rules as a file for `rule_files`.
#[must_use]
pub fn rule_file(groups: &[Value]) -> String {
    to_yaml(&json!({"groups": groups}))
}

/// The rules as an object for the Prometheus operator.
#[must_use]
pub fn prometheus_rule(name: &str, namespace: &str, groups: &[Value]) -> String {
    to_yaml(&json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app.kubernetes.io/managed-by": "passerelle"}},
        "spec": {"groups": groups},
    }))
}

fn to_yaml(value: &Value) -> String {
    // A tree of maps, lists, texts and numbers can always be written.
    serde_yaml_ng::to_string(value).unwrap_or_default()
}
