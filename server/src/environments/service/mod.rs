//! The use cases, one file per object.

mod bindings;
mod connections;
mod environments;
mod holds;
mod images;
mod running;
mod targets;

pub use running::Runs;

use super::busy::BusyBindings;
use super::model::{MAX_CONNECTION_NAME, MAX_ENVIRONMENT_NAME, UNDEPLOYABLE, known_connection, undeployable};
use super::store;
use crate::catalog::{CatalogService, ServiceRef};
use crate::kernel::{AppError, Db, Result, validate};
use crate::secrets::{RevealError, Secrets};
use passerelle_contract::Locale;
use passerelle_contract::environments::{EnvironmentOut, TargetKindOut};
use passerelle_contract::wording::say_schema;
use passerelle_targets::{AnyPlatform, platforms};
use serde_json::Value;
use sqlx::PgConnection;
use std::sync::{Arc, OnceLock};
use uuid::Uuid;

/// Environments, connections, bindings and holds. Cheap to clone; clones share the open connections.
#[derive(Debug, Clone)]
pub struct EnvironmentService {
    db: Db,
    secrets: Secrets,
    catalog: Arc<CatalogService>,
    opened: targets::Opened,
    busy: Arc<OnceLock<Arc<dyn BusyBindings>>>,
    outside: Arc<OnceLock<images::Outside>>,
}

impl EnvironmentService {
    #[must_use]
    pub fn new(db: Db, secrets: Secrets, catalog: Arc<CatalogService>) -> Self {
        Self { db, secrets, catalog, opened: targets::Opened::default(), busy: Arc::default(), outside: Arc::default() }
    }

    /// Says who knows whether a binding is in use. Only the first call counts.
    pub fn set_busy_bindings(&self, busy: Arc<dyn BusyBindings>) {
        drop(self.busy.set(busy));
    }

    /// The active deployment through a binding whose row the transaction has locked.
    async fn holder(&self, db: &mut PgConnection, binding: Uuid) -> Result<Option<Uuid>> {
        match self.busy.get() {
            Some(busy) => busy.holder(db, binding).await,
            None => Ok(None),
        }
    }

    /// The registered kinds with the schemas that forms are drawn from, their words in a language.
    #[must_use]
    pub fn target_kinds(&self, locale: Locale) -> Vec<TargetKindOut> {
        platforms().iter().map(|platform| kind_out(*platform, locale)).collect()
    }

    /// The kinds of connection: those of targets, then sources of metrics and registries.
    #[must_use]
    pub fn connection_kinds(&self, locale: Locale) -> Vec<TargetKindOut> {
        let mut kinds = self.target_kinds(locale);
        kinds.extend(UNDEPLOYABLE.into_iter().filter_map(undeployable).map(|platform| kind_out(platform, locale)));
        kinds
    }

    /// An environment by name, to decide about it. Does not check who asks.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn find_environment(&self, name: &str) -> Result<Option<EnvironmentOut>> {
        self.environment_by_name(name).await
    }

    /// Nothing for a key that no service can have.
    async fn service_by_key(&self, key: &str) -> Result<Option<ServiceRef>> {
        if validate::service_key(key).is_err() {
            return Ok(None);
        }
        self.catalog.look_up_service(key).await
    }

    async fn environment_by_name(&self, name: &str) -> Result<Option<EnvironmentOut>> {
        if validate::slug(name, MAX_ENVIRONMENT_NAME).is_err() {
            return Ok(None);
        }
        store::environments::by_name(self.db.pool(), name).await
    }

    /// The configuration of a stored connection with its secrets, for the adapter only.
    async fn opened_config(&self, connection: &super::ConnectionRow) -> Result<Value, RevealError> {
        let schema = known_connection(&connection.kind)?.connection_schema();
        self.secrets.reveal(connection.id, &schema, &connection.config).await
    }

    /// What seals the secrets of other configurations too.
    #[must_use]
    pub const fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

fn kind_out(platform: &dyn AnyPlatform, locale: Locale) -> TargetKindOut {
    let said = |mut schema: Value| {
        say_schema(&mut schema, locale);
        schema
    };
    TargetKindOut {
        kind: platform.kind().to_owned(),
        title: platform.title().to_owned(),
        connection_schema: said(platform.connection_schema()),
        binding_schema: said(platform.binding_schema()),
    }
}

/// Names that no connection can have are not asked for.
fn connection_name(name: &str) -> Option<&str> {
    validate::slug(name, MAX_CONNECTION_NAME).ok().map(|()| name)
}

fn absent(kind: &str, name: &str) -> AppError {
    AppError::not_found(format!("{kind}:{name}"))
}
