//! What runs at this moment, asked of the target: instances, what is around them, and where it differs from what was deployed here.

use super::observer::as_target_error;
use super::service::{DeploymentService, Place};
use super::store::DeployedHere;
use crate::kernel::{Action, Ctx, Result};
use passerelle_contract::deployments::{Drift, Health, LiveOut, Surroundings};
use passerelle_contract::text;
use passerelle_targets::{Observation, Target, TargetError};
use std::time::Duration;

/// How long a page waits for the target before it shows what is known without it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most differences that are told.
const MAX_DRIFT: usize = 40;

impl DeploymentService {
    /// One service in one environment as it is now.
    ///
    /// # Errors
    /// `NotFound`, `Invalid` where it is not bound. A target that does not answer is told in `incomplete`.
    pub async fn live(&self, ctx: &Ctx, service: &str, environment: &str) -> Result<LiveOut> {
        let place = self.place(ctx, Action::DeploymentRead, service, environment).await?;
        let deployed = self.store.deployed_here(place.binding.id).await?;
        let mut live = LiveOut {
            service: place.service.scope.key.clone(),
            environment: place.environment.name.clone(),
            tier: place.environment.tier,
            target_kind: place.binding.kind.clone(),
            simulated: place.binding.simulated,
            image: None,
            health: Health::Unknown,
            health_message: None,
            replicas: None,
            instances: Vec::new(),
            surroundings: Surroundings::default(),
            compared_with: deployed.as_ref().map(|deployed| deployed.id),
            drift: Vec::new(),
            incomplete: None,
        };
        self.look_live(&place, deployed.as_ref(), &mut live).await;
        Ok(live.into_said(ctx.locale))
    }

    /// The same in each environment that it is bound to, in their order.
    ///
    /// # Errors
    /// As [`Self::live`].
    pub async fn live_everywhere(&self, ctx: &Ctx, service: &str) -> Result<Vec<LiveOut>> {
        let cells = self.cells(ctx, service).await?;
        let bound = cells.into_iter().filter(|cell| cell.binding.is_some()).map(|cell| cell.environment);
        let looks = bound.map(|environment| async move { self.live(ctx, service, &environment).await });
        futures::future::try_join_all(looks).await
    }

    async fn look_live(&self, place: &Place, deployed: Option<&DeployedHere>, live: &mut LiveOut) {
        let look = async {
            let (target, _) = self.environments.target(&place.binding).await.map_err(as_target_error)?;
            let (seen, around) = tokio::try_join!(target.observe(), target.surroundings())?;
            let drift = drift(&*target, &seen, deployed).await?;
            Ok::<_, TargetError>((seen, around, drift))
        };
        match tokio::time::timeout(PATIENCE, look).await {
            Ok(Ok((seen, around, drift))) => {
                live.image = Some(seen.image);
                live.health = seen.health;
                live.health_message = seen.health_message;
                live.replicas = Some(seen.replicas);
                live.instances = seen.instances;
                live.surroundings = around;
                live.drift = drift;
            }
            Ok(Err(error)) => live.incomplete = Some(error.text()),
            Err(_) => {
                live.incomplete =
                    Some(text!("the target did not answer within {seconds} s", seconds = PATIENCE.as_secs()));
            }
        }
    }
}

/// Where what runs differs from what was deployed here; nothing when that is not known or just changing.
pub(super) async fn drift(
    target: &dyn Target,
    seen: &Observation,
    deployed: Option<&DeployedHere>,
) -> Result<Vec<Drift>, TargetError> {
    let Some(deployed) = deployed.filter(|deployed| deployed.recorded.0 != seen.recorded) else {
        return Ok(Vec::new());
    };
    let mut drift = target.drift(&deployed.recorded.0).await?;
    drift.truncate(MAX_DRIFT);
    Ok(drift)
}
