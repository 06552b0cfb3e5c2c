//! Calls to the API.

use super::change::{self, Refused};
use super::jobs;
use super::resource::{self, State};
use crate::behaviour::Behaviour;
use crate::call::{self, Call};
use crate::dice::Dice;
use crate::object::text;
use crate::pace::Pace;
use crate::world::World;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use time::OffsetDateTime;

/// Longest that `:wait` waits, whatever the client asks for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(crate) struct CloudRun {
    state: Mutex<State>,
}

impl CloudRun {
    pub(crate) fn new(world: &World, pace: Pace) -> Self {
        let dice = Dice::new(world.seed, "/run");
        let mut state = State {
            dice,
            pace,
            services: BTreeMap::new(),
            revisions: BTreeMap::new(),
            operations: BTreeMap::new(),
            jobs: BTreeMap::new(),
        };
        let start = OffsetDateTime::now_utc() - time::Duration::hours(6);
        for (project, content) in &world.projects {
            for (location, services) in &content.locations {
                for (name, service) in services {
                    let full = format!("projects/{project}/locations/{location}/services/{name}");
                    resource::seed(&mut state, &full, service, start);
                }
            }
            for (location, all) in &content.jobs {
                for (name, image) in all {
                    let full = format!("projects/{project}/locations/{location}/jobs/{name}");
                    let template = json!({"taskCount": 1, "template": {"containers": [{"image": image}]}});
                    jobs::create(&mut state, &full, json!({"template": template}));
                }
            }
        }
        Self { state: Mutex::new(state) }
    }
}

fn refuse((status, code, message): Refused) -> Response {
    call::json(status, &json!({"error": {"code": status.as_u16(), "message": message, "status": code}}))
}

pub(crate) fn injected(status: u16) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    refuse((status, "UNAVAILABLE", "simulated fault".into()))
}

fn not_found(name: &str) -> Response {
    refuse((StatusCode::NOT_FOUND, "NOT_FOUND", format!("Resource '{name}' was not found")))
}

pub(crate) async fn answer(run: &CloudRun, call: &Call) -> Response {
    let path = call.path.trim_start_matches('/').trim_start_matches("v2/");
    if path == "entries:list" {
        return log_entries(run, call);
    }
    if let (&Method::POST, Some(name)) = (&call.method, path.strip_suffix(":wait")) {
        return wait(run, name, call).await;
    }
    let now = OffsetDateTime::now_utc();
    let mut state = run.state.lock();
    resource::settle(&mut state, now);
    if path.contains("/jobs/") || path.ends_with("/jobs") {
        return jobs::answer(&mut state, path, call, now);
    }
    match (&call.method, path.rsplit('/').nth(1)) {
        (&Method::GET, _) => read(&state, path),
        (&Method::PATCH, Some("services")) => patch(&mut state, path, call, now),
        (&Method::POST, Some(_)) if path.ends_with("/services") => create(&mut state, path, call, now),
        _ => not_found(path),
    }
}

fn read(state: &State, path: &str) -> Response {
    let ok = |value: &Value| call::json(StatusCode::OK, value);
    let children = |all: &BTreeMap<String, Value>, field: &str| {
        let prefix = format!("{path}/");
        let found: Vec<&Value> =
            all.iter().filter(|(name, _)| name.starts_with(&prefix)).map(|(_, value)| value).collect();
        call::json(StatusCode::OK, &json!({field: found}))
    };
    let parts: Vec<&str> = path.split('/').collect();
    match parts.as_slice() {
        ["projects", _, "locations", _, "services"] => children(&state.services, "services"),
        ["projects", _, "locations", _, "services", _, "revisions"] => children(&state.revisions, "revisions"),
        ["projects", _, "locations", _, "services", _] => state.services.get(path).map_or_else(|| not_found(path), ok),
        ["projects", _, "locations", _, "services", _, "revisions", _] => {
            state.revisions.get(path).map_or_else(|| not_found(path), ok)
        }
        ["projects", _, "locations", _, "operations", _] => operation(state, path),
        _ => not_found(path),
    }
}

fn operation(state: &State, name: &str) -> Response {
    let Some(operation) = state.operations.get(name) else { return not_found(name) };
    let service = state.services.get(&operation.service).cloned().unwrap_or_default();
    call::json(StatusCode::OK, &operation.show(name, &service))
}

/// Waits for the operation's end or for the asked time, whichever is first.
async fn wait(run: &CloudRun, name: &str, call: &Call) -> Response {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let asked = text(&body, "/timeout").trim_end_matches('s').parse::<f64>().ok();
    let limit = asked.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).unwrap_or(LONGEST_WAIT);
    let due = {
        let state = run.state.lock();
        let Some(operation) = state.operations.get(name) else { return not_found(name) };
        operation.due
    };
    let left = (due - OffsetDateTime::now_utc()).max(time::Duration::ZERO).unsigned_abs();
    tokio::time::sleep(left.min(limit).min(LONGEST_WAIT)).await;
    let mut state = run.state.lock();
    resource::settle(&mut state, OffsetDateTime::now_utc());
    operation(&state, name)
}

fn parsed(call: &Call) -> Result<Value, Box<Response>> {
    serde_json::from_slice(&call.body).map_err(|error| {
        Box::new(refuse((
            StatusCode::BAD_REQUEST,
            "INVALID_ARGUMENT",
            format!("Invalid JSON payload received: {error}"),
        )))
    })
}

fn patch(state: &mut State, name: &str, call: &Call, now: OffsetDateTime) -> Response {
    let body = match parsed(call) {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let mask = call.parameter("updateMask").or_else(|| call.parameter("update_mask"));
    let validate_only = call.is_set("validateOnly");
    match change::patch(state, name, &body, mask, validate_only, now) {
        Err(refused) => call::wrote(refuse(refused), name.to_owned(), false),
        Ok((operation, _)) if operation.is_empty() => call::json(StatusCode::OK, &json!({"done": true})),
        Ok((operation, effect)) => call::wrote(self::operation(state, &operation), name.to_owned(), effect),
    }
}

fn create(state: &mut State, path: &str, call: &Call, now: OffsetDateTime) -> Response {
    let body = match parsed(call) {
        Ok(body) => body,
        Err(response) => return *response,
    };
    let invalid = |message: &str| refuse((StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", message.to_owned()));
    let Some(id) = call.parameter("serviceId").filter(|id| !id.is_empty()) else {
        return invalid("serviceId: is required");
    };
    if text(&body, "/template/containers/0/image").is_empty() {
        return invalid("template.containers[0].image: is required");
    }
    let name = format!("{path}/{id}");
    if state.services.contains_key(&name) {
        let refused = (StatusCode::CONFLICT, "ALREADY_EXISTS", format!("Resource '{name}' already exists."));
        return call::wrote(refuse(refused), name, false);
    }
    let operation = change::create(state, &name, body, now);
    call::wrote(self::operation(state, &operation), name, true)
}

/// Cloud Logging's `entries:list`, for the revision that the filter names.
fn log_entries(run: &CloudRun, call: &Call) -> Response {
    let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
    let filter = text(&body, "/filter");
    let state = run.state.lock();
    let mut entries = Vec::new();
    for (name, revision) in &state.revisions {
        let short = name.rsplit('/').next().unwrap_or(name);
        if !filter.contains(&format!("\"{short}\"")) {
            continue;
        }
        let image = text(revision, "/containers/0/image");
        let at = OffsetDateTime::now_utc();
        let over = Behaviour::of(image) == Behaviour::Crash;
        for (at, line) in crate::kubernetes::written(image, Behaviour::of(image), at, at, over, state.pace) {
            entries.push(json!({
                "textPayload": line, "timestamp": crate::pace::stamp_nanos(at), "severity": "DEFAULT",
                "resource": {"type": "cloud_run_revision", "labels": {"revision_name": short, "service_name": revision["service"]}},
            }));
        }
    }
    call::json(StatusCode::OK, &json!({"entries": entries}))
}
