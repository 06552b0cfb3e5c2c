//! A migration before the rollout, over HTTP: a missing key is named before anything changes, the Job runs first, and when it fails the
//! version before goes on serving.

use crate::support::{RunningPortal, TestPortal, deployment};
use passerelle_simulator::Simulator;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/shop/deployments/web";
const SECRETS: &str = "/api/v1/namespaces/shop/secrets";
const JOB: &str = "jobs.batch/shop/exai-migrate";

/// A Job as a repository holds it, with its image by a floating tag; the Secret's key is `database-url`.
fn job(key: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: exai-migrate\nspec:\n  backoffLimit: 0\n  template:\n    spec:\n      \
         restartPolicy: Never\n      containers:\n      - name: migrate\n        image: tinyweb:latest\n        command: [alembic, upgrade, head]\n        \
         env:\n        - name: DATABASE_URL\n          valueFrom: {{secretKeyRef: {{name: exai-db, key: {key}}}}}\n"
    )
}

/// A call to the simulated cluster, as its owner makes it.
async fn cluster(http: &reqwest::Client, simulator: &Simulator, method: Method, path: &str, body: &Value) -> Value {
    let kind = if method == Method::PATCH { "application/strategic-merge-patch+json" } else { "application/json" };
    let request = http.request(method, format!("{}{path}", simulator.kubernetes_url("test"))).bearer_auth("t");
    let answer = request.header("content-type", kind).body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

/// The Secret holds `database-url`; the Deployment asks for `key`.
async fn exai(http: &reqwest::Client, simulator: &Simulator, key: &str) {
    let secret =
        json!({"metadata": {"name": "exai-db"}, "stringData": {"database-url": "postgres://app:hunter2@db/app"}});
    cluster(http, simulator, Method::POST, SECRETS, &secret).await;
    let env = json!([{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "exai-db", "key": key}}}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "env": env}]}}}});
    cluster(http, simulator, Method::PATCH, DEPLOYMENT, &patch).await;
}

async fn set_migration(test: &TestPortal, migration: Value) {
    let binding = test.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let config = json!({ "config": { "namespace": "shop", "deployment": "web", "migration": migration } });
    let patched = test.call(Method::PATCH, &format!("/bindings/{binding}"), &test.admin, Some(&config)).await;
    assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
}

fn image_of(deployment: &Value) -> &str {
    deployment["spec"]["template"]["spec"]["containers"][0]["image"].as_str().unwrap()
}

async fn runs(test: &TestPortal) -> String {
    let deployment = cluster(&test.http, &test.simulator, Method::GET, DEPLOYMENT, &Value::Null).await;
    assert!(deployment["status"]["readyReplicas"].as_i64() >= Some(1), "nothing serves: {deployment}");
    image_of(&deployment).to_owned()
}

fn step<'a>(deployment: &'a Value, name: &str) -> &'a Value {
    deployment["steps"].as_array().unwrap().iter().find(|step| step["name"] == name).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_name_is_refused_with_both_names() {
    let test = TestPortal::with_shop().await;
    exai(&test.http, &test.simulator, "database_url").await;
    let before = test.simulator.effects("/k8s/test", "deployments.apps/shop/web");
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await;
    let missing: Vec<_> =
        plan.body["findings"].as_array().unwrap().iter().filter(|one| one["code"] == "missing_key").collect();
    assert_eq!(missing.len(), 1, "{}", plan.body);
    let asked = test.post("/deployments", &deployment("tinyweb:v2")).await;
    let ended = match asked.body["ended_at"].is_null() {
        true => test.ended(asked.body["id"].as_str().unwrap()).await,
        false => asked.body,
    };
    let said = ended.to_string();
    assert!(said.contains("database_url") && said.contains("database-url"), "{said}");
    assert!(!said.contains("hunter2"));
    assert_eq!(test.simulator.effects("/k8s/test", "deployments.apps/shop/web"), before, "nothing was changed");

    // The Deployment is right now, and the Job's manifest is not.
    let env =
        json!([{"name": "DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "exai-db", "key": "database-url"}}}]);
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "env": env}]}}}});
    cluster(&test.http, &test.simulator, Method::PATCH, DEPLOYMENT, &patch).await;
    set_migration(&test, json!({ "manifest": job("database_url") })).await;
    let plan = test.post("/plans", &deployment("tinyweb:v2")).await.body;
    let finding = plan["findings"].as_array().unwrap().iter().find(|one| one["code"] == "missing_key").unwrap();
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("Job exai-migrate") && message.contains("database_url") && message.ends_with("database-url"),
        "{message}"
    );
    assert!(plan["diff"].as_array().unwrap().iter().any(|line| line["field"] == "migration"), "{plan}");
    assert_eq!(test.simulator.effects("/k8s/test", JOB), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_runs_first_with_the_image_of_the_release() {
    let test = TestPortal::with_shop().await;
    exai(&test.http, &test.simulator, "database-url").await;
    set_migration(&test, json!({ "manifest": job("database-url") })).await;
    let id = test.deploy("tinyweb:v2").await;
    let start = Instant::now();
    let made = loop {
        let jobs =
            cluster(&test.http, &test.simulator, Method::GET, "/apis/batch/v1/namespaces/shop/jobs", &Value::Null)
                .await;
        if let Some(job) = jobs["items"].as_array().unwrap().first() {
            break job.clone();
        }
        assert!(start.elapsed() < Duration::from_secs(20), "no Job was made");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(image_of(&made), "tinyweb:v2", "pinned to what is deployed, not to the manifest's tag");
    let ended = test.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let names: Vec<_> = ended["steps"].as_array().unwrap().iter().map(|step| step["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["preflight", "migrate", "apply", "rollout", "verify"]);
    assert!(
        step(&ended, "migrate")["ended_at"].as_str().unwrap() <= step(&ended, "apply")["started_at"].as_str().unwrap()
    );
    assert_eq!(runs(&test).await, "tinyweb:v2");
    let mut response = test
        .http
        .get(format!("{}/api/v1/deployments/{id}/events", test.url))
        .bearer_auth(&test.admin)
        .send()
        .await
        .unwrap();
    let mut events = String::new();
    while !events.contains("v2 runs in staging") {
        events.push_str(std::str::from_utf8(&response.chunk().await.unwrap().unwrap()).unwrap());
    }
    for line in ["INFO  migrating tinyweb to v2", "INFO  done, 1 migration applied"] {
        assert_eq!(events.matches(line).count(), 1, "{line}: {events}");
    }
    let jobs =
        cluster(&test.http, &test.simulator, Method::GET, "/apis/batch/v1/namespaces/shop/jobs", &Value::Null).await;
    assert_eq!(jobs["items"], json!([]), "the Job is taken away");

    // A roll back and a restart bring no new version.
    let back = test.post("/services/shop/web/environments/staging/restart", &json!({"reason": "a test"})).await;
    let ended = test.ended(back.body["id"].as_str().unwrap()).await;
    assert!(ended["steps"].as_array().unwrap().iter().all(|step| step["name"] != "migrate"), "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_job_leaves_the_old_version_serving() {
    let test = TestPortal::with_shop().await;
    exai(&test.http, &test.simulator, "database-url").await;
    set_migration(&test, json!({ "command": ["alembic", "upgrade", "head"] })).await;
    let before = test.simulator.effects("/k8s/test", "deployments.apps/shop/web");
    let ended = test.ended(&test.deploy("tinyweb:v2-migration-fails").await).await;
    assert_eq!((&ended["state"], &ended["failure"]["cause"]), (&json!("failed"), &json!("migration")), "{ended}");
    let message = ended["failure"]["message"].as_str().unwrap();
    assert!(message.contains("exit code 1") && message.ends_with("goes on"), "{message}");
    let logs = ended["failure"]["logs"].as_array().unwrap();
    assert_eq!(logs.last().unwrap(), "FATAL migration failed, exiting with status 1", "{ended}");
    assert_eq!(
        (&step(&ended, "migrate")["state"], &step(&ended, "apply")["state"]),
        (&json!("failed"), &json!("skipped"))
    );
    assert_eq!(test.simulator.effects("/k8s/test", "deployments.apps/shop/web"), before, "no rollout began");
    assert_eq!(runs(&test).await, "tinyweb:v1");
    let start = Instant::now();
    while cluster(&test.http, &test.simulator, Method::GET, "/apis/batch/v1/namespaces/shop/jobs", &Value::Null).await["items"]
        != json!([])
    {
        assert!(start.elapsed() < Duration::from_secs(10), "the failed Job stays");
    }
}

/// Made before the kill, found after it.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_migration_runs() {
    let portal = RunningPortal::with_shop().await;
    let http = crate::support::client();
    let binding = portal.get("/bindings?service=shop/web").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let config =
        json!({ "config": { "namespace": "shop", "deployment": "web", "migration": { "command": ["migrate"] } } });
    let patch =
        http.patch(format!("{}/api/v1/bindings/{binding}", portal.url)).bearer_auth(&portal.admin).json(&config);
    assert_eq!(patch.send().await.unwrap().status(), StatusCode::OK);
    // The Job is made and stays as it is until the process is gone.
    let asked = portal.post("/deployments", &deployment("tinyweb:v2")).await;
    let id = asked.body["id"].as_str().unwrap().to_owned();
    let start = Instant::now();
    let job = "jobs.batch/shop/web-migration";
    while portal.simulator.effects("/k8s/test", job) == 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "no Job was made");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let portal = portal.kill().start_again().await;
    let ended = portal.ended(&id).await;
    assert_eq!(ended["state"], "succeeded", "{ended}");
    // One was made, and one was taken away.
    assert_eq!(portal.simulator.effects("/k8s/test", job), 2);
    assert_eq!(portal.simulator.effects("/k8s/test", "deployments.apps/shop/web"), 1);
}
