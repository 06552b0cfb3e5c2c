//! A Rollout of Argo Rollouts: the contract suite, and promote, hold, abort, restart and the ways back; with the controller played by the
//! simulator. On a real API server, with the controller played by the test: see [`crate::played`].

use crate::cluster::{Cluster, deployment};
use crate::contract::{self, Image, Peer, new_fence};
use crate::reach::reach;
use async_trait::async_trait;
use kube::Api;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use passerelle_contract::deployments::{Cause, Health, Severity};
use passerelle_simulator::{Simulator, World};
use passerelle_targets::{Change, Fence, Observation, Rollout, Target, TargetError, same_image};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A namespace whose workloads are Rollouts.
pub struct Rollouts {
    pub cluster: Cluster,
    /// The steps of those that are made.
    pub steps: Value,
}

impl Rollouts {
    pub fn api(&self) -> Api<DynamicObject> {
        let kind = ApiResource {
            group: "argoproj.io".to_owned(),
            version: "v1alpha1".to_owned(),
            api_version: "argoproj.io/v1alpha1".to_owned(),
            kind: "Rollout".to_owned(),
            plural: "rollouts".to_owned(),
        };
        Api::namespaced_with(self.cluster.client.clone(), &self.cluster.namespace, &kind)
    }

    pub async fn get(&self, name: &str) -> Value {
        serde_json::to_value(self.api().get(name).await.expect("get")).expect("JSON")
    }

    pub async fn patch(&self, name: &str, body: Value) {
        self.api().patch(name, &PatchParams::default(), &Patch::Merge(body)).await.expect("patch");
    }

    pub fn bind(&self, name: &str) -> Arc<dyn Target> {
        let config =
            json!({"namespace": self.cluster.namespace, "deployment": name, "kind": "rollout", "canary_pause_s": 5});
        self.cluster.connection.bind(config).expect("bind")
    }

    /// Of so many ready pods.
    pub async fn serving(&self, name: &str, replicas: u32) -> Arc<dyn Target> {
        let target = self.create(name, Image::First, replicas).await;
        reach(&target, None, |seen| seen.rollout == Rollout::Complete).await;
        target
    }
}

#[async_trait]
impl Peer for Rollouts {
    async fn create(&self, name: &str, image: Image, replicas: u32) -> Arc<dyn Target> {
        let mut object = deployment(name, &self.image(image), replicas);
        object["apiVersion"] = json!("argoproj.io/v1alpha1");
        object["kind"] = json!("Rollout");
        object["spec"]["strategy"] = json!({"canary": {"steps": self.steps}});
        let object = serde_json::from_value(object).expect("a Rollout");
        self.api().create(&PostParams::default(), &object).await.expect("create");
        self.bind(name)
    }

    async fn break_config(&self, name: &str) -> Option<String> {
        let mut containers = self.get(name).await["spec"]["template"]["spec"]["containers"].clone();
        let env = json!({"name": "MORE", "valueFrom": {"secretKeyRef": {"name": "web", "key": "api-keys"}}});
        containers[0]["env"].as_array_mut().expect("a list").push(env);
        self.patch(name, json!({"spec": {"template": {"spec": {"containers": containers}}}})).await;
        Some("api-keys".to_owned())
    }

    async fn generation(&self, name: &str) -> u64 {
        self.get(name).await["metadata"]["generation"].as_u64().expect("a generation")
    }

    async fn remove(&self, name: &str) {
        self.api().delete(name, &DeleteParams::background()).await.expect("delete");
    }

    fn image(&self, image: Image) -> String {
        self.cluster.image(image)
    }
}

async fn simulated(steps: Value) -> (Simulator, Rollouts) {
    let world = World::parse("speed: 20\nclusters:\n  sim: {}\n").expect("a world");
    let simulator = Simulator::start(world).await.expect("start");
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    (simulator, Rollouts { cluster, steps })
}

fn two_pauses() -> Value {
    json!([{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}])
}

fn to(rollouts: &Rollouts, image: Image) -> Change {
    Change::Image { image: rollouts.image(image), manifests: None }
}

pub fn paused(seen: &Observation) -> bool {
    seen.health_message.as_ref().is_some_and(|words| words.to_string().starts_with("paused at step"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_suite_of_a_rollout_on_the_simulator() {
    let (_simulator, rollouts) = simulated(json!([{"setWeight": 50}, {"pause": {"duration": "10s"}}])).await;
    contract::run(&rollouts).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pauses_end_when_somebody_agrees_and_another_process_goes_on() {
    let (_simulator, rollouts) = simulated(two_pauses()).await;
    promoted(&rollouts).await;
}

/// Two pauses to the end, with another process from the first on.
pub async fn promoted(rollouts: &Rollouts) {
    let target = rollouts.serving("steps", 4).await;
    let change = to(rollouts, Image::Second);
    let plan = target.plan(&change).await.expect("plan");
    let told = plan.findings.iter().find(|finding| finding.code == "argo_steps").expect("a finding");
    let words = told.message.to_string();
    assert!(words.contains("25 %; a pause without an end; 50 %; a pause without an end"), "{words}");
    assert!(plan.findings.iter().all(|finding| finding.severity != Severity::Error), "{:?}", plan.findings);
    assert_eq!(target.stages().await, Ok(Some(Duration::from_secs(10))));

    let fence = new_fence();
    let applied = target.apply(&change, fence).await.expect("apply");
    assert!(!applied.unchanged && target.apply(&change, fence).await.expect("again").unchanged);
    reach(&target, Some(fence), paused).await;
    let seen = target.observe().await.expect("observe");
    assert_eq!((seen.replicas.desired, seen.replicas.updated, seen.health), (4, 1, Health::Progressing), "{seen:#?}");
    assert_eq!(seen.rollout, Rollout::Progressing);
    // Not before somebody agrees, however long it lasts.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(target.advance(fence, false).await, Ok(None));
    assert_eq!(target.advance(new_fence(), true).await, Ok(None), "a younger one takes no step");
    // Another process goes on; the one before is refused from its first step on.
    let later = Fence { epoch: 2, ..fence };
    let said = target.advance(later, true).await.expect("advance").expect("a step").to_string();
    assert_eq!(said, "the pause at 25 % is over (step 2 of 4)");
    assert!(matches!(target.advance(fence, true).await, Err(TargetError::Fenced(_))));
    let said = reach(&target, Some(later), |seen| seen.rollout == Rollout::Complete).await;
    assert!(said.contains(&"the pause at 50 % is over (step 4 of 4)".to_owned()), "{said:?}");
    let seen = target.observe().await.expect("observe");
    assert!(same_image(&seen.image, &rollouts.image(Image::Second)), "{}", seen.image);
    assert_eq!((seen.health, seen.fence), (Health::Healthy, Some(later)));
    assert_eq!(target.advance(later, true).await, Ok(None), "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_back_in_a_pause_aborts_and_puts_the_template_back() {
    let (_simulator, rollouts) = simulated(two_pauses()).await;
    aborted(&rollouts).await;
}

pub async fn aborted(rollouts: &Rollouts) {
    let target = rollouts.serving("back", 4).await;
    let fence = new_fence();
    let before = target.apply(&to(rollouts, Image::Second), fence).await.expect("apply").before;
    reach(&target, Some(fence), paused).await;
    let back = Change::RestoreVersion { recorded: before.clone() };
    let later = Fence { epoch: 2, ..fence };
    target.apply(&back, later).await.expect("restore");
    assert!(target.apply(&back, later).await.expect("again").unchanged);
    reach(&target, Some(later), |seen| seen.rollout == Rollout::Complete).await;
    let seen = target.observe().await.expect("observe");
    assert!(same_image(&seen.image, &rollouts.image(Image::First)), "{}", seen.image);
    assert_eq!((seen.replicas.desired, seen.replicas.updated, &seen.recorded), (4, 4, &before));
    assert!(matches!(target.advance(fence, true).await, Err(TargetError::Fenced(_))), "the one before is refused");
}

/// What serves is not the newest of before: a way back to it would go through all steps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_way_back_to_an_older_version_skips_the_steps() {
    let (_simulator, rollouts) = simulated(two_pauses()).await;
    let target = rollouts.serving("older", 2).await;
    let fence = new_fence();
    let before = target.apply(&to(&rollouts, Image::Second), fence).await.expect("apply").before;
    reach(&target, Some(fence), |seen| seen.rollout == Rollout::Complete).await;
    let (back, fence) = (Change::RestoreVersion { recorded: before }, new_fence());
    assert!(!target.apply(&back, fence).await.expect("restore").unchanged);
    let said = reach(&target, Some(fence), |seen| seen.rollout == Rollout::Complete).await;
    assert_eq!(said, ["Argo Rollouts is told to skip the steps: this is a way back"]);
    let seen = target.observe().await.expect("observe");
    assert!(same_image(&seen.image, &rollouts.image(Image::First)), "{}", seen.image);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crashing_version_gets_one_pod_and_its_name() {
    let (_simulator, rollouts) = simulated(two_pauses()).await;
    let target = rollouts.serving("crash", 4).await;
    let fence = new_fence();
    let before = target.apply(&to(&rollouts, Image::Crashing), fence).await.expect("apply").before;
    reach(&target, Some(fence), |seen| matches!(seen.rollout, Rollout::Failed { .. })).await;
    let seen = target.observe().await.expect("observe");
    let Rollout::Failed { failure } = &seen.rollout else { panic!("{seen:#?}") };
    assert_eq!((failure.cause, seen.replicas.updated), (Cause::CrashLoop, 1), "{failure:?}");
    target.apply(&Change::RestoreVersion { recorded: before }, fence).await.expect("restore");
    reach(&target, Some(fence), |seen| seen.rollout == Rollout::Complete).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_abort_is_a_failure_with_its_words() {
    let (_simulator, rollouts) = simulated(two_pauses()).await;
    let target = rollouts.serving("other", 2).await;
    let fence = new_fence();
    target.apply(&to(&rollouts, Image::Second), fence).await.expect("apply");
    reach(&target, Some(fence), paused).await;
    let abort = Patch::Merge(json!({"status": {"abort": true}}));
    rollouts.api().patch_status("other", &PatchParams::default(), &abort).await.expect("abort");
    reach(&target, None, |seen| matches!(seen.rollout, Rollout::Failed { .. })).await;
    let Rollout::Failed { failure } = target.observe().await.expect("observe").rollout else { panic!("no failure") };
    assert_eq!(failure.cause, Cause::Refused);
    assert!(failure.message.to_string().contains("stopped the update: RolloutAborted"), "{failure:?}");
    assert_eq!(target.advance(fence, true).await, Ok(None), "what was aborted is not promoted");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_bound_is_said() {
    let (_simulator, rollouts) = simulated(json!([])).await;
    for (more, pointer) in [
        (json!({"canary_steps": [10]}), "/config/canary_steps"),
        (json!({"manifests": {"path": "deploy"}}), "/config/manifests"),
    ] {
        let mut config = json!({"namespace": "shop", "deployment": "web", "kind": "rollout"});
        config.as_object_mut().expect("fields").extend(more.as_object().expect("fields").clone());
        let Err(TargetError::Config { pointer: found, .. }) = rollouts.cluster.connection.bind(config) else {
            panic!("{more} passed");
        };
        assert_eq!(found, pointer);
    }
    let object = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "ref"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "ref"}},
            "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}}});
    let object = serde_json::from_value(object).expect("a Rollout");
    rollouts.api().create(&PostParams::default(), &object).await.expect("create");
    let refused = rollouts.bind("ref").plan(&to(&rollouts, Image::Second)).await.expect_err("a plan");
    assert!(refused.to_string().contains("takes its pods from Deployment shop (spec.workloadRef)"), "{refused}");
    let absent = rollouts.bind("nowhere").plan(&to(&rollouts, Image::Second)).await;
    assert!(matches!(absent, Err(TargetError::Missing(_))), "{absent:?}");
}
