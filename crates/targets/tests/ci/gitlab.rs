//! What GitLab keeps for us: variables of pipelines, a manual job, and a status beside the commit.

use crate::forge::{Forge, fence, image, settled};
use passerelle_contract::deployments::{Cause, InstanceState};
use passerelle_targets::{Change, Fence, Rollout, TargetError};
use serde_json::{Value, json};

const STAGED: &str = "/api/v4/projects/acme%2Fstaged";

fn staged() -> Value {
    json!({ "repository": "acme/staged", "environment": "production", "manual_job": "deploy-prod" })
}

#[tokio::test]
async fn the_manual_job_is_started_when_its_turn_has_come() {
    let forge = Forge::gitlab().await;
    let target = forge.bind(staged()).await;
    let fence = fence(1);
    let applied = target.apply(&image("web:1"), fence).await.unwrap();
    assert!(applied.message.to_string().contains("https://gitlab.com/acme/staged/-/pipelines/"), "{}", applied.message);
    let (seen, said) = settled(&target, fence).await;
    assert_eq!((seen.rollout, seen.image.as_str()), (Rollout::Complete, "example.test/team/web:1"));
    assert_eq!(said, ["manual job deploy-prod is started"]);
    assert!(seen.instances.iter().all(|job| job.state == InstanceState::Ready), "{:?}", seen.instances);
    target.conclude(fence).await.unwrap();
    target.conclude(fence).await.unwrap();
    let pipeline = &forge.get(&format!("{STAGED}/pipelines")).await[0];
    let statuses =
        forge.get(&format!("{STAGED}/repository/commits/{}/statuses", pipeline["sha"].as_str().unwrap())).await;
    assert_eq!((statuses.as_array().unwrap().len(), &statuses[0]["state"]), (1, &json!("success")));
    assert_eq!(statuses[0]["name"], "passerelle/production");

    let next = self::fence(1);
    let applied = target.apply(&image("web:crash"), next).await.unwrap();
    let (failed, _) = settled(&target, next).await;
    let Rollout::Failed { failure } = &failed.rollout else { panic!("{:?}", failed.rollout) };
    let message = failure.message.to_string();
    assert_eq!(failure.cause, Cause::JobFailed);
    assert!(
        message.starts_with("job deploy-prod of stage deploy-prod failed (script_failure): https://gitlab.com/"),
        "{message}"
    );
    assert!(failure.logs.iter().any(|line| line.contains("did not become healthy")), "{failure:?}");
    target.apply(&Change::RestoreVersion { recorded: applied.before }, next).await.unwrap();
    let (back, said) = settled(&target, next).await;
    assert_eq!((back.rollout, back.image.as_str(), said.len()), (Rollout::Complete, "example.test/team/web:1", 1));
}

#[tokio::test]
async fn nobody_starts_the_manual_job_of_another_deployment() {
    let forge = Forge::gitlab().await;
    let target = forge.bind(staged()).await;
    let older = fence(1);
    target.apply(&image("web:1"), older).await.unwrap();
    let newer = fence(1);
    target.apply(&image("web:2"), newer).await.unwrap();
    assert!(matches!(target.advance(older, true).await, Err(TargetError::Fenced(_))));
    let (seen, _) = settled(&target, newer).await;
    assert_eq!(seen.image, "example.test/team/web:2");
    let ends: Vec<Value> = forge
        .get(&format!("{STAGED}/pipelines"))
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].clone())
        .collect();
    assert_eq!(ends, [json!("success"), json!("canceled")]);
}

#[tokio::test]
async fn a_pipeline_whose_answer_was_lost_is_found_by_its_variables() {
    let forge = Forge::gitlab().await;
    for trigger in [false, true] {
        let mut connection =
            json!({ "provider": "gitlab", "base_url": forge.simulator.url(), "token": { "value": "t" } });
        if trigger {
            connection["trigger_token"] = json!({ "value": "trigger" });
        }
        let binding = json!({ "repository": "acme/group/shop", "environment": format!("lost-{trigger}"), "inputs": { "REGION": "eu" } });
        let first = forge.bind_with(connection.clone(), binding.clone()).await;
        let fence = fence(1);
        let before = forge.orders("pipelines/acme/group/shop");
        forge.lose_an_answer();
        assert!(first.apply(&image("web:1"), fence).await.unwrap_err().is_transient());
        // Another process, with a connection of its own.
        let second = forge.bind_with(connection, binding).await;
        let taken_over = Fence { epoch: 2, ..fence };
        assert!(second.apply(&image("web:1"), taken_over).await.unwrap().unchanged);
        assert_eq!(forge.orders("pipelines/acme/group/shop"), before + 1);
        assert_eq!(second.observe().await.unwrap().fence, Some(taken_over));
        assert!(matches!(first.apply(&image("web:1"), fence).await, Err(TargetError::Fenced(_))));
        assert_eq!(settled(&second, taken_over).await.0.rollout, Rollout::Complete);
    }
}

#[tokio::test]
async fn writers_at_once_leave_one_pipeline() {
    let forge = Forge::gitlab().await;
    let fence = fence(1);
    // Its pipelines wait for a manual job, so none has ended before it could be cancelled.
    let binding = staged();
    let mut targets = Vec::new();
    for _ in 0..5 {
        targets.push(forge.bind(binding.clone()).await);
    }
    let change = image("web:1");
    let done = futures::future::join_all(targets.iter().map(|target| target.apply(&change, fence))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let (seen, _) = settled(&targets[0], fence).await;
    assert_eq!(seen.rollout, Rollout::Complete);
    let all = forge.get(&format!("{STAGED}/pipelines")).await;
    let left = all.as_array().unwrap().iter().filter(|one| one["status"] != "canceled").count();
    assert_eq!(left, 1, "{all}");
}

#[tokio::test]
async fn what_would_go_wrong_is_told_before() {
    let forge = Forge::gitlab().await;
    let codes = async |more: Value| {
        let mut config = staged();
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let target = forge.bind(config).await;
        match target.plan(&image("web:1")).await {
            Ok(plan) => plan.findings.iter().map(|finding| finding.code.clone()).collect::<Vec<_>>(),
            Err(error) => vec![format!("{error:?}").split('(').next().unwrap().to_owned()],
        }
    };
    assert_eq!(codes(json!({})).await, ["mutable_tag", "manual_job"]);
    assert_eq!(codes(json!({ "ref": "none" })).await, ["missing_ref", "mutable_tag", "manual_job"]);
    assert_eq!(codes(json!({ "manual_job": "test" })).await, ["not_manual", "mutable_tag", "manual_job"]);
    assert_eq!(codes(json!({ "manual_job": "none" })).await, ["missing_job", "mutable_tag", "manual_job"]);
    assert_eq!(codes(json!({ "repository": "acme/none" })).await, ["Missing"]);
    let refused = forge.bind(json!({ "repository": "acme/staged", "environment": "production", "ref": "none" })).await;
    let why = refused.apply(&image("web:1"), fence(1)).await.unwrap_err();
    assert!(matches!(&why, TargetError::Refused(text) if text.to_string().contains("Reference not found")), "{why:?}");
}
