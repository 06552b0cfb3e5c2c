//! What a change would do, line by line, in the words of a stack file where there are some.

use super::spec::{self, env, image, replicas};
use crate::masking;
use passerelle_contract::deployments::DiffLine;
use serde_json::Value;
use std::collections::BTreeMap;

/// Parts of a specification that are shown as one line each, with the words for them.
const PARTS: [(&str, &str); 20] = [
    ("/TaskTemplate/ContainerSpec/Command", "entrypoint"),
    ("/TaskTemplate/ContainerSpec/Args", "command"),
    ("/TaskTemplate/ContainerSpec/User", "user"),
    ("/TaskTemplate/ContainerSpec/Dir", "working_dir"),
    ("/TaskTemplate/ContainerSpec/Healthcheck", "healthcheck"),
    ("/TaskTemplate/ContainerSpec/Mounts", "volumes"),
    ("/TaskTemplate/ContainerSpec/Labels", "container labels"),
    ("/TaskTemplate/ContainerSpec/Privileges", "privileges"),
    ("/TaskTemplate/ContainerSpec/ReadOnly", "read_only"),
    ("/TaskTemplate/ContainerSpec/StopGracePeriod", "stop_grace_period"),
    ("/TaskTemplate/Resources", "resources"),
    ("/TaskTemplate/RestartPolicy", "restart_policy"),
    ("/TaskTemplate/Placement", "placement"),
    ("/TaskTemplate/Networks", "networks"),
    ("/TaskTemplate/LogDriver", "logging"),
    ("/Labels", "labels"),
    ("/Mode", "mode"),
    ("/UpdateConfig", "update_config"),
    ("/RollbackConfig", "rollback_config"),
    ("/EndpointSpec", "ports"),
];

/// Lines that differ between two specifications; none when they mean the same.
pub(super) fn lines(before: &Value, after: &Value) -> Vec<DiffLine> {
    let mut all = Vec::new();
    let mut line = |field: String, before: Option<String>, after: Option<String>| {
        if before != after {
            all.push(DiffLine { field, before, after });
        }
    };
    line("image".to_owned(), Some(image(before).to_owned()), Some(image(after).to_owned()));
    line("replicas".to_owned(), replicas(before).map(|n| n.to_string()), replicas(after).map(|n| n.to_string()));
    let count = |spec: &Value| spec["TaskTemplate"]["ForceUpdate"].as_u64().unwrap_or(0);
    if count(before) != count(after) {
        line("restart".to_owned(), None, Some("all tasks are replaced".to_owned()));
    }
    env_lines(before, after, &mut line);
    for (pointer, field) in PARTS {
        if field != "mode" || replicas(before).is_none() || replicas(after).is_none() {
            line(field.to_owned(), part(before, pointer), part(after, pointer));
        }
    }
    if all.is_empty() && spec::without_empty(before) != spec::without_empty(after) {
        all.push(DiffLine { field: "other settings".to_owned(), before: None, after: Some("changed".to_owned()) });
    }
    all
}

fn env_lines(before: &Value, after: &Value, line: &mut impl FnMut(String, Option<String>, Option<String>)) {
    let masked = |spec: &Value| env(spec).into_iter().map(|var| (var.name, var.value)).collect::<BTreeMap<_, _>>();
    let (old, new) = (masked(before), masked(after));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        line(format!("env {name}"), old.get(name).cloned(), new.get(name).cloned());
    }
    let raw = |spec: &Value| -> BTreeMap<String, String> {
        let pairs = spec::items(&spec["TaskTemplate"]["ContainerSpec"]["Env"]).filter_map(Value::as_str);
        pairs
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect()
    };
    // A masked value looks the same before and after: that it changes is said without saying how.
    let (old_raw, new_raw) = (raw(before), raw(after));
    for (name, value) in &new_raw {
        if old.get(name) == new.get(name) && old_raw.get(name).is_some_and(|before| before != value) {
            line(format!("env {name}"), old.get(name).cloned(), Some(format!("{} (another value)", masking::MASK)));
        }
    }
}

/// One part as short text; a label of ours is no part of it.
fn part(spec: &Value, pointer: &str) -> Option<String> {
    let mut value = spec::without_empty(spec.pointer(pointer)?);
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|name, _| !super::fence::LABELS.are_ours(name));
        fields.sort_keys();
        if fields.is_empty() {
            return None;
        }
    }
    let text = match value {
        Value::Null | Value::Bool(false) => return None,
        Value::String(text) if text.is_empty() => return None,
        Value::Array(items) if items.is_empty() => return None,
        Value::String(text) => text,
        other => other.to_string(),
    };
    let shown: String = masking::shown(&text).chars().take(400).collect();
    Some(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_name_what_changes_and_hide_secrets() {
        let spec = |image: &str, password: &str, ttl: &str| {
            json!({ "Labels": { "passerelle.epoch": password, "a": "b" }, "Mode": { "Replicated": { "Replicas": 2 } },
                "TaskTemplate": { "ContainerSpec": { "Image": image,
                    "Env": [format!("DB_PASSWORD={password}"), format!("TTL={ttl}")] } } })
        };
        assert_eq!(lines(&spec("a", "x", "1"), &spec("a", "x", "1")), []);
        let found: Vec<_> = lines(&spec("a:1", "x", "1"), &spec("a:2", "y", "2"))
            .into_iter()
            .map(|line| {
                format!("{}: {} -> {}", line.field, line.before.unwrap_or_default(), line.after.unwrap_or_default())
            })
            .collect();
        assert_eq!(found, ["image: a:1 -> a:2", "env TTL: 1 -> 2", "env DB_PASSWORD: *** -> *** (another value)"]);
    }

    #[test]
    fn empty_and_absent_mean_the_same() {
        let before = json!({ "TaskTemplate": { "Resources": { "Limits": {} }, "ContainerSpec": { "Image": "a" } } });
        let after = json!({ "TaskTemplate": { "ContainerSpec": { "Image": "a", "User": "" } } });
        assert_eq!(lines(&before, &after), []);
    }

    #[test]
    fn what_has_no_words_is_still_a_difference() {
        let after = json!({ "TaskTemplate": { "ContainerSpec": { "Sysctls": { "a": "1" } } } });
        assert_eq!(lines(&json!({}), &after)[0].field, "other settings");
    }
}
