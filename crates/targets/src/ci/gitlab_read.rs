//! Answers of GitLab as our own words, and our words as it takes them. Pure; what is not as documented reads as absent.

use super::config::{BindingConfig, Kind};
use super::github_read::{link, seconds, short};
use super::model::{Attempt, Job, JobState, Mark, Run, RunState};
use super::provider::Order;
use passerelle_contract::text;
use serde_json::{Value, json};

const DEPLOYMENT: &str = "PASSERELLE_DEPLOYMENT";
const EPOCH: &str = "PASSERELLE_EPOCH";
const CHANGE: &str = "PASSERELLE_CHANGE";
const ENVIRONMENT: &str = "PASSERELLE_ENVIRONMENT";

/// What goes along with an order.
pub(super) fn variables_of(order: &Order, binding: &BindingConfig) -> Vec<(String, String)> {
    let fence = order.mark.fence;
    let fixed = binding.inputs.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone()));
    let ours = [
        (binding.image_field(Kind::Gitlab), order.image.clone()),
        (DEPLOYMENT, fence.deployment.to_string()),
        (EPOCH, fence.epoch.to_string()),
        (CHANGE, order.mark.change.clone()),
        (ENVIRONMENT, binding.environment.as_str().to_owned()),
    ];
    fixed.chain(ours.map(|(name, value)| (name.to_owned(), value))).collect()
}

/// The name of a pipeline, which holds the epoch of whoever follows it.
pub(super) fn name(environment: &str, image: &str, epoch: i64) -> String {
    let shown: String = format!("{environment}: {image}").chars().take(200).collect();
    format!("{shown} (Passerelle, epoch {epoch})")
}

fn epoch_of(name: &Value) -> Option<i64> {
    name.as_str()?.rsplit_once("(Passerelle, epoch ")?.1.strip_suffix(')')?.parse().ok()
}

/// None for a pipeline that is not of this binding.
pub(super) fn attempt(pipeline: &Value, variables: &Value, binding: &BindingConfig) -> Option<Attempt> {
    let all = variables.as_array().map(Vec::as_slice).unwrap_or_default();
    let value = |name: &str| all.iter().find(|one| one["key"] == name).and_then(|one| one["value"].as_str());
    if value(ENVIRONMENT)? != binding.environment.as_str() {
        return None;
    }
    let mut mark = Mark::read(value(DEPLOYMENT), value(EPOCH), value(CHANGE));
    if let (Some(mark), Some(epoch)) = (&mut mark, epoch_of(&pipeline["name"])) {
        mark.fence.epoch = mark.fence.epoch.max(epoch);
    }
    let id = pipeline["id"].as_u64()?;
    Some(Attempt {
        id,
        mark,
        image: value(binding.image_field(Kind::Gitlab))?.to_owned(),
        asked_at: seconds(pipeline["created_at"].as_str().unwrap_or_default()),
        ordered: true,
        told: false,
        run: Some(Run {
            id,
            url: link(&pipeline["web_url"]),
            sha: pipeline["sha"].as_str().unwrap_or_default().to_owned(),
            state: state(pipeline["status"].as_str().unwrap_or_default()),
            jobs: Vec::new(),
        }),
    })
}

fn state(status: &str) -> RunState {
    match status {
        "success" => RunState::Succeeded,
        "failed" | "skipped" => RunState::Failed(status.to_owned()),
        "canceled" => RunState::Cancelled,
        "canceling" => RunState::Going(text!("the run is being cancelled")),
        "manual" => RunState::Going(text!("the run waits for a manual job")),
        "running" => RunState::Going(text!("the run is at work")),
        _ => RunState::Going(text!("the run waits for its turn")),
    }
}

/// What a pipeline that has passed means where the portal plays a job of it: GitLab lets a pipeline pass that leaves out an optional one.
pub(super) fn by_manual_job(jobs: &[Job], name: &str) -> RunState {
    match jobs.iter().rfind(|job| job.name == name).map(|job| job.state) {
        Some(JobState::Succeeded) => RunState::Succeeded,
        Some(JobState::Manual) => RunState::Going(text!("the run waits for a manual job")),
        Some(JobState::Pending | JobState::Running) => RunState::Going(text!("the run is at work")),
        Some(JobState::Failed | JobState::Passed) => RunState::Failed(format!("{name} without success")),
        None => RunState::Failed(format!("passed without {name}")),
    }
}

pub(super) fn jobs(list: &Value) -> Vec<Job> {
    list.as_array().into_iter().flatten().filter_map(job).collect()
}

fn job(job: &Value) -> Option<Job> {
    let state = match job["status"].as_str().unwrap_or_default() {
        "success" => JobState::Succeeded,
        "failed" if job["allow_failure"] == true => JobState::Passed,
        "failed" => JobState::Failed,
        "canceled" | "skipped" => JobState::Passed,
        "manual" => JobState::Manual,
        "running" | "canceling" => JobState::Running,
        _ => JobState::Pending,
    };
    Some(Job {
        id: job["id"].as_u64()?,
        name: short(job["name"].as_str()?),
        stage: short(job["stage"].as_str().unwrap_or_default()),
        state,
        url: link(&job["web_url"]),
        detail: short(job["failure_reason"].as_str().unwrap_or_default()),
    })
}

/// A status beside the commit.
pub(super) fn status(attempt: &Attempt, run: &Run, binding: &BindingConfig) -> Value {
    let state = match run.state {
        RunState::Succeeded => "success",
        RunState::Cancelled => "canceled",
        RunState::Going(_) | RunState::Failed(_) => "failed",
    };
    let description: String = format!("{} by Passerelle", attempt.image).chars().take(140).collect();
    let mut body = json!({
        "state": state, "name": format!("passerelle/{}", binding.environment.as_str()), "description": description,
        "ref": binding.git_ref.as_str(), "pipeline_id": run.id,
    });
    if !run.url.is_empty() {
        body["target_url"] = run.url.as_str().into();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::model::tests::{fence, image};
    use super::*;

    fn binding() -> BindingConfig {
        let config = json!({ "repository": "a/b", "environment": "production", "manual_job": "deploy-prod", "inputs": { "REGION": "eu" } });
        serde_json::from_value(config).unwrap()
    }

    #[test]
    fn an_order_is_read_back_with_the_epoch_of_who_followed_it_last() {
        let order = Order { mark: Mark::of(&image("web:1"), fence(5, 1)), image: "web:1".to_owned() };
        let variables: Vec<Value> =
            variables_of(&order, &binding()).iter().map(|(key, value)| json!({ "key": key, "value": value })).collect();
        let pipeline = json!({ "id": 7, "status": "running", "web_url": "https://gitlab.example/a/b/-/pipelines/7", "sha": "abc",
            "created_at": "1970-01-01T00:01:40.000Z", "name": name("production", "web:1", 3) });
        let read = attempt(&pipeline, &json!(variables), &binding()).unwrap();
        assert_eq!((read.image.as_str(), read.asked_at, read.ordered), ("web:1", 100, true));
        assert_eq!(read.mark.as_ref().map(|mark| mark.fence), Some(fence(5, 3)));
        assert!(read.mark.unwrap().is_same_act(&order.mark));
        let mut elsewhere = binding();
        elsewhere.environment = super::super::Label::try_from("staging".to_owned()).unwrap();
        assert_eq!(attempt(&pipeline, &json!(variables), &elsewhere), None);
    }

    #[test]
    fn a_pipeline_that_passed_without_its_manual_job_has_deployed_nothing() {
        let of = |status: &str| {
            by_manual_job(
                &jobs(&json!([{ "id": 1, "name": "deploy-prod", "stage": "deploy", "status": status }])),
                "deploy-prod",
            )
        };
        assert_eq!(of("success"), RunState::Succeeded);
        assert!(!of("manual").is_over() && !of("running").is_over());
        assert!(matches!(of("failed"), RunState::Failed(_)) && matches!(of("skipped"), RunState::Failed(_)));
        assert!(matches!(by_manual_job(&[], "deploy-prod"), RunState::Failed(_)));
    }

    #[test]
    fn what_may_fail_does_not_count() {
        let all = jobs(&json!([{ "id": 1, "name": "lint", "status": "failed", "allow_failure": true },
            { "id": 2, "name": "deploy", "status": "failed", "failure_reason": "script_failure", "stage": "deploy" }]));
        assert_eq!(
            (all[0].state, all[1].state, all[1].detail.as_str()),
            (JobState::Passed, JobState::Failed, "script_failure")
        );
    }

    #[test]
    fn odd_answers_read_as_nothing() {
        for odd in [json!(null), json!([{ "id": "x" }, null, 3]), json!({ "message": "401" })] {
            assert!(jobs(&odd).is_empty() && attempt(&odd, &odd, &binding()).is_none());
        }
    }
}
