//! The difference between two specifications, line by line, with secrets masked. Pure.

use super::annotations::RESTART;
use super::change::Desired;
use super::env;
use crate::TargetError;
use crate::masking::literal;
use k8s_openapi::api::core::v1::{Container, PodTemplateSpec};
use passerelle_contract::deployments::DiffLine;
use passerelle_contract::{Text, text};
use serde_json::Value;
use std::collections::BTreeMap;

/// Most lines of a difference.
const MAX_LINES: usize = 100;

/// Images, environment and replicas first, then whatever else differs in the pod template.
pub(super) fn lines(before: &Desired, after: &Desired, bound: &str) -> Result<Vec<DiffLine>, TargetError> {
    let (old, new) = (before.typed_template()?, after.typed_template()?);
    let mut lines = Vec::new();
    let names = union(containers(&old).map(|c| c.name.as_str()), containers(&new).map(|c| c.name.as_str()));
    for name in &names {
        let [old, new] = [&old, &new].map(|template| containers(template).find(|container| container.name == *name));
        push(&mut lines, format!("image {name}"), old.and_then(|c| c.image.clone()), new.and_then(|c| c.image.clone()));
        environment(&mut lines, old, new, if *name == bound { None } else { Some(name) });
    }
    push(&mut lines, "replicas".to_owned(), Some(before.replicas.to_string()), Some(after.replicas.to_string()));
    rest(&mut lines, &before.template, &after.template);
    if lines.len() > MAX_LINES {
        let more = lines.len() - MAX_LINES;
        lines.truncate(MAX_LINES);
        let after = Some(text!("{count} more lines", count = more));
        lines.push(DiffLine { field: "…".to_owned(), before: None, after });
    }
    Ok(lines)
}

fn containers(template: &PodTemplateSpec) -> impl Iterator<Item = &Container> {
    let spec = template.spec.as_ref();
    spec.into_iter().flat_map(|spec| spec.containers.iter().chain(spec.init_containers.as_deref().unwrap_or_default()))
}

fn union<'a>(old: impl Iterator<Item = &'a str>, new: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for name in old.chain(new) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn push(lines: &mut Vec<DiffLine>, field: String, before: Option<String>, after: Option<String>) {
    lines.extend(DiffLine::of_values(field, before, after));
}

fn environment(lines: &mut Vec<DiffLine>, old: Option<&Container>, new: Option<&Container>, container: Option<&str>) {
    let [old_raw, new_raw] = [old, new].map(raw_values);
    let [old, new] = [old, new].map(|container| container.map(env::of).unwrap_or_default());
    for name in union(old.iter().map(|v| v.name.as_str()), new.iter().map(|v| v.name.as_str())) {
        let shown = |all: &[passerelle_contract::deployments::EnvVar]| -> Option<String> {
            // Several `*` (all keys of an object) stand side by side.
            let values: Vec<_> = all.iter().filter(|v| v.name == name).map(|v| v.value.clone()).collect();
            (!values.is_empty()).then(|| values.join(", "))
        };
        let (before, after) = (shown(&old), shown(&new));
        let field = container.map_or_else(|| format!("env {name}"), |container| format!("env {name} ({container})"));
        if before == after && old_raw.get(name) != new_raw.get(name) {
            // Both are masked, so the difference has to be said.
            let after = after.map(|value| text!("{value} (another value)", value));
            lines.push(DiffLine { field, before: before.map(Text::verbatim), after });
        } else {
            push(lines, field, before, after);
        }
    }
}

fn raw_values(container: Option<&Container>) -> BTreeMap<&str, Option<&str>> {
    let env = container.and_then(|container| container.env.as_deref()).unwrap_or_default();
    env.iter().map(|variable| (variable.name.as_str(), variable.value.as_deref())).collect()
}

/// All other fields, by their path.
fn rest(lines: &mut Vec<DiffLine>, before: &Value, after: &Value) {
    let [old, new] = [before, after].map(|template| {
        let mut leaves = BTreeMap::new();
        flatten(template, "", &mut leaves);
        leaves
    });
    if old.get(&format!("metadata.annotations.{RESTART}")) != new.get(&format!("metadata.annotations.{RESTART}")) {
        lines.push(DiffLine {
            field: "restart".to_owned(),
            before: None,
            after: Some(text!("all instances are replaced")),
        });
    }
    for path in union(old.keys().map(String::as_str), new.keys().map(String::as_str)) {
        if !is_told_elsewhere(path) {
            push(lines, path.to_owned(), old.get(path).cloned(), new.get(path).cloned());
        }
    }
}

fn is_told_elsewhere(path: &str) -> bool {
    let field = path.strip_prefix("spec.").and_then(|rest| rest.split_once("].")).map_or("", |(_, field)| field);
    let container = path.starts_with("spec.containers[") || path.starts_with("spec.initContainers[");
    path.ends_with(RESTART)
        || (container && (field == "image" || field.starts_with("env[") || field.starts_with("envFrom[")))
}

/// Leaves by path; items of a list go by their name where they have one.
pub(super) fn flatten(value: &Value, path: &str, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(field, &path, leaves);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let key = item.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                flatten(item, &format!("{path}[{key}]"), leaves);
            }
        }
        leaf => {
            let text = leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned);
            let name = path.rsplit('.').next().unwrap_or_default();
            leaves.insert(path.to_owned(), literal(name, &text).value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures;
    use super::*;
    use serde_json::json;

    fn edited(edit: impl Fn(&mut Value)) -> Vec<String> {
        let before = Desired::present(&fixtures::snapshot("complete"));
        let mut after = before.clone();
        edit(&mut after.template);
        let show = |text: &Option<Text>| text.as_ref().map_or_else(|| "-".to_owned(), Text::to_string);
        let lines = lines(&before, &after, "web").unwrap();
        lines.iter().map(|line| format!("{}: {} > {}", line.field, show(&line.before), show(&line.after))).collect()
    }

    #[test]
    fn each_kind_of_difference_is_named() {
        assert_eq!(edited(|_| {}), Vec::<String>::new());
        assert_eq!(
            edited(|t| t["spec"]["containers"][0]["image"] = json!("tinyweb:v2")),
            ["image web: tinyweb:v1 > tinyweb:v2"]
        );
        assert_eq!(
            edited(|t| t["spec"]["containers"][0]["env"][0]["value"] = json!("60")),
            ["env SESSION_TTL: 30 > 60"]
        );
        assert_eq!(
            edited(|t| t["spec"]["containers"][0]["env"][1]["value"] = json!("other")),
            ["env API_TOKEN: *** > *** (another value)"]
        );
        assert_eq!(
            edited(|t| t["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "2"}})),
            ["spec.containers[web].resources.limits.cpu: - > 2"]
        );
        assert_eq!(
            edited(|t| t["metadata"]["annotations"] = json!({RESTART: "x"})),
            ["restart: - > all instances are replaced"]
        );
    }
}
