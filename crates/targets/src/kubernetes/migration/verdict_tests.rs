//! Jobs in the states that the API server gives them.

use super::verdict::{is_over, logging, newest, seen};
use crate::TaskState;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use passerelle_contract::deployments::{Cause, Failure};
use serde_json::{Value, json};

fn job(status: &Value) -> Job {
    serde_json::from_value(json!({
        "metadata": {"name": "web-migration"},
        "spec": {"activeDeadlineSeconds": 600, "template": {"spec": {"containers": []}}},
        "status": status
    }))
    .unwrap()
}

fn pod(name: &str, made: &str, status: &Value) -> Pod {
    serde_json::from_value(json!({"metadata": {"name": name, "creationTimestamp": made}, "status": status})).unwrap()
}

fn ended(code: i32, reason: &str) -> Value {
    json!({"phase": if code == 0 { "Succeeded" } else { "Failed" }, "containerStatuses": [{"name": "web", "image": "i", "imageID": "",
        "ready": false, "restartCount": 0, "state": {"terminated": {"exitCode": code, "reason": reason}}}]})
}

fn waiting(reason: &str) -> Value {
    json!({"phase": "Pending", "containerStatuses": [{"name": "web", "image": "web:9", "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": reason, "message": "why"}}}]})
}

const T: &str = "2026-01-01T10:00:00Z";

fn state(status: &Value, pods: &[Pod]) -> TaskState {
    seen(&job(status), pods, vec!["one".into()], vec!["last".into()]).state
}

fn failure(status: &Value, pods: &[Pod]) -> Failure {
    match state(status, pods) {
        TaskState::Failed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_end_is_that_of_the_job_and_not_of_a_pod() {
    let complete = json!({"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]});
    assert_eq!(state(&complete, &[pod("a", T, &ended(0, "Completed"))]), TaskState::Succeeded);
    // One try failed, the Job goes on with another.
    let trying = json!({"active": 0, "failed": 1});
    assert_eq!(state(&trying, &[pod("a", T, &ended(1, "Error"))]), TaskState::Running);
    assert!(is_over(&job(&complete)) && !is_over(&job(&trying)));
    assert_eq!(state(&json!({}), &[]), TaskState::Running);
}

#[test]
fn a_failure_names_the_exit_code_and_keeps_the_last_lines() {
    let over = |reason: &str, failed: i32| json!({"failed": failed, "conditions": [{"type": "Failed", "status": "True", "reason": reason, "message": "limit"}]});
    let pods = [pod("a", T, &ended(3, "Error"))];
    let once = failure(&over("BackoffLimitExceeded", 1), &pods);
    assert_eq!(
        (once.cause, once.instance.as_deref(), once.logs.as_slice()),
        (Cause::Migration, Some("a"), ["last".to_owned()].as_slice())
    );
    assert_eq!(once.message.to_string(), "the migration failed: container web ends with exit code 3");
    let thrice = failure(&over("BackoffLimitExceeded", 3), &pods).message.to_string();
    assert!(thrice.starts_with("the migration failed 3 times"), "{thrice}");
    let memory = failure(&over("BackoffLimitExceeded", 1), &[pod("a", T, &ended(137, "OOMKilled"))]);
    assert!(memory.message.to_string().contains("OOMKilled"));
    let late = failure(&over("DeadlineExceeded", 0), &[]);
    assert_eq!(
        (late.cause, late.message.to_string().as_str()),
        (Cause::Deadline, "the migration did not end within 600 s")
    );
    assert!(failure(&over("BackoffLimitExceeded", 1), &[]).message.to_string().ends_with("limit"));
}

#[test]
fn what_never_starts_fails_before_the_limit() {
    for (reason, cause) in
        [("CreateContainerConfigError", Cause::MissingConfig), ("ImagePullBackOff", Cause::ImagePull)]
    {
        assert_eq!(failure(&json!({"active": 1}), &[pod("a", T, &waiting(reason))]).cause, cause);
    }
    assert_eq!(state(&json!({"active": 1}), &[pod("a", T, &waiting("ErrImagePull"))]), TaskState::Running);
}

#[test]
fn the_newest_try_is_the_one_that_is_read() {
    let pods = [
        pod("b", "2026-01-01T10:00:00Z", &ended(1, "Error")),
        pod("a", "2026-01-01T10:00:09Z", &waiting("ContainerCreating")),
    ];
    assert_eq!(newest(&pods).unwrap().metadata.name.as_deref(), Some("a"));
    assert_eq!(logging(&pods[0]).as_deref(), Some("web"));
    assert_eq!(logging(&pods[1]), None, "nothing is written before it starts");
}
