//! The adapter on a real Kubernetes: the contract suite, and what is particular to this platform.
//!
//! `PASSERELLE_TEST_KUBECONFIG` names a kubeconfig of an administrator; the node has the images `tinyweb:v1` to `tinyweb:v4`.

mod canary;
mod cluster;
mod connection;
#[path = "../contract/mod.rs"]
mod contract;
mod live;
mod manifests;
mod migration;
mod played;
mod reach;
mod rights;
mod rollouts;
mod shelf;
mod simulated;
mod wait;

use cluster::{Cluster, deployment};
use contract::{Image, Peer, new_fence, say};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::ResourceQuota;
use passerelle_contract::deployments::{Cause, Severity};
use passerelle_targets::{Change, Fence, Rollout, Target, TargetError, same_image};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_suite() {
    let Some(cluster) = Cluster::open("contract_suite").await else { return };
    say(&cluster.connection.check().await.expect("check"));
    contract::run(&cluster).await;
    cluster.close().await;
}

/// Twenty writers at once: the newest wins, every older one is told so or has been written over, and nothing is lost in between.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_writers_end_with_the_newest() {
    let Some(cluster) = Cluster::open("parallel_writers_end_with_the_newest").await else { return };
    let target = cluster.create("crowd", Image::First, 0).await;
    let fences: Vec<Fence> = (0..20).map(|_| new_fence()).collect();
    let writes = fences.iter().enumerate().map(|(index, fence)| {
        let (target, fence) = (Arc::clone(&target), *fence);
        let image = if index % 2 == 0 { Image::Second } else { Image::First };
        let change = Change::Image { image: cluster.image(image), manifests: None };
        tokio::spawn(async move { target.apply(&change, fence).await })
    });
    let outcomes = futures::future::join_all(writes.collect::<Vec<_>>()).await;
    for outcome in outcomes.iter().flatten() {
        assert!(matches!(outcome, Ok(_) | Err(TargetError::Fenced(_))), "{outcome:?}");
    }
    assert!(outcomes.last().is_some_and(|last| matches!(last, Ok(Ok(_)))), "the newest writer failed");
    let seen = target.observe().await.expect("observe");
    assert_eq!(seen.fence, fences.last().copied());
    assert!(same_image(&seen.image, &cluster.image(Image::First)));
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_names_the_missing_key_and_its_neighbour() {
    let Some(cluster) = Cluster::open("a_plan_names_the_missing_key_and_its_neighbour").await else { return };
    let target = cluster.create("plan", Image::First, 0).await;
    let plan = target.plan(&Change::Image { image: "tinyweb:v2".into(), manifests: None }).await.expect("plan");
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    assert!(
        plan.env.iter().any(|v| v.name == "API_KEY" && v.value == "secret web / api-key" && v.secret),
        "{:?}",
        plan.env
    );
    cluster.break_config("plan").await;
    let plan = target.plan(&Change::Image { image: "tinyweb:v2".into(), manifests: None }).await.expect("plan");
    let missing = plan.findings.iter().find(|finding| finding.code == "missing_key").expect("a finding");
    assert!(
        missing.message.to_string().contains("no key api-keys")
            && missing.message.to_string().ends_with("the nearest is api-key"),
        "{missing:?}"
    );
    assert!(!format!("{plan:?}").contains("hunter2"));
    cluster.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pod_that_no_node_takes_is_unschedulable_and_a_full_quota_is_a_quota() {
    let Some(cluster) = Cluster::open("unschedulable and quota").await else { return };
    let mut wide = deployment("wide", "tinyweb:v1", 1);
    wide["spec"]["progressDeadlineSeconds"] = json!(5);
    wide["spec"]["template"]["spec"]["nodeSelector"] = json!({"none": "such"});
    cluster.make::<Deployment>(wide).await;
    assert_eq!(cause_of(&cluster.bind("wide")).await, Cause::Unschedulable);
    cluster.make::<ResourceQuota>(json!({"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}})).await;
    cluster.make::<Deployment>(deployment("full", "tinyweb:v1", 1)).await;
    assert_eq!(cause_of(&cluster.bind("full")).await, Cause::Quota);
    cluster.close().await;
}

async fn cause_of(target: &Arc<dyn Target>) -> Cause {
    use futures::StreamExt as _;
    let mut watch = target.watch();
    let found = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            if let Rollout::Failed { failure } = watch.next().await.expect("an item").expect("observe").rollout {
                say(&format!("{failure:?}"));
                return failure.cause;
            }
        }
    });
    found.await.expect("a failure in time")
}
