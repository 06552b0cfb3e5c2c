//! A region of Cloud Run to try a target on: the simulator's, or the one of the environment.

use crate::contract::{Has, Image, Peer};
use async_trait::async_trait;
use futures::StreamExt as _;
use passerelle_simulator::{Simulator, World};
use passerelle_targets::{Change, Fence, Observation, Rollout, Target};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

pub const PARENT: &str = "projects/demo/locations/europe-west1";

pub struct Region {
    base: String,
    http: reqwest::Client,
    /// Serves as long as it is there.
    simulator: Option<Simulator>,
}

impl Region {
    pub fn from_env() -> Option<Self> {
        let Ok(base) = std::env::var("PASSERELLE_TEST_CLOUD_RUN") else {
            eprintln!("skipped: PASSERELLE_TEST_CLOUD_RUN is not the base URL of a Cloud Run API");
            return None;
        };
        drop(rustls::crypto::ring::default_provider().install_default());
        Some(Self { base, http: reqwest::Client::new(), simulator: None })
    }

    pub async fn simulated() -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let world = World::parse("speed: 20\nprojects: {demo: {locations: {europe-west1: {}}}}").unwrap();
        let simulator = Simulator::start(world).await.unwrap();
        Self { base: simulator.cloud_run_url(), http: reqwest::Client::new(), simulator: Some(simulator) }
    }

    pub async fn make_named(&self, name: &str, image: &str) {
        let body =
            json!({ "template": { "containers": [{ "image": image, "env": [{ "name": "TTL", "value": "5" }] }] } });
        self.post(&format!("/v2/{PARENT}/services?serviceId={name}"), &body).await;
    }

    pub async fn make(&self, image: &str) -> String {
        let name = format!("web-{}", &Uuid::new_v4().simple().to_string()[..8]);
        self.make_named(&name, image).await;
        name
    }

    /// On a peer an access token is fetched for the key of a service account.
    pub async fn bind(&self, binding: Value) -> Arc<dyn Target> {
        let mut config = json!({ "project": "demo", "region": "europe-west1", "endpoint": self.base });
        if self.simulator.is_some() {
            config["token"] = json!({ "value": "t" });
        } else {
            let key = include_str!("../fixtures/service-account.pem");
            let account = json!({ "type": "service_account", "client_email": "portal@demo.iam", "private_key": key,
                "token_uri": format!("{}/token", self.base) });
            config["credentials"] = json!({ "value": account.to_string() });
        }
        let connection = passerelle_targets::platform("cloud_run").unwrap().connect(config).await.unwrap();
        assert!(connection.check().await.unwrap().contains("europe-west1"));
        connection.bind(binding).unwrap()
    }

    pub async fn service(&self, name: &str) -> Value {
        self.get(&format!("/v2/{PARENT}/services/{name}")).await
    }

    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.base);
        self.http.get(url).bearer_auth("t").send().await.unwrap().json().await.unwrap()
    }

    pub async fn post(&self, path: &str, body: &Value) {
        let url = format!("{}{path}", self.base);
        let answer = self.http.post(url).bearer_auth("t").json(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// How often the simulator was told to run something else.
    pub fn effects(&self, object: &str) -> u64 {
        self.simulator.as_ref().map_or(0, |simulator| simulator.effects("/run", object))
    }
}

#[async_trait]
impl Peer for Region {
    async fn create(&self, name: &str, image: Image, _: u32) -> Arc<dyn Target> {
        self.make_named(name, &self.image(image)).await;
        self.bind(json!({ "service": name })).await
    }

    async fn break_config(&self, _: &str) -> Option<String> {
        None
    }

    async fn generation(&self, name: &str) -> u64 {
        self.service(name).await["generation"].as_str().unwrap().parse().unwrap()
    }

    async fn remove(&self, name: &str) {
        // The simulator keeps its services until it stops.
        if self.simulator.is_none() {
            let url = format!("{}/v2/{PARENT}/services/{name}", self.base);
            self.http.delete(url).bearer_auth("t").send().await.unwrap();
        }
    }

    fn image(&self, image: Image) -> String {
        let simulated = self.simulator.is_some();
        let name = match image {
            Image::First => "web:1",
            Image::Second => "web:2",
            Image::Unhealthy if simulated => "web:unready",
            Image::Crashing if simulated => "web:crash",
            Image::Unhealthy | Image::Crashing => "broken:1",
            Image::Missing => "no-such-image:1",
        };
        format!("example.test/team/{name}")
    }

    fn has(&self) -> Has {
        Has { replicas: false, pushes: false, logs: false, crashes: self.simulator.is_some(), ..Has::default() }
    }
}

pub async fn settled(target: &Arc<dyn Target>) -> Observation {
    let mut watch = target.watch();
    let follow = async {
        loop {
            let seen = watch.next().await.unwrap().unwrap();
            if seen.rollout != Rollout::Progressing {
                return seen;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), follow).await.expect("settled in time")
}

pub fn image(name: &str) -> Change {
    Change::Image { image: format!("example.test/team/{name}"), manifests: None }
}

pub fn fence() -> Fence {
    Fence { deployment: Uuid::now_v7(), epoch: 1 }
}
