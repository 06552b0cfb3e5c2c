//! SLO: objectives on an indicator over a time window.

use super::indicator::{self, Indicator};
use super::{Known, Named, alerts, metadata};
use crate::duration;
use crate::fields::{Fields, Report};
use crate::model::{Definition, Op, Sli, Window};
use crate::told;
use passerelle_contract::{Text, text};
use passerelle_slo_math::{Method, Objective, Ratio, SliceRule};
use serde_json::Value;

const FIELDS: [&str; 8] = [
    "description",
    "service",
    "indicator",
    "indicatorRef",
    "timeWindow",
    "budgetingMethod",
    "objectives",
    "alertPolicies",
];
const OBJECTIVE_FIELDS: [&str; 10] = [
    "displayName",
    "op",
    "value",
    "target",
    "targetPercent",
    "timeSliceTarget",
    "timeSliceWindow",
    "indicator",
    "indicatorRef",
    "compositeWeight",
];
const DEFAULT_WINDOW: Window = Window::Rolling { seconds: 30 * 86_400 };
/// A slice must fill whole minutes of an hour, because that is how samples are kept.
const SLICES_M: [u64; 12] = [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60];

pub(super) fn read(named: &Named, spec: &Value, known: &Known, report: &mut Report<'_>) -> Vec<Definition> {
    let Some(fields) = Fields::of(spec, "/spec", &FIELDS, report) else { return Vec::new() };
    let description = fields.text("description", report).map(str::to_owned);
    let service = fields.text("service", report).map(str::to_owned);
    let shared = indicator_of(&fields, known, report);
    let window = window(&fields, report);
    let method = match fields.required_text("budgetingMethod", report) {
        Some(method @ ("Occurrences" | "Timeslices" | "RatioTimeslices")) => Some(method),
        Some(other) => {
            let text = text!("is {other}; known are Occurrences, Timeslices and RatioTimeslices", other);
            report.refuse("/spec/budgetingMethod", text);
            None
        }
        None => None,
    };
    if let Some(policies) = fields.list("alertPolicies", report) {
        alerts::references(policies, known, report);
    }
    let objectives = fields.list("objectives", report).unwrap_or_default();
    if objectives.is_empty() {
        report.refuse("/spec/objectives", text!("must have at least one objective"));
    }
    let (Some(window), Some(method)) = (window, method) else { return Vec::new() };
    let mut definitions = Vec::new();
    for (index, value) in objectives.iter().enumerate() {
        let at = format!("/spec/objectives/{index}");
        let Some(objective) = Fields::of(value, &at, &OBJECTIVE_FIELDS, report) else { continue };
        let own = indicator_of(&objective, known, report);
        let Some(indicator) = own.or_else(|| shared.clone()) else {
            report.refuse("/spec/indicator", text!("must be given, or indicatorRef, here or in the objective"));
            continue;
        };
        let read =
            (target(&objective, report), method_of(method, &objective, report), sli(&indicator, &objective, report));
        let title = objective.text("displayName", report);
        let (Some(target), Some(method), Some(sli)) = read else { continue };
        definitions.push(Definition {
            name: if index == 0 { named.name.clone() } else { format!("{}-{}", named.name, index + 1) },
            title: title
                .filter(|_| objectives.len() > 1)
                .map_or_else(|| named.title.clone(), |t| format!("{}: {t}", named.title)),
            description: description.clone(),
            service: service.clone(),
            data_source: indicator.data_source().map(str::to_owned),
            objective: target,
            sli,
            window: window.clone(),
            method,
            min_bad_events: 0,
        });
    }
    definitions
}

fn indicator_of(fields: &Fields<'_>, known: &Known, report: &mut Report<'_>) -> Option<Indicator> {
    match (fields.get("indicator"), fields.text("indicatorRef", report)) {
        (Some(_), Some(_)) => {
            report.refuse(&fields.at("indicatorRef"), text!("cannot stand beside indicator"));
            None
        }
        (Some(value), None) => {
            let at = fields.at("indicator");
            let inline = Fields::of(value, &at, &["metadata", "spec", "apiVersion", "kind"], report)?;
            if let Some(value) = inline.get("metadata") {
                metadata(value, &inline.at("metadata"), report);
            }
            let Some(spec) = inline.get("spec") else {
                report.refuse(&inline.at("spec"), text!("is missing"));
                return None;
            };
            indicator::read(spec, &inline.at("spec"), report)
        }
        (None, Some(name)) => {
            let found = known.indicators.get(name).cloned();
            if found.is_none() {
                report.refuse(&fields.at("indicatorRef"), text!("there is no SLI {name} in this file", name));
            }
            found
        }
        (None, None) => None,
    }
}

fn window(fields: &Fields<'_>, report: &mut Report<'_>) -> Option<Window> {
    let Some(windows) = fields.list("timeWindow", report) else {
        report.warn("/spec", text!("there is no timeWindow: read as 30 days, rolling"));
        return Some(DEFAULT_WINDOW);
    };
    let [value] = windows else {
        report.refuse("/spec/timeWindow", text!("must have exactly one entry"));
        return None;
    };
    let at = "/spec/timeWindow/0";
    let window = Fields::of(value, at, &["duration", "isRolling", "calendar"], report)?;
    let text = window.required_text("duration", report)?;
    let rolling = window.boolean("isRolling", report).unwrap_or_else(|| window.get("calendar").is_none());
    let read = match (rolling, window.get("calendar")) {
        (true, None) => rolling_window(text),
        (false, Some(calendar)) => return calendar_window(text, calendar, report),
        (true, Some(_)) => Err(text!("a rolling window has no calendar")),
        (false, None) => Err(text!("a window that does not roll needs a calendar with startTime and timeZone")),
    };
    read.map_err(|message| report.refuse(&format!("{at}/duration"), message)).ok()
}

fn rolling_window(text: &str) -> Result<Window, Text> {
    match duration::seconds(text)? {
        60 => Err(text!("1m is one minute; a month is 1M, thirty days are 30d")),
        seconds if seconds < 3600 => {
            Err(text!("{text} is {seconds} s; a period must be at least 1h (m is a minute, M a month)", text, seconds))
        }
        seconds if seconds > 400 * 86_400 => {
            Err(text!("{text} is longer than the history that is kept (400 days)", text))
        }
        seconds => Ok(Window::Rolling { seconds }),
    }
}

fn calendar_window(text: &str, calendar: &Value, report: &mut Report<'_>) -> Option<Window> {
    let at = "/spec/timeWindow/0/calendar";
    let fields = Fields::of(calendar, at, &["startTime", "timeZone"], report)?;
    let start = fields.required_text("startTime", report);
    let zone = fields.required_text("timeZone", report);
    let period = duration::calendar(text).map_err(|message| {
        let hint = if text == "1m" { text!("1m is one minute; a month is 1M") } else { message };
        report.refuse("/spec/timeWindow/0/duration", hint);
    });
    let (count, unit) = period.ok()?;
    let window = Window::Calendar { start: start?.to_owned(), count, unit, zone: zone?.to_owned() };
    match window.period() {
        Ok(_) => Some(window),
        Err(error) => {
            report.refuse(at, told::calendar(&error));
            None
        }
    }
}

fn target(objective: &Fields<'_>, report: &mut Report<'_>) -> Option<Objective> {
    if objective.get("compositeWeight").is_some() {
        report.refuse(&objective.at("compositeWeight"), text!("composite objectives cannot be computed"));
    }
    let (share, percent) = (objective.number("target", report), objective.number("targetPercent", report));
    let (key, read) = match (share, percent) {
        (Some(share), None) => ("target", Objective::from_share(&share)),
        (None, Some(percent)) => ("targetPercent", Objective::from_percent(&percent)),
        _ => {
            report
                .refuse(&objective.at("target"), text!("must be given (0.999), or targetPercent (99.9), and not both"));
            return None;
        }
    };
    read.map_err(|error| report.refuse(&objective.at(key), told::objective(&error))).ok()
}

fn method_of(method: &str, objective: &Fields<'_>, report: &mut Report<'_>) -> Option<Method> {
    if method == "Occurrences" {
        for key in ["timeSliceTarget", "timeSliceWindow"].into_iter().filter(|key| objective.get(key).is_some()) {
            report.refuse(&objective.at(key), text!("belongs to Timeslices and RatioTimeslices"));
        }
        return Some(Method::Occurrences);
    }
    let slice_s = slice(objective, report)?;
    if method == "RatioTimeslices" {
        return Some(Method::RatioTimeslices(SliceRule { slice_s, target: Ratio::ONE }));
    }
    let text = objective.number("timeSliceTarget", report);
    let target = text.as_deref().and_then(|text| text.parse::<Ratio>().ok());
    match target.filter(|target| target.is_positive() && *target <= Ratio::ONE) {
        Some(target) => Some(Method::Timeslices(SliceRule { slice_s, target })),
        None => {
            report.refuse(
                &objective.at("timeSliceTarget"),
                text!("must be a share of good events, more than 0 and at most 1"),
            );
            None
        }
    }
}

fn slice(objective: &Fields<'_>, report: &mut Report<'_>) -> Option<u32> {
    let at = objective.at("timeSliceWindow");
    let text = match objective.get("timeSliceWindow") {
        // A bare number means minutes.
        Some(Value::Number(minutes)) => Ok(minutes.as_u64().unwrap_or_default() * 60),
        Some(Value::String(text)) => duration::seconds(text),
        _ => Err(text!("must be the length of a slice, for example 5m")),
    };
    let seconds = text.map_err(|message| report.refuse(&at, message)).ok()?;
    if seconds % 60 == 0 && SLICES_M.contains(&(seconds / 60)) {
        return u32::try_from(seconds).ok();
    }
    report.refuse(
        &at,
        text!("must divide an hour into whole minutes: 1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m or 1h"),
    );
    None
}

fn sli(indicator: &Indicator, objective: &Fields<'_>, report: &mut Report<'_>) -> Option<Sli> {
    match indicator {
        Indicator::Threshold(source) => {
            let op = objective.required_text("op", report).and_then(|text| {
                let op = Op::parse(text);
                if op.is_none() {
                    report.refuse(&objective.at("op"), text!("must be lt, lte, gt or gte"));
                }
                op
            });
            let threshold = objective.number("value", report).and_then(|text| text.parse().ok());
            if threshold.is_none() {
                report.refuse(&objective.at("value"), text!("must be the threshold that the metric is compared with"));
            }
            Some(Sli::Threshold { value: source.query.clone(), op: op?, threshold: threshold? })
        }
        Indicator::Good { .. } | Indicator::Bad { .. } => {
            for key in ["op", "value"].into_iter().filter(|key| objective.get(key).is_some()) {
                report.warn(&objective.at(key), text!("means nothing for a ratio and is left aside"));
            }
            Some(match indicator.clone() {
                Indicator::Good { good, total } => Sli::Good { good: good.query, total: total.query },
                Indicator::Bad { bad, total } => Sli::Bad { bad: bad.query, total: total.query },
                Indicator::Threshold(_) => return None,
            })
        }
    }
}
