//! Whether the image of a deployment is in its registry, asked with the credentials of a connection where there is one for it.

use super::super::model::BindingRow;
use super::super::store::connections;
use super::EnvironmentService;
use crate::kernel::{AppError, Result};
use passerelle_contract::deployments::Finding;
use passerelle_targets::guard::Guard;
use passerelle_targets::oci::{Images, REGISTRY, RegistryConfig, finding, names_its_registry, registry_of};
use passerelle_targets::{ImageRef, platform};

/// How far the portal may reach.
#[derive(Debug, Clone)]
pub(super) struct Outside {
    guard: Guard,
    images: Images,
}

impl EnvironmentService {
    /// Says where connections to registries may lead. Only the first call counts; without one nothing is looked up.
    pub fn set_guard(&self, guard: Guard) {
        drop(self.outside.set(Outside { images: Images::new(guard.clone()), guard }));
    }

    pub(super) fn guard(&self) -> Guard {
        self.outside.get().map(|outside| outside.guard.clone()).unwrap_or_default()
    }

    /// What the registry says that speaks against an image. Nothing for simulated platforms and for those that run no images; nothing
    /// either for a name without a host and without a connection to Docker Hub, because a mirror or the nodes themselves may have it.
    pub async fn image_finding(&self, binding: &BindingRow, image: &str) -> Option<Finding> {
        let outside = self.outside.get()?;
        let runs_images = platform(&binding.kind).is_ok_and(|platform| platform.runs_images());
        if binding.simulated || !runs_images {
            return None;
        }
        let image = ImageRef::parse(image).ok()?;
        let host = registry_of(&image);
        let registry = self.registry(&host).await.unwrap_or_else(|error| {
            tracing::warn!(%error, host, "the connection to a registry cannot be read; it is asked without credentials");
            None
        });
        if registry.is_none() && !names_its_registry(&image) {
            return None;
        }
        let found = outside.images.look_up(&image, registry.as_ref()).await;
        finding(&image, &host, &found)
    }

    /// The connection for a registry; by name the first one where there are several.
    async fn registry(&self, host: &str) -> Result<Option<RegistryConfig>> {
        for row in connections::of_kind(self.db.pool(), REGISTRY).await? {
            let config: RegistryConfig =
                serde_json::from_value(self.opened_config(&row).await.map_err(AppError::from)?)
                    .map_err(AppError::internal)?;
            if config.host.as_str() == host {
                return Ok(Some(config));
            }
        }
        Ok(None)
    }
}
