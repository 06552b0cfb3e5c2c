//! Server-side apply: merge by key, and take back what the same manager applied before and now leaves out.
//!
//! Fields are compared as values. A value that another manager applied and that this one would change is a conflict, unless
//! forced. Fields written by plain updates belong to nobody here.

use super::refusal::Refusal;
use super::state::State;
use super::write::PatchTo;
use crate::object::text;
use crate::patch::{merge_key, strategic_merge};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

pub(crate) fn apply(
    state: &State,
    to: &PatchTo<'_>,
    before: &Value,
    after: &mut Value,
    body: &Value,
) -> Result<(), Refusal> {
    if to.manager.is_empty() {
        return Err(Refusal::bad_request(
            "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
        ));
    }
    let uid = text(before, "/metadata/uid");
    if !to.force {
        for ((owned, manager), config) in &state.applied {
            if owned != uid || manager == to.manager {
                continue;
            }
            if let Some(field) = first_conflict("", config, body) {
                let message = format!("Apply failed with 1 conflict: conflict with \"{manager}\": {field}");
                let mut refusal = Refusal::new(StatusCode::CONFLICT, "Conflict", message);
                let text = format!("conflict with \"{manager}\"");
                refusal.details =
                    json!({"causes": [{"reason": "FieldManagerConflict", "message": text, "field": field}]});
                return Err(refusal);
            }
        }
    }
    if let Some(last) = state.applied.get(&(uid.to_owned(), to.manager.to_owned())) {
        let removal = removed("", last, body);
        if !removal.is_null() {
            strategic_merge(after, &removal);
        }
    }
    strategic_merge(after, body);
    Ok(())
}

pub(crate) fn remember(state: &mut State, to: &PatchTo<'_>, object: &Value, body: &Value) {
    let mut config = body.clone();
    for field in ["resourceVersion", "uid", "name", "namespace"] {
        crate::object::remove(&mut config, &["metadata", field]);
    }
    let uid = text(object, "/metadata/uid").to_owned();
    state.applied.insert((uid, to.manager.to_owned()), config);
}

/// A strategic patch that takes away what is in `last` and not in `now`; null when nothing is.
fn removed(field: &str, last: &Value, now: &Value) -> Value {
    match (last, now) {
        (Value::Object(last), Value::Object(now)) => {
            let mut patch = Map::new();
            for (name, value) in last {
                match now.get(name) {
                    None if matches!(name.as_str(), "kind" | "apiVersion" | "name" | "namespace") => {}
                    None => drop(patch.insert(name.clone(), Value::Null)),
                    Some(other) => {
                        let inner = removed(name, value, other);
                        if !inner.is_null() {
                            patch.insert(name.clone(), inner);
                        }
                    }
                }
            }
            if patch.is_empty() { Value::Null } else { Value::Object(patch) }
        }
        (Value::Array(last), Value::Array(now)) => removed_items(field, last, now),
        _ => Value::Null,
    }
}

fn removed_items(field: &str, last: &[Value], now: &[Value]) -> Value {
    let Some(key) = merge_key(field, last) else { return Value::Null };
    let mut items = Vec::new();
    for item in last {
        match now.iter().find(|other| other.get(key) == item.get(key)) {
            None => items.push(json!({key: item[key], "$patch": "delete"})),
            Some(other) => {
                let mut inner = removed("", item, other);
                if !inner.is_null() {
                    inner[key] = item[key].clone();
                    items.push(inner);
                }
            }
        }
    }
    if items.is_empty() { Value::Null } else { Value::Array(items) }
}

/// The first leaf that both give, with different values.
fn first_conflict(path: &str, theirs: &Value, ours: &Value) -> Option<String> {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => theirs
            .iter()
            .filter_map(|(name, value)| first_conflict(&format!("{path}.{name}"), value, ours.get(name)?))
            .next(),
        (Value::Array(theirs), Value::Array(ours)) => {
            let field = path.rsplit('.').next().unwrap_or_default();
            let Some(key) = merge_key(field, theirs) else {
                return (theirs != ours).then(|| path.to_owned());
            };
            theirs
                .iter()
                .filter_map(|item| {
                    let other = ours.iter().find(|other| other.get(key) == item.get(key))?;
                    first_conflict(&format!("{path}[{key}={}]", item[key]), item, other)
                })
                .next()
        }
        _ => (theirs != ours).then(|| path.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_taken_back() {
        let last =
            json!({"spec": {"containers": [{"name": "c", "env": [{"name": "A"}, {"name": "B"}]}], "replicas": 2}});
        let now = json!({"spec": {"containers": [{"name": "c", "env": [{"name": "A"}]}]}});
        assert_eq!(
            removed("", &last, &now),
            json!({"spec": {
                "containers": [{"name": "c", "env": [{"name": "B", "$patch": "delete"}]}],
                "replicas": null,
            }})
        );
        assert_eq!(removed("", &now, &last), Value::Null);
    }

    #[test]
    fn conflicts_name_the_field() {
        let theirs = json!({"spec": {"replicas": 2, "containers": [{"name": "c", "image": "a"}]}});
        assert_eq!(first_conflict("", &theirs, &json!({"spec": {"replicas": 2}})), None);
        let field = first_conflict("", &theirs, &json!({"spec": {"containers": [{"name": "c", "image": "b"}]}}));
        assert_eq!(field.as_deref(), Some(".spec.containers[name=\"c\"].image"));
    }
}
