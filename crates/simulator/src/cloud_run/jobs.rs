//! Jobs: get, create, patch with `startExecutionToken`, and their executions.

use super::resource::{State, condition};
use crate::behaviour::Behaviour;
use crate::call::{self, Call};
use crate::object::{self, text};
use crate::pace::stamp_nanos;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};
use time::OffsetDateTime;

/// A job, and the executions that it has started by their full names.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) value: Value,
    pub(crate) executions: Vec<Execution>,
}

#[derive(Debug)]
pub(crate) struct Execution {
    name: String,
    image: String,
    begun: OffsetDateTime,
    due: OffsetDateTime,
}

impl Execution {
    /// As the platform tells it at a moment.
    fn show(&self, now: OffsetDateTime) -> Value {
        let short = self.name.rsplit('/').next().unwrap_or(&self.name);
        let mut shown = json!({"name": self.name, "createTime": stamp_nanos(self.begun), "taskCount": 1,
            "logUri": format!("https://console.cloud.google.com/logs/viewer?execution={short}"),
            "template": {"containers": [{"image": self.image}]}});
        let message = match Behaviour::of(&self.image) {
            // A job has no probe to fail.
            Behaviour::Healthy | Behaviour::Unready | Behaviour::Unhealthy | Behaviour::Unschedulable => None,
            Behaviour::Missing => Some(format!("Image '{}' not found.", self.image)),
            Behaviour::Crash | Behaviour::FailingTask => Some(format!(
                "Task {short}-task0 failed with message: The container exited with an error: exit code 1."
            )),
        };
        let completed = if now < self.due {
            shown["runningCount"] = json!(1);
            condition("Completed", "CONDITION_RECONCILING", "", self.begun)
        } else {
            shown["completionTime"] = json!(stamp_nanos(self.due));
            shown[if message.is_some() { "failedCount" } else { "succeededCount" }] = json!(1);
            let state = if message.is_some() { "CONDITION_FAILED" } else { "CONDITION_SUCCEEDED" };
            condition("Completed", state, message.as_deref().unwrap_or_default(), self.due)
        };
        shown["conditions"] = json!([completed]);
        shown
    }
}

fn refuse(status: StatusCode, code: &str, message: String) -> Response {
    call::json(status, &json!({"error": {"code": status.as_u16(), "message": message, "status": code}}))
}

fn not_found(name: &str) -> Response {
    refuse(StatusCode::NOT_FOUND, "NOT_FOUND", format!("Resource '{name}' was not found"))
}

/// `path` names `.../jobs`, `.../jobs/J` or `.../jobs/J/executions/E`.
pub(super) fn answer(state: &mut State, path: &str, call: &Call, now: OffsetDateTime) -> Response {
    let parts: Vec<&str> = path.split('/').collect();
    match (&call.method, parts.as_slice()) {
        (&Method::GET, [.., "jobs", _]) => {
            state.jobs.get(path).map_or_else(|| not_found(path), |job| call::json(StatusCode::OK, &job.value))
        }
        (&Method::GET, [.., "executions", _]) => {
            let all = state.jobs.values().flat_map(|job| &job.executions);
            let found = all.into_iter().find(|execution| execution.name == path);
            found.map_or_else(|| not_found(path), |execution| call::json(StatusCode::OK, &execution.show(now)))
        }
        (&Method::POST, [.., "jobs"]) => {
            let name = format!("{path}/{}", call.parameter("jobId").unwrap_or_default());
            let value: Value = serde_json::from_slice(&call.body).unwrap_or_default();
            create(state, &name, value);
            call::wrote(done(state, &name), name, true)
        }
        (&Method::PATCH, [.., "jobs", _]) => patch(state, path, call, now),
        _ => not_found(path),
    }
}

pub(super) fn create(state: &mut State, name: &str, mut value: Value) {
    value["name"] = json!(name);
    value["etag"] = json!(format!("\"{}\"", state.dice.hex(12)));
    value["terminalCondition"] = json!({"type": "Ready", "state": "CONDITION_SUCCEEDED"});
    state.jobs.insert(name.to_owned(), Job { value, executions: Vec::new() });
}

/// An operation that is over already.
fn done(state: &State, name: &str) -> Response {
    let job = state.jobs.get(name).map(|job| job.value.clone()).unwrap_or_default();
    call::json(StatusCode::OK, &json!({"name": format!("{name}/operations/done"), "done": true, "response": job}))
}

fn patch(state: &mut State, name: &str, call: &Call, now: OffsetDateTime) -> Response {
    let Ok(body) = serde_json::from_slice::<Value>(&call.body) else {
        return refuse(StatusCode::BAD_REQUEST, "INVALID_ARGUMENT", "Invalid JSON payload received.".into());
    };
    let (etag, takes) = (format!("\"{}\"", state.dice.hex(12)), state.dice.around(4.0));
    let due = now + state.pace.seconds(takes);
    let Some(job) = state.jobs.get_mut(name) else { return not_found(name) };
    let asked = text(&body, "/etag");
    if !asked.is_empty() && asked != text(&job.value, "/etag") {
        let message = format!("Conflict for resource '{name}': another version is current.");
        return call::wrote(refuse(StatusCode::CONFLICT, "ABORTED", message), name.to_owned(), false);
    }
    for field in ["annotations", "labels", "template", "startExecutionToken"] {
        if let Some(value) = body.get(field) {
            object::set(&mut job.value, &[field], value.clone());
        }
    }
    job.value["etag"] = json!(etag);
    let token = text(&job.value, "/startExecutionToken").to_owned();
    let execution = format!("{name}/executions/{}-{token}", name.rsplit('/').next().unwrap_or(name));
    // The same token starts nothing again.
    let starts = !token.is_empty() && job.executions.iter().all(|one| one.name != execution);
    if starts {
        let image = text(&job.value, "/template/template/containers/0/image").to_owned();
        job.executions.push(Execution { name: execution, image, begun: now, due });
    }
    call::wrote(done(state, name), name.to_owned(), starts)
}
