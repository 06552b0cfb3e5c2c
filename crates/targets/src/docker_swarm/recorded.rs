//! Decisions on answers that a real engine gave (Docker Engine 20.10.24, one node), kept in `fixtures/`.

use super::evidence::Evidence;
use super::model::{Service, Task, instant};
use super::observe::{Look, observation};
use crate::{Observation, Rollout};
use passerelle_contract::deployments::{Cause, Failure, Health, InstanceState};
use serde_json::{Value, json};

fn look(text: &str) -> Look {
    let recorded: Value = serde_json::from_str(text).unwrap();
    let service: Service = serde_json::from_value(recorded["service"].clone()).unwrap();
    let tasks: Vec<Task> = serde_json::from_value(recorded["tasks"].clone()).unwrap();
    Look { service, tasks, now: instant(recorded["now"].as_str().unwrap()) + time::Duration::seconds(20) }
}

fn seen(text: &str) -> Observation {
    observation("fx_web", &look(text), None)
}

fn failure(text: &str) -> Failure {
    match seen(text).rollout {
        Rollout::Failed { failure } => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_new_service_is_complete_when_its_tasks_run() {
    let seen = seen(include_str!("fixtures/created.json"));
    assert_eq!((seen.rollout, seen.health), (Rollout::Complete, Health::Healthy));
    assert_eq!((seen.replicas.desired, seen.replicas.updated, seen.replicas.ready), (2, 2, 2));
    assert!(seen.instances.iter().all(|i| i.state == InstanceState::Ready && i.updated && i.message.is_none()));
    assert!(seen.instances[0].name.starts_with("fx_web.1."), "{:?}", seen.instances);
    assert_eq!((seen.env[0].value.as_str(), seen.env[1].value.as_str()), ("***", "5"));
}

#[test]
fn old_and_new_tasks_are_told_apart_during_an_update() {
    let seen = seen(include_str!("fixtures/updating.json"));
    assert_eq!((seen.rollout, seen.health), (Rollout::Progressing, Health::Progressing));
    let states: Vec<_> = seen.instances.iter().map(|i| (i.state, i.updated)).collect();
    use InstanceState::{Ready, Starting, Stopping};
    assert_eq!(states, [(Stopping, false), (Ready, true), (Ready, false), (Starting, true)]);
    assert_eq!((seen.replicas.updated, seen.replicas.ready), (1, 2));
}

#[test]
fn a_completed_update_does_not_remember_earlier_failures() {
    let seen = seen(include_str!("fixtures/completed.json"));
    assert_eq!((seen.rollout, seen.health), (Rollout::Complete, Health::Healthy));
    assert_eq!(seen.instances.len(), 2, "{:?}", seen.instances);
}

#[test]
fn a_roll_back_by_swarm_is_a_failure_while_and_after_it_happens() {
    for text in [include_str!("fixtures/rolling_back_crash.json"), include_str!("fixtures/rolled_back_crash.json")] {
        let seen = seen(text);
        let failure = failure(text);
        assert_eq!((failure.cause, seen.health), (Cause::CrashLoop, Health::Degraded), "{failure:?}");
        assert!(failure.message.to_string().starts_with("the container ends with status 1; Swarm"), "{failure:?}");
        assert_eq!(seen.replicas.ready, 2);
        assert!(seen.instances.iter().any(|i| i.state == InstanceState::Failing && i.updated));
    }
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let failure = failure(include_str!("fixtures/rolled_back_pull.json"));
    assert_eq!(failure.cause, Cause::ImagePull);
    assert!(failure.message.to_string().contains("tinyweb:nope"), "{failure:?}");
}

#[test]
fn a_probe_needs_the_evidence_of_the_container() {
    for text in [include_str!("fixtures/rolled_back_probe.json"), include_str!("fixtures/paused_probe.json")] {
        let look = look(text);
        let task = look.suspect().expect("a suspect").id.clone();
        let probe = Some("probe: 503".to_owned());
        let evidence = Evidence { task, probe, ..Evidence::default() };
        let Rollout::Failed { failure } = observation("fx_web", &look, Some(&evidence)).rollout else { panic!() };
        assert_eq!(failure.cause, Cause::Probe, "{failure:?}");
    }
}

#[test]
fn a_paused_update_counts_its_own_tasks_only() {
    let text = include_str!("fixtures/paused_crash.json");
    let failure = failure(text);
    assert_eq!(failure.cause, Cause::CrashLoop);
    assert!(failure.message.to_string().ends_with("Swarm paused the update"), "{failure:?}");
    // Without a task that shows why, Swarm's own words are left.
    let mut look = look(text);
    look.tasks.retain(Task::is_ready);
    let Rollout::Failed { failure } = observation("fx_web", &look, None).rollout else { panic!() };
    assert_eq!(failure.cause, Cause::Deadline);
}

#[test]
fn a_place_that_no_node_has_is_found_after_a_while() {
    let text = include_str!("fixtures/no_node.json");
    assert_eq!(failure(text).cause, Cause::Unschedulable);
    let mut early = look(text);
    early.now -= time::Duration::seconds(20);
    assert_eq!(observation("fx_web", &early, None).rollout, Rollout::Progressing);
}

#[test]
fn a_crash_after_the_update_needs_two_ends_of_a_task() {
    let mut look = look(include_str!("fixtures/completed.json"));
    let running = look.tasks.iter().position(Task::is_ready).unwrap();
    look.tasks[running].status.state = "failed".to_owned();
    look.tasks[running].desired_state = "shutdown".to_owned();
    let once = observation("fx_web", &look, None);
    assert_eq!((once.rollout, once.health), (Rollout::Progressing, Health::Degraded));
    let mut again = look.tasks[running].clone();
    again.id = "another".to_owned();
    look.tasks.push(again);
    let Rollout::Failed { failure } = observation("fx_web", &look, None).rollout else { panic!() };
    assert_eq!(failure.cause, Cause::CrashLoop);
}

#[test]
fn restarts_and_scaling_are_complete_only_when_done() {
    let mut restarted = look(include_str!("fixtures/created.json"));
    restarted.service.spec["TaskTemplate"]["ForceUpdate"] = 1.into();
    assert_eq!(observation("fx_web", &restarted, None).rollout, Rollout::Progressing);
    for replicas in [0, 1, 3] {
        let mut scaled = look(include_str!("fixtures/created.json"));
        scaled.service.spec["Mode"]["Replicated"]["Replicas"] = replicas.into();
        assert_eq!(observation("fx_web", &scaled, None).rollout, Rollout::Progressing, "{replicas}");
    }
}

#[test]
fn odd_answers_do_not_panic() {
    for odd in [json!({}), json!({ "Spec": null }), json!({ "Spec": { "Mode": { "Replicated": { "Replicas": -4 } } } })]
    {
        let service: Service = serde_json::from_value(odd).unwrap();
        let odd = Look { service, tasks: vec![Task::default()], now: time::OffsetDateTime::UNIX_EPOCH };
        assert_eq!(observation("x", &odd, None).image, "");
    }
}
