//! The record of who set which field, for the specification of Deployments: what a write changed goes to its manager's entry.
//!
//! The real server takes a changed field away from the entries of others as well; here the newest entry is simply the last.

use crate::pace::stamp;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

pub(crate) fn record(before: &Value, after: &mut Value, manager: &str, now: OffsetDateTime) {
    let Some(changed) = changed(&before["spec"], &after["spec"]) else { return };
    let mut entries = before["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let mut fields = json!({ "f:spec": changed });
    let manager = if manager.is_empty() { "unknown" } else { manager };
    if let Some(at) = entries.iter().position(|entry| entry["manager"] == manager) {
        join(&mut fields, &entries.remove(at)["fieldsV1"]);
    }
    entries.push(json!({
        "manager": manager, "operation": "Update", "apiVersion": "apps/v1", "time": stamp(now),
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }));
    after["metadata"]["managedFields"] = Value::Array(entries);
}

/// The fields of `after` that are not as in `before`.
fn changed(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let mut found = Map::new();
    match after {
        Value::Object(fields) => {
            for (name, value) in fields {
                if let Some(inner) = changed(&before[name.as_str()], value) {
                    found.insert(format!("f:{name}"), inner);
                }
            }
        }
        Value::Array(items) if items.iter().all(|item| item["name"].is_string()) => {
            for item in items {
                let same = before.as_array().into_iter().flatten().find(|other| other["name"] == item["name"]);
                if let Some(inner) = changed(same.unwrap_or(&Value::Null), item) {
                    found.insert(format!("k:{}", json!({ "name": item["name"] })), inner);
                }
            }
        }
        _ => {}
    }
    Some(Value::Object(found))
}

fn join(fields: &mut Value, more: &Value) {
    for (name, value) in more.as_object().into_iter().flatten() {
        if fields.get(name).is_none() {
            fields[name.as_str()] = value.clone();
        } else {
            join(&mut fields[name.as_str()], value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_recorded_under_its_manager() {
        let spec = |image: &str, replicas: u32| json!({"replicas": replicas, "template": {"spec": {"containers": [{"name": "web", "image": image}]}}});
        let (now, before) = (OffsetDateTime::UNIX_EPOCH, json!({"metadata": {}, "spec": spec("a", 1)}));
        let mut after = json!({"metadata": {}, "spec": spec("b", 1)});
        record(&before, &mut after, "kubectl-set", now);
        let mut then = after.clone();
        then["spec"]["replicas"] = json!(3);
        record(&after, &mut then, "kubectl-set", now);
        let entries = then["metadata"]["managedFields"].as_array().unwrap();
        assert_eq!(entries.len(), 1);
        let fields = &entries[0]["fieldsV1"]["f:spec"];
        assert!(
            fields["f:template"]["f:spec"]["f:containers"]["k:{\"name\":\"web\"}"]["f:image"].is_object(),
            "{fields}"
        );
        assert!(fields["f:replicas"].is_object());
        let same = then.clone();
        record(&same, &mut then, "x", now);
        assert_eq!(then, same, "nothing changed, so nothing is recorded");
    }
}
