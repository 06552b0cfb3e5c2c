//! What a change would do, line by line, in the words of a stack file where there are some.

use super::spec::{self, env, image, replicas};
use crate::masking;
use passerelle_contract::deployments::DiffLine;
use passerelle_contract::{Text, text};
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
    let mut line = |field, before, after| all.extend(DiffLine::of_values(field, before, after));
    line("image", Some(image(before).to_owned()), Some(image(after).to_owned()));
    line("replicas", replicas(before).map(|n| n.to_string()), replicas(after).map(|n| n.to_string()));
    if restarts(before) != restarts(after) {
        all.push(DiffLine { field: "restart".to_owned(), before: None, after: Some(text!("all tasks are replaced")) });
    }
    env_lines(before, after, &mut all);
    for (pointer, field) in PARTS {
        if field != "mode" || replicas(before).is_none() || replicas(after).is_none() {
            all.extend(DiffLine::of_values(field, part(before, pointer), part(after, pointer)));
        }
    }
    if all.is_empty() && spec::without_empty(before) != spec::without_empty(after) {
        all.push(DiffLine { field: "…".to_owned(), before: None, after: Some(text!("other settings change")) });
    }
    all
}

/// The counter that Swarm restarts a service by.
fn restarts(spec: &Value) -> u64 {
    spec["TaskTemplate"]["ForceUpdate"].as_u64().unwrap_or(0)
}

fn env_lines(before: &Value, after: &Value, lines: &mut Vec<DiffLine>) {
    let masked = |spec: &Value| env(spec).into_iter().map(|var| (var.name, var.value)).collect::<BTreeMap<_, _>>();
    let (old, new) = (masked(before), masked(after));
    let names: std::collections::BTreeSet<_> = old.keys().chain(new.keys()).collect();
    for name in names {
        lines.extend(DiffLine::of_values(format!("env {name}"), old.get(name).cloned(), new.get(name).cloned()));
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
            let before = old.get(name).map(Text::verbatim);
            let after = Some(text!("{value} (another value)", value = masking::MASK));
            lines.push(DiffLine { field: format!("env {name}"), before, after });
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
                let [before, after] = [line.before, line.after].map(Option::unwrap_or_default);
                format!("{}: {before} -> {after}", line.field)
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
        assert_eq!(lines(&json!({}), &after)[0].after, Some(text!("other settings change")));
    }
}
