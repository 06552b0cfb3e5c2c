//! Kubernetes' strategic merge: a merge patch in which some lists merge element by element, found by a key.
//!
//! The keys are those of the Kubernetes types that the simulator serves; other lists are replaced.

use serde_json::{Map, Value};

/// The field that identifies an element of the list called `field`.
pub(crate) fn merge_key(field: &str, items: &[Value]) -> Option<&'static str> {
    let candidates: &[&'static str] = match field {
        "containers" | "initContainers" | "ephemeralContainers" | "env" | "volumes" | "imagePullSecrets" => &["name"],
        // A container's port and a Service's port have the same list name and different keys.
        "ports" => &["containerPort", "port"],
        "volumeMounts" => &["mountPath"],
        "volumeDevices" => &["devicePath"],
        "conditions" => &["type"],
        "ownerReferences" => &["uid"],
        "hostAliases" => &["ip"],
        "topologySpreadConstraints" => &["topologyKey"],
        _ => &[],
    };
    candidates.iter().copied().find(|key| items.iter().all(|item| item.get(key).is_some()))
}

pub(crate) fn strategic_merge(target: &mut Value, patch: &Value) {
    merge_field("", target, patch);
}

fn merge_field(field: &str, target: &mut Value, patch: &Value) {
    match patch {
        Value::Object(changes) => merge_object(target, changes),
        Value::Array(items) => match (merge_key(field, items), target.as_array_mut()) {
            (Some(key), Some(existing)) if !items.is_empty() => merge_list(existing, items, key),
            _ => *target = Value::Array(items.iter().map(without_directives).collect()),
        },
        other => *target = other.clone(),
    }
}

fn merge_object(target: &mut Value, changes: &Map<String, Value>) {
    if changes.get("$patch").and_then(Value::as_str) == Some("replace") || !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return };
    for (name, change) in changes {
        if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
            if let (Some(existing), Some(gone)) =
                (fields.get_mut(list).and_then(Value::as_array_mut), change.as_array())
            {
                existing.retain(|item| !gone.contains(item));
            }
        } else if name.starts_with('$') {
            // `$setElementOrder` and `$retainKeys` refine the order only; the result is the same object.
        } else if change.is_null() {
            fields.remove(name);
        } else {
            merge_field(name, fields.entry(name.clone()).or_insert(Value::Null), change);
        }
    }
}

fn merge_list(existing: &mut Vec<Value>, items: &[Value], key: &str) {
    if items.iter().any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace")) {
        existing.clear();
    }
    for item in items {
        let directive = item.get("$patch").and_then(Value::as_str);
        let same = |other: &Value| other.get(key) == item.get(key);
        match (directive, existing.iter().position(same)) {
            (Some("replace"), _) if item.get(key).is_none() => {}
            (Some("delete"), Some(at)) => drop(existing.remove(at)),
            (Some("delete"), None) => {}
            (_, Some(at)) => merge_field("", &mut existing[at], item),
            (_, None) => existing.push(without_directives(item)),
        }
    }
}

/// A new element, without directives and without the nulls that only make sense against an old one.
fn without_directives(item: &Value) -> Value {
    let Value::Object(fields) = item else { return item.clone() };
    let kept = fields.iter().filter(|(name, value)| !name.starts_with('$') && !value.is_null());
    Value::Object(kept.map(|(name, value)| (name.clone(), without_directives(value))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn containers_merge_by_name_and_env_within() {
        let mut target = json!({"containers": [
            {"name": "web", "image": "web:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
            {"name": "side", "image": "side:1"},
        ]});
        let patch = json!({"containers": [
            {"name": "web", "image": "web:2", "env": [{"name": "B", "$patch": "delete"}, {"name": "C", "value": "3"}]},
        ]});
        strategic_merge(&mut target, &patch);
        assert_eq!(
            target,
            json!({"containers": [
                {"name": "web", "image": "web:2", "env": [{"name": "A", "value": "1"}, {"name": "C", "value": "3"}]},
                {"name": "side", "image": "side:1"},
            ]})
        );
    }

    #[test]
    fn other_lists_are_replaced_and_null_removes() {
        let mut target = json!({"args": ["a", "b"], "gone": 1, "strategy": {"type": "RollingUpdate", "x": 1}});
        strategic_merge(
            &mut target,
            &json!({"args": ["c"], "gone": null, "strategy": {"$patch": "replace", "type": "Recreate"}}),
        );
        assert_eq!(target, json!({"args": ["c"], "strategy": {"type": "Recreate"}}));
    }
}
