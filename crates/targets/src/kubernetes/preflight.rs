//! Whether the configuration keys that the pods will need are there, before anything is written.
//!
//! Values of Secrets are not requested: the server is asked for the metadata only, whose `managedFields` list the names of the keys.

use super::error::call;
use super::manifests::Brought;
use super::references::{Kind, Reference};
use super::workload::Workload;
use crate::TargetError;
use futures::StreamExt as _;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::api::ListParams;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::text;
use std::collections::{BTreeMap, BTreeSet};

/// Most objects that are looked up for one plan, and how many at a time.
const MAX_OBJECTS: usize = 40;
const AT_A_TIME: usize = 8;

/// What is known of one ConfigMap or Secret.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Absent,
    Keys(BTreeSet<String>),
    /// It exists, but its keys do not show in its metadata.
    Exists,
    Unreadable,
}

/// Findings about the references, one per missing key; what the change brings itself is there.
pub(super) async fn check(workload: &Workload, references: &[Reference], brought: &Brought) -> Vec<Finding> {
    let objects: BTreeSet<(Kind, String)> =
        references.iter().map(|one| (one.kind, one.name.clone())).take(MAX_OBJECTS).collect();
    let looked_up = futures::stream::iter(objects).map(|(kind, name)| async move {
        let known = look_up(workload, kind, &name).await;
        let known = with_brought(known, brought.keys(kind.title(), &name));
        ((kind, name), known)
    });
    let known: BTreeMap<_, _> = looked_up.buffer_unordered(AT_A_TIME).collect().await;
    let mut findings: Vec<Finding> = Vec::new();
    for reference in references.iter().filter(|one| !is_brought(one, brought)) {
        let found = known.get(&(reference.kind, reference.name.clone()));
        if let Some(finding) = found.and_then(|known| finding(reference, known))
            && !findings.contains(&finding)
        {
            findings.push(finding);
        }
    }
    findings
}

fn is_brought(reference: &Reference, brought: &Brought) -> bool {
    let keys = brought.keys(reference.kind.title(), &reference.name);
    keys.is_some_and(|keys| reference.key.as_ref().is_none_or(|key| keys.contains(key)))
}

/// An apply adds its keys to those that are there.
fn with_brought(known: Known, brought: Option<&BTreeSet<String>>) -> Known {
    match (known, brought) {
        (Known::Keys(mut keys), Some(brought)) => {
            keys.extend(brought.iter().cloned());
            Known::Keys(keys)
        }
        (Known::Absent, Some(brought)) => Known::Keys(brought.clone()),
        (known, _) => known,
    }
}

async fn look_up(workload: &Workload, kind: Kind, name: &str) -> Known {
    let what = format!("{} {name}", kind.title());
    let answer = match kind {
        Kind::ConfigMap => call(&what, workload.api::<ConfigMap>().get_opt(name)).await.map(|found| {
            found.map(|map| {
                // The values are dropped here; only names go further.
                let data = map.data.unwrap_or_default().into_keys();
                Known::Keys(data.chain(map.binary_data.unwrap_or_default().into_keys()).collect())
            })
        }),
        Kind::Secret => call(&what, workload.api::<Secret>().get_metadata_opt(name)).await.map(|found| {
            found.map(|secret| {
                let fields = secret.metadata.managed_fields.unwrap_or_default();
                keys_of(&fields).map_or(Known::Exists, Known::Keys)
            })
        }),
    };
    match answer {
        Ok(Some(known)) => known,
        Ok(None) => Known::Absent,
        Err(TargetError::Missing(_)) => Known::Absent,
        Err(_) => Known::Unreadable,
    }
}

/// Names of the keys of `data`, from the record of who set which field.
fn keys_of(managed: &[ManagedFieldsEntry]) -> Option<BTreeSet<String>> {
    let mut keys = None;
    for fields in managed.iter().filter_map(|entry| entry.fields_v1.as_ref()) {
        for data in ["f:data", "f:stringData"] {
            let Some(set) = fields.0.get(data).and_then(serde_json::Value::as_object) else { continue };
            let names = set.keys().filter_map(|key| key.strip_prefix("f:")).map(str::to_owned);
            keys.get_or_insert_with(BTreeSet::new).extend(names);
        }
    }
    keys
}

fn finding(reference: &Reference, known: &Known) -> Option<Finding> {
    let Reference { kind, name, key, user } = reference;
    let object = format!("{} {name}", kind.title());
    let told = |severity, code: &str, message| Some(Finding { severity, code: code.to_owned(), message });
    match (known, key) {
        (Known::Absent, Some(key)) => told(
            Severity::Error,
            "missing_object",
            text!("{object} does not exist; {user} needs its key {key}", object, user, key),
        ),
        (Known::Absent, None) => {
            told(Severity::Error, "missing_object", text!("{object} does not exist; {user} needs it", object, user))
        }
        (Known::Keys(keys), Some(key)) if !keys.contains(key) => {
            let near = match nearest(key, keys) {
                Some(near) => text!("the nearest is {near}", near),
                None if keys.is_empty() => text!("it has none"),
                None => text!("it has: {keys}", keys = listed(keys)),
            };
            let message = text!("{object} has no key {key}, which {user} needs; {near}", object, key, user, near);
            told(Severity::Error, "missing_key", message)
        }
        (Known::Exists, Some(key)) => told(
            Severity::Info,
            "unchecked_key",
            text!("{object} exists; whether it has the key {key} ({user}) cannot be seen", object, key, user),
        ),
        (Known::Unreadable, _) => told(
            Severity::Info,
            "unchecked_object",
            text!("{object} could not be looked up ({user} needs it)", object, user),
        ),
        (Known::Keys(_) | Known::Exists, _) => None,
    }
}

fn listed(keys: &BTreeSet<String>) -> String {
    keys.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The key that was probably meant.
fn nearest<'a>(wanted: &str, keys: &'a BTreeSet<String>) -> Option<&'a str> {
    let near = keys.iter().map(|key| (distance(&wanted.to_lowercase(), &key.to_lowercase()), key.as_str()));
    near.min().filter(|(distance, _)| *distance <= wanted.chars().count().max(4) / 2).map(|(_, key)| key)
}

/// Levenshtein distance; keys are at most 253 characters long.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(0)
}

/// Name of the autoscaler that decides the number of pods, when there is one and we may see it.
pub(super) async fn autoscaler(workload: &Workload) -> Option<String> {
    let list = ListParams::default().limit(500);
    let all = call(text!("the autoscalers"), workload.api::<HorizontalPodAutoscaler>().list(&list)).await.ok()?;
    let ours = all.items.into_iter().find(|scaler| {
        let target = scaler.spec.as_ref().map(|spec| &spec.scale_target_ref);
        target.is_some_and(|target| target.kind == workload.kind.as_str() && target.name == workload.name)
    });
    ours.and_then(|scaler| scaler.metadata.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_names_come_from_the_record_of_fields() {
        let managed: Vec<ManagedFieldsEntry> = serde_json::from_value(json!([
            {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {".": {}, "f:url": {}, "f:user": {}}, "f:type": {}}},
            {"manager": "helm", "operation": "Apply", "fieldsV1": {"f:stringData": {"f:password": {}}}}
        ]))
        .unwrap();
        assert_eq!(keys_of(&managed).unwrap().into_iter().collect::<Vec<_>>(), ["password", "url", "user"]);
        assert_eq!(keys_of(&[]), None);
    }

    #[test]
    fn a_missing_key_names_the_nearest() {
        let reference = |key: &str| Reference {
            kind: Kind::Secret,
            name: "db".into(),
            key: Some(key.into()),
            user: passerelle_contract::Text::verbatim("env DB"),
        };
        let keys = Known::Keys(["url", "username"].map(str::to_owned).into());
        let missing = finding(&reference("user-name"), &keys).unwrap();
        assert_eq!((missing.severity, missing.code.as_str()), (Severity::Error, "missing_key"));
        assert!(
            missing.message.to_string().contains("no key user-name")
                && missing.message.to_string().ends_with("the nearest is username"),
            "{missing:?}"
        );
        assert!(
            finding(&reference("certificate"), &keys).unwrap().message.to_string().ends_with("it has: url, username")
        );
        assert_eq!(finding(&reference("url"), &keys), None);
        assert_eq!(finding(&reference("url"), &Known::Absent).unwrap().severity, Severity::Error);
        assert_eq!(finding(&reference("url"), &Known::Unreadable).unwrap().severity, Severity::Info);
    }

    #[test]
    fn what_comes_with_the_change_is_there() {
        let brought = BTreeSet::from(["new".to_owned()]);
        let both = BTreeSet::from(["new".to_owned(), "old".to_owned()]);
        let old = Known::Keys(BTreeSet::from(["old".to_owned()]));
        assert_eq!(with_brought(old.clone(), Some(&brought)), Known::Keys(both));
        assert_eq!(with_brought(Known::Absent, Some(&brought)), Known::Keys(brought.clone()));
        assert_eq!(with_brought(Known::Absent, None), Known::Absent);
        assert_eq!(with_brought(old.clone(), None), old);
    }

    #[test]
    fn distances_are_levenshtein() {
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("same", "same")), (3, 3, 0));
    }
}
