//! The way of a canary from its first pod to its end.

use super::super::annotations;
use super::super::fixtures;
use super::super::snapshot::Snapshot;
use super::Settings;
use super::mark::Mark;
use super::step::{Due, due};
use crate::{Change, Fence};
use uuid::Uuid;

const FENCE: Fence = Fence { deployment: Uuid::from_u128(7), epoch: 1 };

fn settings() -> Settings {
    Settings { steps: vec![10, 60].try_into().unwrap(), pause: 30.try_into().unwrap() }
}

fn mark(percent: u8, since: u64) -> Mark {
    Mark { image: "tinyweb:v2".into(), percent, since, replicas: 4, gives_way: true }
}

/// A canary with so many pods, all ready or not, that this deployment made.
fn canary(pods: u32, ready: bool, deployment: u128) -> Snapshot {
    let mut snapshot = fixtures::snapshot(if ready { "complete" } else { "rolling" });
    snapshot.spec.replicas = i32::try_from(pods).ok();
    if ready {
        for count in [
            &mut snapshot.status.replicas,
            &mut snapshot.status.updated_replicas,
            &mut snapshot.status.available_replicas,
        ] {
            *count = i32::try_from(pods).ok();
        }
    }
    let change = Change::Image { image: "tinyweb:v2".into(), manifests: None };
    let fence = Fence { deployment: Uuid::from_u128(deployment), epoch: 1 };
    let marks = annotations::patch(&change, fence);
    snapshot.metadata.annotations = serde_json::from_value(marks).ok();
    snapshot
}

fn next(canary: Option<&Snapshot>, mark: &Mark, now: u64) -> Due {
    due(&fixtures::snapshot("complete"), canary, mark, FENCE, &settings(), now)
}

#[test]
fn pods_come_step_by_step_with_pauses() {
    assert_eq!(next(None, &mark(10, 0), 100), Due::Make);
    assert_eq!(next(Some(&canary(1, false, 7)), &mark(10, 0), 100), Due::Wait);
    assert_eq!(next(Some(&canary(1, true, 7)), &mark(10, 0), 100), Due::Reached(mark(10, 100)));
    assert_eq!(next(Some(&canary(1, true, 7)), &mark(10, 100), 129), Due::Wait);
    assert_eq!(next(Some(&canary(1, true, 7)), &mark(10, 100), 130), Due::Next(mark(60, 0)));
    assert_eq!(next(Some(&canary(1, true, 7)), &mark(60, 0), 131), Due::Resize(3));
    assert_eq!(next(Some(&canary(3, true, 7)), &mark(60, 0), 135), Due::Reached(mark(60, 135)));
    assert_eq!(next(Some(&canary(3, true, 7)), &mark(60, 135), 165), Due::Finish(mark(100, 165)));
}

#[test]
fn a_pod_that_was_ready_and_is_not_any_more_holds_the_step() {
    assert_eq!(next(Some(&canary(1, false, 7)), &mark(10, 100), 900), Due::Wait);
}

#[test]
fn what_another_deployment_left_goes_first() {
    assert_eq!(next(Some(&canary(1, true, 6)), &mark(10, 0), 100), Due::TakeAway);
    let mut strange = canary(1, true, 7);
    strange.metadata.annotations = None;
    assert_eq!(next(Some(&strange), &mark(10, 0), 100), Due::TakeAway);
}

#[test]
fn the_end_takes_the_second_deployment_away_and_then_the_mark() {
    let rolling = fixtures::snapshot("rolling");
    let settings = settings();
    let of = |main: &Snapshot, canary: Option<&Snapshot>| due(main, canary, &mark(100, 1), FENCE, &settings, 2);
    assert_eq!(of(&rolling, Some(&canary(3, true, 7))), Due::Wait);
    let complete = fixtures::snapshot("complete");
    assert_eq!(of(&complete, Some(&canary(3, true, 7))), Due::Clear);
    assert_eq!(of(&complete, None), Due::End);
}
