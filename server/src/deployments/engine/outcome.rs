//! What a deployment leaves in the portal's memory of its target, and how it names the versions.

use super::run::Run;
use crate::deployments::model::version_of_image;
use crate::deployments::store::ObservedState;
use crate::kernel::Result;
use passerelle_contract::{Text, text};
use passerelle_targets::Observation;

impl Run<'_> {
    pub(super) async fn observed(&self, observation: &Observation) -> Result<()> {
        let Some(binding_id) = self.claim.binding_id else { return Ok(()) };
        let release = self.store().release_by_image(self.claim.service_id, &observation.image).await?;
        let asked = self
            .claim
            .image
            .as_deref()
            .is_some_and(|image| crate::deployments::model::same_image(&observation.image, image));
        let version = if asked { self.claim.version.clone() } else { None };
        self.store()
            .observed(&ObservedState {
                binding_id,
                version: version
                    .or_else(|| release.map(|release| release.version))
                    .or_else(|| Some(version_of_image(&observation.image))),
                image: Some(observation.image.clone()),
                health: observation.health,
                health_message: observation.health_message.clone(),
                replicas: Some(observation.replicas),
                deployment_id: Some(self.claim.id),
                drift: Some(Vec::new()),
            })
            .await
    }

    pub(super) fn version_text(&self) -> Text {
        let known = self.claim.version.as_deref().or(self.claim.image.as_deref());
        known.map_or_else(|| text!("the new version"), Text::verbatim)
    }

    pub(super) fn previous_text(&self) -> Text {
        self.claim.previous_version.as_deref().map_or_else(|| text!("what ran before"), Text::verbatim)
    }
}
