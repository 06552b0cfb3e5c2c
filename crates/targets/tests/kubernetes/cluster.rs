//! A namespace of our own in the cluster that `PASSERELLE_TEST_KUBECONFIG` names.

use crate::contract::{Image, Peer, say};
use async_trait::async_trait;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use passerelle_targets::guard::Guard;
use passerelle_targets::{AnyConnection, Target, TargetError, platform};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

pub const VARIABLE: &str = "PASSERELLE_TEST_KUBECONFIG";

/// A namespace of our own in the cluster.
pub struct Cluster {
    pub client: Client,
    pub namespace: String,
    pub connection: Arc<dyn AnyConnection>,
}

impl Cluster {
    /// Nothing, with the reason said, when there is no cluster to try.
    pub async fn open(test: &str) -> Option<Self> {
        let Ok(path) = std::env::var(VARIABLE) else {
            say(&format!("{test}: skipped, {VARIABLE} is not set (it names the kubeconfig of a cluster to try)"));
            return None;
        };
        let text = std::fs::read_to_string(path).expect("a kubeconfig");
        Some(Self::new(&text).await)
    }

    /// A namespace with a ConfigMap and a Secret, in the cluster of this kubeconfig.
    pub async fn new(kubeconfig: &str) -> Self {
        let connection = connect(json!({"kubeconfig": {"value": kubeconfig}})).await.expect("connect");
        let kubeconfig = Kubeconfig::from_yaml(kubeconfig).expect("kubeconfig");
        let mut config =
            kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await.expect("config");
        config.proxy_url = None;
        let client = Client::try_from(config).expect("client");
        let namespace = format!("suite-{}", &Uuid::new_v4().simple().to_string()[..8]);
        let cluster = Self { client, namespace, connection };
        let made: Namespace = typed(json!({"metadata": {"name": cluster.namespace}}));
        Api::all(cluster.client.clone()).create(&PostParams::default(), &made).await.expect("namespace");
        cluster.make::<ConfigMap>(json!({"metadata": {"name": "web"}, "data": {"session-ttl": "30"}})).await;
        cluster.make::<Secret>(json!({"metadata": {"name": "web"}, "stringData": {"api-key": "hunter2"}})).await;
        cluster
    }

    pub fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub async fn make<K>(&self, object: Value)
    where
        K: kube::Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Serialize,
    {
        self.api::<K>().create(&PostParams::default(), &typed(object)).await.expect("create");
    }

    pub async fn patch(&self, name: &str, patch: Value) {
        self.api::<Deployment>().patch(name, &PatchParams::default(), &Patch::Strategic(patch)).await.expect("patch");
    }

    pub fn bind(&self, name: &str) -> Arc<dyn Target> {
        self.connection.bind(json!({"namespace": self.namespace, "deployment": name})).expect("bind")
    }

    pub async fn close(self) {
        Api::<Namespace>::all(self.client.clone())
            .delete(&self.namespace, &DeleteParams::background())
            .await
            .expect("delete");
    }
}

pub fn typed<K: DeserializeOwned>(object: Value) -> K {
    serde_json::from_value(object).expect("object")
}

pub async fn connect(config: Value) -> Result<Arc<dyn AnyConnection>, TargetError> {
    // Bundles of manifests are fetched from this machine.
    let guard = Guard::new("127.0.0.0/8").expect("a network");
    platform("kubernetes").expect("registered").connect_through(config, guard).await
}

pub fn deployment(name: &str, image: &str, replicas: u32) -> Value {
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
            Image::Missing => "tinyweb:missing",
        };
        name.to_owned()
    }
}
