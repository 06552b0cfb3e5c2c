//! What access asks of services and environments.

use crate::catalog::CatalogService;
use crate::environments::EnvironmentService;
use crate::kernel::{AppError, Ctx, Directory, EnvironmentScope, Object, ReadScope, Result, Via};
use async_trait::async_trait;
use passerelle_contract::catalog::ServiceFilter;
use passerelle_contract::paging::MAX_LIMIT;
use std::sync::Arc;

#[derive(Debug)]
pub struct PortalDirectory {
    pub catalog: Arc<CatalogService>,
    pub environments: EnvironmentService,
}

#[async_trait]
impl Directory for PortalDirectory {
    async fn object(&self, service: Option<&str>, environment: Option<&str>) -> Result<Object> {
        let mut object = match service {
            Some(key) => {
                let found =
                    self.catalog.find_service(key).ok_or_else(|| AppError::not_found(format!("service:{key}")))?;
                Object::service(found.scope)
            }
            None => Object::new("portal", "*"),
        };
        if let Some(name) = environment {
            let found = self.environments.get_environment(&asking(), name).await?;
            object = object.with_environment(EnvironmentScope { name: found.name, tier: found.tier });
        }
        Ok(object)
    }

    async fn services_in(&self, scope: &ReadScope) -> Result<Vec<String>> {
        let ctx = asking();
        let mut keys = Vec::new();
        let mut filter = ServiceFilter { limit: Some(MAX_LIMIT), ..ServiceFilter::default() };
        loop {
            let page = self.catalog.list_services(&ctx, &filter)?;
            keys.extend(
                page.items
                    .into_iter()
                    .filter(|service| scope.allows(service.owner.as_deref(), service.system.as_deref()))
                    .map(|service| service.key),
            );
            filter.cursor = page.next_cursor;
            if filter.cursor.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn environments_in(&self, tiers: &[String]) -> Result<Vec<String>> {
        let environments = self.environments.list_environments(&asking()).await?;
        Ok(environments
            .into_iter()
            .filter(|e| tiers.iter().any(|tier| tier == e.tier.as_str()))
            .map(|e| e.name)
            .collect())
    }
}

/// The portal itself asks; what it learns is only used to decide.
fn asking() -> Ctx {
    Ctx::system(Via::Job, "access")
}
