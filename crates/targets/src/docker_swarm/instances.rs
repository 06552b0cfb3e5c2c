//! Tasks as the instances that people see: those that should run, those that still do, and the last to fail in each place.

use super::model::Task;
use super::rollout::Tasks;
use super::spec;
use crate::masking;
use passerelle_contract::Text;
use passerelle_contract::deployments::{Instance, InstanceState};

/// Most instances that are listed; a service may have more tasks than a page can show.
const MAX_INSTANCES: usize = 500;

/// Sorted by place, then by age.
pub(super) fn list(name: &str, tasks: &Tasks<'_>) -> Vec<Instance> {
    let ended = tasks.ended();
    let newest_ended =
        |task: &Task| ended.iter().find(|other| other.place() == task.place()).is_some_and(|other| other.id == task.id);
    let mut shown: Vec<&Task> = tasks
        .all
        .iter()
        .filter(|task| task.is_wanted() || task.status.state == "running" || newest_ended(task))
        .collect();
    shown.sort_by(|a, b| (a.place(), a.created(), &a.id).cmp(&(b.place(), b.created(), &b.id)));
    shown
        .into_iter()
        .take(MAX_INSTANCES)
        .map(|task| {
            let before = |other: &&&Task| other.place() == task.place() && other.created() < task.created();
            let restarts = if tasks.is_updated(task) { ended.iter().filter(before).count() } else { 0 };
            Instance {
                name: task.name(name),
                state: state(task),
                image: spec::task_image(&task.spec).to_owned(),
                updated: tasks.is_updated(task),
                restarts: u32::try_from(restarts).unwrap_or(u32::MAX),
                message: message(task),
            }
        })
        .collect()
}

fn state(task: &Task) -> InstanceState {
    match task.status.state.as_str() {
        "running" if task.is_wanted() => InstanceState::Ready,
        "running" | "shutdown" | "remove" => InstanceState::Stopping,
        "failed" | "rejected" | "complete" | "orphaned" => InstanceState::Failing,
        "preparing" | "ready" | "starting" => InstanceState::Starting,
        _ => InstanceState::Pending,
    }
}

fn message(task: &Task) -> Option<Text> {
    let said = if task.status.err.is_empty() { &task.status.message } else { &task.status.err };
    let plain = said.is_empty() || said == "started";
    (!plain).then(|| Text::verbatim(masking::shown(said).chars().take(300).collect::<String>()))
}
