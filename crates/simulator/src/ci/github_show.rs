//! How GitHub shows runs, jobs, deployments and files: the fields that are used.

use super::run::{Overall, Run, Stand};
use crate::pace::stamp;
use crate::world::WorkflowWorld;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use time::OffsetDateTime;

pub(super) fn run_url(full: &str, id: u64) -> String {
    format!("https://github.com/{full}/actions/runs/{id}")
}

pub(super) fn workflow(file: &str) -> Value {
    json!({ "id": 1, "name": file, "path": format!(".github/workflows/{file}"), "state": "active" })
}

pub(super) fn deployment(
    id: u64,
    full: &str,
    environment: &str,
    task: &str,
    payload: &Value,
    at: OffsetDateTime,
) -> Value {
    json!({ "id": id, "url": format!("https://api.github.com/repos/{full}/deployments/{id}"), "task": task,
        "environment": environment, "payload": payload, "created_at": stamp(at), "updated_at": stamp(at) })
}

pub(super) fn run(run: &Run, full: &str, now: OffsetDateTime) -> Value {
    let (status, conclusion) = match run.overall(now) {
        Overall::Pending => ("queued", Value::Null),
        Overall::Running | Overall::Manual => ("in_progress", Value::Null),
        Overall::Succeeded => ("completed", json!("success")),
        Overall::Failed => ("completed", json!("failure")),
        Overall::Cancelled => ("completed", json!("cancelled")),
    };
    json!({ "id": run.id, "name": run.origin, "display_title": run.title, "event": "workflow_dispatch",
        "head_branch": run.reference, "head_sha": run.sha, "status": status, "conclusion": conclusion,
        "html_url": run_url(full, run.id), "created_at": stamp(run.created) })
}

pub(super) fn jobs(run: &Run, full: &str, now: OffsetDateTime) -> Value {
    let shown = |(job, stand): (&super::run::Job, Stand)| {
        let (status, conclusion) = match stand {
            Stand::Created | Stand::Pending | Stand::Manual => ("queued", Value::Null),
            Stand::Running => ("in_progress", Value::Null),
            Stand::Succeeded => ("completed", json!("success")),
            Stand::Failed => ("completed", json!("failure")),
            Stand::Cancelled => ("completed", json!("cancelled")),
            Stand::Skipped => ("completed", json!("skipped")),
        };
        let steps = json!([
            { "name": "Set up job", "status": "completed", "conclusion": "success", "number": 1 },
            { "name": "Roll out", "status": status, "conclusion": conclusion, "number": 2 },
        ]);
        json!({ "id": job.id, "run_id": run.id, "name": job.name, "status": status, "conclusion": conclusion, "steps": steps,
            "html_url": format!("{}/job/{}", run_url(full, run.id), job.id) })
    };
    let jobs: Vec<Value> = run.jobs.iter().zip(run.stands(now)).map(shown).collect();
    json!({ "total_count": jobs.len(), "jobs": jobs })
}

/// A workflow's file as it would have to be written.
pub(super) fn file(file: &str, workflow: &WorkflowWorld) -> Value {
    let inputs: String = workflow.inputs.iter().map(|name| format!("      {name}: {{type: string}}\n")).collect();
    let jobs: String =
        workflow.jobs.iter().map(|job| format!("  {}: {{runs-on: ubuntu-24.04, steps: []}}\n", job.name)).collect();
    let title = workflow.inputs.iter().map(|name| format!("${{{{ inputs.{name} }}}}")).collect::<Vec<_>>().join(" ");
    let text = format!(
        "name: {file}\nrun-name: {title}\non:\n  workflow_dispatch:\n    inputs:\n{inputs}concurrency: {file}\njobs:\n{jobs}"
    );
    json!({ "type": "file", "encoding": "base64", "name": file, "content": STANDARD.encode(text) })
}
