//! Reading a service specification, and comparing what tasks run with it.

use crate::masking;
use passerelle_contract::deployments::EnvVar;
use serde_json::Value;

/// The engine has one container per task, so one image.
pub(super) fn image(spec: &Value) -> &str {
    text(&spec["TaskTemplate"]["ContainerSpec"]["Image"])
}

/// Image of a task's own specification.
pub(super) fn task_image(task_spec: &Value) -> &str {
    text(&task_spec["ContainerSpec"]["Image"])
}

/// Number of tasks asked for; nothing for a global service, which has one per node.
pub(super) fn replicas(spec: &Value) -> Option<u32> {
    let replicas = &spec["Mode"]["Replicated"]["Replicas"];
    replicas.as_u64().map(|number| u32::try_from(number).unwrap_or(u32::MAX))
}

/// The service runs its tasks to an end instead of keeping them up.
pub(super) fn is_job(spec: &Value) -> bool {
    spec["Mode"].get("ReplicatedJob").is_some() || spec["Mode"].get("GlobalJob").is_some()
}

/// What Swarm does when an update fails; `pause` is its default.
pub(super) fn failure_action(spec: &Value) -> Option<&str> {
    spec["UpdateConfig"]["FailureAction"].as_str().filter(|action| !action.is_empty())
}

/// Environment variables, then files that come from secrets and configs (by name; their content is never read).
pub(super) fn env(spec: &Value) -> Vec<EnvVar> {
    let container = &spec["TaskTemplate"]["ContainerSpec"];
    let mut all: Vec<EnvVar> = items(&container["Env"])
        .filter_map(Value::as_str)
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            masking::literal(name, value)
        })
        .collect();
    for (kind, secret) in [("Secret", true), ("Config", false)] {
        for reference in items(&container[format!("{kind}s")]) {
            let name = text(&reference[format!("{kind}Name")]);
            let file = text(&reference["File"]["Name"]);
            let folder = if secret && !file.starts_with('/') { "/run/secrets/" } else { "" };
            let value = format!("{} {name}", kind.to_ascii_lowercase());
            all.push(EnvVar { name: format!("{folder}{file}"), value, secret });
        }
    }
    all
}

/// Ids and names of the secrets or configs (`kind` is `Secret` or `Config`) that the service mounts.
pub(super) fn references(spec: &Value, kind: &str) -> Vec<(String, String)> {
    items(&spec["TaskTemplate"]["ContainerSpec"][format!("{kind}s")])
        .map(|reference| {
            (text(&reference[format!("{kind}ID")]).to_owned(), text(&reference[format!("{kind}Name")]).to_owned())
        })
        .collect()
}

/// Whether a task runs the service's present specification.
///
/// Swarm keeps tasks whose node satisfies changed placement rules, so `any_placement` leaves those out. It never copies the
/// runtime into tasks, and writes empty objects in one place and not in the other.
pub(super) fn runs(template: &Value, task_spec: &Value, any_placement: bool) -> bool {
    let skipped = |key: &str| key == "Runtime" || (any_placement && key == "Placement");
    let trimmed = |value: &Value| match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .filter(|(key, _)| !skipped(key))
                .map(|(key, value)| (key.clone(), without_empty(value)))
                .collect(),
        ),
        _ => Value::Null,
    };
    without_empty(&trimmed(template)) == without_empty(&trimmed(task_spec))
}

/// The value without nulls, zeros, empty texts, lists and objects, which all mean "not set" to the engine.
pub(super) fn without_empty(value: &Value) -> Value {
    let empty = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(true) => false,
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), without_empty(value)))
            .filter(|(_, value)| !empty(value))
            .collect(),
        Value::Array(items) => items.iter().map(without_empty).collect(),
        other => other.clone(),
    }
}

/// Text of a value, empty when it is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Items of a list, none when it is none.
pub(super) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_task_matches_its_template_as_the_engine_writes_both() {
        let template = json!({ "ContainerSpec": { "Image": "a:1", "Env": [], "Init": false }, "Runtime": "container",
            "ForceUpdate": 0, "Placement": { "Constraints": ["node.role==manager"] } });
        let task = json!({ "ContainerSpec": { "Init": false, "Image": "a:1" }, "ForceUpdate": 0 });
        assert!(runs(&template, &task, true));
        assert!(!runs(&template, &task, false));
        let restarted = json!({ "ContainerSpec": { "Image": "a:1" }, "ForceUpdate": 1 });
        assert!(!runs(&template, &restarted, true));
        assert!(!runs(&template, &Value::Null, true));
    }

    #[test]
    fn env_masks_values_and_lists_references() {
        let spec = json!({ "TaskTemplate": { "ContainerSpec": {
            "Env": ["DATABASE_PASSWORD=x", "SESSION_TTL=5", "BARE"],
            "Secrets": [{ "SecretID": "s1", "SecretName": "db", "File": { "Name": "db_password" } }],
            "Configs": [{ "ConfigID": "c1", "ConfigName": "app", "File": { "Name": "/etc/app.toml" } }] } } });
        let shown: Vec<_> =
            env(&spec).into_iter().map(|var| format!("{}={} {}", var.name, var.value, var.secret)).collect();
        assert_eq!(
            shown,
            [
                "DATABASE_PASSWORD=*** true",
                "SESSION_TTL=5 false",
                "BARE= false",
                "/run/secrets/db_password=secret db true",
                "/etc/app.toml=config app false"
            ]
        );
        assert_eq!(references(&spec, "Secret"), [("s1".to_owned(), "db".to_owned())]);
    }

    #[test]
    fn odd_specifications_do_not_panic() {
        for spec in
            [Value::Null, json!([]), json!({ "TaskTemplate": 3, "Mode": "x" }), json!({ "Mode": { "Global": {} } })]
        {
            assert_eq!((image(&spec), replicas(&spec), env(&spec).len()), ("", None, 0));
        }
    }
}
