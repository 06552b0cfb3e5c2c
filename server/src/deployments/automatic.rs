//! Deploys new releases to the bindings that want them by themselves, and promotes what went well.
//!
//! The gates decide as they do for a person: while one blocks, nothing is attempted, and what waits for approval is asked for. A
//! release is tried once.

use super::service::DeploymentService;
use super::store::Due;
use crate::kernel::{AppError, Ctx, Result, Via};
use passerelle_contract::deployments::DeploymentIn;
use passerelle_contract::gates::{Decision, DecisionFilter};
use passerelle_contract::text;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const JOB: &str = "automatic";
const LEASE_S: u32 = 30;
const PAUSE: Duration = Duration::from_secs(5);

impl DeploymentService {
    /// Looks for what is due until `stop`. Any number of processes may; one at a time does.
    pub async fn deploy_what_is_due(&self, stop: CancellationToken) {
        let owner = Uuid::now_v7().to_string();
        loop {
            match self.store.lease_job(JOB, &owner, LEASE_S).await {
                Ok(true) => {
                    if let Err(error) = self.round_of_due(&owner).await {
                        tracing::warn!(%error, "looking for releases that are due failed; trying again");
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the lease of automatic deployments could not be taken"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn round_of_due(&self, owner: &str) -> Result<()> {
        let mut after = None;
        loop {
            let all = self.store.due(after).await?;
            let Some(last) = all.last() else { return Ok(()) };
            after = Some(last.place());
            for due in all {
                let ctx = Ctx::system(Via::Job, JOB);
                match self.deploy_due(&ctx, &due).await {
                    Ok(()) => {}
                    Err(error @ AppError::Unavailable(_)) => return Err(error),
                    // Somebody was faster, the service has just left the catalog, or the fault is this one's: the others go on.
                    Err(error) => {
                        let Due { service_key, environment, version, .. } = &due;
                        tracing::warn!(%error, service_key, environment, version, "not deployed by itself");
                    }
                }
            }
            // A long round keeps its lease.
            if !self.store.lease_job(JOB, owner, LEASE_S).await? {
                return Ok(());
            }
        }
    }

    async fn deploy_due(&self, ctx: &Ctx, due: &Due) -> Result<()> {
        let asked = DecisionFilter {
            service: due.service_key.clone(),
            environment: due.environment.clone(),
            version: Some(due.version.clone()),
            exempt: None,
        };
        if self.decision(ctx, asked).await?.decision == Decision::Block {
            return Ok(());
        }
        let wanted = DeploymentIn {
            service: due.service_key.clone(),
            environment: due.environment.clone(),
            release: Some(due.release_id),
            reason: Some(ctx.say(&text!("New release {version}", version = &due.version))),
            ..DeploymentIn::default()
        };
        self.deploy(ctx, wanted, Some(due.newest)).await.map(drop)
    }
}
