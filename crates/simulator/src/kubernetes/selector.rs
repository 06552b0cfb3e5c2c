//! Label and field selectors.

use super::refusal::Refusal;
use crate::object::text;
use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// What a list or a watch is restricted to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    /// Pointer, value, equal or not.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    pub(crate) fn parse(labels: Option<&str>, fields: Option<&str>) -> Result<Self, Refusal> {
        let label_parts = split_outside_parentheses(labels.unwrap_or_default());
        let labels = label_parts.into_iter().map(requirement).collect::<Result<_, _>>()?;
        let fields = fields
            .unwrap_or_default()
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let (name, value, equal) =
                    equation(part).ok_or_else(|| Refusal::bad_request(format!("invalid field selector: {part:?}")))?;
                Ok((format!("/{}", name.replace('.', "/")), value, equal))
            })
            .collect::<Result<_, Refusal>>()?;
        Ok(Self { labels, fields })
    }

    pub(crate) fn matches(&self, object: &Value) -> bool {
        let label = |key: &str| object["metadata"]["labels"].get(key).and_then(Value::as_str);
        let labels = self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => label(key).is_some_and(|value| values.iter().any(|other| other == value)),
            Requirement::NotIn(key, values) => label(key).is_none_or(|value| values.iter().all(|other| other != value)),
            Requirement::Exists(key) => label(key).is_some(),
            Requirement::Absent(key) => label(key).is_none(),
        });
        labels && self.fields.iter().all(|(pointer, value, equal)| (text(object, pointer) == value) == *equal)
    }
}

/// `matchLabels` and `matchExpressions` of an object's selector.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    let equal = selector["matchLabels"]
        .as_object()
        .is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)));
    let expressions = selector["matchExpressions"].as_array().map_or(&[][..], Vec::as_slice);
    equal
        && expressions.iter().all(|expression| {
            let found = labels.get(text(expression, "/key"));
            let values = expression["values"].as_array().map_or(&[][..], Vec::as_slice);
            match text(expression, "/operator") {
                "In" => found.is_some_and(|value| values.contains(value)),
                "NotIn" => found.is_none_or(|value| !values.contains(value)),
                "Exists" => found.is_some(),
                "DoesNotExist" => found.is_none(),
                _ => false,
            }
        })
}

fn split_outside_parentheses(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, sign) in text.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

fn equation(part: &str) -> Option<(String, String, bool)> {
    let (name, value, equal) = if let Some((name, value)) = part.split_once("!=") {
        (name, value, false)
    } else {
        let (name, value) = part.split_once('=')?;
        (name, value.trim_start_matches('='), true)
    };
    Some((name.trim().to_owned(), value.trim().to_owned(), equal))
}

fn requirement(part: &str) -> Result<Requirement, Refusal> {
    let refused = || Refusal::bad_request(format!("unable to parse requirement: {part:?}"));
    if let Some((key, values)) = part.split_once('(') {
        let values = values.strip_suffix(')').ok_or_else(refused)?;
        let values = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = key.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => Ok(Requirement::In(key.to_owned(), values)),
            (Some(key), Some("notin"), None) => Ok(Requirement::NotIn(key.to_owned(), values)),
            _ => Err(refused()),
        };
    }
    if let Some((key, value, equal)) = equation(part) {
        let values = vec![value];
        return Ok(if equal { Requirement::In(key, values) } else { Requirement::NotIn(key, values) });
    }
    match part.strip_prefix('!') {
        Some(key) if !key.contains(char::is_whitespace) => Ok(Requirement::Absent(key.to_owned())),
        None if !part.contains(char::is_whitespace) => Ok(Requirement::Exists(part.to_owned())),
        _ => Err(refused()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn label_selectors() {
        let pod = json!({"metadata": {"name": "p1", "labels": {"app": "web", "tier": "front"}}});
        for (labels, expected) in [
            ("app=web", true),
            ("app==web,tier!=back", true),
            ("app in (web, api),tier", true),
            ("app notin (web)", false),
            ("!app", false),
            ("!gone", true),
            ("gone", false),
        ] {
            assert_eq!(Selector::parse(Some(labels), None).unwrap().matches(&pod), expected, "{labels}");
        }
        assert!(Selector::parse(Some("app in web)"), None).is_err());
        assert!(Selector::parse(Some("a b"), None).is_err());
    }

    #[test]
    fn field_selectors() {
        let pod = json!({"metadata": {"name": "p1"}, "involvedObject": {"kind": "Pod"}});
        let matches = |fields| Selector::parse(None, Some(fields)).unwrap().matches(&pod);
        assert!(matches("metadata.name=p1,involvedObject.kind=Pod"));
        assert!(!matches("metadata.name!=p1"));
        assert!(Selector::parse(None, Some("metadata.name")).is_err());
    }
}
