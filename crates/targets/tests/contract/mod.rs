//! What every target must do, as cases that run against a real platform (or the simulator) through a [`Peer`].
//!
//! A test file for a platform implements [`Peer`] and calls [`run`]. The cases run one after the other, each with a workload of its own,
//! and every failure is reported, not only the first one.

mod causes;
mod changes;
mod watching;

use async_trait::async_trait;
use futures::FutureExt as _;
use futures::StreamExt as _;
use passerelle_contract::deployments::Failure;
use passerelle_targets::{Fence, Observation, Rollout, Target};
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// The images that a case needs; the peer says how they are called on its platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Image {
    /// Healthy, first version.
    First,
    /// Healthy, second version.
    Second,
    /// Starts but never passes its health check.
    Unhealthy,
    /// Writes a line and ends with status 1 after about a second.
    Crashing,
    /// In no registry.
    Missing,
}

/// What a platform has.
#[derive(Debug, Clone, Copy)]
pub struct Has {
    /// A number of instances that is counted and can be set.
    pub replicas: bool,
    /// Changes that are pushed; else a watch is opened with the change, as whoever deploys does.
    pub pushes: bool,
    /// Instances that can be started anew, and a time in which old and new are side by side.
    pub instances: bool,
    /// Logs that the target can read.
    pub logs: bool,
    /// Programs, which can crash and fail their health checks.
    pub programs: bool,
    /// A failed start of a program that says that the program ended.
    pub crashes: bool,
    /// Images that the platform fetches itself; else a job of a pipeline fails without saying why.
    pub pulls: bool,
}

impl Default for Has {
    fn default() -> Self {
        Self { replicas: true, pushes: true, instances: true, logs: true, programs: true, crashes: true, pulls: true }
    }
}

/// A platform with workloads to try a target on.
#[async_trait]
pub trait Peer: Send + Sync {
    /// Makes a workload of that name with this image and number of instances, without waiting for it.
    async fn create(&self, name: &str, image: Image, replicas: u32) -> Arc<dyn Target>;
    /// Changes the workload, behind the back of the target, so that new instances need a configuration key that is not there.
    /// Answers the name of the key, or nothing when the platform has no such thing.
    async fn break_config(&self, name: &str) -> Option<String>;
    /// Counts the specifications written to the workload; it must not move when nothing is written.
    async fn generation(&self, name: &str) -> u64;
    async fn remove(&self, name: &str);
    fn image(&self, image: Image) -> String;
    /// What the platform has; a target says no to what it has not.
    fn has(&self) -> Has {
        Has::default()
    }
    /// Longest time that a good or a failing rollout may take here.
    fn patience(&self) -> Duration {
        Duration::from_secs(120)
    }
}

/// Runs every case and fails with the list of those that failed.
///
/// `only` (from the environment variable `PASSERELLE_TEST_CASE`) keeps the cases whose name contains it.
pub async fn run(peer: &dyn Peer) {
    let only = std::env::var("PASSERELLE_TEST_CASE").unwrap_or_default();
    let mut failed = Vec::new();
    macro_rules! cases {
        ($($module:ident :: $case:ident),+ $(,)?) => {$(
            if stringify!($case).contains(&only) {
                let begun = std::time::Instant::now();
                let outcome = AssertUnwindSafe($module::$case(peer)).catch_unwind().await;
                let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
                say(&format!("case {} ... {verdict} ({:.1} s)", stringify!($case), begun.elapsed().as_secs_f32()));
                if outcome.is_err() {
                    failed.push(stringify!($case));
                }
            }
        )+};
    }
    cases!(
        changes::observe_says_what_runs,
        changes::apply_is_idempotent,
        changes::a_restored_record_runs_again,
        changes::restart_replaces_instances_once,
        changes::scale_changes_the_number_only,
        changes::an_older_writer_is_fenced,
        changes::a_bad_image_name_is_refused,
        changes::plan_changes_nothing,
        watching::watch_shows_progress_then_complete,
        watching::logs_are_of_our_instances_only,
        causes::a_missing_image_is_named,
        causes::a_crash_is_named_with_its_last_lines,
        causes::a_failing_probe_is_named,
        causes::a_missing_key_is_named,
    );
    assert!(failed.is_empty(), "failed cases: {failed:?}");
}

/// Tells the person at the terminal, also when the test passes: the harness keeps back what `eprintln!` writes.
pub fn say(line: &str) {
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// A workload that is removed when its case is over, also when the case fails.
pub struct Workload<'a> {
    pub peer: &'a dyn Peer,
    pub name: String,
    pub target: Arc<dyn Target>,
}

impl<'a> Workload<'a> {
    /// A workload whose first rollout is complete.
    pub async fn settled(peer: &'a dyn Peer, case: &str, replicas: u32) -> Self {
        let name = format!("{case}-{}", &Uuid::new_v4().simple().to_string()[..6]);
        let target = peer.create(&name, Image::First, replicas).await;
        let workload = Self { peer, name, target };
        workload.complete().await;
        workload
    }

    pub async fn generation(&self) -> u64 {
        self.peer.generation(&self.name).await
    }

    /// Follows the watch until the rollout is complete; a failure ends the test.
    pub async fn complete(&self) -> Observation {
        let observation = self.settle().await;
        assert_eq!(observation.rollout, Rollout::Complete, "{observation:#?}");
        observation
    }

    /// Follows the watch until the rollout has failed; a complete rollout may still turn into a failed one (a crash after the start).
    pub async fn failed(&self) -> (Failure, Observation) {
        let observation = self.follow(|observation| matches!(observation.rollout, Rollout::Failed { .. })).await;
        match &observation.rollout {
            Rollout::Failed { failure } => (failure.clone(), observation.clone()),
            other => panic!("expected a failure, found {other:?}"),
        }
    }

    async fn settle(&self) -> Observation {
        self.follow(|observation| observation.rollout != Rollout::Progressing).await
    }

    /// The first observation for which `until` holds.
    pub async fn follow(&self, until: impl Fn(&Observation) -> bool) -> Observation {
        let mut last = None;
        let found = timeout(self.peer.patience(), async {
            let mut watch = self.target.watch();
            while let Some(item) = watch.next().await {
                let observation = item.expect("the watch broke");
                if until(&observation) {
                    return observation;
                }
                last = Some(observation);
            }
            panic!("the watch ended by itself");
        })
        .await;
        found.unwrap_or_else(|_| panic!("not within {:?}; last seen: {last:#?}", self.peer.patience()))
    }

    pub async fn remove(self) {
        self.peer.remove(&self.name).await;
    }
}

/// A fence of a new deployment.
pub fn new_fence() -> Fence {
    Fence { deployment: Uuid::now_v7(), epoch: 1 }
}
