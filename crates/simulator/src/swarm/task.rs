//! The life of a task, from `new` to `running` or to its failure.

use super::model::{State, Task};
use crate::behaviour::Behaviour;
use serde_json::Value;
use time::OffsetDateTime;

/// Makes a task for a slot.
pub(crate) fn spawn(state: &mut State, service: &str, slot: u64, spec: Value, now: OffsetDateTime) {
    let index = state.next_index();
    let due = now + state.pace.seconds(state.dice.around(0.2));
    let task = Task {
        id: state.dice.swarm_id(),
        service: service.to_owned(),
        index,
        slot,
        spec,
        created: now,
        state: "new",
        desired: "running",
        since: now,
        err: String::new(),
        exit_code: 0,
        container: String::new(),
        started: None,
        due: Some(due),
        counted: false,
    };
    state.tasks.push(task);
}

/// Moves every task whose time has come; answers whether any moved.
pub(crate) fn advance(state: &mut State, now: OffsetDateTime) -> bool {
    let mut moved = false;
    for at in 0..state.tasks.len() {
        if state.tasks[at].due.is_none_or(|due| due > now) {
            continue;
        }
        let mut task = state.tasks[at].clone();
        step(state, &mut task, now);
        task.index = state.next_index();
        state.tasks[at] = task;
        moved = true;
    }
    moved
}

fn step(state: &mut State, task: &mut Task, now: OffsetDateTime) {
    let behaviour = task.behaviour();
    if task.desired != "running" {
        task.state = "shutdown";
        task.since = now;
        task.due = None;
        state.events.container("die", task, now);
        return;
    }
    let (next, seconds) = match (task.state, behaviour) {
        ("new" | "pending", Behaviour::Unschedulable) => {
            let nodes = state.nodes;
            let plural = if nodes == 1 { "node" } else { "nodes" };
            task.err = format!("no suitable node (insufficient resources on {nodes} {plural})");
            ("pending", None)
        }
        ("new", _) => ("pending", Some(0.2)),
        ("pending", _) => ("assigned", Some(0.1)),
        ("assigned", _) => ("preparing", Some(1.5)),
        ("preparing", Behaviour::Missing) => {
            task.err = format!("No such image: {}", task.image());
            ("rejected", None)
        }
        ("preparing", _) => {
            task.container = state.dice.hex(32);
            // With a health check a task counts as starting until the first check passes.
            ("starting", Some(if matches!(behaviour, Behaviour::Unready | Behaviour::Unhealthy) { 5.0 } else { 1.5 }))
        }
        ("starting", Behaviour::Unready | Behaviour::Unhealthy) => {
            task.exit_code = 137;
            task.err = "task: non-zero exit (137): dockerexec: unhealthy container".into();
            ("failed", None)
        }
        ("starting", Behaviour::Crash) => ("running", Some(1.0)),
        ("starting", _) => ("running", None),
        ("running", _) => {
            task.exit_code = 1;
            task.err = "task: non-zero exit (1)".into();
            ("failed", None)
        }
        (other, _) => (other, None),
    };
    if next == "starting" || (next == "running" && task.started.is_none()) {
        task.started.get_or_insert(now);
    }
    match next {
        "starting" => state.events.container("start", task, now),
        "failed" => state.events.container("die", task, now),
        _ => {}
    }
    task.state = next;
    task.since = now;
    task.due = seconds.map(|seconds| now + state.pace.seconds(state.dice.around(seconds)));
}

/// Asks a task to end.
pub(crate) fn shut_down(state: &mut State, id: &str, now: OffsetDateTime) {
    let due = now + state.pace.seconds(state.dice.around(0.8));
    let index = state.next_index();
    if let Some(task) = state.tasks.iter_mut().find(|task| task.id == id) {
        task.desired = "shutdown";
        task.index = index;
        task.due = if task.is_over() { None } else { Some(due) };
    }
}
