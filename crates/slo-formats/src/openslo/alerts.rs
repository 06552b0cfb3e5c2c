//! The kinds that the portal checks and keeps but does not compute with: its own alert pairs follow from the objective.

use super::{Known, metadata};
use crate::duration;
use crate::fields::{Fields, Report};
use passerelle_contract::text;
use serde_json::Value;

pub(super) fn described(spec: &Value, known: &[&str], report: &mut Report<'_>) {
    if let Some(fields) = Fields::of(spec, "/spec", known, report) {
        for key in known {
            fields.text(key, report);
        }
    }
}

pub(super) fn data_source(spec: &Value, report: &mut Report<'_>) {
    let Some(fields) = Fields::of(spec, "/spec", &["description", "type", "connectionDetails"], report) else { return };
    fields.text("description", report);
    fields.required_text("type", report);
}

pub(super) fn condition(spec: &Value, pointer: &str, report: &mut Report<'_>) {
    let Some(fields) = Fields::of(spec, pointer, &["description", "severity", "condition"], report) else { return };
    fields.text("description", report);
    fields.required_text("severity", report);
    let Some(value) = fields.get("condition") else {
        report.refuse(&fields.at("condition"), text!("is missing"));
        return;
    };
    let at = fields.at("condition");
    let known = ["kind", "op", "threshold", "lookbackWindow", "alertAfter"];
    let Some(condition) = Fields::of(value, &at, &known, report) else { return };
    if condition.text("kind", report).is_some_and(|kind| kind != "burnrate") {
        report.refuse(&condition.at("kind"), text!("must be burnrate"));
    }
    condition.text("op", report);
    condition.number("threshold", report);
    for key in ["lookbackWindow", "alertAfter"] {
        if let Some(Err(message)) = condition.text(key, report).map(duration::seconds) {
            report.refuse(&condition.at(key), message);
        }
    }
}

pub(super) fn policy(spec: &Value, pointer: &str, known: &Known, report: &mut Report<'_>) {
    let allowed = [
        "description",
        "alertWhenNoData",
        "alertWhenBreaching",
        "alertWhenResolved",
        "conditions",
        "notificationTargets",
    ];
    let Some(fields) = Fields::of(spec, pointer, &allowed, report) else { return };
    fields.text("description", report);
    for key in ["alertWhenNoData", "alertWhenBreaching", "alertWhenResolved"] {
        fields.boolean(key, report);
    }
    let conditions = fields.list("conditions", report).unwrap_or_default();
    for (index, value) in conditions.iter().enumerate() {
        let at = format!("{}/{index}", fields.at("conditions"));
        let Some(entry) = Fields::of(value, &at, &["conditionRef", "apiVersion", "kind", "metadata", "spec"], report)
        else {
            continue;
        };
        match (entry.text("conditionRef", report), entry.get("spec")) {
            (Some(name), None) if known.conditions.contains(name) => {}
            (Some(name), None) => {
                report.refuse(&entry.at("conditionRef"), text!("there is no AlertCondition {name} in this file", name))
            }
            (None, Some(spec)) => condition(spec, &entry.at("spec"), report),
            _ => report.refuse(&at, text!("must have either conditionRef or kind, metadata and spec")),
        }
    }
    fields.list("notificationTargets", report);
}

pub(super) fn references(policies: &[Value], known: &Known, report: &mut Report<'_>) {
    for (index, value) in policies.iter().enumerate() {
        let at = format!("/spec/alertPolicies/{index}");
        // A bare name is the older writing of the same.
        let name = match value {
            Value::String(name) => Some(name.as_str()),
            _ => {
                let allowed = ["alertPolicyRef", "apiVersion", "kind", "metadata", "spec"];
                let Some(entry) = Fields::of(value, &at, &allowed, report) else { continue };
                if let Some(value) = entry.get("metadata") {
                    metadata(value, &entry.at("metadata"), report);
                }
                if let Some(spec) = entry.get("spec") {
                    policy(spec, &entry.at("spec"), known, report);
                }
                entry.text("alertPolicyRef", report)
            }
        };
        if let Some(name) = name
            && !known.policies.contains(name)
        {
            report.refuse(&at, text!("there is no AlertPolicy {name} in this file", name));
        }
    }
}
