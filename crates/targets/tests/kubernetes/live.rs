//! What is around a Deployment, and what differs from what was deployed with the one who wrote it; on the simulator, and on a real cluster
//! when one is named.

use crate::cluster::Cluster;
use crate::contract::{Image, Peer, Workload, new_fence};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ResourceQuota, Service};
use k8s_openapi::api::networking::v1::Ingress;
use kube::api::{Patch, PatchParams};
use passerelle_contract::deployments::Severity;
use passerelle_simulator::{Simulator, World};
use passerelle_targets::Change;
use serde_json::{Value, json};

async fn by_hand(cluster: &Cluster, patch: Value) {
    let params = PatchParams { field_manager: Some("kubectl-edit".to_owned()), ..PatchParams::default() };
    cluster.api::<Deployment>().patch("live", &params, &Patch::Strategic(patch)).await.expect("patch");
}

async fn drift_is_told(cluster: &Cluster) {
    let target = cluster.create("live", Image::First, 1).await;
    let change = Change::Image { image: cluster.image(Image::Second), manifests: None };
    target.apply(&change, new_fence()).await.expect("apply");
    let workload = Workload { peer: cluster, name: "live".into(), target };
    let deployed = workload.complete().await.recorded;
    assert!(workload.target.drift(&deployed).await.expect("drift").is_empty());
    let env = json!([{"name": "SERVICE", "value": "another"}]);
    let container = json!({"name": "web", "image": cluster.image(Image::First), "env": env});
    by_hand(cluster, json!({"spec": {"replicas": 2, "template": {"spec": {"containers": [container]}}}})).await;
    let drift = workload.target.drift(&deployed).await.expect("drift");
    let told: Vec<_> = drift.iter().map(|one| (one.field.as_str(), one.runs.as_deref(), one.by.as_deref())).collect();
    let by = Some("kubectl-edit");
    assert_eq!(
        told,
        [("image web", Some("tinyweb:v1"), by), ("env SERVICE", Some("another"), by), ("replicas", Some("2"), by)]
    );
    assert!(drift.iter().all(|one| one.at.is_some()), "{drift:?}");
    // Where an autoscaler decides, the number of pods is no difference.
    let scaler = json!({"metadata": {"name": "live"}, "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "live"}, "minReplicas": 1, "maxReplicas": 3}});
    cluster.make::<HorizontalPodAutoscaler>(scaler).await;
    let fields: Vec<_> =
        workload.target.drift(&deployed).await.expect("drift").into_iter().map(|one| one.field).collect();
    assert_eq!(fields, ["image web", "env SERVICE"]);
}

/// The cluster counts a new quota a moment later.
async fn quota_counted(cluster: &Cluster) {
    for _ in 0..100 {
        let quota = cluster.api::<ResourceQuota>().get("cpu").await.expect("the quota");
        if quota.status.is_some_and(|status| status.hard.is_some_and(|hard| !hard.is_empty())) {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the quota is not counted");
}

async fn surroundings_are_told(cluster: &Cluster) {
    cluster.make::<Service>(json!({"metadata": {"name": "live"}, "spec": {"selector": {"app": "live"}, "ports": [{"port": 80, "protocol": "TCP"}]}})).await;
    let backend = json!({"service": {"name": "live", "port": {"number": 80}}});
    cluster
        .make::<Ingress>(json!({"metadata": {"name": "live"}, "spec": {"ingressClassName": "nowhere",
            "rules": [{"host": "live.test", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}}))
        .await;
    cluster
        .make::<ResourceQuota>(json!({"metadata": {"name": "team"}, "spec": {"hard": {"count/configmaps": "30"}}}))
        .await;
    let target = cluster.bind("live");
    let around = target.surroundings().await.expect("surroundings");
    assert!(around.unseen.is_empty(), "{around:?}");
    assert_eq!(around.autoscaler.map(|scaler| (scaler.min, scaler.max)), Some((1, 3)));
    assert_eq!(
        around.routes.iter().map(|route| (route.host.as_str(), route.address.as_deref())).collect::<Vec<_>>(),
        [("live.test", None)]
    );
    assert_eq!((around.quotas[0].name.as_str(), around.quotas[0].hard.as_str()), ("team", "30"));
    assert!(around.events.iter().any(|event| event.object.starts_with("Pod live-")), "{:?}", around.events);
    let plan = target.plan(&Change::Image { image: "tinyweb:v2".into(), manifests: None }).await.expect("plan");
    let served = plan.findings.iter().find(|finding| finding.code == "ingress_not_served").expect("a finding");
    assert!(served.severity == Severity::Warning && served.message.to_string().contains("class nowhere"), "{served:?}");
}

async fn what_pods_need_is_missed_before(cluster: &Cluster) {
    // Paused, so that the pods stay those of the version before.
    by_hand(
        cluster,
        json!({"spec": {"paused": true, "template": {"spec": {"serviceAccountName": "nobody", "imagePullSecrets": [{"name": "none"}],
            "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "gone"}}],
            "containers": [{"name": "web", "resources": {"requests": {"cpu": "4"}}}]}}}}),
    )
    .await;
    let quota = json!({"metadata": {"name": "cpu"}, "spec": {"hard": {"requests.cpu": "2"}}, "status": {"hard": {"requests.cpu": "2"}, "used": {"requests.cpu": "0"}}});
    cluster.make::<ResourceQuota>(quota).await;
    quota_counted(cluster).await;
    let plan =
        cluster.bind("live").plan(&Change::Image { image: "tinyweb:v1".into(), manifests: None }).await.expect("plan");
    let said: Vec<String> = plan.findings.iter().map(|finding| finding.message.to_string()).collect();
    for words in [
        "ServiceAccount nobody does not exist",
        "PersistentVolumeClaim gone does not exist",
        "Secret none does not exist",
        "quota cpu has no room",
    ] {
        assert!(said.iter().any(|message| message.starts_with(words)), "{words}: {said:#?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_on_the_simulator() {
    let simulator =
        Simulator::start(World::parse("speed: 20\nclusters:\n  sim: {}\n").expect("a world")).await.expect("start");
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    drift_is_told(&cluster).await;
    surroundings_are_told(&cluster).await;
    what_pods_need_is_missed_before(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn live_on_a_real_cluster() {
    let Some(cluster) = Cluster::open("live_on_a_real_cluster").await else { return };
    drift_is_told(&cluster).await;
    surroundings_are_told(&cluster).await;
    what_pods_need_is_missed_before(&cluster).await;
    cluster.close().await;
}
