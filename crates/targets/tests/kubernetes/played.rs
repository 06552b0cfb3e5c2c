//! Rollouts on a real API server: a CustomResourceDefinition with a status subresource, and the controller of Argo Rollouts played by the
//! test, as its documents describe it. ReplicaSets, pods, conflicts and the subresource are the cluster's own.

use crate::cluster::{Cluster, typed};
use crate::contract::{self, say};
use crate::rollouts::{Rollouts, aborted, promoted};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Set for an API server that was mended.
const ANYWAY: &str = "PASSERELLE_TEST_CUSTOM_RESOURCES";
const HASH: &str = "rollouts-pod-template-hash";

async fn install(cluster: &Cluster) {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    let definition: CustomResourceDefinition = typed(json!({
        "metadata": {"name": "rollouts.argoproj.io"},
        "spec": {"group": "argoproj.io", "scope": "Namespaced",
            "names": {"kind": "Rollout", "listKind": "RolloutList", "plural": "rollouts", "singular": "rollout"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": schema, "subresources": {"status": {}}}]}
    }));
    let definitions: Api<CustomResourceDefinition> = Api::all(cluster.client.clone());
    match definitions.create(&PostParams::default(), &definition).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        Err(error) => panic!("{error}"),
    }
    for _ in 0..100 {
        if cluster.client.list_api_group_resources("argoproj.io/v1alpha1").await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the definition is not served");
}

/// Plays for ever; every Rollout of the namespace, in turn.
async fn play(rollouts: Arc<Rollouts>) {
    loop {
        let all = rollouts.api().list(&ListParams::default()).await.expect("list").items;
        for one in all {
            turn(&rollouts, &serde_json::to_value(one).expect("JSON")).await;
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
}

fn int(value: &Value) -> i64 {
    value.as_i64().unwrap_or(0)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn hash_of(template: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    template.to_string().hash(&mut hasher);
    format!("{:x}", hasher.finish()).chars().take(10).collect()
}

async fn turn(rollouts: &Rollouts, rollout: &Value) {
    let (spec, mut status) = (&rollout["spec"], rollout["status"].clone());
    if !status.is_object() {
        status = json!({});
    }
    let steps = spec["strategy"]["canary"]["steps"].as_array().cloned().unwrap_or_default();
    let hash = hash_of(&spec["template"]);
    if text(&status["currentPodHash"]) != hash {
        let skip = ["", hash.as_str()].contains(&text(&status["stableRS"]));
        for field in ["abort", "pauseConditions", "controllerPause", "promoteFull"] {
            status[field] = Value::Null;
        }
        status["currentPodHash"] = json!(hash);
        status["currentStepIndex"] = json!(if skip { steps.len() } else { 0 });
    }
    if status["promoteFull"] == true {
        (status["pauseConditions"], status["controllerPause"]) = (Value::Null, Value::Null);
        status["currentStepIndex"] = json!(steps.len());
    }
    let is_aborted = status["abort"] == true && status["stableRS"] != status["currentPodHash"];
    let counts = share(rollouts, rollout, &hash, weight(&steps, &status, is_aborted), text(&status["stableRS"])).await;
    restart(rollouts, rollout, &mut status, counts.available).await;
    if is_aborted {
        (status["pauseConditions"], status["controllerPause"]) = (Value::Null, Value::Null);
    } else {
        step(&steps, &mut status, counts.settled);
    }
    tell(rollouts, rollout, status, &counts, is_aborted).await;
}

fn weight(steps: &[Value], status: &Value, is_aborted: bool) -> i64 {
    let index = usize::try_from(int(&status["currentStepIndex"])).expect("an index");
    match steps.get(..=index) {
        _ if is_aborted => 0,
        Some(passed) => passed.iter().filter_map(|step| step["setWeight"].as_i64()).next_back().unwrap_or(0),
        None => 100,
    }
}

fn step(steps: &[Value], status: &mut Value, settled: bool) {
    let index = usize::try_from(int(&status["currentStepIndex"])).expect("an index");
    let Some(step) = steps.get(index) else {
        if settled {
            status["stableRS"] = status["currentPodHash"].clone();
            status["promoteFull"] = Value::Null;
        }
        return;
    };
    let began = OffsetDateTime::parse(text(&status["pauseConditions"][0]["startTime"]), &Rfc3339).ok();
    let over = match (step.get("pause"), began) {
        (None, _) => settled,
        (Some(_), None) if status["controllerPause"] == true => true,
        (Some(_), None) => {
            let now =
                OffsetDateTime::now_utc().replace_nanosecond(0).expect("a time").format(&Rfc3339).expect("a time");
            status["pauseConditions"] = json!([{"reason": "CanaryPauseStep", "startTime": now}]);
            status["controllerPause"] = json!(true);
            false
        }
        (Some(pause), Some(began)) => {
            let long = text(&pause["duration"]).trim_end_matches('s').parse().ok();
            long.is_some_and(|long| OffsetDateTime::now_utc() >= began + Duration::from_secs(long))
        }
    };
    if over {
        (status["pauseConditions"], status["controllerPause"]) = (Value::Null, Value::Null);
        status["currentStepIndex"] = json!(index + 1);
    }
}

#[derive(Debug, Default)]
struct Counts {
    all: i64,
    updated: i64,
    ready: i64,
    available: i64,
    /// The pods are shared out as the weight says, and serve.
    settled: bool,
}

/// Makes the ReplicaSet of the template, and moves the pods one step towards their shares.
async fn share(rollouts: &Rollouts, rollout: &Value, hash: &str, weight: i64, stable: &str) -> Counts {
    let (name, uid) = (text(&rollout["metadata"]["name"]), &rollout["metadata"]["uid"]);
    let sets = rollouts.cluster.api::<ReplicaSet>();
    let found = sets.list(&ListParams::default()).await.expect("sets").items;
    let owned: Vec<Value> = found
        .iter()
        .map(|set| serde_json::to_value(set).expect("JSON"))
        .filter(|set| set["metadata"]["ownerReferences"][0]["uid"] == *uid)
        .collect();
    if !owned.iter().any(|set| set["metadata"]["labels"][HASH] == hash) {
        let mut template = rollout["spec"]["template"].clone();
        template["metadata"]["labels"][HASH] = json!(hash);
        let labels = template["metadata"]["labels"].clone();
        let set = json!({"metadata": {"name": format!("{name}-{hash}"), "labels": labels,
                "annotations": {"rollout.argoproj.io/revision": (owned.len() + 1).to_string()},
                "ownerReferences": [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": name, "uid": uid,
                    "controller": true, "blockOwnerDeletion": true}]},
            "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}});
        rollouts.cluster.make::<ReplicaSet>(set).await;
        return Counts::default();
    }
    let replicas = rollout["spec"]["replicas"].as_i64().unwrap_or(1);
    let part = |percent: i64| (replicas * percent + 99) / 100;
    let available: i64 = owned.iter().map(|set| int(&set["status"]["availableReplicas"])).sum();
    let mut counts = Counts { available, settled: true, ..Counts::default() };
    for set in &owned {
        let (own, now) = (text(&set["metadata"]["labels"][HASH]), int(&set["spec"]["replicas"]));
        let is_new = own == hash;
        let wanted = if is_new {
            part(weight)
        } else if own == stable {
            part(100 - weight)
        } else {
            0
        };
        counts.all += int(&set["status"]["replicas"]);
        counts.ready += int(&set["status"]["readyReplicas"]);
        counts.updated += if is_new { int(&set["status"]["replicas"]) } else { 0 };
        let serves = int(&set["status"]["availableReplicas"]) == wanted && int(&set["status"]["replicas"]) == wanted;
        counts.settled &= serves;
        // Fewer only as long as enough serve besides.
        let spare = (available - replicas).max(0);
        let next = if wanted >= now { wanted } else { wanted.max(now - spare) };
        if next != now {
            let patch = Patch::Merge(json!({"spec": {"replicas": next}}));
            sets.patch(text(&set["metadata"]["name"]), &PatchParams::default(), &patch).await.expect("scale");
        }
    }
    counts
}

/// One older pod after the other.
async fn restart(rollouts: &Rollouts, rollout: &Value, status: &mut Value, available: i64) {
    let asked = &rollout["spec"]["restartAt"];
    let Ok(at) = OffsetDateTime::parse(text(asked), &Rfc3339) else { return };
    if *asked == status["restartedAt"] || at > OffsetDateTime::now_utc() {
        return;
    }
    let label = format!("app={}", text(&rollout["metadata"]["name"]));
    let pods = rollouts.cluster.api::<Pod>();
    let all = pods.list(&ListParams::default().labels(&label)).await.expect("pods").items;
    let old = |pod: &&Pod| {
        let made = pod.metadata.creation_timestamp.as_ref().map(|made| made.0.as_second());
        made.is_some_and(|made| made < at.unix_timestamp()) && pod.metadata.deletion_timestamp.is_none()
    };
    match all.iter().find(old) {
        None => status["restartedAt"] = asked.clone(),
        Some(pod) if available >= rollout["spec"]["replicas"].as_i64().unwrap_or(1) => {
            let name = pod.metadata.name.clone().expect("a name");
            pods.delete(&name, &DeleteParams::default()).await.expect("delete");
        }
        Some(_) => {}
    }
}

/// Writes the status, unless somebody has written meanwhile.
async fn tell(rollouts: &Rollouts, rollout: &Value, mut status: Value, counts: &Counts, is_aborted: bool) {
    let replicas = rollout["spec"]["replicas"].as_i64().unwrap_or(1);
    let restarting = rollout["spec"]["restartAt"].is_string() && rollout["spec"]["restartAt"] != status["restartedAt"];
    let is_stable = status["stableRS"] == status["currentPodHash"];
    let (phase, message) = if is_aborted {
        ("Degraded", "RolloutAborted: Rollout aborted update")
    } else if status["pauseConditions"].is_array() {
        ("Paused", "CanaryPauseStep")
    } else if is_stable && counts.settled && counts.updated == replicas && !restarting {
        ("Healthy", "")
    } else {
        ("Progressing", "more replicas need to be updated")
    };
    for (field, value) in [
        ("phase", json!(phase)),
        ("message", json!(message)),
        ("observedGeneration", json!(int(&rollout["metadata"]["generation"]).to_string())),
        ("replicas", json!(counts.all)),
        ("updatedReplicas", json!(counts.updated)),
        ("readyReplicas", json!(counts.ready)),
        ("availableReplicas", json!(counts.available)),
    ] {
        status[field] = value;
    }
    if status == rollout["status"] {
        return;
    }
    let body = json!({"metadata": {"resourceVersion": rollout["metadata"]["resourceVersion"]}, "status": status});
    let name = text(&rollout["metadata"]["name"]);
    match rollouts.api().patch_status(name, &PatchParams::default(), &Patch::Merge(body)).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Kubernetes before 1.24, compiled with Go 1.18 or later, ends at a custom resource (modern-go/reflect2 1.0.1 goes through maps by a function that
/// Go has changed), and takes every other test with it.
async fn bears_custom_resources(cluster: &Cluster) -> bool {
    let version = cluster.client.apiserver_version().await.expect("a version");
    let minor: u32 = version.minor.trim_end_matches('+').parse().unwrap_or(0);
    let go: u32 = version.go_version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0);
    minor >= 24 || go < 18 || std::env::var(ANYWAY).is_ok()
}

/// Without the definition the portal says what is missing; with it, all that a Rollout has to pass.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rollout_on_a_real_api_server() {
    let Some(cluster) = Cluster::open("a_rollout_on_a_real_api_server").await else { return };
    let pauses = json!([{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]);
    if cluster.client.list_api_group_resources("argoproj.io/v1alpha1").await.is_err() {
        let config = json!({"namespace": cluster.namespace, "deployment": "web", "kind": "rollout"});
        let target = cluster.connection.bind(config).expect("bind");
        let error = target.observe().await.expect_err("no Rollouts").to_string();
        assert!(error.contains("Argo Rollouts is not installed"), "{error}");
        say(&error);
    }
    if !bears_custom_resources(&cluster).await {
        say(&format!(
            "a_rollout_on_a_real_api_server: skipped, this API server ends at custom resources; {ANYWAY} is not set"
        ));
        return cluster.close().await;
    }
    install(&cluster).await;
    let mut rollouts = Rollouts { cluster, steps: pauses };
    for case in ["promoted", "aborted"] {
        let shared = Arc::new(rollouts);
        let player = tokio::spawn(play(Arc::clone(&shared)));
        match case {
            "promoted" => promoted(&shared).await,
            _ => aborted(&shared).await,
        }
        say(&format!("{case} ... ok"));
        player.abort();
        let _stopped = player.await;
        rollouts = Arc::into_inner(shared).expect("the player has stopped");
    }
    rollouts.steps = json!([{"setWeight": 50}, {"pause": {"duration": "1s"}}]);
    let shared = Arc::new(rollouts);
    let player = tokio::spawn(play(Arc::clone(&shared)));
    contract::run(&*shared).await;
    player.abort();
    let _stopped = player.await;
    Arc::into_inner(shared).expect("the player has stopped").cluster.close().await;
}
