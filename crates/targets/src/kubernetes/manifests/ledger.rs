//! Who writes the manifests of a binding, what is applied, and all that was ever made: one ConfigMap beside the workload.
//!
//! It is claimed before the first object is written. An older writer finds a younger claim before each of its writes; what it has read before
//! that claim it cannot write any more, because the younger one has marked each object with its own fence.

use super::super::annotations;
use super::super::apply::FIELD_MANAGER;
use super::super::error::call;
use super::super::workload::Workload;
use super::object::{Id, MANAGED_BY, Object, label_of, short};
use crate::{Change, Fence, TargetError, fencing};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Patch, PatchParams, PostParams};
use passerelle_contract::text;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// On the ledger: which workload it is about.
const LABEL: &str = "passerelle.dev/ledger";
const KEY: &str = "ledger";
const ATTEMPTS: u32 = 8;
/// Revisions that are kept, the newest first.
pub(super) const REVISIONS: usize = 10;

/// The ledger as it was read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ledger {
    version: Option<String>,
    pub fence: Option<Fence>,
    change: Option<String>,
    pub content: Content,
}

/// What is written in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Content {
    /// The revision that is asked for.
    pub revision: String,
    /// All of its objects are written.
    pub applied: bool,
    /// Its objects.
    pub current: Vec<Id>,
    /// These, and those of earlier revisions that are not deleted yet.
    pub inventory: Vec<Id>,
    /// Newest first.
    pub revisions: Vec<String>,
}

impl Content {
    /// The same with a revision asked for. Only what this very deployment has applied counts as applied: the marks of another one are
    /// not its own, and somebody may have changed the objects since.
    fn asking(mut self, revision: &str, objects: &[Object], carried: bool) -> Self {
        let ids: Vec<Id> = objects.iter().map(|object| object.id.clone()).collect();
        self.applied &= carried && self.revision == revision;
        revision.clone_into(&mut self.revision);
        self.inventory.retain(|known| !ids.iter().any(|id| id.is_same(known)));
        self.inventory.extend(ids.iter().cloned());
        self.current = ids;
        self.revisions.retain(|known| known != revision);
        self.revisions.insert(0, revision.to_owned());
        self
    }

    /// What earlier revisions made and this one has no more.
    pub fn gone<'a>(&'a self, current: &'a [Id]) -> impl Iterator<Item = &'a Id> {
        self.inventory.iter().filter(|known| !current.iter().any(|id| id.is_same(known)))
    }
}

impl Ledger {
    fn of(map: &ConfigMap) -> Self {
        let annotations = map.metadata.annotations.as_ref();
        let content = map.data.as_ref().and_then(|data| serde_json::from_str(data.get(KEY)?).ok());
        Self {
            version: map.metadata.resource_version.clone(),
            fence: annotations::fence(annotations),
            change: annotations.and_then(|all| all.get(annotations::CHANGE)).cloned(),
            content: content.unwrap_or_default(),
        }
    }

    /// Whether what was claimed last is this change, by this deployment.
    pub fn carries(&self, change: &Change, deployment: Uuid) -> bool {
        self.fence.is_some_and(|fence| fence.deployment == deployment)
            && self.change.as_deref() == Some(fencing::hash(change).as_str())
    }
}

fn name(workload: &Workload) -> String {
    format!("passerelle-{}", short(&workload.name, 200))
}

fn title(workload: &Workload) -> String {
    format!("ConfigMap {}/{}", workload.namespace, name(workload))
}

/// Nothing where no manifests were applied yet.
pub(super) async fn read(workload: &Workload) -> Result<Option<Ledger>, TargetError> {
    let maps = workload.api::<ConfigMap>();
    let found = call(title(workload), maps.get_opt(&name(workload))).await?;
    Ok(found.as_ref().map(Ledger::of))
}

/// Writes down that this writer is about to apply a revision, before any object of it is written.
///
/// # Errors
/// [`TargetError::Fenced`] when a younger deployment or a later epoch has claimed it.
pub(super) async fn claim(
    workload: &Workload,
    change: &Change,
    fence: Fence,
    revision: &str,
    objects: &[Object],
) -> Result<(), TargetError> {
    change_it(workload, change, fence, |content, carried| content.asking(revision, objects, carried)).await
}

/// Takes it over for a change that leaves the manifests as they are.
pub(super) async fn touch(workload: &Workload, change: &Change, fence: Fence) -> Result<(), TargetError> {
    change_it(workload, change, fence, |content, _| content).await
}

async fn change_it(
    workload: &Workload,
    change: &Change,
    fence: Fence,
    edit: impl Fn(Content, bool) -> Content,
) -> Result<(), TargetError> {
    for _ in 0..ATTEMPTS {
        let found = read(workload).await?;
        fencing::check(found.as_ref().and_then(|found| found.fence), fence)?;
        let before = found.as_ref().map(|found| found.content.clone()).unwrap_or_default();
        let carried = found.as_ref().is_some_and(|found| found.carries(change, fence.deployment));
        let content = edit(before, carried);
        let marks = annotations::patch(change, fence);
        let written = match found {
            Some(found) => patch(workload, found.version.as_deref(), Some(marks), &content).await?,
            None => create(workload, &marks, &content).await?,
        };
        if written {
            return Ok(());
        }
    }
    Err(busy(workload))
}

/// Changes what is written in it, as long as it is this writer's.
pub(super) async fn update(workload: &Workload, fence: Fence, edit: impl Fn(&mut Content)) -> Result<(), TargetError> {
    for _ in 0..ATTEMPTS {
        let found = ours(workload, fence).await?;
        let mut content = found.content;
        edit(&mut content);
        if patch(workload, found.version.as_deref(), None, &content).await? {
            return Ok(());
        }
    }
    Err(busy(workload))
}

/// The ledger, while this writer's claim stands.
///
/// # Errors
/// [`TargetError::Fenced`] when somebody else has claimed it since.
pub(super) async fn ours(workload: &Workload, fence: Fence) -> Result<Ledger, TargetError> {
    // One that was deleted meanwhile is made again at the next attempt.
    let found = read(workload).await?.ok_or_else(|| busy(workload))?;
    fencing::check(found.fence, fence)?;
    if found.fence == Some(fence) {
        return Ok(found);
    }
    Err(TargetError::Fenced(text!("{ledger} is another writer's", ledger = title(workload))))
}

fn busy(workload: &Workload) -> TargetError {
    TargetError::Unreachable(text!("{title} kept changing while it was to be written", title = title(workload)))
}

fn data(content: &Content) -> Value {
    json!({ KEY: serde_json::to_string(content).unwrap_or_default() })
}

/// Not when somebody was faster.
async fn create(workload: &Workload, marks: &Value, content: &Content) -> Result<bool, TargetError> {
    let labels = json!({ MANAGED_BY.0: MANAGED_BY.1, LABEL: label_of(&workload.name) });
    let map = json!({
        "metadata": { "name": name(workload), "labels": labels, "annotations": marks },
        "data": data(content),
    });
    let map: ConfigMap = serde_json::from_value(map)
        .map_err(|_| TargetError::Refused(text!("{object} cannot be written", object = title(workload))))?;
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let maps = workload.api::<ConfigMap>();
    let request = async {
        match maps.create(&params, &map).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    };
    call(title(workload), request).await
}

async fn patch(
    workload: &Workload,
    version: Option<&str>,
    marks: Option<Value>,
    content: &Content,
) -> Result<bool, TargetError> {
    let mut body = json!({ "metadata": { "resourceVersion": version }, "data": data(content) });
    if let Some(marks) = marks {
        body["metadata"]["annotations"] = marks;
    }
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let maps = workload.api::<ConfigMap>();
    let (name, body) = (name(workload), Patch::Merge(body));
    let request = async {
        match maps.patch(&name, &params, &body).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(false),
            Err(error) => Err(error),
        }
    };
    call(title(workload), request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: &str, name: &str) -> Object {
        let id = Id {
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: format!("{}s", kind.to_lowercase()),
            name: name.to_owned(),
        };
        Object { id, order: 0, value: json!({}) }
    }

    #[test]
    fn what_was_made_is_known_until_it_is_deleted() {
        let first = Content::default().asking("r1", &[object("ConfigMap", "a"), object("ConfigMap", "b")], false);
        let applied = Content { applied: true, ..first };
        let second = applied.clone().asking("r2", &[object("ConfigMap", "b"), object("ConfigMap", "c")], false);
        assert!(!second.applied);
        assert_eq!(second.gone(&second.current).map(Id::title).collect::<Vec<_>>(), ["ConfigMap a"]);
        assert_eq!(second.revisions, ["r2", "r1"]);
        // The same once more, by who takes over, is no new one.
        let again =
            |carried| applied.clone().asking("r1", &[object("ConfigMap", "a"), object("ConfigMap", "b")], carried);
        assert!(again(true).applied);
        assert!(!again(false).applied, "another deployment writes its own marks");
        let back = second.asking("r1", &[object("ConfigMap", "a"), object("ConfigMap", "b")], false);
        assert_eq!(back.gone(&back.current).map(Id::title).collect::<Vec<_>>(), ["ConfigMap c"]);
        assert_eq!(back.revisions, ["r1", "r2"]);
    }

    #[test]
    fn a_ledger_that_somebody_spoiled_is_an_empty_one() {
        let map: ConfigMap =
            serde_json::from_value(json!({"metadata": {"name": "x"}, "data": {"ledger": "["}})).unwrap();
        let ledger = Ledger::of(&map);
        assert_eq!((ledger.fence, ledger.content), (None, Content::default()));
    }
}
