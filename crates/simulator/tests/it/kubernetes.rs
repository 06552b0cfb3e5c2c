use crate::support::Sim;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

const WEB: &str = "/k8s/c1/apis/apps/v1/namespaces/shop/deployments/web";
const PODS: &str = "/k8s/c1/api/v1/namespaces/shop/pods";
const MERGE: &str = "application/strategic-merge-patch+json";

async fn shop() -> Sim {
    Sim::start(
        "
clusters:
  c1:
    namespaces:
      shop:
        secrets: {db: {url: 'postgres://'}}
        deployments:
          web: {image: 'tinyweb:v1', replicas: 3, env: {URL: {secret: db, key: url}}, progress_deadline_s: 60}
",
    )
    .await
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": image}]}}}})
}

fn condition<'a>(object: &'a Value, kind: &str) -> &'a Value {
    object["status"]["conditions"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["type"] == kind))
        .unwrap_or(&Value::Null)
}

/// The first waiting reason among the pods.
fn waiting(pods: &Value) -> Vec<&str> {
    let pods = pods["items"].as_array().unwrap();
    pods.iter().filter_map(|pod| pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"].as_str()).collect()
}

#[tokio::test]
async fn the_world_is_rolled_out_at_the_start() {
    let sim = shop().await;
    let web = sim.get(WEB).await;
    assert_eq!(web["status"]["readyReplicas"], 3);
    assert_eq!(web["status"]["observedGeneration"], web["metadata"]["generation"]);
    assert_eq!(condition(&web, "Progressing")["reason"], "NewReplicaSetAvailable");
    assert_eq!(sim.get("/k8s/c1/version").await["gitVersion"], "v1.33.1");
    let secret = sim.get("/k8s/c1/api/v1/namespaces/shop/secrets/db").await;
    assert_eq!(secret["data"]["url"], "cG9zdGdyZXM6Ly8=");
}

#[tokio::test]
async fn a_rolling_update_keeps_three_pods_ready() {
    let sim = shop().await;
    let (status, written) = sim.patch(WEB, MERGE, image("tinyweb:v2")).await;
    assert_eq!(status, 200);
    assert_eq!(written["metadata"]["generation"], 2);
    let done = sim
        .until(WEB, |web| {
            assert!(web["status"]["availableReplicas"].as_i64() >= Some(3), "{web:#}");
            let seen = web["status"]["observedGeneration"] == 2;
            seen && condition(web, "Progressing")["reason"] == "NewReplicaSetAvailable"
        })
        .await;
    assert_eq!(done["status"]["updatedReplicas"], 3);
    assert_eq!(done["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "2");
    let pods = sim.get(PODS).await;
    let live = pods["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    for pod in live {
        assert_eq!(pod["spec"]["containers"][0]["image"], "tinyweb:v2");
    }
    assert_eq!(sim.simulator.effects("/k8s/c1", "deployments.apps/shop/web"), 1);
}

#[tokio::test]
async fn the_same_patch_again_has_no_effect() {
    let sim = shop().await;
    sim.patch(WEB, MERGE, image("tinyweb:v2")).await;
    let (_, again) = sim.patch(WEB, MERGE, image("tinyweb:v2")).await;
    assert_eq!(again["metadata"]["generation"], 2);
    assert_eq!(sim.simulator.effects("/k8s/c1", "deployments.apps/shop/web"), 1);
    let counts = sim.get("/_sim/requests").await;
    assert_eq!(counts["writes"]["/k8s/c1 deployments.apps/shop/web"], 2);
}

#[tokio::test]
async fn failures_have_the_platforms_names() {
    for (tag, reason) in [("tinyweb:v4", "CrashLoopBackOff"), ("tinyweb:no-such", "ImagePullBackOff")] {
        let sim = shop().await;
        sim.patch(WEB, MERGE, image(tag)).await;
        let pods = sim.until(PODS, |pods| waiting(pods).contains(&reason)).await;
        let ready = pods["items"].as_array().unwrap().iter().filter(|pod| condition(pod, "Ready")["status"] == "True");
        assert_eq!(ready.count(), 3, "the old pods still serve");
    }
}

#[tokio::test]
async fn a_crashed_container_leaves_its_last_words() {
    let sim = shop().await;
    sim.patch(WEB, MERGE, image("tinyweb:v4")).await;
    let pods = sim.until(PODS, |pods| waiting(pods).contains(&"CrashLoopBackOff")).await;
    let crashed =
        pods["items"].as_array().unwrap().iter().find(|pod| pod["spec"]["containers"][0]["image"] == "tinyweb:v4");
    let pod = crashed.unwrap();
    let name = pod["metadata"]["name"].as_str().unwrap();
    assert_eq!(pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 1);
    let log = sim.text(&format!("{PODS}/{name}/log?previous=true&tailLines=1")).await;
    assert!(log.starts_with("FATAL") && log.lines().count() == 1, "{log}");
}

#[tokio::test]
async fn a_missing_key_is_named_and_heals() {
    let sim = shop().await;
    let env = json!({"spec": {"template": {"spec": {"containers": [
        {"name": "web", "env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "db", "key": "key"}}}]}]}}}});
    sim.patch(WEB, MERGE, env).await;
    let pods = sim.until(PODS, |pods| waiting(pods).contains(&"CreateContainerConfigError")).await;
    assert!(pods.to_string().contains("couldn't find key key in Secret shop/db"));
    let secret = "/k8s/c1/api/v1/namespaces/shop/secrets/db";
    sim.patch(secret, "application/merge-patch+json", json!({"stringData": {"key": "v"}})).await;
    sim.until(WEB, |web| condition(web, "Progressing")["reason"] == "NewReplicaSetAvailable").await;
}

#[tokio::test]
async fn an_unready_version_passes_its_deadline() {
    let sim = shop().await;
    sim.patch(WEB, MERGE, image("web:unready")).await;
    let web = sim.until(WEB, |web| condition(web, "Progressing")["reason"] == "ProgressDeadlineExceeded").await;
    assert_eq!(web["status"]["readyReplicas"], 3);
    let events = sim.get("/k8s/c1/api/v1/namespaces/shop/events?fieldSelector=reason=Unhealthy").await;
    assert!(!events["items"].as_array().unwrap().is_empty());
    sim.patch(WEB, MERGE, image("tinyweb:v1")).await;
    let back = sim.until(WEB, |web| condition(web, "Progressing")["reason"] == "NewReplicaSetAvailable").await;
    assert_eq!(back["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "3");
}

#[tokio::test]
async fn no_node_fits() {
    let sim = shop().await;
    let selector = json!({"spec": {"template": {"spec": {"nodeSelector": {"disk": "gold"}}}}});
    sim.patch(WEB, MERGE, selector).await;
    let pods = sim.until(PODS, |pods| pods.to_string().contains("Unschedulable")).await;
    assert!(pods.to_string().contains("2 node(s) didn't match Pod's node affinity/selector"));
}

#[tokio::test]
async fn a_quota_refuses_pods() {
    let sim = shop().await;
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "small"}, "spec": {"hard": {"pods": "3"}}});
    let (status, _) = sim.post("/k8s/c1/api/v1/namespaces/shop/resourcequotas", quota).await;
    assert_eq!(status, 201);
    sim.patch(WEB, MERGE, image("tinyweb:v2")).await;
    let web = sim.until(WEB, |web| condition(web, "ReplicaFailure")["status"] == "True").await;
    assert!(condition(&web, "ReplicaFailure")["message"].as_str().unwrap().contains("exceeded quota: small"));
}

#[tokio::test]
async fn a_stale_write_is_refused() {
    let sim = shop().await;
    let mut change = image("tinyweb:v2");
    change["metadata"] = json!({"resourceVersion": "1"});
    for content_type in [MERGE, "application/apply-patch+yaml"] {
        let (status, answer) = sim.patch(&format!("{WEB}?fieldManager=test"), content_type, change.clone()).await;
        assert_eq!((status, answer["reason"].as_str()), (409, Some("Conflict")));
    }
    assert_eq!(sim.get(WEB).await["metadata"]["generation"], 1);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let sim = shop().await;
    let (_, computed) = sim.patch(&format!("{WEB}?dryRun=All"), MERGE, image("tinyweb:v2")).await;
    assert_eq!(computed["spec"]["template"]["spec"]["containers"][0]["image"], "tinyweb:v2");
    assert_eq!(sim.get(WEB).await["metadata"]["generation"], 1);
    assert_eq!(sim.simulator.effects("/k8s/c1", "deployments.apps/shop/web"), 0);
}

#[tokio::test]
async fn a_watch_reports_each_change_and_can_be_cut() {
    let sim = shop().await;
    let version = sim.get(PODS).await["metadata"]["resourceVersion"].as_str().unwrap().to_owned();
    let mut watch = sim.stream(&format!("{PODS}?watch=true&labelSelector=app=web&resourceVersion={version}")).await;
    sim.patch(WEB, MERGE, json!({"spec": {"replicas": 4}})).await;
    let first = watch.chunk().await.unwrap().unwrap();
    let line: Value = serde_json::from_slice(first.split(|byte| *byte == b'\n').next().unwrap()).unwrap();
    assert_eq!(line["type"], "ADDED");
    sim.post("/_sim/cut", json!({})).await;
    let rest = tokio::time::timeout(Duration::from_secs(5), async { while let Ok(Some(_)) = watch.chunk().await {} });
    rest.await.expect("the stream ends");
    let old = sim.text(&format!("{PODS}?watch=true&resourceVersion=1&timeoutSeconds=1")).await;
    let refusal: Value = serde_json::from_str(old.trim()).unwrap();
    assert_eq!((refusal["type"].as_str(), refusal["object"]["code"].as_i64()), (Some("ERROR"), Some(410)));
}

#[tokio::test]
async fn faults_fail_delay_lose_and_freeze() {
    let sim = shop().await;
    sim.post("/_sim/faults", json!({"prefix": "/k8s/c1", "fail_next": 1, "status": 500})).await;
    assert_eq!(sim.get(WEB).await["reason"], "InternalError");
    assert_eq!(sim.get(WEB).await["kind"], "Deployment");
    sim.post("/_sim/faults", json!({"prefix": "/k8s/c1", "lose_answers": 1})).await;
    let lost = match sim.try_send(Method::PATCH, WEB, MERGE, &image("tinyweb:v2")).await {
        Ok(response) => response.bytes().await.map(drop),
        Err(error) => Err(error),
    };
    assert!(lost.is_err(), "the answer breaks off");
    assert_eq!(sim.get(WEB).await["metadata"]["generation"], 2, "the effect is there");
    sim.post("/_sim/faults", json!({"prefix": "/k8s/c1", "freeze": true})).await;
    let frozen = tokio::time::timeout(Duration::from_millis(100), sim.get(WEB)).await;
    assert!(frozen.is_err(), "no answer while frozen");
    sim.post("/_sim/faults", json!({"prefix": "/k8s/c1"})).await;
    assert_eq!(sim.get(WEB).await["kind"], "Deployment");
    let (status, answer) = sim.post("/_sim/faults", json!({"delay": 1})).await;
    assert_eq!(status, 400);
    assert!(answer["message"].as_str().unwrap().contains("delay"), "{answer}");
}

#[tokio::test]
async fn a_job_runs_to_its_end() {
    let sim = shop().await;
    let job = |name: &str, image: &str| {
        json!({"metadata": {"name": name}, "spec": {"backoffLimit": 1, "template": {"spec": {
            "restartPolicy": "Never", "containers": [{"name": "migrate", "image": image}]}}}})
    };
    let jobs = "/k8s/c1/apis/batch/v1/namespaces/shop/jobs";
    sim.post(jobs, job("good", "web:1")).await;
    sim.post(jobs, job("bad", "web:crash")).await;
    sim.until(&format!("{jobs}/good"), |job| condition(job, "Complete")["status"] == "True").await;
    let bad = sim.until(&format!("{jobs}/bad"), |job| condition(job, "Failed")["status"] == "True").await;
    assert_eq!(condition(&bad, "Failed")["reason"], "BackoffLimitExceeded");
}

#[tokio::test]
async fn a_secret_that_was_written_anew_breaks_the_next_pod_and_no_other() {
    let sim = Sim::start(
        "
clusters:
  c1:
    namespaces:
      shop:
        secrets: {db: {database_url: x}}
        rewritten_secrets: {db: {database-url: x}}
        deployments:
          web: {image: 'tinyweb:v1', env: {URL: {secret: db, key: database_url}}, progress_deadline_s: 60}
",
    )
    .await;
    assert_eq!(sim.get(WEB).await["status"]["readyReplicas"], 2);
    let secret = sim.get("/k8s/c1/api/v1/namespaces/shop/secrets/db").await;
    assert_eq!(secret["data"], json!({"database-url": "eA=="}));
    sim.patch(WEB, MERGE, image("tinyweb:v2")).await;
    sim.until(PODS, |pods| waiting(pods).contains(&"CreateContainerConfigError")).await;
}

#[tokio::test]
async fn a_service_answers_while_a_pod_of_it_is_ready() {
    let sim = shop().await;
    let ask = async || {
        let answer = sim.stream("/k8s/c1/api/v1/namespaces/shop/services/http:web:80/proxy/healthz").await;
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(ask().await.0, 404);
    let service = json!({"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}});
    sim.post("/k8s/c1/api/v1/namespaces/shop/services", service).await;
    let (status, said) = ask().await;
    assert_eq!((status, &said["status"], &said["version"]), (200, &json!("ok"), &json!("v1")));
    sim.patch(WEB, MERGE, json!({"spec": {"replicas": 0}})).await;
    sim.until(PODS, |pods| pods["items"].as_array().unwrap().is_empty()).await;
    let (status, said) = ask().await;
    assert_eq!(status, 503, "{said}");
    assert!(said["message"].as_str().unwrap().contains("no endpoints"), "{said}");
}
