//! Names the cause of a failed rollout from the task that shows it.

use super::evidence::Evidence;
use super::model::{Service, Task, UpdateState};
use super::spec;
use crate::masking;
use passerelle_contract::deployments::{Cause, Failure};
use passerelle_contract::{Text, text};

/// The failure of a rollout; without a suspect Swarm's own words are all there is.
pub(super) fn failure(name: &str, service: &Service, suspect: Option<&Task>, evidence: Option<&Evidence>) -> Failure {
    let outcome = outcome(service);
    let Some(task) = suspect else {
        let said = service.update_status.as_ref().map_or("", |status| status.message.as_str());
        let message = text!("{outcome}: {said}", outcome, said = masking::shown(said));
        return Failure { cause: Cause::Deadline, message, instance: None, logs: Vec::new() };
    };
    let cause = cause(task, evidence);
    let message = text!("{sentence}; {outcome}", sentence = sentence(cause, task, evidence), outcome);
    let logs = evidence.map(|evidence| evidence.logs.clone()).unwrap_or_default();
    Failure { cause, message, instance: Some(task.name(name)), logs }
}

/// What became of the update.
fn outcome(service: &Service) -> Text {
    match service.update_state() {
        UpdateState::RollbackStarted => text!("Swarm is rolling the update back"),
        UpdateState::RollbackPaused => text!("Swarm began to roll the update back and paused"),
        UpdateState::RollbackCompleted => text!("Swarm rolled the update back"),
        UpdateState::Paused => text!("Swarm paused the update"),
        UpdateState::Updating => text!("the update does not come to an end"),
        UpdateState::None | UpdateState::Completed => text!("Swarm keeps trying"),
    }
}

/// The texts are those of swarmkit and of the engine.
fn cause(task: &Task, evidence: Option<&Evidence>) -> Cause {
    let said = task.status.err.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["no suitable node"]) {
        return Cause::Unschedulable;
    }
    if has(&["unhealthy container"]) || evidence.is_some_and(|evidence| evidence.probe.is_some()) {
        return Cause::Probe;
    }
    let object = ["secret", "config"].iter().any(|word| said.contains(word));
    if (object && has(&["not found", "does not exist", "unable to get"])) || has(&["bind source path does not exist"]) {
        return Cause::MissingConfig;
    }
    let image = [
        "no such image",
        "manifest unknown",
        "manifest for",
        "pull access denied",
        "repository does not exist",
        "failed to pull",
        "image not found",
        "failed to register layer",
        "invalid reference format",
    ];
    if has(&image) {
        return Cause::ImagePull;
    }
    match task.status.state.as_str() {
        "failed" | "complete" => Cause::CrashLoop,
        "rejected" => Cause::Refused,
        _ => Cause::Unknown,
    }
}

fn sentence(cause: Cause, task: &Task, evidence: Option<&Evidence>) -> Text {
    let said = masking::shown(&task.status.err).chars().take(300).collect::<String>();
    let code = task.status.container_status.as_ref().map_or(0, |status| status.exit_code);
    match cause {
        Cause::ImagePull => {
            text!("image {image} cannot be pulled: {why}", image = spec::task_image(&task.spec), why = said)
        }
        Cause::Probe => {
            match evidence.and_then(|evidence| evidence.probe.as_deref()).filter(|output| !output.is_empty()) {
                Some(output) => text!("the health check fails: {output}", output),
                None => text!("the health check fails"),
            }
        }
        Cause::CrashLoop if evidence.is_some_and(|evidence| evidence.out_of_memory) => {
            text!("the container was killed: out of memory")
        }
        Cause::CrashLoop if code == 0 && said.is_empty() => {
            text!("the container ends with status 0, but a service has to stay up")
        }
        Cause::CrashLoop if code == 0 => text!("the container does not start: {why}", why = said),
        Cause::CrashLoop => text!("the container ends with status {code}", code),
        _ if said.is_empty() => text!("task is {state}", state = masking::shown(&task.status.state)),
        _ => Text::verbatim(said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker_swarm::model::{ContainerStatus, TaskStatus};

    fn task(state: &str, err: &str, exit_code: i64) -> Task {
        let container_status = Some(ContainerStatus { container: "c".to_owned(), exit_code });
        let status =
            TaskStatus { state: state.to_owned(), err: err.to_owned(), container_status, ..TaskStatus::default() };
        Task { id: "t1".to_owned(), slot: Some(1), status, ..Task::default() }
    }

    #[test]
    fn the_words_of_the_engine_have_names() {
        for (state, err, expected) in [
            ("rejected", "No such image: 127.0.0.1:15000/tinyweb:nope", Cause::ImagePull),
            (
                "rejected",
                "pull access denied for x, repository does not exist or may require 'docker login'",
                Cause::ImagePull,
            ),
            ("failed", "task: non-zero exit (1)", Cause::CrashLoop),
            ("failed", "task: non-zero exit (137): dockerexec: unhealthy container", Cause::Probe),
            ("complete", "", Cause::CrashLoop),
            ("failed", "starting container failed: exec: \"x\": executable file not found in $PATH", Cause::CrashLoop),
            ("pending", "no suitable node (insufficient resources on 3 nodes)", Cause::Unschedulable),
            ("rejected", "secret target db not found in task", Cause::MissingConfig),
            (
                "rejected",
                "invalid mount config for type \"bind\": bind source path does not exist: /x",
                Cause::MissingConfig,
            ),
            ("rejected", "network n not found", Cause::Refused),
            ("orphaned", "", Cause::Unknown),
        ] {
            assert_eq!(cause(&task(state, err, 0), None), expected, "{state} {err}");
        }
    }

    #[test]
    fn an_unhealthy_container_that_ended_cleanly_is_a_probe() {
        let evidence = Evidence { probe: Some("probe: 503".to_owned()), ..Evidence::default() };
        let failure = failure("web", &Service::default(), Some(&task("complete", "", 0)), Some(&evidence));
        assert_eq!(failure.cause, Cause::Probe);
        assert_eq!(failure.message, "the health check fails: probe: 503; Swarm keeps trying");
        assert_eq!(failure.instance.as_deref(), Some("web.1.t1"));
    }

    #[test]
    fn memory_is_told_apart_from_a_crash() {
        let evidence = Evidence { out_of_memory: true, ..Evidence::default() };
        let failure = failure(
            "web",
            &Service::default(),
            Some(&task("failed", "task: non-zero exit (137)", 137)),
            Some(&evidence),
        );
        assert!(failure.message.to_string().contains("out of memory"), "{failure:?}");
    }
}
