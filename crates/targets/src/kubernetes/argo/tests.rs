use super::super::fixtures::{self, Parts};
use super::super::rollout::{Stage, stage};
use super::super::snapshot::Snapshot;
use super::drive::due;
use super::status::{Argo, Step, said};
use super::{FULL, read};
use serde_json::{Value, json};
use std::time::Duration;

/// Two pods of v1 are the stable ones and one of v2 is on its way, at this step.
fn under_way(index: usize, edit: impl FnOnce(&mut Value)) -> Snapshot {
    let Parts { mut deployment, mut sets, pods } = fixtures::rolling(Vec::new());
    deployment["kind"] = json!("Rollout");
    deployment["apiVersion"] = json!("argoproj.io/v1alpha1");
    deployment["spec"]["strategy"] = json!({"canary": {"steps": [
        {"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "2m"}}, {"analysis": {}}
    ]}});
    let status = &mut deployment["status"];
    status["observedGeneration"] = json!("2");
    status["phase"] = json!("Progressing");
    status["stableRS"] = json!("aaa");
    status["currentPodHash"] = json!("bbb");
    status["currentStepIndex"] = json!(index);
    for (set, hash) in sets.iter_mut().zip(["aaa", "bbb"]) {
        set["metadata"]["labels"] = json!({"rollouts-pod-template-hash": hash});
    }
    edit(&mut deployment);
    Parts { deployment, sets, pods }.snapshot()
}

fn paused_since(deployment: &mut Value, time: &str) {
    deployment["status"]["phase"] = json!("Paused");
    deployment["status"]["controllerPause"] = json!(true);
    deployment["status"]["pauseConditions"] = json!([{"reason": "CanaryPauseStep", "startTime": time}]);
}

fn argo(snapshot: &Snapshot) -> &Argo {
    snapshot.argo.as_ref().unwrap()
}

const PAUSE: Duration = Duration::from_secs(60);
/// 2026-01-01T10:00:00Z
const TEN: i64 = 1_767_261_600;

fn next(snapshot: &Snapshot, agreed: bool, now: i64) -> Option<Value> {
    due(snapshot, argo(snapshot), PAUSE, agreed, now).map(|(status, _)| status)
}

#[test]
fn an_endless_pause_ends_when_it_has_lasted_and_somebody_agrees() {
    let paused = under_way(1, |deployment| paused_since(deployment, "2026-01-01T10:00:00Z"));
    assert_eq!(next(&paused, true, TEN + 59), None);
    assert_eq!(next(&paused, false, TEN + 600), None);
    assert_eq!(next(&paused, true, TEN + 60), Some(json!({"pauseConditions": null})));
    assert_eq!(said(argo(&paused)).unwrap().to_string(), "paused at step 2 of 5 (20 %)");
    // The controller ends the others itself.
    let timed = under_way(3, |deployment| paused_since(deployment, "2026-01-01T10:00:00Z"));
    assert_eq!((next(&timed, true, TEN + 600), argo(&timed).weight()), (None, 60));
    let inconclusive = under_way(4, |deployment| {
        paused_since(deployment, "2026-01-01T10:00:00Z");
        deployment["status"]["pauseConditions"][0]["reason"] = json!("InconclusiveAnalysisRun");
    });
    assert_eq!(next(&inconclusive, true, TEN + 600), None, "what could not be told is for a person");
}

#[test]
fn nobody_pushes_what_is_not_there_to_be_pushed() {
    let time = "2026-01-01T10:00:00Z";
    for (what, snapshot) in [
        (
            "by hand",
            under_way(1, |one| {
                paused_since(one, time);
                one["spec"]["paused"] = json!(true);
            }),
        ),
        (
            "aborted",
            under_way(1, |one| {
                paused_since(one, time);
                one["status"]["abort"] = json!(true);
            }),
        ),
        (
            "not seen by the controller",
            under_way(1, |one| {
                paused_since(one, time);
                one["metadata"]["generation"] = json!(3);
            }),
        ),
        ("unpausing", under_way(1, |one| one["status"]["controllerPause"] = json!(true))),
        ("promoted", under_way(5, |one| one["status"]["stableRS"] = json!("bbb"))),
    ] {
        assert_eq!(next(&snapshot, true, TEN + 600), None, "{what}");
    }
}

#[test]
fn a_way_back_skips_the_steps_once() {
    let back = |full: bool| {
        under_way(1, |one| {
            one["metadata"]["annotations"] = json!({FULL: "true"});
            one["status"]["promoteFull"] = json!(full);
        })
    };
    assert_eq!(next(&back(false), false, TEN), Some(json!({"promoteFull": true})));
    assert_eq!(next(&back(true), true, TEN), None);
}

#[test]
fn done_is_when_the_newest_is_the_stable_one() {
    let done = |one: &mut Value| {
        for field in ["replicas", "updatedReplicas", "availableReplicas", "readyReplicas"] {
            one["status"][field] = json!(2);
        }
        one["status"]["stableRS"] = json!("bbb");
        one["status"]["phase"] = json!("Healthy");
    };
    assert_eq!(stage(&under_way(5, done)), Stage::Complete);
    assert_eq!(stage(&under_way(1, |_| ())), Stage::Progressing);
    let but = |edit: fn(&mut Value)| {
        stage(&under_way(5, |one| {
            done(one);
            edit(one);
        }))
    };
    assert_eq!(but(|one| one["status"]["observedGeneration"] = json!("1")), Stage::Unseen);
    assert_eq!(but(|one| one["status"]["observedGeneration"] = json!(2)), Stage::Complete);
    assert_eq!(but(|one| one["status"]["observedGeneration"] = json!("7f9c4d5b6")), Stage::Complete, "before 0.10");
    assert_eq!(but(|one| one["status"]["observedGeneration"] = Value::Null), Stage::Unseen);
    assert_eq!(but(|one| one["spec"]["restartAt"] = json!("2026-01-01T10:00:00Z")), Stage::Progressing);
    assert_eq!(but(|one| one["status"]["availableReplicas"] = json!(1)), Stage::Progressing);
    // The number of the new generation with the hash of the template before.
    assert_eq!(but(|one| one["status"]["currentPodHash"] = json!("aaa")), Stage::Unseen);
}

#[test]
fn an_abort_and_a_deadline_stop_it() {
    let aborted = under_way(1, |one| {
        one["status"]["abort"] = json!(true);
        one["status"]["phase"] = json!("Degraded");
        one["status"]["message"] = json!("RolloutAborted: metric \"errors\" assessed Failed");
    });
    assert!(matches!(stage(&aborted), Stage::Stopped(message) if message.contains("assessed Failed")));
    let late = under_way(1, |one| {
        one["status"]["conditions"] = json!([{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded",
            "message": "ReplicaSet \"web-v2\" has timed out progressing."}]);
    });
    assert!(matches!(stage(&late), Stage::DeadlineExceeded(message) if message.contains("timed out")));
}

#[test]
fn steps_and_their_pauses_are_read() {
    let snapshot = under_way(0, |_| ());
    let argo = argo(&snapshot);
    assert_eq!(argo.steps[3..], [Step::Pause(Some(120)), Step::Other("analysis".to_owned())]);
    assert_eq!(argo.planned_pauses(), (1, 120));
    let green = under_way(0, |one| one["spec"]["strategy"] = json!({"blueGreen": {"autoPromotionEnabled": false}}));
    assert_eq!(green.argo.as_ref().unwrap().planned_pauses(), (1, 0));
}

#[test]
fn pods_that_are_described_elsewhere_are_refused() {
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}},
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}}});
    let refused = read(&serde_json::from_value(object).unwrap()).unwrap_err().to_string();
    assert!(refused.contains("takes its pods from Deployment shop (spec.workloadRef)"), "{refused}");
}
