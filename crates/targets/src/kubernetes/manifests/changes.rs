//! What an apply changes on one object, line by line, with secrets masked. Pure.

use super::super::annotations;
use super::super::diff::flatten;
use super::super::snapshot::without_nulls;
use super::REVISION;
use super::object::{BINDING, Id, MANAGED_BY};
use crate::masking::MASK;
use kube::api::DynamicObject;
use passerelle_contract::deployments::DiffLine;
use passerelle_contract::{Text, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most lines about one object.
const MOST_LINES: usize = 40;

/// An object that is to be made.
pub(super) fn made(id: &Id) -> DiffLine {
    DiffLine { field: id.title(), before: None, after: Some(text!("is made")) }
}

/// One that the manifests have no more.
pub(super) fn gone(id: &Id, stays: bool) -> DiffLine {
    let after = if stays {
        text!("is in the manifests no more and stays: what it holds cannot be made again")
    } else {
        text!("is deleted once the new version is healthy")
    };
    DiffLine { field: id.title(), before: Some(text!("made by an earlier version")), after: Some(after) }
}

/// `whole` is false for the Deployment of the binding, whose pods are told of field by field elsewhere.
pub(super) fn of(id: &Id, live: &DynamicObject, after: &DynamicObject, whole: bool) -> Vec<DiffLine> {
    let [old, new] = [live, after].map(|object| leaves(id, object, whole));
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut lines = Vec::new();
    for path in paths {
        let [before, after] = [&old, &new].map(|leaves| leaves.get(path));
        if before == after {
            continue;
        }
        let shown = |leaf: Option<&Leaf>| leaf.map(|leaf| leaf.shown.clone());
        let (before, mut after) = (shown(before).map(Text::verbatim), shown(after).map(Text::verbatim));
        if before == after {
            // Both are masked, so the difference has to be said.
            after = after.map(|value| text!("{value} (another value)", value));
        }
        lines.push(DiffLine { field: format!("{} {path}", id.title()), before, after });
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        let after = Some(text!("{count} more lines", count = more));
        lines.push(DiffLine { field: format!("{} …", id.title()), before: None, after });
    }
    lines
}

#[derive(Debug, PartialEq, Eq)]
struct Leaf {
    shown: String,
    /// As it is, never shown: to see that it differs.
    value: String,
}

fn leaves(id: &Id, object: &DynamicObject, whole: bool) -> BTreeMap<String, Leaf> {
    let mut all = serde_json::Map::new();
    for (name, value) in object.data.as_object().into_iter().flatten().filter(|(name, _)| *name != "status") {
        all.insert(name.clone(), without_nulls(value));
    }
    if !whole && let Some(spec) = all.get_mut("spec").and_then(Value::as_object_mut) {
        spec.shift_remove("template");
        spec.shift_remove("replicas");
    }
    let ours = [annotations::DEPLOYMENT, annotations::EPOCH, annotations::CHANGE, REVISION, BINDING, MANAGED_BY.0];
    let marks = |all: Option<&BTreeMap<String, String>>| -> Value {
        all.into_iter()
            .flatten()
            .filter(|(name, _)| !ours.contains(&name.as_str()) && !name.starts_with("deployment.kubernetes.io/"))
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect()
    };
    all.insert("labels".to_owned(), marks(object.metadata.labels.as_ref()));
    all.insert("annotations".to_owned(), marks(object.metadata.annotations.as_ref()));
    let all = Value::Object(all);
    let mut shown = BTreeMap::new();
    flatten(&all, "", &mut shown);
    let mut values = BTreeMap::new();
    plain(&all, "", &mut values);
    let is_secret = |path: &str| id.kind == "Secret" && (path.starts_with("data.") || path.starts_with("stringData."));
    values
        .into_iter()
        .map(|(path, value)| {
            let masked = if is_secret(&path) { None } else { shown.remove(&path) };
            let leaf = Leaf { shown: masked.unwrap_or_else(|| MASK.to_owned()), value };
            (path, leaf)
        })
        .collect()
}

/// The same leaves as [`flatten`] with their values as they are.
fn plain(value: &Value, path: &str, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (key, field) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                plain(field, &path, leaves);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let key = item.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                plain(item, &format!("{path}[{key}]"), leaves);
            }
        }
        leaf => {
            leaves.insert(path.to_owned(), leaf.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(kind: &str, before: Value, after: Value) -> Vec<String> {
        let id =
            Id { api_version: "v1".to_owned(), kind: kind.to_owned(), plural: String::new(), name: "web".to_owned() };
        let [before, after] = [before, after].map(|mut value| {
            value["metadata"]["name"] = json!("web");
            serde_json::from_value::<DynamicObject>(value).unwrap()
        });
        let show = |text: &Option<Text>| text.as_ref().map_or_else(|| "-".to_owned(), Text::to_string);
        let lines = of(&id, &before, &after, kind != "Deployment");
        lines.iter().map(|line| format!("{}: {} > {}", line.field, show(&line.before), show(&line.after))).collect()
    }

    #[test]
    fn fields_are_told_and_our_marks_are_not() {
        let before = json!({"metadata": {"labels": {"a": "1"}, "annotations": {"passerelle.dev/epoch": "1"}}, "data": {"TTL": "30", "OLD": "x"}});
        let after = json!({"metadata": {"labels": {"a": "2", BINDING: "web"}, "annotations": {"passerelle.dev/epoch": "2"}}, "data": {"TTL": "60"}});
        assert_eq!(
            lines("ConfigMap", before, after),
            ["ConfigMap web data.OLD: x > -", "ConfigMap web data.TTL: 30 > 60", "ConfigMap web labels.a: 1 > 2"]
        );
    }

    #[test]
    fn values_of_secrets_never_show() {
        let secret = |url: &str| json!({"data": {"url": url, "plain": "aGVsbG8="}});
        assert_eq!(
            lines("Secret", secret("aHVudGVyMg=="), secret("b3RoZXI=")),
            ["Secret web data.url: *** > *** (another value)"]
        );
        let map = |value: &str| json!({"data": {"API_TOKEN": value}});
        assert_eq!(
            lines("ConfigMap", map("hunter2"), map("hunter3")),
            ["ConfigMap web data.API_TOKEN: *** > *** (another value)"]
        );
    }

    #[test]
    fn the_pods_of_the_deployment_are_told_of_elsewhere() {
        let deployment = |replicas: u32, strategy: &str| json!({"spec": {"replicas": replicas, "strategy": {"type": strategy}, "template": {"x": replicas}}, "status": {"replicas": replicas}});
        assert_eq!(
            lines("Deployment", deployment(1, "Recreate"), deployment(2, "RollingUpdate")),
            ["Deployment web spec.strategy.type: Recreate > RollingUpdate"]
        );
    }
}
