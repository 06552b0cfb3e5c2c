//! Puts questions of the same metric and shape of matchers together.
//!
//! A counter is read as the difference between the ends of a step, series by series, not as `increase()`: `increase` extrapolates each
//! window from the samples inside it, so the sum over minutes is not what a day's counter says (between two windows one scrape interval is
//! guessed), and with a scrape a minute it has nothing to say at all. Differences telescope: what was counted is counted once.

use passerelle_slo_formats::{MatchOp, Matcher, Query, Selector};
use std::collections::BTreeMap;

use crate::source::Wanted;

/// Values of a label that one query may name.
const MAX_VALUES: usize = 500;

/// A query, and which series of its answer belong to which questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub promql: String,
    /// Labels whose values tell the series apart.
    pub by: Vec<String>,
    /// Questions by those values; without labels there is one entry with none.
    pub questions: BTreeMap<Vec<String>, Vec<usize>>,
    /// The answer is per second.
    pub per_second: bool,
    /// The answer is a count, of which none can be negative.
    pub counts: bool,
}

/// One part of a shape: equality by label only, everything else by its text.
type Shape = Vec<(String, MatchOp, Option<String>)>;

/// Questions by the values that tell their series apart.
type Questions = BTreeMap<Vec<String>, Vec<usize>>;

/// The queries that answer all questions. Those of one call have the same step.
#[must_use]
pub fn plan(wanted: &[Wanted]) -> Vec<Planned> {
    let mut groups: BTreeMap<(String, u32, Shape), Questions> = BTreeMap::new();
    let mut alone: BTreeMap<(String, bool, bool), Vec<usize>> = BTreeMap::new();
    for (index, question) in wanted.iter().enumerate() {
        match &question.query {
            Query::Counter(selector) => {
                let values = equalities(selector).map(|matcher| matcher.value.clone()).collect();
                let key = (selector.metric.clone(), question.step_s, shape(selector));
                groups.entry(key).or_default().entry(values).or_default().push(index);
            }
            Query::Windowed { template, per_second } => {
                let window = format!("{}s", question.step_s);
                alone.entry((template.replace("{{.window}}", &window), *per_second, true)).or_default().push(index);
            }
            Query::Instant(text) => alone.entry((text.clone(), false, false)).or_default().push(index),
        }
    }
    let together = groups.into_iter().flat_map(|((metric, step_s, shape), questions)| {
        let all: Vec<_> = questions.into_iter().collect();
        all.chunks(MAX_VALUES).map(|part| together(&metric, step_s, &shape, part)).collect::<Vec<_>>()
    });
    let single = alone.into_iter().map(|((promql, per_second, counts), questions)| Planned {
        promql,
        by: Vec::new(),
        questions: BTreeMap::from([(Vec::new(), questions)]),
        per_second,
        counts,
    });
    together.chain(single).collect()
}

fn equalities(selector: &Selector) -> impl Iterator<Item = &Matcher> {
    // An empty value means "without this label", which no series can be told apart by.
    selector.matchers.iter().filter(|matcher| matcher.op == MatchOp::Equal && !matcher.value.is_empty())
}

fn shape(selector: &Selector) -> Shape {
    let value = |matcher: &Matcher| {
        let told_apart = matcher.op == MatchOp::Equal && !matcher.value.is_empty();
        (!told_apart).then(|| matcher.value.clone())
    };
    selector.matchers.iter().map(|matcher| (matcher.label.clone(), matcher.op, value(matcher))).collect()
}

fn together(metric: &str, step_s: u32, shape: &Shape, part: &[(Vec<String>, Vec<usize>)]) -> Planned {
    let by: Vec<String> =
        shape.iter().filter(|(_, _, value)| value.is_none()).map(|(label, _, _)| label.clone()).collect();
    let mut matchers: Vec<Matcher> =
        shape.iter().filter_map(|(label, op, value)| Some(Matcher::new(label, *op, value.as_deref()?))).collect();
    for (place, label) in by.iter().enumerate() {
        let mut values: Vec<&str> =
            part.iter().filter_map(|(values, _)| values.get(place).map(String::as_str)).collect();
        values.sort_unstable();
        values.dedup();
        matchers.push(match values.as_slice() {
            [one] => Matcher::new(label, MatchOp::Equal, *one),
            many => {
                let escaped: Vec<String> = many.iter().map(|value| regex::escape(value)).collect();
                Matcher::new(label, MatchOp::Regex, escaped.join("|"))
            }
        });
    }
    let selector = Selector::new(metric, matchers);
    Planned {
        promql: format!("sum by ({}) ({})", by.join(", "), difference(&selector, step_s)),
        by,
        questions: part.iter().cloned().collect(),
        per_second: false,
        counts: true,
    }
}

/// What each series counted in a step: the difference; what is there since a reset; or all of it, when the series was born although its
/// target was scraped before.
fn difference(selector: &Selector, step_s: u32) -> String {
    let before = format!("{selector} offset {step_s}s");
    format!(
        "(({selector} - {before}) >= 0) or ({selector} and {before}) or ({selector} and on (job, instance) (up offset \
         {step_s}s == 1))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(text: &str) -> Wanted {
        Wanted { query: Query::Counter(Selector::parse(text).unwrap()), step_s: 60 }
    }

    #[test]
    fn a_thousand_services_are_four_queries() {
        let wanted: Vec<Wanted> = (0..1000)
            .flat_map(|i| {
                [
                    counter(&format!("http_requests_total{{service=\"s{i}\"}}")),
                    counter(&format!("http_requests_total{{service=\"s{i}\",code=~\"5..\"}}")),
                ]
            })
            .collect();
        let planned = plan(&wanted);
        assert_eq!(planned.len(), 4);
        let answered: usize = planned.iter().flat_map(|query| query.questions.values()).map(Vec::len).sum();
        assert_eq!(answered, 2000);
        assert!(planned.iter().all(|query| query.by == ["service"]));
    }

    #[test]
    fn the_same_question_is_asked_once_and_other_shapes_apart() {
        let wanted = [
            counter("m{a=\"1\"}"),
            counter("m{a=\"1\"}"),
            counter("m{a=\"x.y\"}"),
            counter("m{a!=\"1\"}"),
            counter("m"),
            Wanted {
                query: Query::Windowed { template: "sum(rate(m[{{.window}}]))".to_owned(), per_second: true },
                step_s: 300,
            },
        ];
        let planned = plan(&wanted);
        assert_eq!(planned.len(), 4);
        let batch = planned.iter().find(|query| query.by == ["a"]).unwrap();
        assert_eq!(batch.questions[&vec!["1".to_owned()]], [0, 1]);
        assert!(batch.promql.contains(r#"m{a=~"1|x\\.y"}"#), "{}", batch.promql);
        assert!(planned.iter().any(|query| query.promql == "sum(rate(m[300s]))" && query.per_second));
    }
}
