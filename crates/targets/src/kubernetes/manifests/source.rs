//! From a change to the objects that it asks for.

use super::super::error::call;
use super::super::workload::Workload;
use super::admit::{Place, admit, pin};
use super::config::Manifests;
use super::kinds::{Kind, OTHERS, known};
use super::ledger::Ledger;
use super::object::{Object, kind_of, said};
use super::render::render;
use super::revision;
use crate::{Change, ImageRef, TargetError};
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use passerelle_contract::text;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many pods there are to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    /// As the manifest says, else as many as now.
    Manifest,
    Now,
    Exactly(u32),
}

/// What is to be applied.
#[derive(Debug)]
pub(super) struct Prepared {
    pub objects: Vec<Object>,
    pub revision: String,
    /// The manifest of the namespace, for making it.
    pub namespace: Option<Value>,
    pub count: Count,
}

impl Prepared {
    fn new(objects: Vec<Object>, namespace: Option<Value>, count: Count) -> Self {
        Self { revision: revision::key_of(&objects), objects, namespace, count }
    }

    /// A revision that was kept, for a change.
    pub async fn kept(workload: &Workload, revision: &str, change: &Change) -> Result<Self, TargetError> {
        let objects = revision::load(workload, revision).await?;
        Ok(Self { objects, revision: revision.to_owned(), namespace: None, count: count_of(change) })
    }
}

/// What a change asks for; nothing when it is no matter of manifests.
///
/// # Errors
/// What is wrong with the manifests, as [`TargetError::Artifact`]; that what was recorded is kept no more, as [`TargetError::Missing`].
pub(super) async fn prepare(
    workload: &Workload,
    settings: &Manifests,
    ledger: Option<&Ledger>,
    change: &Change,
) -> Result<Option<Prepared>, TargetError> {
    match change {
        Change::Image { image, manifests: Some(bundle) } => {
            let image = checked(image)?;
            let files = workload.bundles.get(bundle).await?;
            let rendered = render(&files, settings.path.as_str()).await?;
            let asked = ask_for_kinds(workload, &rendered).await?;
            let kinds = |api_version: &str, kind: &str| {
                known(api_version, kind).or_else(|| asked.get(&(api_version.to_owned(), kind.to_owned())).cloned())
            };
            let mut admitted = admit(rendered, settings, place(workload), &kinds)?;
            pin(&mut admitted.objects, place(workload), &image)?;
            Ok(Some(Prepared::new(admitted.objects, admitted.namespace, count_of(change))))
        }
        // Another image under the manifests that are applied.
        Change::Image { image, manifests: None } => {
            let Some(applied) = ledger.filter(|ledger| !ledger.content.revision.is_empty()) else { return Ok(None) };
            let mut objects = revision::load(workload, &applied.content.revision).await?;
            pin(&mut objects, place(workload), &checked(image)?)?;
            Ok(Some(Prepared::new(objects, None, Count::Now)))
        }
        Change::Restore { recorded } | Change::RestoreVersion { recorded } => {
            if recorded.0["nothing"] == true {
                return Err(TargetError::Refused(text!("nothing ran here before, so there is nothing to go back to")));
            }
            match recorded.0["manifests"].as_str() {
                Some(revision) => Prepared::kept(workload, revision, change).await.map(Some),
                None => Ok(None),
            }
        }
        Change::Restart | Change::Scale { .. } => Ok(None),
    }
}

fn checked(image: &str) -> Result<String, TargetError> {
    let parsed = ImageRef::parse(image)
        .map_err(|error| TargetError::Config { pointer: "/image".to_owned(), message: error.text() })?;
    Ok(parsed.to_string())
}

fn count_of(change: &Change) -> Count {
    match change {
        Change::Image { manifests: Some(_), .. } => Count::Manifest,
        Change::Restore { recorded } => {
            let replicas = recorded.0["replicas"].as_u64().and_then(|number| u32::try_from(number).ok());
            replicas.map_or(Count::Now, Count::Exactly)
        }
        _ => Count::Now,
    }
}

pub(super) fn place(workload: &Workload) -> Place<'_> {
    Place { namespace: &workload.namespace, deployment: &workload.name, container: workload.container.as_deref() }
}

/// The kinds that only the cluster knows: custom resources. One that it does not know is left out, and told of by name.
async fn ask_for_kinds(
    workload: &Workload,
    rendered: &[Value],
) -> Result<BTreeMap<(String, String), Kind>, TargetError> {
    let mut found = BTreeMap::new();
    for (api_version, kind) in rendered.iter().filter(|value| kind_of(value).is_none()).filter_map(said) {
        let key = (api_version.to_owned(), kind.to_owned());
        if found.contains_key(&key) || !is_plain(api_version) {
            continue;
        }
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let asked = GroupVersionKind::gvk(group, version, kind);
        let what = text!("the kind {kind}", kind = format!("{api_version} {kind}"));
        let request = async {
            match pinned_kind(&workload.client, &asked).await {
                Ok(found) => Ok(Some(found)),
                Err(kube::Error::Discovery(_)) => Ok(None),
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(None),
                Err(error) => Err(error),
            }
        };
        if let Some((resource, capabilities)) = call(what, request).await? {
            let namespaced = capabilities.scope == Scope::Namespaced;
            found.insert(key, Kind { resource, namespaced, order: OTHERS });
        }
    }
    Ok(found)
}

/// A part of a URL that can be nothing else.
fn is_plain(api_version: &str) -> bool {
    let part = |part: &str| {
        (1..=200).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
            && !part.starts_with('.')
    };
    api_version.split('/').count() <= 2 && api_version.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recorded;
    use passerelle_contract::deployments::ManifestBundle;
    use serde_json::json;

    #[test]
    fn who_says_how_many_pods_there_are() {
        let bundle = ManifestBundle { url: "https://example.test/a.tar".into(), sha256: "0".repeat(64) };
        let recorded = Recorded(json!({"replicas": 4}));
        for (change, count) in [
            (Change::Image { image: "a".into(), manifests: Some(bundle) }, Count::Manifest),
            (Change::Image { image: "a".into(), manifests: None }, Count::Now),
            (Change::RestoreVersion { recorded: recorded.clone() }, Count::Now),
            (Change::Restore { recorded }, Count::Exactly(4)),
        ] {
            assert_eq!(count_of(&change), count);
        }
    }

    #[test]
    fn a_version_becomes_part_of_an_address_only_when_it_is_plain() {
        for (version, plain) in
            [("v1", true), ("cert-manager.io/v1", true), ("a/b/c", false), ("../v1", false), ("a?b/v1", false)]
        {
            assert_eq!(is_plain(version), plain, "{version}");
        }
    }
}
