//! What GitHub keeps for us, and what happens when a process dies or sleeps in between.

use crate::forge::{Forge, fence, image, settled};
use passerelle_contract::deployments::{Cause, Health, InstanceState};
use passerelle_targets::{Change, Fence, Rollout, TargetError};
use reqwest::Method;
use serde_json::{Value, json};

const DEPLOYMENTS: &str = "/repos/acme/shop/deployments";
const RUNS: &str = "/repos/acme/shop/actions/workflows/long.yml/runs";

fn binding(environment: &str) -> Value {
    json!({ "repository": "acme/shop", "environment": environment, "workflow": "long.yml" })
}

async fn statuses(forge: &Forge, place: usize) -> Vec<String> {
    let id = forge.get(DEPLOYMENTS).await[place]["id"].clone();
    let all = forge.get(&format!("{DEPLOYMENTS}/{id}/statuses")).await;
    all.as_array().unwrap().iter().rev().map(|status| status["state"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_run_is_followed_by_its_jobs_and_its_end_is_written_back() {
    let forge = Forge::github().await;
    let target = forge.bind(binding("staging")).await;
    let nothing = target.observe().await.unwrap();
    assert_eq!((nothing.health, nothing.fence), (Health::Unknown, None));
    let fence = fence(1);
    let applied = target.apply(&image("web:1"), fence).await.unwrap();
    assert!(applied.message.to_string().contains("https://github.com/acme/shop/actions/runs/"), "{}", applied.message);
    let (seen, _) = settled(&target, fence).await;
    assert_eq!((seen.rollout, seen.image.as_str()), (Rollout::Complete, "example.test/team/web:1"));
    let jobs: Vec<_> = seen.instances.iter().map(|job| (job.name.split(' ').next().unwrap(), job.state)).collect();
    assert_eq!(jobs, [("test", InstanceState::Ready), ("deploy", InstanceState::Ready)]);
    target.conclude(fence).await.unwrap();
    target.conclude(fence).await.unwrap();
    assert_eq!(statuses(&forge, 0).await, ["queued", "in_progress", "success"], "told once");

    let next = self::fence(1);
    let applied = target.apply(&image("web:crash"), next).await.unwrap();
    let (failed, _) = settled(&target, next).await;
    let Rollout::Failed { failure } = &failed.rollout else { panic!("{:?}", failed.rollout) };
    let message = failure.message.to_string();
    assert_eq!(failure.cause, Cause::JobFailed);
    assert!(
        message.starts_with("job deploy failed at step Roll out: https://github.com/acme/shop/actions/runs/"),
        "{message}"
    );
    assert!(failure.logs.iter().any(|line| line.contains("exit code 1")), "{failure:?}");
    assert_eq!((failed.image.as_str(), failed.health), ("example.test/team/web:1", Health::Degraded));
    target.apply(&Change::RestoreVersion { recorded: applied.before }, next).await.unwrap();
    assert_eq!(settled(&target, next).await.0.image, "example.test/team/web:1");
    target.conclude(next).await.unwrap();
    assert_eq!(statuses(&forge, 1).await.last().unwrap(), "failure");
    assert_eq!(statuses(&forge, 0).await.last().unwrap(), "success");
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_found_again_and_not_repeated() {
    let forge = Forge::github().await;
    let first = forge.bind(binding("staging")).await;
    let fence = fence(1);
    // The claim takes effect and its answer is lost: nothing was ordered, which nobody can know at once.
    forge.lose_an_answer();
    assert!(first.apply(&image("web:1"), fence).await.unwrap_err().is_transient());
    let second = forge.bind(binding("staging")).await;
    let taken_over = Fence { epoch: 2, ..fence };
    let unsure = second.apply(&image("web:1"), taken_over).await.unwrap_err();
    assert!(unsure.is_transient(), "a run may still appear: {unsure:?}");
    assert_eq!(forge.get(RUNS).await["total_count"], 0);
    assert_eq!(forge.get(DEPLOYMENTS).await.as_array().unwrap().len(), 1, "one record");

    // As the process before would have ordered it, its answer lost: the run alone tells.
    let mark = &forge.get(DEPLOYMENTS).await[0]["payload"]["passerelle"];
    let id = format!("passerelle-{}-{}", mark["deployment"].as_str().unwrap(), mark["change"].as_str().unwrap());
    let inputs = json!({ "ref": "main", "inputs": { "image": "example.test/team/web:1", "passerelle": id } });
    forge.call(Method::POST, &RUNS.replace("/runs", "/dispatches"), Some(inputs)).await;
    assert!(second.apply(&image("web:1"), taken_over).await.unwrap().unchanged);
    assert_eq!(forge.get(RUNS).await["total_count"], 1);
    assert_eq!(second.observe().await.unwrap().fence, Some(taken_over));
    assert!(matches!(first.apply(&image("web:1"), fence).await, Err(TargetError::Fenced(_))));
    assert_eq!(settled(&second, taken_over).await.0.rollout, Rollout::Complete);
}

#[tokio::test]
async fn a_second_run_of_one_order_is_cancelled() {
    let forge = Forge::github().await;
    let target = forge.bind(binding("staging")).await;
    let fence = fence(1);
    target.apply(&image("web:1"), fence).await.unwrap();
    let title = forge.get(RUNS).await["workflow_runs"][0]["display_title"].as_str().unwrap().to_owned();
    let (image, id) = title.split_once(' ').unwrap();
    let deployments = forge.get(DEPLOYMENTS).await;
    let other =
        json!({ "ref": "main", "task": "passerelle", "environment": "staging", "payload": deployments[0]["payload"] });
    forge.call(Method::POST, DEPLOYMENTS, Some(other)).await;
    let inputs = json!({ "ref": "main", "inputs": { "image": image, "passerelle": id } });
    forge.call(Method::POST, &RUNS.replace("/runs", "/dispatches"), Some(inputs)).await;
    let (seen, said) = settled(&target, fence).await;
    assert_eq!(seen.rollout, Rollout::Complete);
    assert!(said.iter().any(|text| text.contains("cancelled")), "{said:?}");
    let ends: Vec<Value> = forge.get(RUNS).await["workflow_runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["conclusion"].clone())
        .collect();
    assert_eq!(ends, [json!("cancelled"), json!("success")]);
}

#[tokio::test]
async fn cancelling_ends_the_run_and_goes_back() {
    let forge = Forge::github().await;
    let target = forge.bind(binding("staging")).await;
    let first = fence(1);
    target.apply(&image("web:1"), first).await.unwrap();
    settled(&target, first).await;
    let second = fence(1);
    let applied = target.apply(&image("web:2"), second).await.unwrap();
    // What the engine does for whoever cancels.
    target.apply(&Change::RestoreVersion { recorded: applied.before }, second).await.unwrap();
    let (back, _) = settled(&target, second).await;
    assert_eq!((back.rollout, back.image.as_str()), (Rollout::Complete, "example.test/team/web:1"));
    let runs = forge.get(RUNS).await;
    assert_eq!(runs["workflow_runs"][1]["conclusion"], "cancelled", "{runs}");

    // With nothing to go back to the run is ended all the same.
    let empty = forge.bind(binding("empty")).await;
    let third = fence(1);
    let applied = empty.apply(&image("web:1"), third).await.unwrap();
    let back = empty.apply(&Change::RestoreVersion { recorded: applied.before }, third).await;
    assert!(matches!(back, Err(TargetError::Refused(_))), "{back:?}");
    assert_eq!(forge.get(RUNS).await["workflow_runs"][0]["conclusion"], "cancelled");
}

#[tokio::test]
async fn writers_at_once_order_one_run_and_the_newest_wins() {
    let forge = Forge::github().await;
    let fence = fence(1);
    let mut targets = Vec::new();
    for _ in 0..6 {
        targets.push(forge.bind(binding("staging")).await);
    }
    let change = image("web:1");
    let done = futures::future::join_all(targets.iter().map(|target| target.apply(&change, fence))).await;
    let good = done.iter().filter(|one| one.is_ok()).count();
    assert!(good >= 1 && done.iter().flatten().filter(|one| !one.unchanged).count() >= 1, "{done:?}");
    assert!(done.iter().all(|one| one.as_ref().err().is_none_or(TargetError::is_transient)), "{done:?}");
    assert_eq!(forge.orders("workflows/acme/shop/long.yml"), 1, "{done:?}");
    let newer = self::fence(1);
    targets[0].apply(&image("web:2"), newer).await.unwrap();
    assert!(matches!(targets[1].apply(&change, fence).await, Err(TargetError::Fenced(_))));
    assert_eq!(settled(&targets[2], newer).await.0.image, "example.test/team/web:2");
}

#[tokio::test]
async fn what_would_go_wrong_is_told_before() {
    let forge = Forge::github().await;
    let codes = async |more: Value| {
        let mut config = binding("staging");
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let plan = forge.bind(config).await.plan(&image("web:1")).await.unwrap();
        plan.findings.iter().map(|finding| finding.code.clone()).collect::<Vec<_>>()
    };
    assert_eq!(codes(json!({})).await, ["mutable_tag"]);
    assert_eq!(codes(json!({ "workflow": "none.yml" })).await, ["missing_workflow", "mutable_tag"]);
    assert_eq!(codes(json!({ "ref": "none" })).await, ["missing_workflow", "mutable_tag"]);
    assert_eq!(codes(json!({ "workflow": "nameless.yml" })).await, ["missing_input", "no_run_name", "mutable_tag"]);
    assert_eq!(codes(json!({ "inputs": { "zone": "a" } })).await, ["missing_input", "mutable_tag"]);

    let refused =
        forge.bind(json!({ "repository": "acme/shop", "environment": "e", "workflow": "nameless.yml" })).await;
    let why = refused.apply(&image("web:1"), fence(1)).await.unwrap_err();
    assert!(matches!(&why, TargetError::Refused(text) if text.to_string().contains("Unexpected inputs")), "{why:?}");
    let missing = forge.bind(json!({ "repository": "acme/none", "environment": "e", "workflow": "deploy.yml" })).await;
    assert!(matches!(missing.observe().await, Err(TargetError::Missing(_))));
}
