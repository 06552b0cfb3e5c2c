//! The adapter on a real Kubernetes: the contract suite, and what is particular to this platform.
//!
//! `PASSERELLE_TEST_KUBECONFIG` names a kubeconfig with the right to make namespaces; the node has the images `tinyweb:v1` to `tinyweb:v4`.

mod contract;

use async_trait::async_trait;
use contract::{Image, Peer, new_fence, say};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use passerelle_contract::deployments::{Cause, Severity};
use passerelle_targets::{AnyConnection, Change, Fence, Rollout, Target, TargetError, platform, same_image};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const VARIABLE: &str = "PASSERELLE_TEST_KUBECONFIG";

/// A namespace of our own in the cluster.
struct Cluster {
    client: Client,
    namespace: String,
    connection: Arc<dyn AnyConnection>,
}

impl Cluster {
    /// Nothing, with the reason said, when there is no cluster to try.
    async fn open(test: &str) -> Option<Self> {
        let Ok(path) = std::env::var(VARIABLE) else {
            say(&format!("{test}: skipped, {VARIABLE} is not set (it names the kubeconfig of a cluster to try)"));
            return None;
        };
        let connection = connect(json!({"kubeconfig": {"file": path}})).await.expect("connect");
        let kubeconfig = kube::config::Kubeconfig::read_from(&path).expect("kubeconfig");
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &kube::config::KubeConfigOptions::default())
            .await
            .expect("config");
        config.proxy_url = None;
        let client = Client::try_from(config).expect("client");
        let namespace = format!("suite-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let cluster = Self { client, namespace, connection };
        let made: Namespace = typed(json!({"metadata": {"name": cluster.namespace}}));
        Api::all(cluster.client.clone()).create(&PostParams::default(), &made).await.expect("namespace");
        cluster.make::<ConfigMap>(json!({"metadata": {"name": "web"}, "data": {"session-ttl": "30"}})).await;
        cluster.make::<Secret>(json!({"metadata": {"name": "web"}, "stringData": {"api-key": "hunter2"}})).await;
        Some(cluster)
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn make<K>(&self, object: Value)
    where
        K: kube::Resource<Scope = k8s_openapi::NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Serialize,
    {
        self.api::<K>().create(&PostParams::default(), &typed(object)).await.expect("create");
    }

    async fn patch(&self, name: &str, patch: Value) {
        self.api::<Deployment>().patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await.expect("patch");
    }

    fn bind(&self, name: &str) -> Arc<dyn Target> {
        self.connection.bind(json!({"namespace": self.namespace, "deployment": name})).expect("bind")
    }

    async fn close(self) {
        Api::<Namespace>::all(self.client.clone())
            .delete(&self.namespace, &DeleteParams::background())
            .await
            .expect("delete");
    }
}

fn typed<K: DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).expect("object")
}

async fn connect(config: Value) -> Result<Arc<dyn AnyConnection>, TargetError> {
    platform("kubernetes").expect("registered").connect(config).await
}

fn deployment(name: &str, image: &str, replicas: u32) -> Value {
    let probe =
        |path: &str| json!({"httpGet": {"path": path, "port": 8080}, "periodSeconds": 1, "failureThreshold": 2});
    json!({
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "progressDeadlineSeconds": 40, "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"terminationGracePeriodSeconds": 2, "containers": [{
                    "name": "web", "image": image, "imagePullPolicy": "IfNotPresent",
                    "env": [
                        {"name": "SERVICE", "value": name},
                        {"name": "SESSION_TTL", "valueFrom": {"configMapKeyRef": {"name": "web", "key": "session-ttl"}}},
                        {"name": "API_KEY", "valueFrom": {"secretKeyRef": {"name": "web", "key": "api-key"}}}
                    ],
                    "readinessProbe": probe("/readyz"), "livenessProbe": probe("/healthz")
                }]}
            }
        }
    })
}

#[async_trait]
impl Peer for Cluster {
    async fn create(&self, name: &str, image: Image, replicas: u32) -> Arc<dyn Target> {
        self.make::<Deployment>(deployment(name, &self.image(image), replicas)).await;
        self.bind(name)
    }

    async fn break_config(&self, name: &str) -> Option<String> {
        let env = json!([{"name": "MORE", "valueFrom": {"secretKeyRef": {"name": "web", "key": "api-keys"}}}]);
        self.patch(name, json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "env": env}]}}}})).await;
        Some("api-keys".to_owned())
    }

    async fn generation(&self, name: &str) -> u64 {
        let generation = self.api::<Deployment>().get(name).await.expect("get").metadata.generation;
        u64::try_from(generation.unwrap_or(0)).expect("a generation")
    }

    async fn remove(&self, name: &str) {
        self.api::<Deployment>().delete(name, &DeleteParams::background()).await.expect("delete");
    }

    fn image(&self, image: Image) -> String {
        let name = match image {
            Image::First => "tinyweb:v1",
            Image::Second => "tinyweb:v2",
            Image::Unhealthy => "tinyweb:v3",
            Image::Crashing => "tinyweb:v4",
            Image::Missing => "tinyweb:v99",
        };
        name.to_owned()
    }
}

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
        let change = Change::Image { image: cluster.image(image) };
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
    let plan = target.plan(&Change::Image { image: "tinyweb:v2".into() }).await.expect("plan");
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    assert!(
        plan.env.iter().any(|v| v.name == "API_KEY" && v.value == "secret web / api-key" && v.secret),
        "{:?}",
        plan.env
    );
    cluster.break_config("plan").await;
    let plan = target.plan(&Change::Image { image: "tinyweb:v2".into() }).await.expect("plan");
    let missing = plan.findings.iter().find(|finding| finding.code == "missing_key").expect("a finding");
    assert!(
        missing.message.contains("no key api-keys") && missing.message.ends_with("the nearest is api-key"),
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
    cluster
        .make::<k8s_openapi::api::core::v1::ResourceQuota>(
            json!({"metadata": {"name": "small"}, "spec": {"hard": {"pods": "1"}}}),
        )
        .await;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_addresses_credentials_and_names_are_told_apart() {
    let Some(cluster) = Cluster::open("wrong_addresses_credentials_and_names_are_told_apart").await else { return };
    let missing = cluster.bind("nowhere");
    assert!(matches!(missing.observe().await, Err(TargetError::Missing(_))));
    let change = Change::Restart;
    assert!(matches!(missing.apply(&change, new_fence()).await, Err(TargetError::Missing(_))));
    cluster.create("names", Image::First, 0).await;
    let config = json!({"namespace": cluster.namespace, "deployment": "names", "container": "other"});
    let wrong = cluster.connection.bind(config).expect("bind").observe().await;
    assert!(matches!(&wrong, Err(TargetError::Config { message, .. }) if message.contains("it has: web")), "{wrong:?}");
    let path = std::env::var(VARIABLE).expect("set");
    let kubeconfig = kube::config::Kubeconfig::read_from(path).expect("kubeconfig");
    let of = &kubeconfig.clusters[0].cluster.as_ref().expect("cluster");
    let server = of.server.clone().expect("server");
    let ca = {
        use base64::Engine as _;
        let pem = base64::engine::general_purpose::STANDARD.decode(of.certificate_authority_data.as_ref().expect("ca"));
        String::from_utf8(pem.expect("base64")).expect("PEM")
    };
    let stranger = connect(json!({"server": server, "ca": ca, "token": {"value": "nobody"}})).await.expect("connect");
    assert!(matches!(stranger.check().await, Err(TargetError::Forbidden(_))));
    let untrusted = connect(json!({"server": server, "token": {"value": "nobody"}})).await.expect("connect");
    let error = untrusted.check().await.expect_err("an unknown authority");
    assert!(error.is_transient() && error.to_string().contains("certificate"), "{error}");
    let closed = connect(json!({"server": "http://127.0.0.1:9", "token": {"value": "t"}})).await.expect("connect");
    assert!(matches!(closed.check().await, Err(TargetError::Unreachable(_))));
    cluster.close().await;
}
