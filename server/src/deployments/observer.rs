//! Looks at every binding from time to time, so that pages show what runs, not what was once deployed.

use super::live::drift;
use super::model::version_of_image;
use super::store::{ObservedState, Store};
use crate::catalog::CatalogService;
use crate::environments::{BindingRow, EnvironmentService, OpenError};
use crate::kernel::Result;
use futures::StreamExt;
use parking_lot::Mutex;
use passerelle_contract::deployments::Health;
use passerelle_contract::text;
use passerelle_targets::TargetError;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const JOB: &str = "observe-bindings";
/// One round begins so long after the one before ended.
const PAUSE: Duration = Duration::from_secs(15);
const LEASE_S: u32 = 60;
const AT_ONCE: usize = 8;
const PAGE: u32 = 200;
const PATIENCE: Duration = Duration::from_secs(10);
/// How old the healths in the catalog's index may be.
const INDEX_POLL: Duration = Duration::from_secs(2);

/// Connections that did not answer in this round: who waits for each of their bindings keeps all others from being looked at.
#[derive(Debug, Default)]
struct Silent(Mutex<HashMap<Uuid, u32>>);

impl Silent {
    /// One slow binding says nothing about its neighbours.
    const ENOUGH: u32 = 3;

    fn noted(&self, connection: Uuid) {
        *self.0.lock().entry(connection).or_default() += 1;
    }

    fn is(&self, connection: Uuid) -> bool {
        self.0.lock().get(&connection).is_some_and(|times| *times >= Self::ENOUGH)
    }
}

/// One per process; the lease lets one of them look at the targets.
#[derive(Debug, Clone)]
pub struct Observer {
    store: Store,
    catalog: Arc<CatalogService>,
    environments: EnvironmentService,
    owner: String,
}

impl Observer {
    pub(super) fn new(store: Store, catalog: Arc<CatalogService>, environments: EnvironmentService) -> Self {
        Self { store, catalog, environments, owner: Uuid::now_v7().to_string() }
    }

    /// Looks at the targets until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            match self.store.lease_job(JOB, &self.owner, LEASE_S).await {
                Ok(true) => {
                    let round = tokio::select! {
                        round = self.round() => round,
                        lost = self.keep_lease() => lost,
                    };
                    if let Err(error) = round {
                        tracing::warn!(%error, "observing bindings failed; trying again");
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the observer's lease could not be taken"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Keeps the healths in this process's catalog index fresh until `stop`.
    pub async fn feed_index(&self, stop: CancellationToken) {
        let mut newest = OffsetDateTime::UNIX_EPOCH;
        loop {
            match self.store.healths_since(newest).await {
                Ok(healths) => {
                    newest = healths.iter().map(|(.., at)| *at).max().unwrap_or(newest);
                    let changes: Vec<_> = healths
                        .iter()
                        .map(|(id, environment, health, _)| (*id, environment.as_str(), Some(*health)))
                        .collect();
                    self.catalog.set_health(&changes);
                }
                Err(error) => tracing::warn!(%error, "reading healths failed; trying again"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(INDEX_POLL) => {}
            }
        }
    }

    /// Returns only when another process has the lease, or the database is away.
    async fn keep_lease(&self) -> Result<()> {
        loop {
            tokio::time::sleep(Duration::from_secs(u64::from(LEASE_S / 3))).await;
            if !self.store.lease_job(JOB, &self.owner, LEASE_S).await? {
                return Ok(());
            }
        }
    }

    async fn round(&self) -> Result<()> {
        let mut after = None;
        let silent = Silent::default();
        let silent = &silent;
        loop {
            let bindings = self.environments.all_bindings(after, PAGE).await?;
            let Some(last) = bindings.last() else { return Ok(()) };
            after = Some(last.id);
            futures::stream::iter(bindings)
                .for_each_concurrent(AT_ONCE, |binding| async move {
                    if let Err(error) = self.look(&binding, silent).await {
                        tracing::debug!(binding = %binding.id, %error, "observation was not written");
                    }
                })
                .await;
        }
    }

    async fn look(&self, binding: &BindingRow, silent: &Silent) -> Result<()> {
        let (binding_id, service_id) = (binding.id, binding.service_id);
        let deployed = self.store.deployed_here(binding_id).await?;
        let look = async {
            let (target, _) = self.environments.target(binding).await.map_err(as_target_error)?;
            let seen = target.observe().await?;
            let drift = drift(&*target, &seen, deployed.as_ref()).await.ok();
            Ok::<_, TargetError>((seen, drift))
        };
        let no_answer =
            || Err(TargetError::Unreachable(text!("no answer within {seconds} s", seconds = PATIENCE.as_secs())));
        let seen = if silent.is(binding.connection_id) {
            no_answer()
        } else {
            tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| {
                silent.noted(binding.connection_id);
                no_answer()
            })
        };
        let state = match seen {
            Ok((seen, drift)) => {
                let release = self.store.release_by_image(service_id, &seen.image).await?;
                ObservedState {
                    binding_id,
                    version: Some(release.map_or_else(|| version_of_image(&seen.image), |release| release.version)),
                    image: Some(seen.image),
                    health: seen.health,
                    health_message: seen.health_message,
                    replicas: Some(seen.replicas),
                    deployment_id: seen.fence.map(|fence| fence.deployment),
                    drift,
                }
            }
            Err(error) => ObservedState {
                binding_id,
                version: None,
                image: None,
                health: if matches!(error, TargetError::Missing(_)) { Health::Failed } else { Health::Unknown },
                health_message: Some(error.text()),
                replicas: None,
                deployment_id: None,
                drift: None,
            },
        };
        self.store.observed(&state).await
    }
}

/// A connection that cannot be opened is like a target that does not answer.
pub(super) fn as_target_error(error: OpenError) -> TargetError {
    match error {
        OpenError::Target(error) => error,
        OpenError::App(error) => TargetError::Unreachable(error.detail()),
    }
}

#[cfg(test)]
mod tests {
    use super::Silent;
    use uuid::Uuid;

    #[test]
    fn a_connection_is_silent_after_several_of_its_bindings_were() {
        let (silent, slow, other) = (Silent::default(), Uuid::from_u128(1), Uuid::from_u128(2));
        (1..Silent::ENOUGH).for_each(|_| silent.noted(slow));
        assert!(!silent.is(slow), "one slow binding says nothing about its neighbours");
        silent.noted(slow);
        assert!(silent.is(slow) && !silent.is(other));
    }
}
