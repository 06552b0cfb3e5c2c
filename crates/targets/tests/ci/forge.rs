//! A repository with pipelines to try a target on: the simulator's GitHub or GitLab.

use crate::contract::{Has, Image, Peer};
use async_trait::async_trait;
use futures::StreamExt as _;
use passerelle_simulator::{Faults, Only, Simulator, World};
use passerelle_targets::{Change, Fence, Observation, Rollout, Target, platform};
use reqwest::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

const WORLD: &str = "
speed: 20
github:
  acme/shop:
    workflows:
      deploy.yml: {inputs: [image, passerelle, target], jobs: [{name: deploy}]}
      long.yml: {inputs: [image, passerelle], jobs: [{name: test}, {name: deploy}]}
      nameless.yml: {inputs: [image], jobs: [{name: deploy}]}
gitlab:
  acme/group/shop:
    jobs: [{name: deploy, stage: deploy}]
  acme/staged:
    jobs: [{name: test, stage: test}, {name: deploy-prod, stage: deploy-prod, manual: true}]
";

pub struct Forge {
    pub provider: &'static str,
    pub simulator: Simulator,
    http: reqwest::Client,
}

impl Forge {
    async fn start(provider: &'static str) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let simulator = Simulator::start(World::parse(WORLD).unwrap()).await.unwrap();
        Self { provider, simulator, http: reqwest::Client::new() }
    }

    pub async fn github() -> Self {
        Self::start("github").await
    }

    pub async fn gitlab() -> Self {
        Self::start("gitlab").await
    }

    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}{path}", self.simulator.url());
        let mut request = self.http.request(method, url).bearer_auth("t").header("private-token", "t");
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or_default()
    }

    pub async fn get(&self, path: &str) -> Value {
        self.call(Method::GET, path, None).await
    }

    /// A connection of its own for each binding, as another process has.
    pub async fn bind(&self, binding: Value) -> Arc<dyn Target> {
        let config = json!({ "provider": self.provider, "base_url": self.simulator.url(), "token": { "value": "t" } });
        self.bind_with(config, binding).await
    }

    pub async fn bind_with(&self, connection: Value, binding: Value) -> Arc<dyn Target> {
        let connection = platform("ci").unwrap().connect(connection).await.unwrap();
        assert!(connection.check().await.unwrap().starts_with("Git"));
        connection.bind(binding).unwrap()
    }

    /// The next write takes effect, and its answer is lost.
    pub fn lose_an_answer(&self) {
        let prefix = format!("/{}", self.provider);
        self.simulator.set_faults(Faults { prefix, lose_answers: 1, only: Only::Writes, ..Faults::default() });
    }

    /// How many runs were ordered.
    pub fn orders(&self, object: &str) -> u64 {
        self.simulator.effects(&format!("/{}", self.provider), object)
    }

    fn binding(&self, name: &str) -> Value {
        if self.provider == "github" {
            return json!({ "repository": "acme/shop", "environment": name, "workflow": "deploy.yml", "inputs": { "target": name } });
        }
        json!({ "repository": "acme/group/shop", "environment": name })
    }

    /// As a person would: a run by hand, and on GitHub a record of it.
    async fn deploy_by_hand(&self, name: &str, image: &str) {
        if self.provider == "gitlab" {
            let variables =
                json!([{ "key": "PASSERELLE_ENVIRONMENT", "value": name }, { "key": "IMAGE", "value": image }]);
            let body = json!({ "ref": "main", "variables": variables });
            self.call(Method::POST, "/api/v4/projects/acme%2Fgroup%2Fshop/pipeline", Some(body)).await;
            return;
        }
        let inputs = json!({ "ref": "main", "inputs": { "image": image, "target": name, "passerelle": "by hand" } });
        self.call(Method::POST, "/repos/acme/shop/actions/workflows/deploy.yml/dispatches", Some(inputs)).await;
        let runs = self.get("/repos/acme/shop/actions/workflows/deploy.yml/runs").await;
        let body = json!({ "ref": "main", "task": "passerelle", "environment": name, "payload": { "passerelle": { "image": image } } });
        let made = self.call(Method::POST, "/repos/acme/shop/deployments", Some(body)).await;
        let status =
            json!({ "state": "in_progress", "description": "", "log_url": runs["workflow_runs"][0]["html_url"] });
        self.call(Method::POST, &format!("/repos/acme/shop/deployments/{}/statuses", made["id"]), Some(status)).await;
    }
}

#[async_trait]
impl Peer for Forge {
    async fn create(&self, name: &str, image: Image, _: u32) -> Arc<dyn Target> {
        self.deploy_by_hand(name, &self.image(image)).await;
        self.bind(self.binding(name)).await
    }

    async fn break_config(&self, _: &str) -> Option<String> {
        None
    }

    async fn generation(&self, name: &str) -> u64 {
        if self.provider == "github" {
            let runs = self.get("/repos/acme/shop/actions/workflows/deploy.yml/runs").await;
            let named = |run: &&Value| run["display_title"].as_str().unwrap().contains(name);
            return runs["workflow_runs"].as_array().unwrap().iter().filter(named).count() as u64;
        }
        let project = "/api/v4/projects/acme%2Fgroup%2Fshop/pipelines";
        let mut count = 0;
        for pipeline in self.get(&format!("{project}?per_page=100")).await.as_array().unwrap() {
            let variables = self.get(&format!("{project}/{}/variables", pipeline["id"])).await;
            count += u64::from(variables.as_array().unwrap().iter().any(|variable| variable["value"] == name));
        }
        count
    }

    async fn remove(&self, _: &str) {}

    fn image(&self, image: Image) -> String {
        let name = match image {
            Image::First => "web:1",
            Image::Second => "web:2",
            Image::Unhealthy => "web:unready",
            Image::Crashing => "web:crash",
            Image::Missing => "web:no-such-tag",
        };
        format!("example.test/team/{name}")
    }

    fn has(&self) -> Has {
        Has { replicas: false, pushes: false, instances: false, programs: false, pulls: false, ..Has::default() }
    }
}

pub fn image(name: &str) -> Change {
    Change::Image { image: format!("example.test/team/{name}"), manifests: None }
}

pub fn fence(epoch: i64) -> Fence {
    Fence { deployment: Uuid::now_v7(), epoch }
}

/// Follows a target, taking its stages as the engine does, until it is no longer progressing.
pub async fn settled(target: &Arc<dyn Target>, fence: Fence) -> (Observation, Vec<String>) {
    let mut watch = target.watch();
    let mut said = Vec::new();
    let follow = async {
        loop {
            said.extend(target.advance(fence, true).await.unwrap().map(|text| text.to_string()));
            let seen = tokio::time::timeout(Duration::from_millis(100), watch.next()).await;
            if let Ok(Some(seen)) = seen
                && let seen = seen.unwrap()
                && seen.rollout != Rollout::Progressing
            {
                return seen;
            }
        }
    };
    let seen = tokio::time::timeout(Duration::from_secs(30), follow).await.expect("settled in time");
    (seen, said)
}
