//! The use cases, one file per object.

mod channels;
mod deliveries;
mod rules;

use super::channels::{Channel, channel};
use super::store::channels as store;
use crate::catalog::CatalogService;
use crate::config::Config;
use crate::environments::EnvironmentService;
use crate::kernel::{AppError, Db, Keys, Result, validate};
use crate::secrets::RevealError;
use passerelle_targets::guard::Guard;
use serde_json::Value;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const MAX_NAME: usize = 63;

/// What the configuration says about telling.
#[derive(Debug, Clone)]
pub struct Outlook {
    pub guard: Guard,
    /// The portal as people reach it, for links; without a slash at the end.
    pub origin: String,
    /// The pause after the first attempt that failed.
    pub first_pause: Duration,
}

impl Outlook {
    /// # Errors
    /// When a network is none; the configuration was checked before.
    pub fn of(config: &Config) -> Result<Self> {
        let origin = &config.server.public_origin;
        Ok(Self {
            guard: Guard::new(&config.outbound.allow_networks).map_err(AppError::internal)?,
            origin: origin.clone().unwrap_or_else(|| format!("http://{}", config.server.listen)),
            first_pause: Duration::from_millis(config.notifications.retry_ms),
        })
    }
}

/// Channels, rules and deliveries. Cheap to clone.
#[derive(Debug, Clone)]
pub struct NotificationService {
    pub(super) db: Db,
    pub(super) keys: Keys,
    pub(super) catalog: Arc<CatalogService>,
    pub(super) environments: EnvironmentService,
    outlook: Arc<OnceLock<Outlook>>,
}

impl NotificationService {
    #[must_use]
    pub fn new(db: Db, keys: Keys, catalog: Arc<CatalogService>, environments: EnvironmentService) -> Self {
        Self { db, keys, catalog, environments, outlook: Arc::default() }
    }

    /// Says what the configuration says. Only the first call counts; before it nothing can be sent.
    pub fn set_outlook(&self, outlook: Outlook) {
        drop(self.outlook.set(outlook));
    }

    pub(super) fn outlook(&self) -> Result<&Outlook> {
        self.outlook.get().ok_or_else(|| AppError::internal("notifications are used before the configuration is known"))
    }

    /// The kind of a stored channel, and its configuration with its secrets open.
    pub(super) async fn opened(&self, row: &store::Row) -> Result<(&'static dyn Channel, Value), RevealError> {
        let kind = channel(&row.kind)?;
        let config = self.environments.secrets().reveal(row.id, &kind.schema(), &row.config).await?;
        Ok((kind, config))
    }

    async fn channel_by_name(&self, name: &str) -> Result<Option<store::Row>> {
        // Names that no channel can have are not asked for.
        match validate::slug(name, MAX_NAME) {
            Ok(()) => store::by_name(self.db.pool(), name).await,
            Err(_) => Ok(None),
        }
    }
}

fn absent(name: &str) -> AppError {
    AppError::not_found(format!("channel:{name}"))
}
