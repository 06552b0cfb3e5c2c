//! The five-line format: a list `service_level_objectives` of name, sli, target and window.
//!
//! ```yaml
//! service_level_objectives:
//!   - name: "API Gateway Latency"
//!     sli: "latency_p95"   # availability | success_rate | error_rate | latency_pNN | throughput
//!     target: 500          # percent good | percent good | percent bad | milliseconds | events a second
//!     window: 7d
//! ```
//! It names no metric, so [`Conventions`] says where the events are.

use crate::duration;
use crate::fields::{Fields, Report};
use crate::model::{Definition, Op, Problem, Query, Sli, Window, slug};
use crate::promql::{MatchOp, Matcher, Selector};
use crate::told;
use passerelle_contract::{Text, text};
use passerelle_lined_yaml::Document;
use passerelle_slo_math::{Method, Objective, ParseRatioError, Ratio, SliceRule};
use serde_json::Value;

/// Where the events of a service are, by the usual names of metrics and labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conventions {
    /// A counter of requests.
    pub requests: String,
    /// A histogram of their durations in seconds, without `_bucket`.
    pub durations: String,
    pub service_label: String,
    /// The value of that label.
    pub service: String,
    pub code_label: String,
    /// Anchored regular expression of the codes that are failures.
    pub bad_codes: String,
}

impl Conventions {
    #[must_use]
    pub fn usual(service: &str) -> Self {
        Self {
            requests: "http_requests_total".to_owned(),
            durations: "http_request_duration_seconds".to_owned(),
            service_label: "service".to_owned(),
            service: service.to_owned(),
            code_label: "code".to_owned(),
            bad_codes: "5..".to_owned(),
        }
    }

    fn own(&self) -> Matcher {
        Matcher::new(&self.service_label, MatchOp::Equal, &self.service)
    }

    fn total(&self) -> Query {
        Query::Counter(Selector::new(&self.requests, vec![self.own()]))
    }

    fn failures(&self) -> Sli {
        let bad = Matcher::new(&self.code_label, MatchOp::Regex, &self.bad_codes);
        let bad = Query::Counter(Selector::new(&self.requests, vec![self.own(), bad]));
        Sli::Bad { bad, total: self.total() }
    }

    /// Faster than `limit` seconds.
    fn fast(&self, limit: Ratio) -> Sli {
        let bound = limit.decimal(6).trim_end_matches('0').trim_end_matches('.').to_owned();
        // Whole seconds are written both ways: le="1" and le="1.0".
        let matcher = if bound.contains('.') {
            Matcher::new("le", MatchOp::Equal, bound)
        } else {
            Matcher::new("le", MatchOp::Regex, format!("{bound}([.]0)?"))
        };
        let good = Selector::new(format!("{}_bucket", self.durations), vec![self.own(), matcher]);
        let total = Selector::new(format!("{}_count", self.durations), vec![self.own()]);
        Sli::Good { good: Query::Counter(good), total: Query::Counter(total) }
    }

    fn throughput(&self, least: Ratio) -> Sli {
        let selector = Selector::new(&self.requests, vec![self.own()]);
        let template = format!("sum(rate({selector}[{{{{.window}}}}]))");
        Sli::Threshold { value: Query::Windowed { template, per_second: true }, op: Op::Gte, threshold: least }
    }
}

#[derive(Debug)]
pub struct Read {
    pub definitions: Vec<Definition>,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

const MAX_OBJECTIVES: usize = 1000;

pub fn read(document: &Document, conventions: &Conventions) -> Read {
    let mut report = Report::new(document);
    let mut definitions: Vec<Definition> = Vec::new();
    let root = Fields::of(&document.value, "", &["service_level_objectives"], &mut report);
    let entries = root.and_then(|root| root.list("service_level_objectives", &mut report)).unwrap_or_default();
    if entries.is_empty() || entries.len() > MAX_OBJECTIVES {
        report.refuse("/service_level_objectives", text!("must have 1 to {max} entries", max = MAX_OBJECTIVES));
    }
    for (index, entry) in entries.iter().enumerate().take(MAX_OBJECTIVES) {
        let pointer = format!("/service_level_objectives/{index}");
        let Some(definition) = entry_of(entry, &pointer, conventions, &mut report) else { continue };
        if definitions.iter().any(|other| other.name == definition.name) {
            report.refuse(&format!("{pointer}/name"), text!("is the name of an earlier entry too"));
        }
        definitions.push(definition);
    }
    Read { definitions, problems: report.problems, warnings: report.warnings }
}

fn entry_of(value: &Value, pointer: &str, conventions: &Conventions, report: &mut Report<'_>) -> Option<Definition> {
    let fields = Fields::of(value, pointer, &["name", "sli", "target", "window"], report)?;
    let title = fields.required_text("name", report);
    let sli = fields.required_text("sli", report);
    if fields.get("target").is_none() {
        report.refuse(&fields.at("target"), text!("is missing"));
    }
    let target = fields.number("target", report);
    let window = fields.required_text("window", report).and_then(|text| rolling(text, &fields, report));
    let (title, sli, target, window) = (title?, sli?, target?, window?);
    let name = slug(title);
    if name.is_empty() {
        report.refuse(&fields.at("name"), text!("must hold letters or digits"));
        return None;
    }
    let meaning = match meaning(sli, &target, conventions) {
        Ok(meaning) => meaning,
        Err((field, message)) => {
            report.refuse(&fields.at(field), message);
            return None;
        }
    };
    Some(Definition {
        name,
        title: title.to_owned(),
        description: None,
        service: None,
        data_source: None,
        objective: meaning.objective,
        sli: meaning.sli,
        window,
        method: meaning.method,
        min_bad_events: 0,
    })
}

fn rolling(text: &str, fields: &Fields<'_>, report: &mut Report<'_>) -> Option<Window> {
    match duration::seconds(text) {
        Ok(seconds) if seconds >= 3600 => Some(Window::Rolling { seconds }),
        Ok(_) => {
            report.refuse(&fields.at("window"), text!("must be at least 1h; m is a minute, M a month (30 days)"));
            None
        }
        Err(message) => {
            report.refuse(&fields.at("window"), message);
            None
        }
    }
}

struct Meaning {
    objective: Objective,
    sli: Sli,
    method: Method,
}

type Refusal = (&'static str, Text);

/// A share of one-minute slices that must reach the throughput.
const THROUGHPUT_SLICES: &str = "99";

fn meaning(sli: &str, target: &str, conventions: &Conventions) -> Result<Meaning, Refusal> {
    let number: Ratio = target.parse().map_err(|error: ParseRatioError| ("target", told::ratio(&error)))?;
    let at_target = |error: passerelle_slo_math::ObjectiveError| ("target", told::objective(&error));
    let of_events = |objective, sli| Meaning { objective, sli, method: Method::Occurrences };
    match sli {
        "availability" | "success_rate" => {
            let objective = Objective::from_percent(target).map_err(at_target)?;
            Ok(of_events(objective, conventions.failures()))
        }
        "error_rate" => {
            if number >= Ratio::whole(50) {
                let good = Ratio::whole(100).minus(number).decimal(3);
                let text = text!(
                    "{target} is the share of requests that may fail, in percent: only {share} % would have to succeed. \
                     For at most {share} % errors write that number, or use sli: success_rate",
                    target,
                    share = good.trim_end_matches('0').trim_end_matches('.')
                );
                return Err(("target", text));
            }
            let objective = Objective::from_bad_percent(target).map_err(at_target)?;
            Ok(of_events(objective, conventions.failures()))
        }
        "throughput" => {
            if !number.is_positive() {
                return Err(("target", text!("must be more than 0 events a second")));
            }
            let objective = Objective::from_percent(THROUGHPUT_SLICES).map_err(at_target)?;
            let method = Method::Timeslices(SliceRule { slice_s: 60, target: Ratio::ONE });
            Ok(Meaning { objective, sli: conventions.throughput(number), method })
        }
        _ => latency(sli, number, conventions),
    }
}

fn latency(sli: &str, threshold_ms: Ratio, conventions: &Conventions) -> Result<Meaning, Refusal> {
    let digits = sli
        .strip_prefix("latency_p")
        .filter(|digits| digits.len() == 2 || (digits.len() == 3 && digits.starts_with('9')));
    let percent = digits.and_then(|digits| {
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        // p999 is the usual writing of 99.9 %.
        let text = if digits.len() == 3 { format!("{}.{}", &digits[..2], &digits[2..]) } else { digits.to_owned() };
        all_digits.then(|| Objective::from_percent(&text).ok()).flatten()
    });
    let Some(objective) = percent else {
        let text = text!(
            "is not known; use availability, success_rate, error_rate, latency_pNN (for example latency_p95) \
                    or throughput"
        );
        return Err(("sli", text));
    };
    if !threshold_ms.is_positive() || threshold_ms > Ratio::whole(3_600_000) {
        return Err(("target", text!("must be a number of milliseconds, more than 0 and at most an hour")));
    }
    let seconds = threshold_ms.times(Ratio::new(1, 1000));
    Ok(Meaning { objective, sli: conventions.fast(seconds), method: Method::Occurrences })
}
