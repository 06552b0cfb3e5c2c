//! Goes back by itself when a deployment that ended well is followed by a high burn of an error budget, where the binding asks for it.
//!
//! What was burnt is counted from the end of the deployment, so that what burnt before it is not laid at its door.

use super::service::DeploymentService;
use super::store::Watched;
use crate::kernel::{AppError, Ctx, Result, Via};
use crate::slo::{Burnt, SloService};
use passerelle_contract::deployments::RollBackIn;
use passerelle_contract::{Text, text};
use passerelle_slo_math::Ratio;
use passerelle_targets::{Every, RollBackOnBurn};
use std::time::Duration;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const JOB: &str = "roll-back-on-burn";
const LEASE_S: u32 = 60;
const PAUSE: Duration = Duration::from_secs(15);

impl DeploymentService {
    /// Watches fresh deployments until `stop`. Any number of processes may; one at a time does.
    pub async fn watch_burn(&self, slo: SloService, stop: CancellationToken) {
        let owner = Uuid::now_v7().to_string();
        loop {
            match self.store.lease_job(JOB, &owner, LEASE_S).await {
                Ok(true) => {
                    if let Err(error) = self.round_of_watched(&slo).await {
                        tracing::warn!(%error, "looking at the burn after deployments failed; trying again");
                    }
                }
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "the lease of the watch could not be taken"),
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn round_of_watched(&self, slo: &SloService) -> Result<()> {
        for mut watched in self.store.watched().await? {
            // What cannot be read was refused when it was saved.
            let Ok(Every { roll_back_on_burn: Some(policy), .. }) = Every::taken_from(&mut watched.config.0) else {
                continue;
            };
            let Some(why) = self.reason_to_go_back(slo, &watched, policy).await? else { continue };
            let ctx = Ctx::system(Via::Job, JOB);
            let input = RollBackIn { reason: Some(ctx.say(&why)), ..RollBackIn::default() };
            let seen = Some(watched.id);
            match self.go_back(&ctx, &watched.service_key, &watched.environment, input, Some(seen)).await {
                Ok(_) => {}
                Err(error @ AppError::Unavailable(_)) => return Err(error),
                // Nothing to go back to, or somebody acts already.
                Err(error) => {
                    let Watched { service_key, environment, .. } = &watched;
                    tracing::warn!(%error, service_key, environment, %why, "not rolled back by itself");
                }
            }
        }
        Ok(())
    }

    async fn reason_to_go_back(
        &self,
        slo: &SloService,
        watched: &Watched,
        policy: RollBackOnBurn,
    ) -> Result<Option<Text>> {
        let (since, now) = (watched.ended_at.unix_timestamp(), OffsetDateTime::now_utc().unix_timestamp());
        let burnt = slo.burnt_since(watched.service_id, watched.environment_id, since, now).await?;
        let most = Ratio::new(i128::from(policy.rate.tenths()), 10);
        let worst = burnt.into_iter().filter(|burnt| burnt.rate >= most).max_by(|a, b| a.rate.cmp(&b.rate));
        Ok(worst.map(|worst| said(&worst, watched, most)))
    }
}

fn said(worst: &Burnt, watched: &Watched, most: Ratio) -> Text {
    text!(
        "{slo} burns {rate} times its budget since {version} came {minutes} min ago ({bad} of {total} events bad; {most} allowed)",
        slo = &worst.title,
        rate = worst.rate.decimal(1),
        version = watched.version.as_deref().unwrap_or("?"),
        minutes = worst.minutes,
        bad = worst.counts.bad,
        total = worst.counts.total,
        most = most.decimal(1)
    )
}
