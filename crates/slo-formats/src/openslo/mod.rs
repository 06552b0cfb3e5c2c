//! OpenSLO v1 (<https://github.com/OpenSLO/OpenSLO>), read strictly: a field that version 1 does not have is refused with its line.
//!
//! Read leniently, with a warning: `op` beside a ratio indicator (it means nothing there) and a missing `timeWindow` (30 days, rolling).
//! Every objective of an SLO becomes a definition of its own; a second one is named `NAME-2`.

mod alerts;
mod indicator;
mod slo;
mod write;

pub use write::write;

use crate::document::{Format, ReadOutcome, SourceDocument};
use crate::fields::{Fields, Report};
use indicator::Indicator;
use passerelle_contract::text;
use passerelle_lined_yaml::Document;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const API_VERSION: &str = "openslo/v1";
const KINDS: [&str; 7] =
    ["SLO", "SLI", "DataSource", "Service", "AlertPolicy", "AlertCondition", "AlertNotificationTarget"];

/// What other documents of the same text may refer to.
#[derive(Debug, Default)]
struct Known {
    indicators: BTreeMap<String, Indicator>,
    policies: BTreeSet<String>,
    conditions: BTreeSet<String>,
}

/// Reads all OpenSLO documents of a text into `outcome`.
pub(crate) fn read(documents: &[Document], outcome: &mut ReadOutcome) {
    let mut known = Known::default();
    // What is referred to is read before what refers, in whatever order they stand.
    for wanted in [
        &["SLI", "AlertCondition"][..],
        &["AlertPolicy"],
        &["SLO", "DataSource", "Service", "AlertNotificationTarget", ""],
    ] {
        for document in documents {
            let kind = document.value.get("kind").and_then(Value::as_str).unwrap_or_default();
            let kind = if KINDS.contains(&kind) { kind } else { "" };
            if !wanted.contains(&kind) {
                continue;
            }
            let mut report = Report::new(document);
            let definitions = one(document, kind, &mut known, &mut report);
            outcome.problems.append(&mut report.problems);
            outcome.warnings.append(&mut report.warnings);
            outcome.documents.push(SourceDocument { format: Format::OpenSlo, definitions });
        }
    }
}

fn one(document: &Document, kind: &str, known: &mut Known, report: &mut Report<'_>) -> Vec<crate::Definition> {
    let Some(root) = Fields::of(&document.value, "", &["apiVersion", "kind", "metadata", "spec"], report) else {
        return Vec::new();
    };
    if root.required_text("apiVersion", report).is_some_and(|version| version != API_VERSION) {
        report.refuse("/apiVersion", text!("must be {api_version}", api_version = API_VERSION));
        return Vec::new();
    }
    if kind.is_empty() {
        report.refuse("/kind", text!("must be one of {kinds}", kinds = KINDS.join(", ")));
        return Vec::new();
    }
    let name = root.get("metadata").and_then(|value| metadata(value, "/metadata", report));
    if root.get("metadata").is_none() {
        report.refuse("/metadata", text!("is missing"));
    }
    let Some(spec) = root.get("spec") else {
        report.refuse("/spec", text!("is missing"));
        return Vec::new();
    };
    let Some(name) = name else { return Vec::new() };
    match kind {
        "SLO" => return slo::read(&name, spec, known, report),
        "SLI" => {
            if let Some(indicator) = indicator::read(spec, "/spec", report) {
                known.indicators.insert(name.name, indicator);
            }
        }
        "DataSource" => alerts::data_source(spec, report),
        "Service" => alerts::described(spec, &["description"], report),
        "AlertNotificationTarget" => alerts::described(spec, &["description", "target"], report),
        "AlertCondition" => {
            alerts::condition(spec, "/spec", report);
            known.conditions.insert(name.name);
        }
        _ => {
            alerts::policy(spec, "/spec", known, report);
            known.policies.insert(name.name);
        }
    }
    Vec::new()
}

/// Name and title of an object.
#[derive(Debug)]
struct Named {
    name: String,
    title: String,
}

fn metadata(value: &Value, pointer: &str, report: &mut Report<'_>) -> Option<Named> {
    let fields = Fields::of(value, pointer, &["name", "displayName", "labels", "annotations"], report)?;
    for key in ["labels", "annotations"] {
        if fields.get(key).is_some_and(|value| !value.is_object()) {
            report.refuse(&fields.at(key), text!("must be a mapping"));
        }
    }
    let title = fields.text("displayName", report);
    let name = fields.required_text("name", report)?;
    let good = name.len() <= 63
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if !good {
        report.refuse(
            &fields.at("name"),
            text!("must be 1 to 63 characters a-z, 0-9 and '-', as a DNS label (RFC 1123)"),
        );
        return None;
    }
    Some(Named { name: name.to_owned(), title: title.unwrap_or(name).to_owned() })
}
