//! A job before the revision: it runs once, with the release's image, and nothing moves when it fails.

use crate::contract::Peer as _;
use crate::region::{PARENT, Region, fence, image, settled};
use passerelle_contract::deployments::{Cause, Severity};
use passerelle_targets::{Change, Fence, Rollout, Target, TargetError};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

async fn make_job(region: &Region, name: &str) {
    let body = json!({ "template": { "template": { "containers": [{ "image": "example.test/team/web:1", "command": ["migrate"] }] } } });
    region.post(&format!("/v2/{PARENT}/jobs?jobId={name}"), &body).await;
}

async fn bound(region: &Region, job: &str) -> (String, Arc<dyn Target>) {
    let name = region.make("example.test/team/web:1").await;
    let target = region.bind(json!({ "service": name, "migration_job": job })).await;
    settled(&target).await;
    (name, target)
}

/// Advances until something was done.
async fn done(target: &Arc<dyn Target>, fence: Fence) -> String {
    let done = async {
        loop {
            if let Some(said) = target.advance(fence, true).await.unwrap() {
                return said.to_string();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), done).await.expect("done in time")
}

/// What would move traffic.
fn moving(service: &Value) -> Value {
    json!([service["template"], service["traffic"], service["trafficStatuses"], service["latestCreatedRevision"]])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_runs_once_before_the_revision() {
    let region = Region::simulated().await;
    make_job(&region, "migrate").await;
    let (name, target) = bound(&region, "migrate").await;
    assert_eq!(target.stages().await, Ok(Some(Duration::from_secs(600))));
    let before = moving(&region.service(&name).await);
    let first = fence();
    let applied = target.apply(&image("web:2"), first).await.unwrap();
    assert!(!applied.unchanged && target.apply(&image("web:2"), first).await.unwrap().unchanged);
    assert_eq!(
        target.observe().await.unwrap().rollout,
        Rollout::Progressing,
        "the old version serves, and it is not over"
    );
    assert_eq!(done(&target, first).await, "migration job migrate runs with example.test/team/web:2");
    let running = target.observe().await.unwrap();
    assert!(running.instances.iter().any(|one| one.updated && one.name.starts_with("migrate-p")), "{running:?}");
    assert_eq!(moving(&region.service(&name).await), before, "nothing moves before the job has succeeded");
    // The process died; another one goes on, and the first one is too late.
    let second = Fence { epoch: 2, ..first };
    assert_eq!(done(&target, second).await, "migration job migrate succeeded; a new revision follows");
    let late = target.apply(&image("web:2"), first).await;
    assert!(matches!(late, Err(TargetError::Fenced(_))), "{late:?}");
    let after = settled(&target).await;
    assert_eq!(
        (after.rollout, after.image.as_str(), after.fence),
        (Rollout::Complete, "example.test/team/web:2", Some(second))
    );
    assert_eq!(target.advance(second, true).await.unwrap(), None);
    let job = region.get(&format!("/v2/{PARENT}/jobs/migrate")).await;
    assert_eq!(job["template"]["template"]["containers"][0]["image"], "example.test/team/web:2");
    assert_eq!(job["template"]["template"]["containers"][0]["command"], json!(["migrate"]));
    assert_eq!(region.effects(&format!("{PARENT}/jobs/migrate")), 2, "made, and run once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_job_moves_nothing_and_says_why() {
    let region = Region::simulated().await;
    make_job(&region, "migrate").await;
    let (name, target) = bound(&region, "migrate").await;
    let before = moving(&region.service(&name).await);
    let fence = fence();
    let applied = target.apply(&image("web:crash"), fence).await.unwrap();
    done(&target, fence).await;
    let seen = settled(&target).await;
    let Rollout::Failed { failure } = &seen.rollout else { panic!("{:?}", seen.rollout) };
    assert_eq!((failure.cause, seen.image.as_str()), (Cause::Migration, "example.test/team/web:1"));
    let said = failure.message.to_string();
    assert!(said.contains("exit code 1") && said.contains("its logs: https://console.cloud.google.com/"), "{said}");
    assert_eq!(target.advance(fence, true).await.unwrap(), None);
    assert_eq!(moving(&region.service(&name).await), before);
    target.apply(&Change::RestoreVersion { recorded: applied.before }, fence).await.unwrap();
    let back = settled(&target).await;
    assert_eq!((back.rollout, back.image.as_str()), (Rollout::Complete, "example.test/team/web:1"));
    let after = region.service(&name).await;
    assert_eq!((&after["traffic"], &after["latestCreatedRevision"]), (&before[1], &before[3]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_is_not_there_is_told_before() {
    let region = Region::simulated().await;
    let (_, target) = bound(&region, "nowhere").await;
    let plan = target.plan(&image("web:2")).await.unwrap();
    let found = plan.findings.iter().find(|finding| finding.code == "missing_job");
    assert!(found.is_some_and(|finding| finding.severity == Severity::Error), "{:?}", plan.findings);
}

/// The peer knows no jobs by itself: it checks the requests, and answers those of jobs from `tests/fixtures/cloud-run-jobs.json`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_jobs_are_as_google_describes_them() {
    let Some(region) = Region::from_env().filter(|_| std::env::var("PASSERELLE_TEST_CLOUD_RUN_JOBS").is_ok()) else {
        return;
    };
    let (name, target) = bound(&region, "migrate").await;
    let fence = fence();
    target.apply(&image("web:2"), fence).await.unwrap();
    // The execution is not there yet, once.
    region.post("/_emulator/fail", &json!({ "run.projects.locations.jobs.executions.get": [404, 1] })).await;
    let started = loop {
        if let Some(said) = target.advance(fence, true).await.unwrap() {
            break said.to_string();
        }
        region.post("/_emulator/fail", &json!({ "run.projects.locations.jobs.executions.get": [404, 1] })).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    assert_eq!(started, "migration job migrate runs with example.test/team/web:2");
    assert_eq!(done(&target, fence).await, "migration job migrate succeeded; a new revision follows");
    assert_eq!(settled(&target).await.image, "example.test/team/web:2");
    region.remove(&name).await;
}
