//! A `promtool test rules` file: a page at twenty times the allowed burn, silence at 0.9 of it.

use super::slo_rules::RuledSlo;
use super::to_yaml;
use crate::model::{Query, Sli};
use crate::promql::{MatchOp, Selector};
use passerelle_slo_math::{Ratio, Severity};
use regex::Regex;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The tests of the SLOs whose series can be made up: those over counters. `None` when there are none.
#[must_use]
pub fn proof(rule_file: &str, slos: &[RuledSlo]) -> Option<String> {
    let tests: Vec<Value> = slos
        .iter()
        .flat_map(|slo| [Ratio::whole(20), Ratio::new(9, 10)].into_iter().filter_map(|burn| case(slo, burn)))
        .collect();
    if tests.is_empty() {
        return None;
    }
    Some(to_yaml(&json!({"rule_files": [rule_file], "evaluation_interval": "5m", "tests": tests})))
}

/// Events a minute in the made-up series.
const TOTAL: i128 = 1_000_000_000;
const MINUTES: u32 = 75;

fn case(slo: &RuledSlo, burn: Ratio) -> Option<Value> {
    let budget = slo.definition.objective.budget_ratio();
    let bad = budget.times(burn).times(Ratio::whole(TOTAL)).floor().min(TOTAL);
    let input = match &slo.definition.sli {
        Sli::Bad { bad: Query::Counter(of_bad), total: Query::Counter(total) } => {
            one_counter(of_bad, total, bad).or_else(|| two_counters(of_bad, total, bad))?
        }
        Sli::Good { good: Query::Counter(good), total: Query::Counter(total) } => {
            one_counter(good, total, TOTAL - bad).or_else(|| two_counters(good, total, TOTAL - bad))?
        }
        _ => return None,
    };
    let series: Vec<Value> = input
        .into_iter()
        .map(|(series, step)| json!({"series": series, "values": format!("0+{step}x{MINUTES}")}))
        .collect();
    let real = Ratio::new(bad, TOTAL).times(budget.inverse()?);
    let checks: Vec<Value> = [Severity::Page, Severity::Ticket]
        .into_iter()
        .map(|severity| {
            let fires = slo.pairs().iter().any(|pair| pair.severity == severity && real > pair.factor);
            expected(slo, severity, fires)
        })
        .collect();
    Some(json!({"interval": "1m", "input_series": series, "promql_expr_test": checks}))
}

/// Asked of `ALERTS`, because the rules of other SLOs may well fire on the same series.
fn expected(slo: &RuledSlo, severity: Severity, fires: bool) -> Value {
    let alerts =
        format!("ALERTS{{alertname=\"{}\",alertstate=\"firing\",{}}}", slo.alert_name(severity), slo.matchers());
    let samples = if fires { vec![json!({"labels": "{}", "value": 1})] } else { Vec::new() };
    json!({"eval_time": format!("{}m", MINUTES - 5), "expr": format!("count({alerts})"), "exp_samples": samples})
}

/// One counter, told apart by labels: a series that the part selects, and one that only the total selects.
fn one_counter(part: &Selector, total: &Selector, of_part: i128) -> Option<Vec<(String, i128)>> {
    if part.metric != total.metric {
        return None;
    }
    let inside = labels_matching(&[part, total], &[])?;
    let outside = labels_matching(&[total], &[part])?;
    Some(vec![(series(&part.metric, &inside), of_part), (series(&total.metric, &outside), TOTAL - of_part)])
}

fn two_counters(part: &Selector, total: &Selector, of_part: i128) -> Option<Vec<(String, i128)>> {
    if part.metric == total.metric {
        return None;
    }
    let (of, all) = (labels_matching(&[part], &[])?, labels_matching(&[total], &[])?);
    Some(vec![(series(&part.metric, &of), of_part), (series(&total.metric, &all), TOTAL)])
}

fn series(metric: &str, labels: &BTreeMap<String, String>) -> String {
    let matchers = labels.iter().filter(|(_, value)| !value.is_empty());
    let matchers = matchers.map(|(label, value)| crate::Matcher::new(label, MatchOp::Equal, value)).collect();
    Selector::new(metric, matchers).to_string()
}

/// Label values that all of `wanted` select and none of `unwanted`; `None` when a few tries do not find any.
fn labels_matching(wanted: &[&Selector], unwanted: &[&Selector]) -> Option<BTreeMap<String, String>> {
    let mut labels: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for matcher in wanted.iter().chain(unwanted).flat_map(|selector| &selector.matchers) {
        let candidates = labels.entry(matcher.label.clone()).or_default();
        match matcher.op {
            MatchOp::Equal | MatchOp::NotEqual => candidates.push(matcher.value.clone()),
            MatchOp::Regex | MatchOp::NotRegex => candidates.extend(examples(&matcher.value)),
        }
        candidates.extend(["200", "x", ""].map(str::to_owned));
    }
    let mut chosen = BTreeMap::new();
    choose(&labels.into_iter().collect::<Vec<_>>(), wanted, unwanted, &mut chosen).then_some(chosen)
}

/// Tries every combination; there are few labels with few candidates.
fn choose(
    rest: &[(String, Vec<String>)],
    wanted: &[&Selector],
    unwanted: &[&Selector],
    chosen: &mut BTreeMap<String, String>,
) -> bool {
    let Some(((label, candidates), rest)) = rest.split_first() else {
        return wanted.iter().all(|selector| selects(selector, chosen))
            && !unwanted.iter().any(|selector| selects(selector, chosen));
    };
    // More than this is not a selector that a person wrote.
    candidates.iter().take(12).any(|candidate| {
        chosen.insert(label.clone(), candidate.clone());
        choose(rest, wanted, unwanted, chosen)
    })
}

fn selects(selector: &Selector, labels: &BTreeMap<String, String>) -> bool {
    selector.matchers.iter().all(|matcher| {
        let value = labels.get(&matcher.label).map_or("", String::as_str);
        let whole = || Regex::new(&format!("^(?:{})$", matcher.value)).is_ok_and(|regex| regex.is_match(value));
        match matcher.op {
            MatchOp::Equal => value == matcher.value,
            MatchOp::NotEqual => value != matcher.value,
            MatchOp::Regex => whole(),
            MatchOp::NotRegex => !whole(),
        }
    })
}

/// Texts that a simple expression may match: wildcards become zeros, classes their first character.
fn examples(expression: &str) -> Vec<String> {
    let plain = expression.replace("[.]", ".").replace("\\.", ".").replace("\\d", "0");
    let group = Regex::new(r"\([^()]*\)[?*]?")
        .map_or_else(|_| plain.clone(), |regex| regex.replace_all(&plain, "").into_owned());
    let class = Regex::new(r"\[(.)[^\]]*\]");
    let mut found = Vec::new();
    for alternative in plain.split('|').chain([group.as_str()]) {
        let alternative = alternative.trim_matches(['(', ')', '^', '$']);
        let alternative = class
            .as_ref()
            .map_or_else(|_| alternative.to_owned(), |class| class.replace_all(alternative, "$1").into_owned());
        found.push(alternative.replace(['*', '+', '?'], "").replace('.', "0"));
        found.push(alternative.replace(['*', '+', '?'], ""));
    }
    found
}
