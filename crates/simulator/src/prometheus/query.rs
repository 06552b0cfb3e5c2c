//! The queries that `crates/metrics` asks, and no others.

use passerelle_slo_formats::{MatchOp, Matcher, Selector};
use regex::Regex;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Parsed {
    pub metric: String,
    matchers: Vec<(Matcher, Option<Regex>)>,
    /// Labels that tell the answers apart.
    pub by: Vec<String>,
    /// The range of `increase` and `rate`; a step's own length without one.
    pub seconds: Option<i64>,
    pub per_second: bool,
    /// `vector(1)`.
    pub constant: bool,
}

impl Parsed {
    fn of(selector: Selector, by: Vec<String>, seconds: Option<i64>, per_second: bool) -> Option<Self> {
        let matchers = selector.matchers.into_iter().map(|matcher| {
            let pattern = match matcher.op {
                MatchOp::Regex | MatchOp::NotRegex => Some(Regex::new(&format!("^(?:{})$", matcher.value)).ok()?),
                MatchOp::Equal | MatchOp::NotEqual => None,
            };
            Some((matcher, pattern))
        });
        let matchers = matchers.collect::<Option<Vec<_>>>()?;
        Some(Self { metric: selector.metric, matchers, by, seconds, per_second, constant: false })
    }

    /// A label that is not there is empty, as Prometheus has it.
    pub fn matches(&self, labels: &[(String, String)]) -> bool {
        self.matchers.iter().all(|(matcher, pattern)| {
            let label = labels.iter().find(|(name, _)| *name == matcher.label);
            let value = label.map_or("", |(_, value)| value.as_str());
            let equal = match pattern {
                Some(pattern) => pattern.is_match(value),
                None => value == matcher.value,
            };
            equal == matches!(matcher.op, MatchOp::Equal | MatchOp::Regex)
        })
    }
}

pub(super) fn parse(promql: &str) -> Option<Parsed> {
    if promql == "vector(1)" {
        let nothing = Selector::new("vector", Vec::new());
        return Some(Parsed { constant: true, ..Parsed::of(nothing, Vec::new(), None, false)? });
    }
    if let Some(rest) = promql.strip_prefix("sum by (") {
        let (labels, rest) = rest.split_once(')')?;
        let by = labels.split(',').map(|label| label.trim().to_owned()).filter(|label| !label.is_empty()).collect();
        let (selector, rest) = selector(rest.strip_prefix(" (((")?)?;
        return rest.starts_with(" - ").then(|| Parsed::of(selector, by, None, false)).flatten();
    }
    let (rest, per_second) = match (promql.strip_prefix("sum(increase("), promql.strip_prefix("sum(rate(")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return None,
    };
    let (selector, rest) = selector(rest)?;
    let seconds = rest.strip_prefix('[')?.strip_suffix("s]))")?.parse().ok()?;
    Parsed::of(selector, Vec::new(), Some(seconds), per_second)
}

/// The selector at the beginning of a text, and what comes after it.
fn selector(text: &str) -> Option<(Selector, &str)> {
    let name = text.find(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_' || sign == ':'))?;
    let end = if text[name..].starts_with('{') { name + closing(&text[name..])? + 1 } else { name };
    Some((Selector::parse(&text[..end]).ok()?, &text[end..]))
}

/// Where the brace that a text begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().find_map(|(index, sign)| {
        match sign {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(index),
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_batch_is_understood() {
        let text =
            "sum by (service) (((m{code=~\"5..\",service=~\"a\\\\-b|c}\"} - m{code=~\"5..\"} offset 60s) >= 0) or (x))";
        let parsed = parse(text).unwrap();
        assert_eq!((parsed.metric.as_str(), parsed.by.as_slice()), ("m", &["service".to_owned()][..]));
        assert!(parsed.matches(&labels(&[("service", "a-b"), ("code", "503")])));
        assert!(!parsed.matches(&labels(&[("service", "a-b"), ("code", "200")])));
    }

    #[test]
    fn sums_are_understood_and_other_queries_are_not() {
        let increase = parse("sum(increase(m{a=\"1\"}[86400s]))").unwrap();
        assert_eq!((increase.seconds, increase.per_second), (Some(86_400), false));
        assert!(parse("sum(rate(m[60s]))").unwrap().per_second);
        assert!(parse("vector(1)").unwrap().constant);
        for other in ["", "up", "sum by (a) (rate(m[5m]))", "sum(increase(m{a=\"1\"[60s]))", "histogram_quantile(1, m)"]
        {
            assert!(parse(other).is_none(), "{other}");
        }
    }
}
