//! A canary by pods: a second Deployment behind the same Service, step by step, back in the middle, another process going on; on the
//! simulator, and on a real cluster when one is named.

use crate::cluster::{Cluster, deployment};
use crate::contract::{Image, Peer, new_fence};
use crate::reach::reach;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kube::api::ListParams;
use passerelle_contract::deployments::{Cause, Health, InstanceState, Severity};
use passerelle_simulator::{Simulator, World};
use passerelle_targets::{Change, Fence, Rollout, Target, TargetError, same_image};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

fn bind(cluster: &Cluster, name: &str) -> Arc<dyn Target> {
    let config =
        json!({"namespace": cluster.namespace, "deployment": name, "canary_steps": [25, 50], "canary_pause_s": 5});
    cluster.connection.bind(config).expect("bind")
}

/// A Deployment of four ready pods.
async fn serving(cluster: &Cluster, name: &str) -> Arc<dyn Target> {
    cluster.create(name, Image::First, 4).await;
    let target = bind(cluster, name);
    reach(&target, None, |seen| seen.rollout == Rollout::Complete).await;
    target
}

fn to(cluster: &Cluster, image: Image) -> Change {
    Change::Image { image: cluster.image(image), manifests: None }
}

async fn beside(cluster: &Cluster, name: &str) -> Option<Deployment> {
    cluster.api::<Deployment>().get_opt(&format!("{name}-canary")).await.expect("get")
}

/// Pods asked for of both, and the image of the first one.
async fn asked(cluster: &Cluster, name: &str) -> (i32, Option<i32>, String) {
    let replicas = |one: &Deployment| one.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let main = cluster.api::<Deployment>().get(name).await.expect("get");
    let image = main.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()?.containers[0].image.clone());
    (replicas(&main), beside(cluster, name).await.as_ref().map(replicas), image.expect("an image"))
}

async fn steps_to_the_end(cluster: &Cluster) {
    let target = serving(cluster, "steps").await;
    assert_eq!(target.stages().await, Ok(Some(Duration::from_secs(10))));
    let change = to(cluster, Image::Second);
    let plan = target.plan(&change).await.expect("plan");
    let told = plan.findings.iter().find(|finding| finding.code == "canary").expect("a finding");
    assert!(told.message.to_string().contains("25 %, 50 % of 4, then all; 10 s"), "{told:?}");
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    assert_eq!(beside(cluster, "steps").await, None, "a plan leaves nothing");

    let fence = new_fence();
    let applied = target.apply(&change, fence).await.expect("apply");
    assert!(!applied.unchanged && target.apply(&change, fence).await.expect("again").unchanged);
    let untouched = (4, None, cluster.image(Image::First));
    assert_eq!(asked(cluster, "steps").await, untouched, "a mark, and no more");
    assert_eq!(target.observe().await.expect("observe").rollout, Rollout::Progressing);
    assert!(target.advance(new_fence(), true).await.expect("a younger one takes no step").is_none());
    assert_eq!(beside(cluster, "steps").await, None);

    reach(&target, Some(fence), |seen| seen.replicas.updated == 1 && seen.replicas.ready >= 4).await;
    let first = beside(cluster, "steps").await.expect("a canary");
    // The same Service leads to both: the pods of the second one carry the first one's labels.
    let pods = cluster.api::<Pod>().list(&ListParams::default().labels("app=steps")).await.expect("pods").items;
    let image = |pod: &Pod| pod.spec.as_ref().and_then(|spec| spec.containers[0].image.clone()).expect("an image");
    assert_eq!(pods.iter().filter(|pod| same_image(&image(pod), &cluster.image(Image::Second))).count(), 1);
    // Another process goes on: the one before is refused from its first step on, and nothing is made twice.
    let later = Fence { epoch: 2, ..fence };
    assert!(target.apply(&change, later).await.expect("take over").unchanged);
    assert!(matches!(target.advance(fence, true).await, Err(TargetError::Fenced(_))));
    reach(&target, Some(later), |seen| seen.instances.iter().filter(|one| one.updated).count() == 2).await;
    assert_eq!(beside(cluster, "steps").await.expect("a canary").metadata.uid, first.metadata.uid);
    let seen = target.observe().await.expect("observe");
    assert!(same_image(&seen.image, &cluster.image(Image::First)) && seen.health == Health::Progressing, "{seen:?}");
    assert_eq!((seen.replicas.desired, &seen.recorded), (4, &applied.before));
    let new = seen.instances.iter().find(|one| one.updated && one.state == InstanceState::Ready).expect("a new pod");
    assert!(target.logs(&new.name, 5).await.is_ok(), "its log can be read");
    let said = reach(&target, Some(later), |seen| seen.rollout == Rollout::Complete).await;
    assert!(said.iter().any(|line| line.starts_with("2 of 4 pods run") && line.ends_with("(50 %)")), "{said:?}");
    assert!(said.iter().any(|line| line == "steps-canary is taken away"), "{said:?}");
    assert_eq!(asked(cluster, "steps").await, (4, None, cluster.image(Image::Second)));
    let seen = target.observe().await.expect("observe");
    assert_eq!((seen.health, seen.fence), (Health::Healthy, Some(later)));
    assert!(target.advance(later, true).await.expect("nothing is left to do").is_none());
}

async fn a_broken_one_goes_back(cluster: &Cluster) {
    let target = serving(cluster, "broken").await;
    let (change, fence) = (to(cluster, Image::Crashing), new_fence());
    let applied = target.apply(&change, fence).await.expect("apply");
    reach(&target, Some(fence), |seen| matches!(seen.rollout, Rollout::Failed { .. })).await;
    let seen = target.observe().await.expect("observe");
    let Rollout::Failed { failure } = &seen.rollout else { panic!("{seen:?}") };
    assert!(failure.cause == Cause::CrashLoop && !failure.logs.is_empty(), "{failure:?}");
    assert_eq!(asked(cluster, "broken").await, (4, Some(1), cluster.image(Image::First)), "the others serve");
    // By another process, as after a crash, and twice.
    let back = Change::RestoreVersion { recorded: applied.before };
    let later = Fence { epoch: 2, ..fence };
    target.apply(&back, later).await.expect("restore");
    assert!(target.apply(&back, later).await.expect("again").unchanged);
    assert_eq!(asked(cluster, "broken").await, (4, None, cluster.image(Image::First)));
    reach(&target, None, |seen| seen.rollout == Rollout::Complete).await;
    assert!(target.advance(later, true).await.expect("no step").is_none());
}

/// In the middle, where the version before has given a pod up: it gets it back.
async fn back_from_the_middle(cluster: &Cluster) {
    let target = serving(cluster, "middle").await;
    let (change, fence) = (to(cluster, Image::Second), new_fence());
    let applied = target.apply(&change, fence).await.expect("apply");
    for _ in 0..600 {
        target.advance(fence, true).await.expect("advance");
        if asked(cluster, "middle").await.0 == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(asked(cluster, "middle").await, (3, Some(1), cluster.image(Image::First)));
    target.apply(&Change::RestoreVersion { recorded: applied.before.clone() }, fence).await.expect("restore");
    assert_eq!(asked(cluster, "middle").await, (4, None, cluster.image(Image::First)));
    reach(&target, None, |seen| seen.rollout == Rollout::Complete && seen.recorded == applied.before).await;

    // One that is left in the middle is replaced by the next deployment's, and an older writer may do nothing about it.
    let (left, next) = (new_fence(), new_fence());
    target.apply(&change, left).await.expect("apply");
    target.advance(left, true).await.expect("advance");
    let first = beside(cluster, "middle").await.expect("a canary").metadata.uid;
    target.apply(&change, next).await.expect("apply");
    assert!(matches!(target.advance(left, true).await, Err(TargetError::Fenced(_))));
    for _ in 0..100 {
        target.advance(next, true).await.expect("advance");
        if beside(cluster, "middle").await.is_some_and(|one| one.metadata.uid != first) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let second = beside(cluster, "middle").await.expect("a canary");
    assert_ne!(second.metadata.uid, first);
    assert!(matches!(target.apply(&Change::Restart, left).await, Err(TargetError::Fenced(_))));
    // A change that does not come in steps takes it away.
    target.apply(&Change::Scale { replicas: 2 }, new_fence()).await.expect("scale");
    assert_eq!(asked(cluster, "middle").await, (2, None, cluster.image(Image::First)));
}

/// Room for one more pod is enough for a rollout, and not for a canary whose last step has two beside the others.
async fn room_is_reckoned_with(cluster: &Cluster) {
    let target = serving(cluster, "room").await;
    let quota = json!({"metadata": {"name": "room"}, "spec": {"hard": {"pods": "5"}}, "status": {"hard": {"pods": "5"}, "used": {"pods": "4"}}});
    let told = async |target: &Arc<dyn Target>| {
        let plan = target.plan(&to(cluster, Image::Second)).await.expect("plan");
        plan.findings
            .iter()
            .filter(|finding| finding.code == "quota")
            .map(|finding| finding.message.to_string())
            .collect::<Vec<_>>()
    };
    assert!(told(&target).await.is_empty());
    cluster.make::<ResourceQuota>(quota).await;
    assert!(told(&cluster.bind("room")).await.is_empty());
    let told = told(&target).await;
    assert_eq!(told, ["quota room has no room for the new pods: pods is used to 4 of 5"]);
}

async fn strangers_and_autoscalers(cluster: &Cluster) {
    let target = serving(cluster, "strange").await;
    cluster.make::<Deployment>(deployment("strange-canary", "tinyweb:v1", 0)).await;
    let plan = target.plan(&to(cluster, Image::Second)).await.expect("plan");
    let told = plan.findings.iter().find(|finding| finding.code == "canary_there").expect("a finding");
    assert!(told.severity == Severity::Error && told.message.to_string().contains("did not make it"), "{told:?}");
    let fence = new_fence();
    let applied = target.apply(&to(cluster, Image::Second), fence).await.expect("apply");
    assert!(matches!(target.advance(fence, true).await, Err(TargetError::Refused(_))));
    target.apply(&Change::RestoreVersion { recorded: applied.before }, fence).await.expect("restore");
    assert!(beside(cluster, "strange").await.is_some(), "another program's stays");

    let target = serving(cluster, "scaled").await;
    let scaler = json!({"metadata": {"name": "scaled"}, "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scaled"}, "minReplicas": 4, "maxReplicas": 6}});
    cluster.make::<HorizontalPodAutoscaler>(scaler).await;
    let plan = target.plan(&to(cluster, Image::Second)).await.expect("plan");
    assert!(plan.findings.iter().any(|finding| finding.code == "canary_beside"), "{:?}", plan.findings);
    let fence = new_fence();
    target.apply(&to(cluster, Image::Second), fence).await.expect("apply");
    for _ in 0..200 {
        let said = target.advance(fence, true).await.expect("advance").map(|text| text.to_string()).unwrap_or_default();
        if said.starts_with("1 of 4 pods run") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(
        asked(cluster, "scaled").await,
        (4, Some(1), cluster.image(Image::First)),
        "the autoscaler's number stays"
    );
    target.apply(&Change::Restart, new_fence()).await.expect("restart");
    assert_eq!(asked(cluster, "scaled").await, (4, None, cluster.image(Image::First)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_on_the_simulator() {
    let simulator =
        Simulator::start(World::parse("speed: 20\nclusters:\n  sim: {}\n").expect("a world")).await.expect("start");
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    tokio::join!(
        steps_to_the_end(&cluster),
        a_broken_one_goes_back(&cluster),
        back_from_the_middle(&cluster),
        strangers_and_autoscalers(&cluster)
    );
    let alone = Cluster::new(&simulator.kubeconfig("sim")).await;
    room_is_reckoned_with(&alone).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canary_on_a_real_cluster() {
    let Some(cluster) = Cluster::open("a_canary_on_a_real_cluster").await else { return };
    steps_to_the_end(&cluster).await;
    tokio::join!(a_broken_one_goes_back(&cluster), back_from_the_middle(&cluster), strangers_and_autoscalers(&cluster));
    cluster.close().await;
}
