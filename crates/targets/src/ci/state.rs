//! What the runs mean for whoever deploys. Pure.

use super::model::{Attempt, Job, JobState, Ledger, Run, RunState};
use crate::{Observation, Recorded, Rollout};
use passerelle_contract::deployments::{Cause, Failure, Health, Instance, InstanceState, Replicas};
use passerelle_contract::{Text, text};
use serde_json::json;

/// Shown while no good run is known.
pub(super) const NOTHING: &str = "pipeline:nothing";
/// So long after the order a run that is not seen never comes.
const UNSEEN_S: i64 = 120;
/// Most jobs that are listed.
const MOST_JOBS: usize = 50;

/// The record to go back to: an image, and nothing of runs, which are never the same again.
pub(super) fn record(ledger: &Ledger) -> Recorded {
    Recorded(json!({ "image": ledger.deployed() }))
}

/// `now`: seconds since 1970.
pub(super) fn observation(ledger: &Ledger, now: i64) -> Observation {
    let current = ledger.current();
    let deployed = ledger.deployed();
    let rollout = current.map_or(Rollout::Progressing, |current| rollout(ledger, current, now));
    let ready = u32::from(deployed.is_some());
    let (health, health_message) = match &rollout {
        Rollout::Complete => (Health::Healthy, None),
        Rollout::Progressing => match current {
            Some(current) => (Health::Progressing, Some(at_work(current))),
            None => (Health::Unknown, Some(text!("nothing has been deployed here yet"))),
        },
        Rollout::Failed { failure } if ready == 0 => (Health::Failed, Some(failure.message.clone())),
        Rollout::Failed { failure } => (Health::Degraded, Some(failure.message.clone())),
    };
    Observation {
        image: deployed.unwrap_or(NOTHING).to_owned(),
        replicas: Replicas { desired: 1, updated: u32::from(rollout == Rollout::Complete), ready },
        instances: current.map(instances).unwrap_or_default(),
        env: Vec::new(),
        rollout,
        health,
        health_message,
        fence: current.and_then(|current| current.mark.as_ref()).map(|mark| mark.fence),
        recorded: record(ledger),
    }
}

fn rollout(ledger: &Ledger, current: &Attempt, now: i64) -> Rollout {
    let failed = |failure| Rollout::Failed { failure };
    let Some(run) = &current.run else {
        let unseen = now - current.asked_at > UNSEEN_S;
        return if unseen { failed(never_seen()) } else { Rollout::Progressing };
    };
    match &run.state {
        RunState::Going(_) => Rollout::Progressing,
        RunState::Succeeded => match overtaken(ledger, current) {
            Some(stray) => failed(gone_over(stray)),
            None => Rollout::Complete,
        },
        RunState::Failed(end) => failed(failure(run, end)),
        RunState::Cancelled => {
            let url = &run.url;
            failed(of(Cause::JobFailed, text!("run {id} was cancelled: {url}", id = run.id, url), None))
        }
    }
}

/// A run of an overtaken writer that ended well after the one that counts: what runs is no longer what was asked for.
fn overtaken<'a>(ledger: &'a Ledger, current: &Attempt) -> Option<&'a Run> {
    let strays = ledger.strays().into_iter().filter(|stray| stray.image != current.image);
    strays.filter_map(|stray| stray.run.as_ref()).find(|run| run.state == RunState::Succeeded)
}

fn gone_over(stray: &Run) -> Failure {
    let message = text!(
        "run {id} of an older deployment ended after this one and went over it: {url}",
        id = stray.id,
        url = &stray.url
    );
    of(Cause::Refused, message, None)
}

fn never_seen() -> Failure {
    let message = text!(
        "no run shows the id that was sent along; its run-name has to hold the input by which runs are found again"
    );
    of(Cause::MissingConfig, message, None)
}

/// The job that failed, where, and its page.
fn failure(run: &Run, end: &str) -> Failure {
    if run.id == 0 {
        return of(Cause::JobFailed, text!("no run was started, or its run is no longer kept"), None);
    }
    let Some(job) = failed_job(run) else {
        let message = text!("run {id} ended as {end}: {url}", id = run.id, end, url = &run.url);
        return of(Cause::JobFailed, message, None);
    };
    let url = if job.url.is_empty() { &run.url } else { &job.url };
    let name = &job.name;
    let message = match (job.stage.as_str(), job.detail.as_str()) {
        ("", "") => text!("job {name} failed: {url}", name, url),
        ("", step) => text!("job {name} failed at step {step}: {url}", name, step, url),
        (stage, "") => text!("job {name} of stage {stage} failed: {url}", name, stage, url),
        (stage, why) => text!("job {name} of stage {stage} failed ({why}): {url}", name, stage, why, url),
    };
    of(Cause::JobFailed, message, Some(job.label()))
}

pub(super) fn failed_job(run: &Run) -> Option<&Job> {
    run.jobs.iter().find(|job| job.state == JobState::Failed)
}

const fn of(cause: Cause, message: Text, instance: Option<String>) -> Failure {
    Failure { cause, message, instance, logs: Vec::new() }
}

fn at_work(current: &Attempt) -> Text {
    match &current.run {
        None => text!("the run was ordered and is not seen yet"),
        Some(Run { state: RunState::Going(said), url, .. }) if url.is_empty() => said.clone(),
        Some(Run { state: RunState::Going(said), url, .. }) => text!("{said}: {url}", said, url),
        Some(run) => text!("run {id} is over", id = run.id),
    }
}

/// The jobs of the run; without any, the run itself.
fn instances(current: &Attempt) -> Vec<Instance> {
    // A run that is no longer kept has no number.
    let Some(run) = current.run.as_ref().filter(|run| run.id != 0) else { return Vec::new() };
    let of = |name: String, state, message| Instance {
        name,
        state,
        image: current.image.clone(),
        updated: true,
        restarts: 0,
        message: Some(message),
    };
    if run.jobs.is_empty() {
        let state = match &run.state {
            RunState::Going(_) => InstanceState::Starting,
            RunState::Succeeded => InstanceState::Ready,
            RunState::Failed(_) | RunState::Cancelled => InstanceState::Failing,
        };
        return vec![of(format!("run #{}", run.id), state, Text::verbatim(run.url.clone()))];
    }
    run.jobs.iter().take(MOST_JOBS).map(|job| of(job.label(), instance_state(job.state), told(job))).collect()
}

const fn instance_state(state: JobState) -> InstanceState {
    match state {
        JobState::Pending | JobState::Manual => InstanceState::Pending,
        JobState::Running => InstanceState::Starting,
        JobState::Succeeded => InstanceState::Ready,
        JobState::Failed => InstanceState::Failing,
        JobState::Passed => InstanceState::Stopping,
    }
}

fn told(job: &Job) -> Text {
    let said = match job.state {
        JobState::Pending => text!("waits for its turn"),
        JobState::Running => text!("runs"),
        JobState::Manual => text!("waits to be started"),
        JobState::Succeeded => text!("has succeeded"),
        JobState::Failed => text!("has failed"),
        JobState::Passed => text!("does not count"),
    };
    match (job.stage.as_str(), job.url.as_str()) {
        (_, "") => said,
        ("", url) => text!("{said}: {url}", said, url),
        (stage, url) => text!("{stage}: {said}: {url}", stage, said, url),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::{attempt, fence};
    use super::*;

    fn job(id: u64, name: &str, state: JobState, detail: &str) -> Job {
        let url = format!("https://ci.example/jobs/{id}");
        Job { id, name: name.to_owned(), stage: String::new(), state, url, detail: detail.to_owned() }
    }

    fn seen(attempts: Vec<Attempt>) -> Observation {
        observation(&Ledger(attempts), 1_000)
    }

    fn good(id: u64) -> Attempt {
        attempt(id, None, Some(RunState::Succeeded))
    }

    #[test]
    fn a_failed_run_names_job_step_and_page_and_what_ran_before_goes_on() {
        let mut broken = attempt(2, Some(("web:2", fence(5, 1))), Some(RunState::Failed("failure".to_owned())));
        broken.run.as_mut().unwrap().jobs =
            vec![job(1, "build", JobState::Succeeded, ""), job(2, "deploy", JobState::Failed, "Pull the image")];
        let failed = seen(vec![good(1), broken.clone()]);
        let Rollout::Failed { failure } = &failed.rollout else { panic!("{:?}", failed.rollout) };
        assert_eq!((failure.cause, failure.instance.as_deref()), (Cause::JobFailed, Some("deploy #2")));
        assert_eq!(failure.message.to_string(), "job deploy failed at step Pull the image: https://ci.example/jobs/2");
        assert_eq!((failed.image.as_str(), failed.health), ("web:0", Health::Degraded));
        broken.run.as_mut().unwrap().jobs.clear();
        let alone = seen(vec![broken]);
        assert_eq!((alone.image.as_str(), alone.health), (NOTHING, Health::Failed));
        assert!(
            matches!(&alone.rollout, Rollout::Failed { failure } if failure.message.to_string().contains("ended as failure"))
        );
    }

    #[test]
    fn a_run_that_never_comes_is_told_after_a_while() {
        let claim = Attempt { asked_at: 990, ..attempt(2, Some(("web:2", fence(5, 1))), None) };
        assert_eq!(seen(vec![good(1), claim.clone()]).rollout, Rollout::Progressing);
        let old = Attempt { asked_at: 100, ..claim };
        assert!(
            matches!(&seen(vec![good(1), old]).rollout, Rollout::Failed { failure } if failure.cause == Cause::MissingConfig)
        );
    }

    #[test]
    fn a_run_of_an_older_writer_that_went_over_ours_is_told() {
        let ours = attempt(2, Some(("web:2", fence(5, 2))), Some(RunState::Succeeded));
        let late = attempt(3, Some(("web:1", fence(5, 1))), Some(RunState::Succeeded));
        assert!(
            matches!(&seen(vec![ours.clone(), late]).rollout, Rollout::Failed { failure } if failure.cause == Cause::Refused)
        );
        let same = attempt(3, Some(("web:2", fence(5, 2))), Some(RunState::Succeeded));
        assert_eq!(seen(vec![ours, same]).rollout, Rollout::Complete);
    }

    #[test]
    fn nothing_is_unknown_and_not_failed() {
        let empty = seen(Vec::new());
        assert_eq!((empty.health, empty.rollout, empty.replicas.ready), (Health::Unknown, Rollout::Progressing, 0));
        assert_eq!(empty.recorded, Recorded(json!({ "image": null })));
    }
}
