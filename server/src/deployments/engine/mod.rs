//! The worker: claims deployments that nobody drives, drives them, and keeps its leases.
//!
//! A process that dies leaves a lease that runs out; the next one to claim raises the epoch and goes on from the rows and
//! from what it sees on the target. A process that was only asleep finds its epoch overtaken, in the database and on the
//! target, and writes nothing more.

mod follow;
mod judge;
mod open;
mod outcome;
mod run;
mod settle;
mod task;
mod verify;
mod wait;

use super::events::EventFeed;
use super::store::{Claim, Store};
use crate::environments::EnvironmentService;
use crate::gates::GateService;
use crate::kernel::Result;
use crate::slo::SloService;
use passerelle_targets::guard::Guard;
use run::Run;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Beats come often enough that two may be lost within a lease, and carry a wish to cancel back.
const BEAT: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// How long a complete rollout must stay healthy before it counts.
    pub verify_for: Duration,
    /// How often to look for work without a signal.
    pub poll: Duration,
    /// Deployments driven at once by this process.
    pub concurrency: usize,
    /// Where addresses that bindings name may lead.
    pub guard: Guard,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            verify_for: Duration::from_secs(5),
            poll: Duration::from_millis(500),
            concurrency: 64,
            guard: Guard::default(),
        }
    }
}

/// Drives deployments. Any number of processes may run one.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(super) store: Store,
    pub(super) environments: EnvironmentService,
    pub(super) gates: GateService,
    pub(super) slo: SloService,
    pub(super) feed: EventFeed,
    wake: Arc<Notify>,
    pub(super) options: EngineOptions,
    /// Begins with the id of the process, for whoever looks for it.
    owner: String,
}

impl Engine {
    pub(super) fn new(
        store: Store,
        (environments, gates, slo): (EnvironmentService, GateService, SloService),
        feed: EventFeed,
        wake: Arc<Notify>,
        options: EngineOptions,
    ) -> Self {
        Self {
            store,
            environments,
            gates,
            slo,
            feed,
            wake,
            options,
            owner: format!("{}-{}", std::process::id(), Uuid::now_v7()),
        }
    }

    /// Runs until `stop`, then hands its leases back.
    pub async fn run(self, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(self.options.concurrency));
        let tasks = TaskTracker::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(self.options.poll) => {}
            }
            while !stop.is_cancelled() {
                let Ok(slot) = Arc::clone(&slots).try_acquire_owned() else { break };
                match self.store.claim(&self.owner).await {
                    Ok(Some(claim)) => {
                        let (engine, stop) = (self.clone(), stop.clone());
                        tasks.spawn(async move {
                            engine.drive(claim, stop).await;
                            drop(slot);
                        });
                    }
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "looking for deployments failed; trying again");
                        break;
                    }
                }
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    async fn drive(&self, claim: Claim, stop: CancellationToken) {
        let id = claim.id;
        tracing::info!(deployment = %id, epoch = claim.epoch, service = claim.service_key, environment = claim.environment, "driving");
        let (cancel_sender, cancel) = watch::channel(None);
        let run = Run::new(self, &claim, cancel, self.options.verify_for);
        let ended = tokio::select! {
            ended = run.go() => ended,
            lost = self.keep_lease(&claim, &cancel_sender) => lost,
            () = stop.cancelled() => self.store.let_go(&claim).await,
        };
        self.feed.wake();
        match ended {
            Ok(()) => tracing::info!(deployment = %id, "let go"),
            // The lease runs out by itself and somebody goes on from the rows.
            Err(error) => tracing::warn!(deployment = %id, %error, "stopped driving"),
        }
    }

    /// Returns only when the lease is lost or the database stays away longer than the lease holds.
    async fn keep_lease(&self, claim: &Claim, cancel: &watch::Sender<Option<String>>) -> Result<()> {
        let mut failed_since = None;
        loop {
            match self.store.beat(claim).await {
                Ok(by) => {
                    failed_since = None;
                    if by.is_some() {
                        cancel.send_replace(by);
                    }
                }
                Err(error @ crate::kernel::AppError::Conflict(_)) => return Err(error),
                Err(error) => {
                    let since = *failed_since.get_or_insert_with(tokio::time::Instant::now);
                    if since.elapsed().as_secs() >= u64::from(super::store::LEASE_TTL_S.unsigned_abs()) {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(BEAT).await;
        }
    }
}
