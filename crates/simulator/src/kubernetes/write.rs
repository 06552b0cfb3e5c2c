//! Creating, replacing, patching and deleting objects.

use super::admission::admit;
use super::kinds::{self, Kind, NAMESPACE};
use super::managed;
use super::pod;
use super::refusal::Refusal;
use super::server_side;
use super::state::State;
use crate::object::{default, int, set, text};
use crate::pace::stamp;
use crate::patch;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

/// Which part of an object a write reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Main,
    Status,
    Scale,
}

/// How a patch is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PatchKind {
    Json,
    Merge,
    Strategic,
    Apply,
}

impl PatchKind {
    pub(crate) fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/apply-patch+yaml" => Some(Self::Apply),
            _ => None,
        }
    }
}

/// A stored (or, for a dry run, computed) object.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) object: Arc<Value>,
    pub(crate) created: bool,
    /// What is to run changed.
    pub(crate) effect: bool,
}

/// Where a patch goes and how it is read.
#[derive(Debug)]
pub(crate) struct PatchTo<'a> {
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) part: Part,
    pub(crate) how: PatchKind,
    pub(crate) manager: &'a str,
    pub(crate) force: bool,
}

pub(crate) fn create(
    state: &mut State,
    kind: &'static Kind,
    object: Value,
    now: OffsetDateTime,
) -> Result<Written, Refusal> {
    let object = prepare_new(state, kind, object, now)?;
    Ok(Written { object: insert(state, kind, object, now), created: true, effect: true })
}

/// What `create` would store.
pub(crate) fn prepare_new(
    state: &mut State,
    kind: &'static Kind,
    mut object: Value,
    now: OffsetDateTime,
) -> Result<Value, Refusal> {
    if !object.is_object() {
        return Err(Refusal::bad_request("the object provided is unrecognized (must be of type object)"));
    }
    let namespace = text(&object, "/metadata/namespace").to_owned();
    if text(&object, "/metadata/name").is_empty() && !text(&object, "/metadata/generateName").is_empty() {
        let name = format!("{}{}", text(&object, "/metadata/generateName"), state.dice.suffix(5));
        set(&mut object, &["metadata", "name"], json!(name));
    }
    let name = text(&object, "/metadata/name").to_owned();
    if kind.namespaced && state.store.get(&NAMESPACE, "", &namespace).is_none() {
        return Err(Refusal::not_found(&NAMESPACE, &namespace));
    }
    if state.store.get(kind, &namespace, &name).is_some() {
        return Err(Refusal::exists(kind, &name));
    }
    admit(kind, &mut object, None)?;
    set(&mut object, &["metadata", "uid"], json!(state.dice.uuid()));
    set(&mut object, &["metadata", "creationTimestamp"], json!(stamp(now)));
    if kind.generation {
        set(&mut object, &["metadata", "generation"], json!(1));
        default(&mut object, &["status"], || json!({}));
    }
    Ok(object)
}

fn insert(state: &mut State, kind: &'static Kind, mut object: Value, now: OffsetDateTime) -> Arc<Value> {
    if kind == &kinds::POD {
        let sim = pod::PodSim::new(&object, now + state.pace.seconds(0.2));
        super::pod_status::write(&mut object, &sim, now);
        state.pods.insert(text(&object, "/metadata/uid").to_owned(), sim);
    }
    state.store.put(kind, object)
}

/// Replaces `before` by `after` as far as `part` reaches, and answers what is stored then.
pub(crate) fn replace(
    state: &mut State,
    kind: &'static Kind,
    before: &Arc<Value>,
    after: Value,
    part: Part,
    dry_run: bool,
) -> Result<Written, Refusal> {
    let name = text(before, "/metadata/name");
    let version = text(&after, "/metadata/resourceVersion");
    if !version.is_empty() && version != text(before, "/metadata/resourceVersion") {
        return Err(Refusal::conflict(kind, name));
    }
    let uid = text(&after, "/metadata/uid");
    if !uid.is_empty() && uid != text(before, "/metadata/uid") {
        return Err(Refusal::conflict(kind, name));
    }
    let mut next = match part {
        Part::Main => after,
        Part::Status => {
            let mut kept = (**before).clone();
            kept["status"] = after["status"].clone();
            kept
        }
        Part::Scale => {
            let mut kept = (**before).clone();
            kept["spec"]["replicas"] = after["spec"]["replicas"].clone();
            kept
        }
    };
    if part != Part::Status {
        keep_system_fields(kind, before, &mut next);
        admit(kind, &mut next, Some(before))?;
    }
    let effect = if kind.generation { next["spec"] != before["spec"] } else { next != **before };
    if kind.generation && effect {
        next["metadata"]["generation"] = json!(int(before, "/metadata/generation", 1) + 1);
    }
    let object = if dry_run { Arc::new(next) } else { state.store.put(kind, next) };
    Ok(Written { object, created: false, effect: effect && !dry_run })
}

/// What clients cannot change, and the status when it is a subresource.
fn keep_system_fields(kind: &Kind, before: &Value, next: &mut Value) {
    for field in ["name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion", "deletionTimestamp"]
    {
        match before["metadata"].get(field) {
            Some(value) => set(next, &["metadata", field], value.clone()),
            None => drop(crate::object::remove(next, &["metadata", field])),
        }
    }
    if kind.generation || kind == &kinds::POD {
        set(next, &["status"], before["status"].clone());
    }
}

pub(crate) fn patch(
    state: &mut State,
    to: &PatchTo<'_>,
    body: &Value,
    dry_run: bool,
    now: OffsetDateTime,
) -> Result<Written, Refusal> {
    let Some(before) = state.store.get(to.kind, to.namespace, to.name) else {
        return patch_absent(state, to, body, dry_run, now);
    };
    let mut after = match to.part {
        Part::Scale => scale_of(&before),
        Part::Main | Part::Status => (*before).clone(),
    };
    let version_asked = |body: &Value| text(body, "/metadata/resourceVersion").to_owned();
    match to.how {
        PatchKind::Json => patch::json_patch(&mut after, body).map_err(|error| {
            Refusal::new(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "Invalid",
                format!("the server rejected our request due to an error in our request: {error}"),
            )
        })?,
        PatchKind::Merge => patch::merge_patch(&mut after, body),
        PatchKind::Strategic => patch::strategic_merge(&mut after, body),
        PatchKind::Apply => {
            let asked = version_asked(body);
            if !asked.is_empty() && asked != text(&before, "/metadata/resourceVersion") {
                return Err(Refusal::conflict(to.kind, to.name));
            }
            server_side::apply(state, to, &before, &mut after, body)?;
        }
    }
    if to.kind == &kinds::DEPLOYMENT && to.part == Part::Main {
        managed::record(&before, &mut after, to.manager, now);
    }
    let written = replace(state, to.kind, &before, after, to.part, dry_run)?;
    if to.how == PatchKind::Apply && !dry_run {
        server_side::remember(state, to, &written.object, body);
    }
    Ok(written)
}

/// Only server-side apply creates what is not there.
fn patch_absent(
    state: &mut State,
    to: &PatchTo<'_>,
    body: &Value,
    dry_run: bool,
    now: OffsetDateTime,
) -> Result<Written, Refusal> {
    let versioned = !text(body, "/metadata/resourceVersion").is_empty();
    if to.how != PatchKind::Apply || to.part != Part::Main || versioned {
        return Err(Refusal::not_found(to.kind, to.name));
    }
    let mut object = body.clone();
    set(&mut object, &["metadata", "name"], json!(to.name));
    if to.kind.namespaced {
        set(&mut object, &["metadata", "namespace"], json!(to.namespace));
    }
    let object = prepare_new(state, to.kind, object, now)?;
    if dry_run {
        return Ok(Written { object: Arc::new(object), created: true, effect: false });
    }
    let object = insert(state, to.kind, object, now);
    server_side::remember(state, to, &object, body);
    Ok(Written { object, created: true, effect: true })
}

/// The `Scale` view of a workload.
pub(crate) fn scale_of(object: &Value) -> Value {
    let labels = object["spec"]["selector"]["matchLabels"].as_object();
    let selector: Vec<String> = labels
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let metadata = &object["metadata"];
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"], "uid": metadata["uid"],
                     "resourceVersion": metadata["resourceVersion"], "creationTimestamp": metadata["creationTimestamp"]},
        "spec": {"replicas": object["spec"]["replicas"]},
        "status": {"replicas": int(object, "/status/replicas", 0), "selector": selector.join(",")},
    })
}

pub(crate) fn delete(
    state: &mut State,
    kind: &'static Kind,
    namespace: &str,
    name: &str,
    options: &Value,
    now: OffsetDateTime,
) -> Result<Arc<Value>, Refusal> {
    let object = state.store.get(kind, namespace, name).ok_or_else(|| Refusal::not_found(kind, name))?;
    for field in ["uid", "resourceVersion"] {
        let asked = text(options, &format!("/preconditions/{field}"));
        if !asked.is_empty() && asked != text(&object, &format!("/metadata/{field}")) {
            return Err(Refusal::conflict(kind, name));
        }
    }
    if kind == &kinds::POD && int(options, "/gracePeriodSeconds", 30) > 0 {
        pod::terminate(state, &object, now);
        return Ok(state.store.get(kind, namespace, name).unwrap_or(object));
    }
    state.store.delete(kind, namespace, name);
    Ok(object)
}
