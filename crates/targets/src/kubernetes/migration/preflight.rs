//! Whether the migration could run, before anything is changed.

use super::super::error::call;
use super::super::manifests::Brought;
use super::super::preflight;
use super::super::references;
use super::super::workload::Workload;
use super::Migration;
use super::config::Work;
use super::manifest;
use super::run::{Standing, build, object, standing, title, untyped};
use crate::{Change, Fence, TargetError, TargetPlan};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kube::api::PostParams;
use passerelle_contract::deployments::{DiffLine, Finding, Severity};
use passerelle_contract::{Text, text};
use serde::Deserialize as _;
use serde_json::{Value, json};
use uuid::Uuid;

pub async fn plan(workload: &Workload, migration: &Migration, change: &Change) -> Result<TargetPlan, TargetError> {
    let Change::Image { image, .. } = change else {
        return Ok(TargetPlan { diff: Vec::new(), env: Vec::new(), findings: Vec::new() });
    };
    // There is no deployment yet, and this Job is only looked at.
    let job = build(workload, migration, change, Fence { deployment: Uuid::max(), epoch: 0 }).await?;
    let (missing, there, tried) = tokio::join!(
        references(workload, migration, &job),
        already_there(workload, migration, change),
        dry_run(workload, migration, job.clone())
    );
    let mut findings = missing;
    findings.extend(there?);
    findings.extend(tried?);
    let diff = vec![DiffLine {
        field: "migration".to_owned(),
        before: None,
        after: Some(Text::verbatim(format!("{}: {image}", title(workload, migration)))),
    }];
    Ok(TargetPlan { diff, env: Vec::new(), findings })
}

fn finding(severity: Severity, code: &str, message: Text) -> Finding {
    Finding { severity, code: code.to_owned(), message }
}

/// The keys that a manifest's pods need; a command needs those of the Deployment, which are looked at anyway.
async fn references(workload: &Workload, migration: &Migration, job: &Value) -> Vec<Finding> {
    let Work::Manifest(manifest) = &migration.work else { return Vec::new() };
    let Ok(template) = PodTemplateSpec::deserialize(&job["spec"]["template"]) else { return Vec::new() };
    let mut needs = references::of(&template);
    for need in &mut needs {
        need.user = text!("{user} of Job {job}", user = &need.user, job = &manifest.name);
    }
    preflight::check(workload, &needs, &Brought::default()).await
}

async fn already_there(
    workload: &Workload,
    migration: &Migration,
    change: &Change,
) -> Result<Option<Finding>, TargetError> {
    let name = manifest::name_of(migration, &workload.name);
    let what = title(workload, migration);
    match call(&what, workload.api::<Job>().get_opt(&name)).await {
        Ok(Some(job)) => {
            let newest = Fence { deployment: Uuid::max(), epoch: 0 };
            let foreign = standing(&job, &workload.name, change, newest)? == Standing::Foreign;
            let message = text!("{what} runs, and this portal did not start it", what);
            Ok(foreign.then(|| finding(Severity::Error, "job_running", message)))
        }
        Ok(None) => Ok(None),
        Err(TargetError::Forbidden(why)) => {
            let message = text!("the migration could not be followed: {why}", why);
            Ok(Some(finding(Severity::Error, "no_right", message)))
        }
        Err(error) => Err(error),
    }
}

/// The API server says what it would say: rights, validation, admission, quota of Jobs.
async fn dry_run(workload: &Workload, migration: &Migration, mut job: Value) -> Result<Option<Finding>, TargetError> {
    if let Some(metadata) = job["metadata"].as_object_mut() {
        metadata.shift_remove("name");
    }
    // Of another name: the Job of an earlier deployment may still be there.
    job["metadata"]["generateName"] = json!("passerelle-dry-run-");
    let params = PostParams { dry_run: true, ..PostParams::default() };
    let jobs = untyped(workload);
    let job = object(job)?;
    match call(title(workload, migration), jobs.create(&params, &job)).await {
        Ok(_) => Ok(None),
        Err(TargetError::Forbidden(why)) => {
            let message = text!("the migration could not be started: {why}", why);
            Ok(Some(finding(Severity::Error, "no_right", message)))
        }
        // An admission webhook with side effects cannot be asked beforehand.
        Err(TargetError::Refused(why)) if why.to_string().contains("dry run") => Ok(None),
        Err(TargetError::Refused(why)) => {
            let message = text!("the migration would be refused: {why}", why);
            Ok(Some(finding(Severity::Error, "job_refused", message)))
        }
        Err(error) => Err(error),
    }
}
