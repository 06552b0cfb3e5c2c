//! Each cause, from statuses as a cluster writes them.

use super::super::fixtures::{self, Parts};
use super::*;
use passerelle_contract::deployments::Health;
use serde_json::{Value, json};

fn event(reason: &str, message: &str) -> PodEvent {
    PodEvent { reason: reason.into(), message: message.into(), order: 1 }
}

fn failing(status: &Value) -> Parts {
    fixtures::rolling(vec![fixtures::pod("web-v2-1", "web-v2", status)])
}

fn container(state: &Value, restarts: i32) -> Value {
    json!({"containerStatuses": [{"name": "web", "image": "tinyweb:v2", "imageID": "", "ready": false, "restartCount": restarts,
        "state": state, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]})
}

fn cause(parts: Parts, events: Vec<PodEvent>) -> Option<(Cause, String)> {
    let evidence = Evidence { events, logs: vec!["last words".into()] };
    match verdict(&parts.snapshot(), &evidence) {
        Rollout::Failed { failure } => Some((failure.cause, failure.message.to_string())),
        Rollout::Progressing | Rollout::Complete => None,
    }
}

#[test]
fn a_rollout_without_trouble_goes_on() {
    assert_eq!(verdict(&fixtures::snapshot("rolling"), &Evidence::default()), Rollout::Progressing);
    assert_eq!(verdict(&fixtures::snapshot("complete"), &Evidence::default()), Rollout::Complete);
}

#[test]
fn an_image_is_named_after_the_second_failure() {
    let waiting = |reason: &str| {
        failing(&container(&json!({"waiting": {"reason": reason, "message": "Back-off pulling image"}}), 0))
    };
    assert_eq!(cause(waiting("ErrImagePull"), vec![]), None);
    let told = event("Failed", "Failed to pull image \"tinyweb:v2\": not found");
    let (cause, message) = cause(waiting("ImagePullBackOff"), vec![told]).unwrap();
    assert_eq!(cause, Cause::ImagePull);
    assert!(message.to_string().contains("tinyweb:v2 cannot be pulled: Failed to pull image"), "{message}");
}

#[test]
fn a_crash_loop_keeps_its_last_lines() {
    let parts = failing(&container(&json!({"waiting": {"reason": "CrashLoopBackOff"}}), 1));
    let evidence = Evidence { events: vec![], logs: vec!["panic: no database".into()] };
    let Rollout::Failed { failure } = verdict(&parts.snapshot(), &evidence) else { panic!() };
    assert_eq!((failure.cause, failure.instance.as_deref()), (Cause::CrashLoop, Some("web-v2-1")));
    assert_eq!(failure.message, "container web ends with exit code 1, restarted once");
    assert_eq!(failure.logs, ["panic: no database"]);
}

#[test]
fn the_first_crash_is_not_a_loop() {
    let ended = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
    assert_eq!(cause(failing(&container(&ended, 0)), vec![]), None);
    assert_eq!(cause(failing(&container(&ended, 2)), vec![]).unwrap().0, Cause::CrashLoop);
}

#[test]
fn out_of_memory_and_a_missing_program_are_said() {
    let with = |reason: &str| {
        let mut status = container(&json!({"waiting": {"reason": "CrashLoopBackOff"}}), 3);
        status["containerStatuses"][0]["lastState"] =
            json!({"terminated": {"exitCode": 137, "reason": reason, "message": "no such file"}});
        cause(failing(&status), vec![]).unwrap().1
    };
    assert!(with("OOMKilled").contains("OOMKilled"), "{}", with("OOMKilled"));
    assert!(with("StartError").contains("cannot start: no such file"), "{}", with("StartError"));
}

#[test]
fn a_container_killed_by_its_liveness_probe_is_no_crash() {
    let parts = failing(&container(&json!({"waiting": {"reason": "CrashLoopBackOff"}}), 3));
    let events = vec![
        event("Killing", "Container web failed liveness probe, will be restarted"),
        event("Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 503"),
        event("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),
    ];
    let (cause, message) = cause(parts, events).unwrap();
    assert_eq!(cause, Cause::Probe);
    assert!(message.ends_with("Liveness probe failed: HTTP probe failed with statuscode: 503"), "{message}");
}

#[test]
fn not_ready_is_a_failure_only_after_the_deadline() {
    let running = fixtures::pod("web-v2-1", "web-v2", &container(&json!({"running": {}}), 0));
    let unhealthy = || vec![event("Unhealthy", "Readiness probe failed: statuscode: 503")];
    assert_eq!(cause(fixtures::rolling(vec![running.clone()]), unhealthy()), None);
    assert_eq!(cause(fixtures::deadline(vec![running.clone()]), unhealthy()).unwrap().0, Cause::Probe);
    assert_eq!(cause(fixtures::deadline(vec![running]), vec![]).unwrap().0, Cause::Deadline);
}

#[test]
fn a_missing_key_is_named() {
    let message = "couldn't find key nope in Secret shop/web";
    let parts =
        failing(&container(&json!({"waiting": {"reason": "CreateContainerConfigError", "message": message}}), 0));
    let (cause, told) = cause(parts, vec![]).unwrap();
    assert_eq!(cause, Cause::MissingConfig);
    assert!(told.contains(message), "{told}");
}

#[test]
fn unschedulable_and_unmounted_are_named_at_the_deadline() {
    let refused = json!({"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}]});
    let stuck = || vec![fixtures::pod("web-v2-1", "web-v2", &refused)];
    assert_eq!(cause(fixtures::rolling(stuck()), vec![]), None);
    assert_eq!(cause(fixtures::deadline(stuck()), vec![]).unwrap().0, Cause::Unschedulable);
    let waiting = || vec![fixtures::starting("web-v2-1")];
    let mount = event("FailedMount", "MountVolume.SetUp failed: configmap \"nope\" not found");
    assert_eq!(cause(fixtures::deadline(waiting()), vec![mount]).unwrap().0, Cause::MissingConfig);
}

#[test]
fn a_quota_is_certain_when_no_old_pod_may_go() {
    let refuse = |message: &str, late: bool| {
        let mut parts = if late { fixtures::deadline(vec![]) } else { fixtures::rolling(vec![]) };
        parts.sets[1]["status"]["conditions"] =
            json!([{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]);
        parts
    };
    let quota = "pods \"x\" is forbidden: exceeded quota: small";
    assert_eq!(cause(refuse(quota, false), vec![]).unwrap().0, Cause::Quota);
    assert_eq!(cause(refuse("pods \"x\" is forbidden: no service account", true), vec![]).unwrap().0, Cause::Refused);
    let mut roomy = refuse(quota, false);
    roomy.deployment["spec"]["strategy"] = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}});
    assert_eq!(cause(roomy, vec![]), None);
    assert_eq!(cause(refuse("Internal error occurred: failed calling webhook \"w\"", false), vec![]), None);
    let mut scaled = fixtures::complete();
    scaled.deployment["spec"]["replicas"] = json!(9);
    scaled.sets[0]["status"]["conditions"] = refuse(quota, false).sets[1]["status"]["conditions"].clone();
    assert_eq!(cause(scaled, vec![]).unwrap().0, Cause::Quota);
}

#[test]
fn pods_of_the_old_version_do_not_fail_a_rollout() {
    let mut parts = fixtures::rolling(vec![fixtures::starting("web-v2-1")]);
    parts.pods.push(fixtures::pod(
        "web-v1-9",
        "web-v1",
        &container(&json!({"waiting": {"reason": "CrashLoopBackOff"}}), 9),
    ));
    assert_eq!(cause(parts, vec![]), None);
}

#[test]
fn the_observation_says_it_all() {
    let parts = failing(&container(&json!({"waiting": {"reason": "ImagePullBackOff", "message": "no"}}), 0));
    let snapshot = parts.snapshot();
    let seen = super::super::observe::observation(&snapshot, verdict(&snapshot, &Evidence::default()));
    assert_eq!((seen.image.as_str(), seen.health), ("tinyweb:v2", Health::Degraded));
    assert_eq!(seen.health_message.unwrap(), "image cannot be pulled, 2 of 2 ready");
    assert_eq!(
        seen.instances.iter().map(|i| (i.name.as_str(), i.updated)).collect::<Vec<_>>(),
        [("web-v2-1", true), ("web-v1-1", false), ("web-v1-2", false)]
    );
    assert_eq!(seen.env[1].value, "***");
}

/// Whatever a cluster says, the answer is an observation of bounded size.
#[test]
fn hostile_statuses_neither_panic_nor_grow() {
    let long = format!("\u{1b}[31m\u{0}\u{202e}é{}", "x".repeat(20_000));
    let mut statuses =
        vec![json!({}), json!({"containerStatuses": []}), json!({"phase": "Failed", "reason": long, "message": long})];
    for reason in ["CrashLoopBackOff", "ImagePullBackOff", "CreateContainerConfigError", "RunContainerError", ""] {
        let mut status = container(&json!({"waiting": {"reason": reason, "message": long}}), i32::MIN);
        status["containerStatuses"][0]["lastState"] =
            json!({"terminated": {"exitCode": i32::MIN, "reason": "StartError", "message": long}});
        statuses.push(status);
    }
    for status in statuses {
        let mut pod = fixtures::pod("web-v2-1", "web-v2", &status);
        pod.metadata.name = None;
        pod.spec = None;
        for mut parts in [fixtures::rolling(vec![pod.clone(); 300]), fixtures::deadline(vec![pod])] {
            parts.deployment["spec"]["replicas"] = json!(i32::MIN);
            parts.deployment["status"]["updatedReplicas"] = json!(i32::MIN);
            parts.deployment["status"]["observedGeneration"] = json!(i64::MAX);
            let evidence = Evidence { events: vec![event("Failed", &long), event("Unhealthy", &long)], logs: vec![] };
            let snapshot = parts.snapshot();
            let seen = super::super::observe::observation(&snapshot, verdict(&snapshot, &evidence));
            assert!(seen.instances.len() <= 200);
            let told = serde_json::to_string(&(&seen.instances, &seen.rollout)).unwrap();
            assert!(told.len() < 250_000 && !told.contains("\\u001b") && !told.contains("\\u0000"), "{}", told.len());
        }
    }
}
