//! Attempt 22: a process that is stopped in the middle of a deployment and wakes when another one has ended it. `kill -9` in the same places
//! is `tests/it/survival.rs` and `tests/it/kill_matrix`.
//!
//! It sleeps for longer than its lease of 15 seconds, and for a minute with `PASSERELLE_TEST_FULL=1` (`cargo xtask test --full`).

use super::process::Process;
use crate::support::{RunningPortal, deployment};
use passerelle_simulator::{Side, Trap};
use reqwest::StatusCode;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

const WORLD: &str = "{ seed: 1, speed: 40, clusters: { test: { namespaces: { shop: { deployments: {
    web: { image: 'tinyweb:v1', replicas: 2 } } } } } } }";
/// Longer than a beat of the lease, which tells a process that it was overtaken.
const LATER: Duration = Duration::from_secs(4);

fn nap() -> Duration {
    if std::env::var_os("PASSERELLE_TEST_FULL").is_some() {
        return Duration::from_secs(60);
    }
    println!("it sleeps for 20 s; set PASSERELLE_TEST_FULL=1 for 60 s");
    Duration::from_secs(20)
}

/// A portal, the worker that is going to sleep, and the deployment that it drives.
struct Night {
    portal: RunningPortal,
    sleeper: Process,
    log: PathBuf,
    _folder: tempfile::TempDir,
    id: String,
}

impl Night {
    async fn begin(trap: Option<Trap>) -> Self {
        let portal = RunningPortal::idle(WORLD).await;
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let file = std::fs::File::create(&log).unwrap();
        let mut worker = portal.command();
        let sleeper = Process(worker.arg("worker").stdout(Stdio::null()).stderr(Stdio::from(file)).spawn().unwrap());
        portal.simulator.set_trap(trap);
        let asked = portal.post("/deployments", &deployment("tinyweb:v2")).await;
        assert_eq!(asked.status, StatusCode::CREATED, "{}", asked.body);
        let id = asked.body["id"].as_str().unwrap().to_owned();
        Self { portal, sleeper, log, _folder: folder, id }
    }

    async fn seen(&self) -> Value {
        self.portal.get(&format!("/deployments/{}", self.id)).await.body
    }

    async fn until(&self, what: &str, looks: impl Fn(&Value) -> bool) {
        let start = Instant::now();
        loop {
            let seen = self.seen().await;
            if looks(&seen) {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "never {what}: {seen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Everything that a driver writes: the deployment, its steps, its audit and its messages.
    async fn written(&self) -> Vec<Option<String>> {
        let mut database = self.portal.database.superuser().await;
        let mut all = Vec::new();
        for sql in [
            "SELECT concat_ws(' ', state, epoch, lease_owner, ended_at, failure, recorded_after) FROM deployments WHERE id = $1::uuid",
            "SELECT string_agg(concat_ws(' ', name, state, started_at, ended_at, message), '; ' ORDER BY position)
             FROM deployment_steps WHERE deployment_id = $1::uuid",
            "SELECT string_agg(concat_ws(' ', action, outcome, at), '; ' ORDER BY id) FROM audit_events WHERE object = 'deployment:' || $1",
            "SELECT string_agg(kind, '; ' ORDER BY kind) FROM outbox_events WHERE payload ->> 'deployment' = $1",
        ] {
            all.push(sqlx::query_scalar(sql).bind(&self.id).fetch_one(&mut database).await.unwrap());
        }
        all
    }

    /// The cluster got the version once, and the audit says once how it ended.
    async fn ended_once(&self) {
        assert_eq!(self.portal.simulator.effects("/k8s/test", "deployments.apps/shop/web"), 1, "rollouts");
        for (outcome, count) in [("success", 1), ("failure", 0)] {
            let rows = self.portal.get(&format!("/audit?action=deployment.run&outcome={outcome}")).await.body;
            assert_eq!(rows["total"], count, "{rows}");
        }
        let seen = self.seen().await;
        assert_eq!(seen["state"], "succeeded", "{seen}");
    }

    /// Until the sleeper, awake again, has found out, and some time after that.
    async fn found_out(&self) {
        let start = Instant::now();
        // Either its writes were refused, or it found the deployment ended before it wrote.
        let gave_up = |log: String| ["stopped driving", "let go"].iter().any(|words| log.contains(words));
        while !gave_up(std::fs::read_to_string(&self.log).unwrap()) {
            assert!(start.elapsed() < Duration::from_secs(30), "it never noticed that it slept");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        tokio::time::sleep(LATER).await;
    }
}

/// The cluster has taken the new version, and its writer falls asleep before it hears so.
#[tokio::test(flavor = "multi_thread")]
async fn asleep_between_the_clusters_yes_and_the_next_row() {
    let trap = Trap { prefix: "/k8s/test".to_owned(), nth: 1, side: Side::After };
    let night = Night::begin(Some(trap)).await;
    let caught = tokio::time::timeout(Duration::from_secs(30), night.portal.simulator.caught()).await;
    assert!(caught.is_ok(), "a write that is held");
    night.sleeper.signal("STOP");
    let since = Instant::now();
    // The answer arrives, and nobody reads it.
    night.portal.simulator.set_trap(None);
    let _second = Process(night.portal.worker());
    let ended = night.portal.ended(&night.id).await;
    assert!(night.sleeper.is_stopped(), "it was still asleep");
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let written = night.written().await;
    assert!(written[0].as_deref().is_some_and(|row| row.starts_with("succeeded 2 ")), "taken over once: {written:?}");
    night.ended_once().await;
    tokio::time::sleep(nap().saturating_sub(since.elapsed())).await;

    night.sleeper.signal("CONT");
    night.found_out().await;
    assert_eq!(night.written().await, written, "what it still wanted to write was refused");
    night.ended_once().await;
}

/// Its last transaction is open: the row of the deployment is locked, and the audit's row is what it waits for when it falls asleep.
#[tokio::test(flavor = "multi_thread")]
async fn asleep_in_the_transaction_of_the_outcome() {
    let night = Night::begin(None).await;
    night.until("rolling out", |seen| seen["steps"][2]["state"] == "running").await;
    let lock = night.portal.database.writers_wait("audit_events").await;
    night.until("verified", |seen| seen["steps"][3]["state"] == "succeeded").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let seen = night.seen().await;
    assert_eq!(seen["state"], "verifying", "the end must not be there before its audit row: {seen}");
    night.sleeper.signal("STOP");
    let since = Instant::now();
    drop(lock);
    let _second = Process(night.portal.worker());
    let (nap, patience) = (nap(), Duration::from_secs(50));
    while night.seen().await["ended_at"].is_null() && since.elapsed() < patience {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let ended_meanwhile = !night.seen().await["ended_at"].is_null();
    tokio::time::sleep(nap.saturating_sub(since.elapsed())).await;
    assert!(night.sleeper.is_stopped());
    let written = night.written().await;

    night.sleeper.signal("CONT");
    // Whoever was first, it ended once.
    night.portal.ended(&night.id).await;
    tokio::time::sleep(LATER).await;
    night.ended_once().await;
    assert!(ended_meanwhile, "a process that sleeps for ever must not keep the deployment for ever");
    night.found_out().await;
    assert_eq!(night.written().await, written, "what it still wanted to write was refused");
}
