//! Keeps as many tasks as wanted, restarts failed ones, and replaces tasks step by step when a specification changed.

use super::model::{Service, State, Task, Update};
use super::task;
use crate::object::text;
use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// Ended tasks that the engine remembers per slot.
const HISTORY: usize = 5;
/// Steps at one instant; more would mean that two rules undo each other's work.
const ROUNDS: usize = 200;

/// Brings everything to where it is at `now`; answers when it moves next.
pub(crate) fn reconcile(state: &mut State, now: OffsetDateTime) -> Option<OffsetDateTime> {
    let mut due: Option<OffsetDateTime> = None;
    for _ in 0..ROUNDS {
        let mut moved = task::advance(state, now);
        due = None;
        let ids: Vec<String> = state.services.keys().cloned().collect();
        for id in ids {
            let (changed, next) = service(state, &id, now);
            moved |= changed;
            due = [due, next].into_iter().flatten().min();
        }
        if !moved {
            break;
        }
    }
    forget(state);
    let tasks = state.tasks.iter().filter_map(|task| task.due).min();
    [due, tasks].into_iter().flatten().min()
}

type Outcome = (bool, Option<OffsetDateTime>);

fn service(state: &mut State, id: &str, now: OffsetDateTime) -> Outcome {
    let Some(service) = state.services.get(id).cloned() else { return (false, None) };
    let filled = fill(state, &service, now);
    let updated = match &service.update {
        Some(update) if matches!(update.state, "updating" | "rollback_started") => roll(state, &service, now),
        _ => (false, None),
    };
    (filled.0 || updated.0, [filled.1, updated.1].into_iter().flatten().min())
}

/// The newest task that should run in a slot.
fn current<'a>(state: &'a State, service: &Service, slot: u64) -> Option<&'a Task> {
    let in_slot = |task: &&Task| task.service == service.id && task.slot == slot && task.is_wanted();
    state.tasks.iter().rev().find(in_slot)
}

/// Every slot has a task; a failed one gets another after the restart delay; slots above the wanted number end.
fn fill(state: &mut State, service: &Service, now: OffsetDateTime) -> Outcome {
    let wait = restart_delay(service);
    let wait = state.pace.seconds(wait);
    let template = service.spec["TaskTemplate"].clone();
    let (mut moved, mut due) = (false, None);
    for slot in 1..=service.replicas() {
        match current(state, service, slot).map(|task| (task.id.clone(), task.is_over(), task.since)) {
            None => {
                task::spawn(state, &service.id, slot, template.clone(), now);
                moved = true;
            }
            Some((id, true, since)) if since + wait <= now => {
                task::shut_down(state, &id, now);
                task::spawn(state, &service.id, slot, template.clone(), now);
                moved = true;
            }
            Some((_, true, since)) => due = [due, Some(since + wait)].into_iter().flatten().min(),
            Some((_, false, _)) => {}
        }
    }
    let surplus: Vec<String> = state
        .tasks
        .iter()
        .filter(|task| task.service == service.id && task.is_wanted() && task.slot > service.replicas())
        .map(|task| task.id.clone())
        .collect();
    for id in surplus {
        task::shut_down(state, &id, now);
        moved = true;
    }
    (moved, due)
}

fn restart_delay(service: &Service) -> f64 {
    let given = service.spec["TaskTemplate"]["RestartPolicy"]["Delay"].as_f64();
    given.map_or(5.0, |nanoseconds| nanoseconds / 1e9)
}

/// `UpdateConfig` or, on the way back, `RollbackConfig`, with the engine's defaults.
struct Rules {
    parallelism: usize,
    delay: f64,
    monitor: f64,
    ratio: f64,
    action: String,
    start_first: bool,
}

impl Rules {
    fn of(service: &Service, back: bool) -> Self {
        let config = &service.spec[if back { "RollbackConfig" } else { "UpdateConfig" }];
        let seconds = |field: &str, absent: f64| config[field].as_f64().map_or(absent, |nanoseconds| nanoseconds / 1e9);
        let monitor = seconds("Monitor", 5.0);
        Self {
            parallelism: config["Parallelism"].as_u64().map_or(1, |count| usize::try_from(count).unwrap_or(1)),
            delay: seconds("Delay", 0.0),
            monitor: if monitor == 0.0 { 5.0 } else { monitor },
            ratio: config["MaxFailureRatio"].as_f64().unwrap_or(0.0),
            action: text(config, "/FailureAction").to_owned(),
            start_first: text(config, "/Order") == "start-first",
        }
    }
}

fn roll(state: &mut State, service: &Service, now: OffsetDateTime) -> Outcome {
    let Some(mut update) = service.update.clone() else { return (false, None) };
    let back = update.state == "rollback_started";
    let rules = Rules::of(service, back);
    if let Some(failed) = count_failures(state, service, &mut update, &rules) {
        store(state, &service.id, update.clone());
        let ratio = update.failures as f64 / update.total.max(1) as f64;
        if ratio > rules.ratio && rules.action != "continue" {
            give_up(state, &service.id, back, &rules.action, &failed, now);
            return (true, None);
        }
    }
    let moved = replace(state, service, &mut update, &rules, now);
    let template = &service.spec["TaskTemplate"];
    let done = (1..=service.replicas()).all(|slot| {
        let old = state
            .tasks
            .iter()
            .any(|task| task.service == service.id && task.slot == slot && task.is_wanted() && task.spec != *template);
        !old && current(state, service, slot).is_some_and(|task| task.state == "running")
    });
    let mut due = (update.not_before > now).then_some(update.not_before);
    if done {
        let since = *update.replaced_at.get_or_insert(now);
        let end = since + state.pace.seconds(rules.monitor);
        if end <= now {
            update.completed = Some(now);
            (update.state, update.message) = if back {
                ("rollback_completed", "rollback completed".into())
            } else {
                ("completed", "update completed".into())
            };
            store(state, &service.id, update);
            tell(state, &service.id, now);
            return (true, None);
        }
        due = Some(end);
    } else {
        update.replaced_at = None;
    }
    store(state, &service.id, update);
    (moved, due)
}

/// Counts tasks of this update that failed within their monitoring time; names the newest.
fn count_failures(state: &mut State, service: &Service, update: &mut Update, rules: &Rules) -> Option<String> {
    let limit = state.pace.seconds(rules.monitor);
    let template = &service.spec["TaskTemplate"];
    let mut failed = None;
    for task in &mut state.tasks {
        let ours = task.service == service.id && task.created >= update.started && task.spec == *template;
        let early = task.started.is_none_or(|started| task.since - started <= limit + Duration::SECOND);
        if ours && !task.counted && matches!(task.state, "failed" | "rejected" | "complete") && early {
            task.counted = true;
            update.failures += 1;
            failed = Some(task.id.clone());
        }
    }
    failed
}

fn give_up(state: &mut State, id: &str, back: bool, action: &str, task: &str, now: OffsetDateTime) {
    let index = state.next_index();
    let Some(service) = state.services.get_mut(id) else { return };
    let size = service_size(service);
    let Some(update) = &mut service.update else { return };
    let because = format!("due to failure or early termination of task {task}");
    match (back, action, service.previous.clone()) {
        (false, "rollback", Some(previous)) => {
            *update = begin("rollback_started", format!("update rolled back {because}"), size, now);
            let failed = std::mem::replace(&mut service.spec, previous);
            // The labels of the service go back as well: the whole specification does.
            service.previous = Some(failed);
        }
        (false, _, _) => (update.state, update.message) = ("paused", format!("update paused {because}")),
        (true, _, _) => (update.state, update.message) = ("rollback_paused", format!("rollback paused {because}")),
    }
    service.index = index;
    service.updated = now;
    tell(state, id, now);
}

fn service_size(service: &Service) -> usize {
    usize::try_from(service.replicas()).unwrap_or(usize::MAX)
}

pub(crate) fn begin(state: &'static str, message: String, total: usize, now: OffsetDateTime) -> Update {
    Update { state, started: now, completed: None, message, total, failures: 0, replaced_at: None, not_before: now }
}

/// Starts replacing further tasks, as many as may be in motion at a time.
fn replace(state: &mut State, service: &Service, update: &mut Update, rules: &Rules, now: OffsetDateTime) -> bool {
    let template = service.spec["TaskTemplate"].clone();
    let mut moved = false;
    let (mut busy, mut dirty) = (0, Vec::new());
    for slot in 1..=service.replicas() {
        let wanted: Vec<&Task> = state
            .tasks
            .iter()
            .filter(|task| task.service == service.id && task.slot == slot && task.is_wanted())
            .collect();
        let new = wanted.iter().find(|task| task.spec == template);
        let old: Vec<String> = wanted.iter().filter(|task| task.spec != template).map(|task| task.id.clone()).collect();
        match new {
            // start-first: the old one ends once the new one runs.
            Some(task) if task.state == "running" && !old.is_empty() => dirty.push((slot, old, true)),
            Some(task) if task.state == "running" => {}
            Some(_) => busy += 1,
            None => dirty.push((slot, old, false)),
        }
    }
    for (slot, old, ready) in dirty {
        if ready {
            old.iter().for_each(|id| task::shut_down(state, id, now));
            moved = true;
            continue;
        }
        if (rules.parallelism > 0 && busy >= rules.parallelism) || update.not_before > now {
            continue;
        }
        if !rules.start_first {
            old.iter().for_each(|id| task::shut_down(state, id, now));
        }
        task::spawn(state, &service.id, slot, template.clone(), now);
        update.not_before = now + state.pace.seconds(rules.delay);
        busy += 1;
        moved = true;
    }
    moved
}

fn store(state: &mut State, id: &str, update: Update) {
    if let Some(service) = state.services.get_mut(id) {
        service.update = Some(update);
    }
}

fn tell(state: &mut State, id: &str, now: OffsetDateTime) {
    if let Some(service) = state.services.get(id).cloned() {
        state.events.service("update", &service, now);
    }
}

/// Ended tasks beyond the history go, and those of services that are gone.
fn forget(state: &mut State) {
    let mut seen = std::collections::BTreeMap::<(String, u64), usize>::new();
    let mut keep: Vec<bool> = Vec::with_capacity(state.tasks.len());
    for task in state.tasks.iter().rev() {
        let known = state.services.contains_key(&task.service);
        let over = task.is_over() && !task.is_wanted();
        let count = seen.entry((task.service.clone(), task.slot)).or_default();
        *count += usize::from(over);
        keep.push(known && (!over || *count <= HISTORY));
    }
    let mut keep = keep.into_iter().rev();
    state.tasks.retain(|_| keep.next().unwrap_or(true));
}

/// An update was on its way in some slot: it holds more than one task. The engine then begins an update whatever the new specification says.
fn has_unfinished_slot(state: &State, id: &str) -> bool {
    let mut slots = std::collections::BTreeSet::new();
    state.tasks.iter().filter(|task| task.service == id && task.is_wanted()).any(|task| !slots.insert(task.slot))
}

/// Takes a new specification.
pub(crate) fn change(state: &mut State, id: &str, spec: Value, rollback: bool, now: OffsetDateTime) {
    let index = state.next_index();
    let unfinished = has_unfinished_slot(state, id);
    let Some(service) = state.services.get_mut(id) else { return };
    let rolls = unfinished || spec["TaskTemplate"] != service.spec["TaskTemplate"];
    service.previous = Some(std::mem::replace(&mut service.spec, spec));
    service.index = index;
    service.updated = now;
    let size = service_size(service);
    service.update = rolls.then(|| {
        let (state, message) = if rollback {
            ("rollback_started", "manually requested rollback")
        } else {
            ("updating", "update in progress")
        };
        begin(state, message.into(), size, now)
    });
    tell(state, id, now);
}
