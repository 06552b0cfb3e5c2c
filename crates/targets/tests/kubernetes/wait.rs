//! What has to be ready before a rollout: StatefulSets, Deployments and Jobs; on the simulator, and on a real cluster when one is named.

use crate::cluster::{Cluster, deployment};
use crate::contract::{Image, Peer, Workload};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use kube::api::{Patch, PatchParams};
use passerelle_contract::deployments::{Cause, Severity};
use passerelle_simulator::{Simulator, World};
use passerelle_targets::{Change, NeedsSeen, NeedsState, Target, TargetPlan};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn bind(cluster: &Cluster, wait_for: &[&str]) -> Arc<dyn Target> {
    let config =
        json!({"namespace": cluster.namespace, "deployment": "api", "wait_for": wait_for, "wait_timeout_s": 60});
    cluster.connection.bind(config).expect("bind")
}

async fn plan(target: &Arc<dyn Target>) -> TargetPlan {
    target.plan(&Change::Image { image: "tinyweb:v2".into(), manifests: None }).await.expect("plan")
}

fn told(plan: &TargetPlan, code: &str) -> (Severity, String) {
    let found = plan.findings.iter().find(|finding| finding.code == code).unwrap_or_else(|| panic!("{code}: {plan:?}"));
    (found.severity, found.message.to_string())
}

async fn until(target: &Arc<dyn Target>, wanted: impl Fn(&NeedsSeen) -> bool) -> NeedsSeen {
    let found = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let seen = target.look_at_needs().await.expect("a look");
            if wanted(&seen) {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    found.await.expect("in time")
}

fn stateful_set(image: &str) -> Value {
    json!({"metadata": {"name": "postgres"}, "spec": {
        "replicas": 1, "serviceName": "postgres", "selector": {"matchLabels": {"app": "postgres"}},
        "template": {"metadata": {"labels": {"app": "postgres"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [
            {"name": "db", "image": image, "imagePullPolicy": "IfNotPresent",
             "readinessProbe": {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}}]}}}})
}

/// A Deployment that is waited for; both have controllers for it.
async fn a_deployment_is_waited_for(cluster: &Cluster) {
    cluster.create("api", Image::First, 1).await;
    let target = bind(cluster, &["deployment/broker"]);
    let needs = target.needs().expect("needs");
    assert_eq!((needs.title.as_str(), needs.limit), ("Deployment broker", Duration::from_secs(60)));
    let before = plan(&target).await;
    assert_eq!(
        told(&before, "missing_object"),
        (Severity::Error, "Deployment broker does not exist, and the deployment waits for it".to_owned())
    );
    let line = before.diff.iter().find(|line| line.field == "wait_for").expect("a line");
    assert_eq!(line.after.as_ref().map(ToString::to_string).as_deref(), Some("Deployment broker, at most 60 s"));
    let seen = target.look_at_needs().await.expect("a look");
    assert_eq!(
        (&seen.state, seen.message.to_string().as_str()),
        (&NeedsState::Waiting, "Deployment broker does not exist")
    );

    cluster.make::<Deployment>(deployment("broker", "tinyweb:missing", 1)).await;
    let seen = until(&target, |seen| seen.message.to_string().contains("cannot pull")).await;
    assert_eq!(seen.state, NeedsState::Waiting, "{seen:?}");
    let (severity, message) = told(&plan(&target).await, "dependency_not_ready");
    assert_eq!(severity, Severity::Warning);
    assert!(message.starts_with("Deployment broker is not ready: 0 of 1 pods are ready; pod broker-"), "{message}");
    assert!(message.ends_with("the deployment waits for it, at most 60 s"), "{message}");

    cluster
        .patch(
            "broker",
            json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "tinyweb:v1"}]}}}}),
        )
        .await;
    let seen = until(&target, |seen| seen.state == NeedsState::Ready).await;
    assert_eq!(seen.message.to_string(), "everything that is waited for is ready");
    assert!(plan(&target).await.findings.iter().all(|finding| finding.severity != Severity::Error));
    // Nothing new comes with a restart, so it waits for nothing.
    let restart = target.plan(&Change::Restart).await.expect("plan");
    assert!(restart.diff.iter().all(|line| line.field != "wait_for"), "{restart:?}");
    Workload { peer: cluster, name: "api".into(), target }.complete().await;
}

/// A Job that has failed fails the wait at once, one that has ended well does not hold it.
async fn a_job_is_waited_for(cluster: &Cluster, good: Value, bad: Value) {
    let target = bind(cluster, &["job/seed"]);
    cluster.make::<Job>(good).await;
    until(&target, |seen| seen.state == NeedsState::Ready).await;
    let target = bind(cluster, &["job/seed", "job/broken"]);
    cluster.make::<Job>(bad).await;
    let seen = until(&target, |seen| matches!(seen.state, NeedsState::Failed(_))).await;
    let NeedsState::Failed(failure) = seen.state else { panic!("{seen:?}") };
    assert_eq!((failure.cause, failure.instance.as_deref()), (Cause::Dependency, Some("Job broken")));
    assert!(failure.message.to_string().starts_with("Job broken is not ready: it has failed: "), "{failure:?}");
    assert_eq!(told(&plan(&target).await, "dependency_failed").0, Severity::Error);
}

fn job(name: &str, image: &str, command: Option<&[&str]>) -> Value {
    let mut container = json!({"name": "seed", "image": image, "imagePullPolicy": "IfNotPresent"});
    if let Some(command) = command {
        container["command"] = json!(command);
    }
    json!({"metadata": {"name": name}, "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_on_the_simulator() {
    let simulator =
        Simulator::start(World::parse("speed: 20\nclusters:\n  sim: {}\n").expect("a world")).await.expect("start");
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    a_deployment_is_waited_for(&cluster).await;
    a_job_is_waited_for(&cluster, job("seed", "tinyweb:v1", None), job("broken", "tinyweb:v1-migration-fails", None))
        .await;
    // The simulator has no controller of StatefulSets: its status is written here.
    cluster.make::<StatefulSet>(stateful_set("tinyweb:v1")).await;
    let target = bind(&cluster, &["sts/postgres"]);
    let seen = target.look_at_needs().await.expect("a look");
    assert!(seen.message.to_string().ends_with("the controller has not looked at it yet"), "{seen:?}");
    let status = json!({"status": {"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1}});
    let sets = cluster.api::<StatefulSet>();
    sets.patch_status("postgres", &PatchParams::default(), &Patch::Merge(status)).await.expect("status");
    until(&target, |seen| seen.state == NeedsState::Ready).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_on_a_real_cluster() {
    let Some(cluster) = Cluster::open("waiting_on_a_real_cluster").await else { return };
    a_deployment_is_waited_for(&cluster).await;
    // The probe succeeds against the running pod and fails where nothing listens.
    let pods = cluster.api::<k8s_openapi::api::core::v1::Pod>().list(&Default::default()).await.expect("pods").items;
    let address = pods.iter().find_map(|pod| pod.status.as_ref()?.pod_ip.clone()).expect("an address");
    let good = job("seed", "tinyweb:v1", Some(&["/tinyweb", "probe", "/healthz", &address]));
    a_job_is_waited_for(&cluster, good, job("broken", "tinyweb:v1", Some(&["/tinyweb", "probe"]))).await;
    cluster.make::<StatefulSet>(stateful_set("tinyweb:missing")).await;
    let target = bind(&cluster, &["statefulset/postgres"]);
    let seen = until(&target, |seen| seen.message.to_string().contains("cannot pull")).await;
    assert!(
        seen.message
            .to_string()
            .starts_with("StatefulSet postgres is not ready: 0 of 1 pods are ready; pod postgres-0"),
        "{seen:?}"
    );
    // A StatefulSet does not replace a pod that was never ready: it is made anew.
    let sets = cluster.api::<StatefulSet>();
    sets.delete("postgres", &kube::api::DeleteParams::background()).await.expect("delete");
    until(&target, |seen| seen.message.to_string().ends_with("does not exist")).await;
    cluster.make::<StatefulSet>(stateful_set("tinyweb:v1")).await;
    until(&target, |seen| seen.state == NeedsState::Ready).await;
    cluster.close().await;
}
