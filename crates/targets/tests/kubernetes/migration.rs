//! The migration Job: made once for a deployment, pinned, followed to its end, taken away; on the simulator, and on a real cluster when
//! one is named.

use crate::cluster::Cluster;
use crate::contract::{Image, Peer, new_fence};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use passerelle_contract::deployments::{Cause, Severity};
use passerelle_simulator::{Simulator, World};
use passerelle_targets::{Change, Fence, Target, TargetError, TaskSeen, TaskState};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A way to a migration that ends well and to one that fails: by command on a real cluster, by image on the simulator.
struct Ways {
    good: Vec<String>,
    bad: Vec<String>,
    bad_image: &'static str,
}

async fn simulated() -> (Simulator, Cluster, Ways) {
    let simulator =
        Simulator::start(World::parse("speed: 20\nclusters:\n  sim: {}\n").expect("a world")).await.expect("start");
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    let any = vec!["migrate".to_owned()];
    (simulator, cluster, Ways { good: any.clone(), bad: any, bad_image: "tinyweb:v2-migration-fails" })
}

/// The probe of the image succeeds against a running pod, and fails where nothing listens.
async fn real(test: &str) -> Option<(Cluster, Ways)> {
    let cluster = Cluster::open(test).await?;
    let target = cluster.create("other", Image::First, 1).await;
    crate::contract::Workload { peer: &cluster, name: "other".into(), target }.complete().await;
    let pods = cluster.api::<Pod>().list(&Default::default()).await.expect("pods").items;
    let address = pods[0].status.as_ref().and_then(|status| status.pod_ip.clone()).expect("an address");
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let ways = Ways {
        good: words(&["/tinyweb", "probe", "/healthz", &address]),
        bad: words(&["/tinyweb", "probe"]),
        bad_image: "tinyweb:v2",
    };
    Some((cluster, ways))
}

fn bind(cluster: &Cluster, name: &str, migration: Value) -> Arc<dyn Target> {
    let config = json!({"namespace": cluster.namespace, "deployment": name, "migration": migration});
    cluster.connection.bind(config).expect("bind")
}

fn to(image: &str) -> Change {
    Change::Image { image: image.to_owned(), manifests: None }
}

async fn ended(target: &Arc<dyn Target>, fence: Fence) -> TaskSeen {
    let found = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let seen = target.look_at_task(fence).await.expect("a look");
            if seen.state != TaskState::Running {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
    found.await.expect("an end in time")
}

async fn jobs(cluster: &Cluster) -> Vec<Job> {
    cluster.api::<Job>().list(&Default::default()).await.expect("jobs").items
}

async fn runs_once_and_goes(cluster: &Cluster, ways: &Ways) {
    cluster.create("web", Image::First, 1).await;
    let generation = cluster.generation("web").await;
    let target = bind(cluster, "web", json!({"command": ways.good, "timeout_s": 60}));
    assert_eq!(target.task().expect("a task").title, format!("Job {}/web-migration", cluster.namespace));
    let (change, fence) = (to("tinyweb:v2"), new_fence());
    let plan = target.plan_task(&change).await.expect("plan");
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    assert!(
        plan.diff[0].after.as_ref().is_some_and(|after| after.to_string().ends_with("web-migration: tinyweb:v2")),
        "{:?}",
        plan.diff
    );
    assert!(jobs(cluster).await.is_empty(), "a plan leaves nothing");
    assert!(matches!(target.look_at_task(fence).await, Err(TargetError::Missing(_))));

    target.start_task(&change, fence).await.expect("start");
    let made = jobs(cluster).await.remove(0);
    // Another process takes over: the same Job, and the one before is refused from now on.
    let later = Fence { epoch: fence.epoch + 1, ..fence };
    target.start_task(&change, later).await.expect("start again");
    assert!(matches!(target.start_task(&change, fence).await, Err(TargetError::Fenced(_))));
    let pod = made.spec.as_ref().and_then(|spec| spec.template.spec.clone()).expect("a pod");
    assert_eq!(pod.containers[0].image.as_deref(), Some("tinyweb:v2"));
    let seen = ended(&target, later).await;
    assert_eq!(seen.state, TaskState::Succeeded, "{seen:?}");
    assert!(!seen.log.is_empty(), "{seen:?}");
    // Over, and still not made again.
    target.start_task(&change, later).await.expect("start once more");
    let there = jobs(cluster).await;
    assert_eq!(there.iter().map(|job| &job.metadata.uid).collect::<Vec<_>>(), [&made.metadata.uid]);
    assert_eq!(cluster.generation("web").await, generation, "the Deployment is not touched");

    // Not by another deployment, and twice without harm.
    target.clear_task(new_fence()).await.expect("clear another's");
    assert_eq!(jobs(cluster).await.len(), 1);
    target.clear_task(later).await.expect("clear");
    target.clear_task(later).await.expect("clear again");
    until_gone(cluster).await;
}

async fn until_gone(cluster: &Cluster) {
    for _ in 0..100 {
        if jobs(cluster).await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the Job stays");
}

async fn fails_with_its_last_lines(cluster: &Cluster, ways: &Ways) {
    cluster.create("api", Image::First, 1).await;
    let target = bind(cluster, "api", json!({"command": ways.bad}));
    let (change, old) = (to(ways.bad_image), new_fence());
    target.start_task(&change, old).await.expect("start");
    let seen = ended(&target, old).await;
    let TaskState::Failed(failure) = seen.state else { panic!("{seen:?}") };
    assert_eq!(failure.cause, Cause::Migration, "{failure:?}");
    assert!(failure.message.to_string().ends_with("ends with exit code 1"), "{failure:?}");
    assert!(!failure.logs.is_empty() && failure.instance.is_some(), "{failure:?}");
    // The next deployment takes the old one away.
    let first = jobs(cluster).await.remove(0).metadata.uid;
    let young = new_fence();
    target.start_task(&change, young).await.expect("start");
    assert_ne!(jobs(cluster).await.remove(0).metadata.uid, first);
    assert!(matches!(target.look_at_task(old).await, Err(TargetError::Missing(_))));
    target.clear_task(young).await.expect("clear");
    until_gone(cluster).await;
}

fn manifest(key: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: exai-migrate}}\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      \
         restartPolicy: Never\n      containers:\n      - name: migrate\n        image: tinyweb:latest\n        command: [/tinyweb, probe]\n        \
         env: [{{name: DATABASE_URL, valueFrom: {{secretKeyRef: {{name: web, key: {key}}}}}}}]\n"
    )
}

async fn a_manifest_is_looked_at_first(cluster: &Cluster) {
    cluster.create("shop", Image::First, 1).await;
    let change = to("tinyweb:v2");
    let bad = bind(cluster, "shop", json!({"manifest": manifest("api_key")}));
    let findings = bad.plan_task(&change).await.expect("plan").findings;
    let missing = findings.iter().find(|finding| finding.code == "missing_key").expect("a finding").message.to_string();
    assert!(missing.contains("no key api_key") && missing.contains("Job exai-migrate"), "{missing}");
    assert!(missing.ends_with("the nearest is api-key"), "{missing}");
    // Where the plan was not asked, the Job says it as well.
    let fence = new_fence();
    bad.start_task(&change, fence).await.expect("start");
    let seen = ended(&bad, fence).await;
    assert!(matches!(&seen.state, TaskState::Failed(failure) if failure.cause == Cause::MissingConfig), "{seen:?}");
    bad.clear_task(fence).await.expect("clear");
    until_gone(cluster).await;

    // A Job of this name that somebody else runs stays.
    let mut theirs: Value = serde_yaml_ng::from_str(&manifest("api_key")).expect("YAML");
    theirs["metadata"]["labels"] = json!({"by": "hand"});
    cluster.make::<Job>(theirs).await;
    let good = bind(cluster, "shop", json!({"manifest": manifest("api-key")}));
    let findings = good.plan_task(&change).await.expect("plan").findings;
    assert!(
        findings.iter().any(|finding| finding.code == "job_running" && finding.severity == Severity::Error),
        "{findings:?}"
    );
    assert!(matches!(good.start_task(&change, new_fence()).await, Err(TargetError::Refused(_))));
    assert_eq!(jobs(cluster).await[0].metadata.labels.as_ref().map(|labels| labels["by"].as_str()), Some("hand"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_on_the_simulator() {
    let (_simulator, cluster, ways) = simulated().await;
    runs_once_and_goes(&cluster, &ways).await;
    fails_with_its_last_lines(&cluster, &ways).await;
    a_manifest_is_looked_at_first(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_migration_on_a_real_cluster() {
    let Some((cluster, ways)) = real("a_migration_on_a_real_cluster").await else { return };
    runs_once_and_goes(&cluster, &ways).await;
    fails_with_its_last_lines(&cluster, &ways).await;
    a_manifest_is_looked_at_first(&cluster).await;
    cluster.close().await;
}
