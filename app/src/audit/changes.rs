//! Two JSON documents as lines that say what changed.

use passerelle_contract::deployments::DiffLine;
use serde_json::Value;
use std::collections::BTreeMap;

/// One line for each value that is not the same on both sides, by its path.
#[must_use]
pub fn changes(before: Option<&Value>, after: Option<&Value>) -> Vec<DiffLine> {
    let (before, after) = (flat(before), flat(after));
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
        .into_iter()
        .filter_map(|path| DiffLine::of_values(path, before.get(path).cloned(), after.get(path).cloned()))
        .collect()
}

fn flat(value: Option<&Value>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    if let Some(value) = value {
        collect(value, String::new(), &mut found);
    }
    found
}

fn collect(value: &Value, path: String, found: &mut BTreeMap<String, String>) {
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                collect(value, below(name), found);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (index, value) in items.iter().enumerate() {
                collect(value, below(&index.to_string()), found);
            }
        }
        Value::Null => {}
        Value::String(text) => drop(found.insert(path, text.clone())),
        other => drop(found.insert(path, other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"tier": "staging", "order": 1, "config": {"a": [1, 2], "gone": "x"}});
        let after = json!({"tier": "staging", "order": 2, "config": {"a": [1, 3], "new": true}});
        let lines = changes(Some(&before), Some(&after));
        let line = |field, before: Option<&str>, after: Option<&str>| {
            DiffLine::of_values(field, before.map(str::to_owned), after.map(str::to_owned)).unwrap()
        };
        assert_eq!(
            lines,
            [
                line("config.a.1", Some("2"), Some("3")),
                line("config.gone", Some("x"), None),
                line("config.new", None, Some("true")),
                line("order", Some("1"), Some("2")),
            ]
        );
        assert_eq!(changes(None, Some(&json!({"a": {}}))).len(), 1);
        assert!(changes(Some(&before), Some(&before)).is_empty());
    }
}
