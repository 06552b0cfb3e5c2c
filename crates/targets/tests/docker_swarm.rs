//! The contract on a real Swarm, and what only Swarm has.
//!
//! Runs when `PASSERELLE_TEST_SWARM` names an endpoint (`unix:///path/docker.sock` or `tcp://host:port`) of a manager that can pull
//! `tinyweb:v1` to `v4` from `PASSERELLE_TEST_SWARM_REGISTRY` (default `127.0.0.1:15000`): v1 and v2 healthy, v3 fails its
//! health check, v4 crashes.

#![expect(clippy::unwrap_used, reason = "tests")]

mod contract;

use async_trait::async_trait;
use contract::{Image, Peer, Workload, new_fence};
use passerelle_contract::deployments::{Cause, Health};
use passerelle_targets::{Change, Rollout, Target, TargetError, same_image};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

struct Swarm {
    endpoint: String,
    registry: String,
    http: reqwest::Client,
    base: String,
    /// What Swarm does by itself when an update fails.
    failure_action: &'static str,
}

impl Swarm {
    fn from_env(failure_action: &'static str) -> Option<Self> {
        let Ok(endpoint) = std::env::var("PASSERELLE_TEST_SWARM") else {
            eprintln!("skipped: PASSERELLE_TEST_SWARM does not name the endpoint of a Swarm manager");
            return None;
        };
        drop(rustls::crypto::ring::default_provider().install_default());
        let builder = reqwest::Client::builder().no_proxy();
        let (builder, base) = match endpoint.strip_prefix("unix://") {
            Some(path) => (builder.unix_socket(path), "http://docker".to_owned()),
            None => (builder, endpoint.replacen("tcp", "http", 1)),
        };
        let registry = std::env::var("PASSERELLE_TEST_SWARM_REGISTRY").unwrap_or_else(|_| "127.0.0.1:15000".to_owned());
        Some(Self { registry, http: builder.build().unwrap(), base: base + "/v1.41", endpoint, failure_action })
    }

    async fn target(&self, name: &str) -> Arc<dyn Target> {
        let platform = passerelle_targets::platform("docker_swarm").unwrap();
        let connection = platform.connect(json!({ "endpoint": self.endpoint })).await.unwrap();
        connection.bind(json!({ "service": name })).unwrap()
    }

    async fn service(&self, name: &str) -> Value {
        let answer = self.http.get(format!("{}/services/{name}", self.base)).send().await.unwrap();
        answer.json().await.unwrap()
    }
}

#[async_trait]
impl Peer for Swarm {
    async fn create(&self, name: &str, image: Image, replicas: u32) -> Arc<dyn Target> {
        let second = 1_000_000_000_u64;
        let spec = json!({
            "Name": name,
            "Labels": { "traefik.enable": "true" },
            "Mode": { "Replicated": { "Replicas": replicas } },
            "TaskTemplate": {
                "ContainerSpec": { "Image": self.image(image), "Env": ["SESSION_TTL=5", "DB_PASSWORD=hidden"] },
                "RestartPolicy": { "Condition": "any", "Delay": second }
            },
            "UpdateConfig": { "Parallelism": 1, "Order": "start-first", "Monitor": 6 * second,
                "FailureAction": self.failure_action },
            "RollbackConfig": { "Parallelism": 1, "Monitor": 2 * second },
            "EndpointSpec": { "Mode": "dnsrr" }
        });
        let answer = self.http.post(format!("{}/services/create", self.base)).json(&spec).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        self.target(name).await
    }

    async fn break_config(&self, _: &str) -> Option<String> {
        // Swarm refuses a service whose secret or config is not there, and refuses to remove one that is used.
        None
    }

    async fn generation(&self, name: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.service(name).await["Spec"].to_string().hash(&mut hasher);
        hasher.finish()
    }

    async fn remove(&self, name: &str) {
        let answer = self.http.delete(format!("{}/services/{name}", self.base)).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    fn image(&self, image: Image) -> String {
        let tag = match image {
            Image::First => "v1",
            Image::Second => "v2",
            Image::Unhealthy => "v3",
            Image::Crashing => "v4",
            Image::Missing => "nope",
        };
        format!("{}/tinyweb:{tag}", self.registry)
    }
}

#[tokio::test]
async fn contract_when_swarm_pauses() {
    if let Some(swarm) = Swarm::from_env("pause") {
        contract::run(&swarm).await;
    }
}

#[tokio::test]
async fn a_roll_back_by_swarm_is_a_failure_with_its_cause() {
    let Some(swarm) = Swarm::from_env("rollback") else { return };
    for (image, expected) in
        [(Image::Crashing, Cause::CrashLoop), (Image::Unhealthy, Cause::Probe), (Image::Missing, Cause::ImagePull)]
    {
        let workload = Workload::settled(&swarm, "swarm-back", 2).await;
        let hour = Duration::from_secs(3600);
        assert_eq!(workload.target.undone(hour).await.unwrap(), None, "nothing was put back yet");
        let fence = new_fence();
        let change = Change::Image { image: swarm.image(image), manifests: None };
        let applied = workload.target.apply(&change, fence).await.unwrap();
        let (failure, _) = workload.failed().await;
        assert_eq!(failure.cause, expected, "{failure:?}");
        assert!(failure.message.to_string().contains("Swarm"), "{failure:?}");
        assert!(failure.instance.is_some());
        // It stays a failure after Swarm has finished, while the first version serves again.
        let back =
            workload.follow(|seen| seen.replicas.ready == 2 && same_image(&seen.image, &swarm.image(Image::First)));
        let back = back.await;
        assert!(matches!(back.rollout, Rollout::Failed { .. }), "{:?}", back.rollout);
        // Who takes over now must not write it again; a write after this one is not meant.
        assert_eq!(workload.target.undone(hour).await.unwrap().map(|failure| failure.cause), Some(expected));
        assert_eq!(workload.target.undone(Duration::ZERO).await.unwrap(), None);
        // Our own roll back over it changes no task and makes it well.
        workload.target.apply(&Change::Restore { recorded: applied.before }, fence).await.unwrap();
        let done = workload.complete().await;
        assert_eq!((done.health, done.fence), (Health::Healthy, Some(fence)));
        eprintln!("{image:?}: {}", failure.message);
        workload.remove().await;
    }
}

#[tokio::test]
async fn writers_at_the_same_time_do_not_lose_each_other() {
    let Some(swarm) = Swarm::from_env("pause") else { return };
    let workload = Workload::settled(&swarm, "swarm-race", 1).await;
    let fence = new_fence();
    let change = Change::Scale { replicas: 2 };
    let writes = (0..8).map(|_| workload.target.apply(&change, fence));
    let applied: Vec<_> = futures::future::join_all(writes).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(applied.iter().filter(|applied| !applied.unchanged).count(), 1, "{applied:?}");
    workload.complete().await;
    workload.remove().await;
}

#[tokio::test]
async fn a_place_that_no_node_has_is_named() {
    let Some(swarm) = Swarm::from_env("pause") else { return };
    let workload = Workload::settled(&swarm, "swarm-place", 1).await;
    let service = swarm.service(&workload.name).await;
    let mut spec = service["Spec"].clone();
    spec["TaskTemplate"]["Placement"]["Constraints"] = json!(["node.labels.zone==moon"]);
    let url = format!("{}/services/{}/update?version={}", swarm.base, workload.name, service["Version"]["Index"]);
    assert!(swarm.http.post(url).json(&spec).send().await.unwrap().status().is_success());
    let (failure, _) = workload.failed().await;
    assert_eq!(failure.cause, Cause::Unschedulable, "{failure:?}");
    workload.remove().await;
}

#[tokio::test]
async fn the_engine_is_checked_and_absent_things_are_named() {
    let Some(swarm) = Swarm::from_env("pause") else { return };
    let platform = passerelle_targets::platform("docker_swarm").unwrap();
    let connection = platform.connect(json!({ "endpoint": swarm.endpoint })).await.unwrap();
    let said = connection.check().await.unwrap();
    assert!(said.contains("Swarm manager"), "{said}");
    let absent = swarm.target("no-such-service").await.observe().await;
    assert_eq!(absent.unwrap_err().to_string(), "service no-such-service does not exist on the target");
    let dead = platform.connect(json!({ "endpoint": "tcp://127.0.0.1:9" })).await.unwrap();
    let begun = std::time::Instant::now();
    assert!(matches!(dead.check().await, Err(TargetError::Unreachable(_))));
    assert!(begun.elapsed() < Duration::from_secs(6));
}

#[tokio::test]
async fn a_plan_warns_of_root() {
    let Some(swarm) = Swarm::from_env("pause") else { return };
    let workload = Workload::settled(&swarm, "swarm-root", 1).await;
    let plan =
        workload.target.plan(&Change::Image { image: swarm.image(Image::Second), manifests: None }).await.unwrap();
    let codes: Vec<_> = plan.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, ["mutable_tag", "runs_as_root"]);
    let password = plan.env.iter().find(|var| var.name == "DB_PASSWORD").unwrap();
    assert_eq!((password.value.as_str(), password.secret), ("***", true));
    workload.remove().await;
}
