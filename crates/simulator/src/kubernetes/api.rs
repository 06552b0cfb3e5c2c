//! Calls to the API server: who may, and what is done.

use super::cluster::Cluster;
use super::path::{self, Objects, Target};
use super::read::{self, View};
use super::refusal::Refusal;
use super::write::{self, Part, PatchKind, PatchTo, Written};
use super::{discovery, logs, proxy, watch};
use crate::call::{self, Call};
use crate::object::{set, text};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use time::OffsetDateTime;

pub(crate) fn answer(cluster: &Arc<Cluster>, call: &Call) -> Response {
    let target = path::parse(&call.path);
    let object = match &target {
        Target::Objects(objects) if call.is_write() => Some(journal_name(objects)),
        _ => None,
    };
    let result = authorize(cluster, call).and_then(|()| route(cluster, &target, call));
    match (result, object) {
        (Ok(response), _) => response,
        // A refused write is in the journal too.
        (Err(refusal), Some(object)) => call::wrote(refusal.response(), object, false),
        (Err(refusal), None) => refusal.response(),
    }
}

fn journal_name(objects: &Objects) -> String {
    let name = objects.name.as_deref().unwrap_or("*");
    if objects.kind.namespaced {
        format!("{}/{}/{name}", objects.kind.resource(), objects.namespace)
    } else {
        format!("{}/{name}", objects.kind.resource())
    }
}

fn authorize(cluster: &Cluster, call: &Call) -> Result<(), Refusal> {
    let given = call.header(header::AUTHORIZATION).trim_start_matches("Bearer ");
    match (&cluster.world.token, &cluster.world.viewer_token) {
        (None, None) => Ok(()),
        (Some(admin), _) if admin == given => Ok(()),
        (_, Some(viewer)) if viewer == given => {
            if !call.is_write() || matches!(path::parse(&call.path), Target::Review(_)) {
                return Ok(());
            }
            let message = format!("{} {} is forbidden: User \"viewer\" may only read", call.method, call.path);
            Err(Refusal::new(StatusCode::FORBIDDEN, "Forbidden", message))
        }
        (None, Some(_)) if given.is_empty() => Ok(()),
        _ => Err(Refusal::new(StatusCode::UNAUTHORIZED, "Unauthorized", "Unauthorized")),
    }
}

fn route(cluster: &Arc<Cluster>, target: &Target, call: &Call) -> Result<Response, Refusal> {
    let ok = |value: &Value| Ok(call::json(StatusCode::OK, value));
    let unknown =
        || Refusal::new(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource");
    match target {
        Target::Version => ok(&discovery::version(&cluster.world.version)),
        Target::Health => Ok(call::plain(StatusCode::OK, "ok")),
        Target::Groups { core } => ok(&discovery::groups(*core)),
        Target::Resources { group, version } => ok(&discovery::resources(group, version).ok_or_else(unknown)?),
        Target::Review(kind) => review(cluster, kind, call),
        Target::Objects(objects) => on_objects(cluster, objects, call),
        Target::Proxy { namespace, service } => ok(&proxy::answer(&cluster.state.lock(), namespace, service)?),
        Target::Unknown => Err(unknown()),
    }
}

/// "May I": what the token allows.
fn review(cluster: &Cluster, kind: &str, call: &Call) -> Result<Response, Refusal> {
    let mut answer = body(call)?;
    let given = call.header(header::AUTHORIZATION).trim_start_matches("Bearer ");
    let viewer = cluster.world.viewer_token.as_deref() == Some(given) && !given.is_empty();
    if kind == "SelfSubjectAccessReview" {
        let verb = text(&answer, "/spec/resourceAttributes/verb");
        let allowed = !viewer || matches!(verb, "get" | "list" | "watch");
        set(&mut answer, &["status"], json!({"allowed": allowed}));
    } else {
        let name = if viewer { "viewer" } else { "admin" };
        set(&mut answer, &["status"], json!({"userInfo": {"username": name}}));
    }
    Ok(call::json(StatusCode::CREATED, &answer))
}

fn body(call: &Call) -> Result<Value, Refusal> {
    if call.body.is_empty() {
        return Ok(json!({}));
    }
    // Clients send YAML for server-side apply; JSON is YAML, but its own parser is stricter and faster.
    let parsed = serde_json::from_slice(&call.body).or_else(|error| {
        if call.header(header::CONTENT_TYPE).contains("yaml") {
            serde_yaml_ng::from_slice(&call.body).map_err(|error| error.to_string())
        } else {
            Err(error.to_string())
        }
    });
    parsed.map_err(|error| Refusal::bad_request(format!("the body of the request is not valid: {error}")))
}

fn on_objects(cluster: &Arc<Cluster>, objects: &Objects, call: &Call) -> Result<Response, Refusal> {
    match (&call.method, objects.name.as_deref()) {
        (&Method::GET, None) if call.is_set("watch") => watch::open(cluster, objects.kind, &objects.namespace, call),
        (&Method::GET, None) => {
            let list = read::list(&cluster.state.lock(), objects.kind, &objects.namespace, call)?;
            Ok(call::json(StatusCode::OK, &list))
        }
        (&Method::GET, Some(name)) => get(cluster, objects, name, call),
        (&Method::POST, None) => create(cluster, objects, call),
        (&Method::PUT, Some(name)) => update(cluster, objects, name, call),
        (&Method::PATCH, Some(name)) => patch(cluster, objects, name, call),
        (&Method::DELETE, Some(name)) => delete(cluster, objects, name, call),
        _ => {
            let message = "the server does not allow this method on the requested resource";
            Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", message))
        }
    }
}

fn part(objects: &Objects) -> Result<Part, Refusal> {
    match objects.subresource.as_deref() {
        None => Ok(Part::Main),
        Some("status") => Ok(Part::Status),
        Some("scale") if matches!(objects.kind.kind, "Deployment" | "ReplicaSet") => Ok(Part::Scale),
        Some(_) => {
            Err(Refusal::new(StatusCode::NOT_FOUND, "NotFound", "the server could not find the requested resource"))
        }
    }
}

fn get(cluster: &Cluster, objects: &Objects, name: &str, call: &Call) -> Result<Response, Refusal> {
    let state = cluster.state.lock();
    let object = read::get(&state, objects, name)?;
    if objects.subresource.as_deref() == Some("log") && objects.kind.kind == "Pod" {
        let gone = || Refusal::not_found(objects.kind, name);
        let sim = state.pods.get(text(&object, "/metadata/uid")).ok_or_else(gone)?;
        let lines = logs::read(&object, sim, call, state.pace, OffsetDateTime::now_utc())?;
        return Ok(call::plain(StatusCode::OK, lines));
    }
    let value = if part(objects)? == Part::Scale { write::scale_of(&object) } else { View::of(call).show(&object) };
    Ok(call::json(StatusCode::OK, &value))
}

fn create(cluster: &Cluster, objects: &Objects, call: &Call) -> Result<Response, Refusal> {
    let mut object = body(call)?;
    if objects.kind.namespaced {
        let given = text(&object, "/metadata/namespace");
        if !given.is_empty() && given != objects.namespace {
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
        set(&mut object, &["metadata", "namespace"], json!(objects.namespace));
    }
    let mut state = cluster.state.lock();
    let now = OffsetDateTime::now_utc();
    let written = if call.parameter("dryRun") == Some("All") {
        let object = write::prepare_new(&mut state, objects.kind, object, now)?;
        Written { object: Arc::new(object), created: true, effect: false }
    } else {
        write::create(&mut state, objects.kind, object, now)?
    };
    drop(state);
    Ok(done(cluster, objects, Part::Main, &written))
}

fn update(cluster: &Cluster, objects: &Objects, name: &str, call: &Call) -> Result<Response, Refusal> {
    let after = body(call)?;
    let part = part(objects)?;
    let mut state = cluster.state.lock();
    let before = read::get(&state, objects, name)?;
    let given = text(&after, "/metadata/name");
    if given != name {
        let message = format!("the name of the object ({given}) does not match the name on the URL ({name})");
        return Err(Refusal::bad_request(message));
    }
    let dry_run = call.parameter("dryRun") == Some("All");
    let written = write::replace(&mut state, objects.kind, &before, after, part, dry_run)?;
    drop(state);
    Ok(done(cluster, objects, part, &written))
}

fn patch(cluster: &Cluster, objects: &Objects, name: &str, call: &Call) -> Result<Response, Refusal> {
    let content_type = call.header(header::CONTENT_TYPE);
    let how = PatchKind::of(content_type).ok_or_else(|| {
        let message = format!("the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml (not {content_type})");
        Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message)
    })?;
    let part = part(objects)?;
    let to = PatchTo {
        kind: objects.kind,
        namespace: &objects.namespace,
        name,
        part,
        how,
        manager: call.parameter("fieldManager").unwrap_or_default(),
        force: call.is_set("force"),
    };
    let dry_run = call.parameter("dryRun") == Some("All");
    let change = body(call)?;
    let written = write::patch(&mut cluster.state.lock(), &to, &change, dry_run, OffsetDateTime::now_utc())?;
    Ok(done(cluster, objects, part, &written))
}

fn delete(cluster: &Cluster, objects: &Objects, name: &str, call: &Call) -> Result<Response, Refusal> {
    let options = body(call)?;
    let now = OffsetDateTime::now_utc();
    let object = write::delete(&mut cluster.state.lock(), objects.kind, &objects.namespace, name, &options, now)?;
    cluster.changed.notify_one();
    Ok(call::wrote(call::json(StatusCode::OK, &object), journal_name(objects), true))
}

fn done(cluster: &Cluster, objects: &Objects, part: Part, written: &Written) -> Response {
    cluster.changed.notify_one();
    let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
    let value = if part == Part::Scale { write::scale_of(&written.object) } else { (*written.object).clone() };
    let name = Objects {
        kind: objects.kind,
        namespace: objects.namespace.clone(),
        name: Some(text(&written.object, "/metadata/name").to_owned()),
        subresource: None,
    };
    call::wrote(call::json(status, &value), journal_name(&name), written.effect)
}
