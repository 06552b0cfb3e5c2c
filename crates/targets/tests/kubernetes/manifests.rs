//! Manifests of a release: applied, taken over, gone back from, and deleted when they are gone. On the simulator with every run, and on a real
//! cluster when one is named.

use crate::cluster::{Cluster, deployment};
use crate::contract::new_fence;
use crate::shelf::Shelf;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolumeClaim, Secret, Service};
use kube::Api;
use kube::api::{Patch, PatchParams};
use passerelle_contract::deployments::{ManifestBundle, Severity};
use passerelle_simulator::{Faults, Simulator, World};
use passerelle_targets::{Change, Fence, Observation, Recorded, Rollout, Target, TargetError, TargetPlan};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const IMAGE: &str = "tinyweb:v1";

async fn simulated() -> (Simulator, Cluster) {
    let world = World::parse("speed: 20\nclusters:\n  sim: {}\n").expect("a world");
    let simulator = Simulator::start(world).await.expect("start");
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    (simulator, cluster)
}

fn config_map(name: &str, data: Value) -> (String, String) {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
    (format!("deploy/{name}.json"), object.to_string())
}

fn workload() -> (String, String) {
    let mut object = deployment("shop", "placeholder", 2);
    object["apiVersion"] = json!("apps/v1");
    object["kind"] = json!("Deployment");
    let container = &mut object["spec"]["template"]["spec"]["containers"][0];
    let from = json!({"name": "TTL", "valueFrom": {"configMapKeyRef": {"name": "shop", "key": "TTL"}}});
    container["env"].as_array_mut().expect("env").push(from);
    ("deploy/deployment.json".to_owned(), object.to_string())
}

fn service() -> (String, String) {
    let object = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"},
        "spec": {"selector": {"app": "shop"}, "ports": [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]}});
    ("deploy/service.json".to_owned(), object.to_string())
}

fn claim() -> (String, String) {
    let object = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Mi"}}}});
    ("deploy/claim.json".to_owned(), object.to_string())
}

fn put(shelf: &Shelf, files: Vec<(String, String)>) -> ManifestBundle {
    let files: Vec<(&str, String)> = files.iter().map(|(path, content)| (path.as_str(), content.clone())).collect();
    shelf.put(&files)
}

fn change(bundle: &ManifestBundle, image: &str) -> Change {
    Change::Image { image: image.to_owned(), manifests: Some(bundle.clone()) }
}

fn bind(cluster: &Cluster, settings: Value) -> Arc<dyn Target> {
    let config = json!({"namespace": cluster.namespace, "deployment": "shop", "manifests": settings});
    cluster.connection.bind(config).expect("bind")
}

async fn complete(target: &Arc<dyn Target>) -> Observation {
    let begun = std::time::Instant::now();
    loop {
        let seen = target.observe().await.expect("observe");
        if seen.rollout == Rollout::Complete {
            return seen;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{seen:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn line(plan: &TargetPlan, field: &str) -> (Option<String>, Option<String>) {
    let words = |text: &Option<passerelle_contract::Text>| text.as_ref().map(ToString::to_string);
    let line = plan.diff.iter().find(|line| line.field == field);
    let line = line.unwrap_or_else(|| panic!("no line {field} in {:#?}", plan.diff));
    (words(&line.before), words(&line.after))
}

fn codes(plan: &TargetPlan, severity: Severity) -> Vec<&str> {
    plan.findings.iter().filter(|one| one.severity == severity).map(|one| one.code.as_str()).collect()
}

async fn names(cluster: &Cluster) -> Vec<String> {
    let labelled = kube::api::ListParams::default().labels("passerelle.dev/binding");
    cluster
        .api::<ConfigMap>()
        .list(&labelled)
        .await
        .expect("list")
        .items
        .into_iter()
        .filter_map(|map| map.metadata.name)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_with_manifests_on_the_simulator() {
    let (_simulator, cluster) = simulated().await;
    a_life(&cluster).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_life_with_manifests() {
    let Some(cluster) = Cluster::open("a_life_with_manifests").await else { return };
    a_life(&cluster).await;
    cluster.close().await;
}

/// Made, made again, changed, and back when the bundle is gone.
pub async fn a_life(cluster: &Cluster) {
    let shelf = Shelf::start().await;
    let target = bind(cluster, json!({"path": "deploy"}));
    let nothing = target.observe().await.expect("observe");
    assert_eq!((nothing.image.as_str(), nothing.replicas.desired), ("manifests:nothing", 0));

    let (first, recorded) = first_version(cluster, &shelf, &target).await;
    let fence = second_version(cluster, &shelf, &target).await;

    // Back, with nothing left where the bundles were.
    shelf.clear();
    let back = Change::RestoreVersion { recorded };
    let plan = target.plan(&back).await.expect("plan");
    assert_eq!(line(&plan, "ConfigMap old"), (None, Some("is made".to_owned())));
    assert_eq!(line(&plan, "ConfigMap shop data.TTL"), (Some("60".to_owned()), Some("30".to_owned())));
    let third = new_fence();
    target.apply(&back, third).await.expect("apply");
    let seen = complete(&target).await;
    assert_eq!(seen.image.split('@').next(), Some(IMAGE));
    let settled = target.settle(third).await.expect("settle").expect("something is gone").to_string();
    assert!(settled.contains("ConfigMap new"), "{settled}");
    assert_eq!(names(cluster).await, ["old", "shop"]);
    for older in [first, fence] {
        let late = target.apply(&back, older).await;
        assert!(matches!(late, Err(TargetError::Fenced(_))), "{late:?}");
    }
    gone_back_to_nothing(&target, &nothing.recorded).await;
}

async fn first_version(cluster: &Cluster, shelf: &Shelf, target: &Arc<dyn Target>) -> (Fence, Recorded) {
    let files = vec![
        config_map("shop", json!({"TTL": "30"})),
        config_map("old", json!({"a": "b"})),
        workload(),
        service(),
        claim(),
    ];
    let first = change(&put(shelf, files), IMAGE);
    let plan = target.plan(&first).await.expect("plan");
    assert_eq!(codes(&plan, Severity::Error), Vec::<&str>::new(), "{:#?}", plan.findings);
    assert_eq!(line(&plan, "Deployment shop"), (None, Some("is made".to_owned())));
    assert!(plan.findings.iter().all(|one| one.code != "rollout_in_progress"), "{:#?}", plan.findings);
    assert_eq!(names(cluster).await, Vec::<String>::new(), "a plan makes nothing");

    let fence = new_fence();
    let applied = target.apply(&first, fence).await.expect("apply");
    assert!(!applied.unchanged && applied.before.0["nothing"] == true, "{applied:?}");
    assert!(target.apply(&first, fence).await.expect("again").unchanged);
    let later = Fence { epoch: 2, ..fence };
    assert!(target.apply(&first, later).await.expect("taken over").unchanged);
    assert!(matches!(target.apply(&first, fence).await, Err(TargetError::Fenced(_))));
    let seen = complete(target).await;
    assert_eq!(seen.fence, Some(later));
    assert_eq!(seen.image.split('@').next(), Some(IMAGE), "the image of the release, not the placeholder");
    assert_eq!(target.settle(later).await.expect("settle"), None);
    assert_eq!(names(cluster).await, ["old", "shop"]);
    let service = cluster.api::<Service>().get("shop").await.expect("the service");
    assert_eq!(service.metadata.labels.expect("labels")["passerelle.dev/binding"], "shop");
    let deployment = cluster.api::<Deployment>().get("shop").await.expect("the Deployment");
    let revision = deployment.metadata.annotations.as_ref().map(|all| all["deployment.kubernetes.io/revision"].clone());
    assert_eq!(revision.as_deref(), Some("1"), "one rollout");
    let managers: Vec<_> = deployment.metadata.managed_fields.unwrap_or_default();
    assert!(managers.iter().all(|entry| entry.manager.as_deref() != Some("passerelle-create")), "{managers:?}");
    (later, seen.recorded)
}

async fn second_version(cluster: &Cluster, shelf: &Shelf, target: &Arc<dyn Target>) -> Fence {
    // Somebody copied one of ours with its labels: it is in no ledger, so it stays.
    let labels = json!({"passerelle.dev/binding": "shop"});
    cluster.make::<ConfigMap>(json!({"metadata": {"name": "copied", "labels": labels}})).await;
    let files =
        vec![config_map("shop", json!({"TTL": "60"})), config_map("new", json!({"a": "b"})), workload(), service()];
    let second = change(&put(shelf, files), "tinyweb:v2");
    let plan = target.plan(&second).await.expect("plan");
    assert_eq!(line(&plan, "ConfigMap shop data.TTL"), (Some("30".to_owned()), Some("60".to_owned())));
    assert_eq!(line(&plan, "ConfigMap new"), (None, Some("is made".to_owned())));
    assert!(line(&plan, "ConfigMap old").1.expect("after").starts_with("is deleted once"));
    assert!(line(&plan, "PersistentVolumeClaim data").1.expect("after").contains("stays"));
    assert_eq!(line(&plan, "image web").1.as_deref(), Some("tinyweb:v2"));
    assert!(plan.diff.iter().all(|line| !line.field.starts_with("Service")), "{:#?}", plan.diff);

    let fence = new_fence();
    target.apply(&second, fence).await.expect("apply");
    complete(target).await;
    assert_eq!(
        names(cluster).await,
        ["copied", "new", "old", "shop"],
        "nothing goes before the new version is healthy"
    );
    let older = target.settle(new_fence_before(fence)).await;
    assert!(matches!(older, Err(TargetError::Fenced(_))), "{older:?}");
    let settled = target.settle(fence).await.expect("settle").expect("something is gone").to_string();
    assert!(settled.ends_with(": ConfigMap old"), "{settled}");
    assert_eq!(target.settle(fence).await.expect("again"), None);
    assert_eq!(names(cluster).await, ["copied", "new", "shop"]);
    assert!(cluster.api::<PersistentVolumeClaim>().get_opt("data").await.expect("get").is_some());
    cluster.api::<ConfigMap>().delete("copied", &kube::api::DeleteParams::default()).await.expect("delete");
    // Twice the same version writes no new specification.
    let generation = cluster.api::<Deployment>().get("shop").await.expect("get").metadata.generation;
    assert!(target.apply(&second, fence).await.expect("again").unchanged);
    assert_eq!(cluster.api::<Deployment>().get("shop").await.expect("get").metadata.generation, generation);
    fence
}

fn new_fence_before(fence: Fence) -> Fence {
    Fence { deployment: uuid::Uuid::from_u128(fence.deployment.as_u128() - 1), epoch: 9 }
}

async fn gone_back_to_nothing(target: &Arc<dyn Target>, nothing: &Recorded) {
    let change = Change::RestoreVersion { recorded: nothing.clone() };
    let refused = target.apply(&change, new_fence()).await.expect_err("nothing to go back to");
    assert!(refused.to_string().contains("nothing ran here before"), "{refused}");
}

/// Wherever a process dies, the next one ends where it would have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_apply_that_dies_anywhere_is_gone_on_with() {
    let (simulator, cluster) = simulated().await;
    let shelf = Shelf::start().await;
    let target = bind(&cluster, json!({"path": "deploy"}));
    let files = vec![config_map("shop", json!({"TTL": "30"})), config_map("more", json!({})), workload(), service()];
    let change = change(&put(&shelf, files), IMAGE);
    let fence = new_fence();
    simulator.set_faults(Faults { prefix: "/k8s/sim".into(), latency_ms: 4, ..Faults::default() });
    let mut died = 0;
    for epoch in 1..80 {
        let patience = Duration::from_millis(u64::try_from(epoch * 5).expect("a time"));
        let at = Fence { epoch, ..fence };
        match tokio::time::timeout(patience, target.apply(&change, at)).await {
            Err(_) => died += 1,
            Ok(applied) => drop(applied.expect("apply")),
        }
        if cluster.api::<ConfigMap>().get_opt("passerelle-shop").await.expect("get").is_some() {
            // What was claimed is kept: the bundle is not needed any more.
            shelf.clear();
        }
    }
    assert!(died > 10, "it died {died} times only");
    let last = Fence { epoch: 100, ..fence };
    target.apply(&change, last).await.expect("apply");
    assert_eq!(complete(&target).await.fence, Some(last));
    assert_eq!(names(&cluster).await, ["more", "shop"]);
    let deployment = cluster.api::<Deployment>().get("shop").await.expect("get");
    let revision = deployment.metadata.annotations.as_ref().map(|all| all["deployment.kubernetes.io/revision"].clone());
    assert_eq!(revision.as_deref(), Some("1"), "one rollout");
    let sleeper = target.apply(&change, fence).await;
    assert!(matches!(sleeper, Err(TargetError::Fenced(_))), "{sleeper:?}");
}

/// Twelve writers at once: the youngest one's objects are there, whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_the_youngest_wins_on_every_object() {
    let (_simulator, cluster) = simulated().await;
    let shelf = Shelf::start().await;
    let target = bind(&cluster, json!({"path": "deploy"}));
    let mut writers = Vec::new();
    for number in 0..12 {
        let files = vec![
            config_map("shop", json!({"TTL": number.to_string()})),
            config_map("more", json!({"n": number.to_string()})),
            workload(),
        ];
        writers.push((change(&put(&shelf, files), IMAGE), new_fence()));
    }
    let all = writers.iter().cloned().map(|(change, fence)| {
        let target = Arc::clone(&target);
        tokio::spawn(async move { target.apply(&change, fence).await })
    });
    let outcomes = futures::future::join_all(all.collect::<Vec<_>>()).await;
    for outcome in outcomes.iter().flatten() {
        let fine = matches!(outcome, Ok(_) | Err(TargetError::Fenced(_) | TargetError::Unreachable(_)));
        assert!(fine, "{outcome:?}");
    }
    let (change, fence) = writers.last().expect("a writer");
    target.apply(change, *fence).await.expect("the youngest may always go on");
    for (name, key) in [("shop", "TTL"), ("more", "n")] {
        let map = cluster.api::<ConfigMap>().get(name).await.expect("get");
        assert_eq!(map.data.expect("data")[key], "11", "{name}");
    }
    assert_eq!(target.observe().await.expect("observe").fence, Some(*fence));
    // The same once more as another deployment: its own marks, and what somebody changed meanwhile is put right.
    let data = json!({"data": {"n": "edited"}});
    let maps = cluster.api::<ConfigMap>();
    maps.patch("more", &PatchParams::default(), &Patch::Merge(data)).await.expect("patch");
    let again = new_fence();
    assert!(!target.apply(change, again).await.expect("apply").unchanged);
    assert_eq!(maps.get("more").await.expect("get").data.expect("data")["n"], "11");
    assert_eq!(target.observe().await.expect("observe").fence, Some(again));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_before_anything_is_written() {
    let (_simulator, cluster) = simulated().await;
    let shelf = Shelf::start().await;
    let target = bind(&cluster, json!({"path": "deploy"}));
    let role =
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": []});
    let cluster_wide = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}});
    let custom = json!({"apiVersion": "example.test/v1", "kind": "Widget", "metadata": {"name": "w"}});
    let file = |object: &Value| ("deploy/more.json".to_owned(), object.to_string());
    for (more, said) in [
        (file(&role), "Role r gives rights"),
        (file(&cluster_wide), "Namespace other is of the whole cluster"),
        (file(&custom), "the cluster does not know example.test/v1 Widget"),
        (
            ("deploy/kustomization.yaml".to_owned(), "resources: ['https://example.test/x']".to_owned()),
            "kustomization.yaml: resources is refused",
        ),
        (("deploy/more.yaml".to_owned(), "a: [".to_owned()), "deploy/more.yaml is no YAML"),
    ] {
        let wrong = change(&put(&shelf, vec![workload(), more]), IMAGE);
        let plan = target.plan(&wrong).await.expect("plan");
        assert_eq!(codes(&plan, Severity::Error), ["manifests"]);
        assert!(plan.findings[0].message.to_string().contains(said), "{:?}", plan.findings);
        assert!(target.apply(&wrong, new_fence()).await.is_err());
    }
    // Other bytes than those of the release.
    let mut other = put(&shelf, vec![workload()]);
    other.sha256 = "0".repeat(64);
    let plan = target.plan(&change(&other, IMAGE)).await.expect("plan");
    assert!(plan.findings[0].message.to_string().contains("their SHA-256 is another"), "{:?}", plan.findings);
    other.url = other.url.replace(".tar", ".zip");
    let plan = target.plan(&change(&other, IMAGE)).await.expect("plan");
    assert!(plan.findings[0].message.to_string().contains("answered 404"), "{:?}", plan.findings);
    // A release without manifests, where none were applied.
    let bare = Change::Image { image: IMAGE.to_owned(), manifests: None };
    let plan = target.plan(&bare).await.expect("plan");
    assert!(plan.findings[0].message.to_string().contains("brings no manifests"), "{:?}", plan.findings);
    assert_eq!(names(&cluster).await, Vec::<String>::new());
    assert!(cluster.api::<Deployment>().get_opt("shop").await.expect("get").is_none());
}

/// Keys that the manifests bring are there; one that nobody brings is named, and an object of another binding is left alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_or_another_s_is_named() {
    let (_simulator, cluster) = simulated().await;
    let shelf = Shelf::start().await;
    let target = bind(&cluster, json!({"path": "deploy"}));
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "shop"}, "stringData": {"password": "hunter2"}});
    let secret = ("deploy/secret.json".to_owned(), secret.to_string());
    let wrong = change(&put(&shelf, vec![config_map("shop", json!({"ttl": "30"})), workload(), secret.clone()]), IMAGE);
    let plan = target.plan(&wrong).await.expect("plan");
    assert_eq!(codes(&plan, Severity::Error), ["missing_key"], "{:#?}", plan.findings);
    let said = plan.findings[0].message.to_string();
    assert!(said.contains("no key TTL") && said.ends_with("the nearest is ttl"), "{said}");

    let right = vec![config_map("shop", json!({"TTL": "30"})), workload(), secret];
    target.apply(&change(&put(&shelf, right.clone()), IMAGE), new_fence()).await.expect("apply");
    assert!(cluster.api::<Secret>().get_opt("shop").await.expect("get").is_some());
    let mut next = right;
    next[2].1 = next[2].1.replace("hunter2", "hunter3");
    let plan = target.plan(&change(&put(&shelf, next.clone()), IMAGE)).await.expect("plan");
    assert_eq!(line(&plan, "Secret shop data.password").1.as_deref(), Some("*** (another value)"));
    assert!(!format!("{plan:?}").contains("hunter"), "{plan:?}");

    let labels = json!({"passerelle.dev/binding": "someone"});
    cluster.make::<ConfigMap>(json!({"metadata": {"name": "theirs", "labels": labels}, "data": {"a": "1"}})).await;
    next.push(config_map("theirs", json!({"a": "2"})));
    let bold = change(&put(&shelf, next), IMAGE);
    let plan = target.plan(&bold).await.expect("plan");
    assert_eq!(codes(&plan, Severity::Error), ["foreign_object"], "{:#?}", plan.findings);
    let refused = target.apply(&bold, new_fence()).await.expect_err("another's");
    assert!(refused.to_string().contains("belongs to the manifests of someone"), "{refused}");
    let map = cluster.api::<ConfigMap>().get("theirs").await.expect("get");
    assert_eq!(map.data.expect("data")["a"], "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_namespace_is_made_where_the_binding_says_so() {
    let (_simulator, cluster) = simulated().await;
    let shelf = Shelf::start().await;
    let name = format!("{}-new", cluster.namespace);
    let bind = |make: bool| {
        let settings = json!({"path": ".", "create_namespace": make});
        let config = json!({"namespace": name, "deployment": "shop", "manifests": settings});
        cluster.connection.bind(config).expect("bind")
    };
    let mut object = deployment("shop", "placeholder", 1);
    object["apiVersion"] = json!("apps/v1");
    object["kind"] = json!("Deployment");
    object["spec"]["template"]["spec"]["containers"][0]["env"] = json!([]);
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"tier": "test"}}});
    let files = vec![("a.json".to_owned(), object.to_string()), ("n.json".to_owned(), namespace.to_string())];
    let change = change(&put(&shelf, files), IMAGE);
    let plan = bind(false).plan(&change).await.expect("plan");
    assert_eq!(codes(&plan, Severity::Error), ["missing_namespace"], "{:#?}", plan.findings);
    assert!(bind(false).apply(&change, new_fence()).await.is_err());
    let target = bind(true);
    let plan = target.plan(&change).await.expect("plan");
    assert_eq!(codes(&plan, Severity::Error), Vec::<&str>::new(), "{:#?}", plan.findings);
    assert!(codes(&plan, Severity::Info).contains(&"namespace_made"));
    target.apply(&change, new_fence()).await.expect("apply");
    complete(&target).await;
    let made = Api::<Namespace>::all(cluster.client.clone()).get(&name).await.expect("the namespace");
    let labels = made.metadata.labels.expect("labels");
    assert_eq!((labels["tier"].as_str(), labels["app.kubernetes.io/managed-by"].as_str()), ("test", "passerelle"));
}

/// A roll back to an earlier image under today's configuration, and what does not touch the manifests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_image_under_the_manifests_that_are_there() {
    let (_simulator, cluster) = simulated().await;
    let shelf = Shelf::start().await;
    let target = bind(&cluster, json!({"path": "deploy"}));
    let files = vec![config_map("shop", json!({"TTL": "30"})), workload()];
    target.apply(&change(&put(&shelf, files), "tinyweb:v2"), new_fence()).await.expect("apply");
    let first = complete(&target).await;
    shelf.clear();
    target.apply(&Change::Scale { replicas: 3 }, new_fence()).await.expect("scale");
    complete(&target).await;
    target.apply(&Change::Restart, new_fence()).await.expect("restart");
    complete(&target).await;
    let bare = Change::Image { image: IMAGE.to_owned(), manifests: None };
    let plan = target.plan(&bare).await.expect("plan");
    assert_eq!(line(&plan, "image web").1.as_deref(), Some(IMAGE));
    let fence = new_fence();
    target.apply(&bare, fence).await.expect("apply");
    let seen = complete(&target).await;
    assert_eq!((seen.image.split('@').next(), seen.replicas.desired), (Some(IMAGE), 3));
    assert_ne!(seen.recorded.0["manifests"], first.recorded.0["manifests"]);
    let back = Change::Restore { recorded: first.recorded.clone() };
    target.apply(&back, new_fence()).await.expect("restore");
    let seen = complete(&target).await;
    assert_eq!((seen.image.split('@').next(), seen.replicas.desired), (Some("tinyweb:v2"), 2));
    assert_eq!(seen.recorded.0["manifests"], first.recorded.0["manifests"]);
}
