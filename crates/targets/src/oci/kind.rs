//! A registry as a kind of connection, beside the kinds that services are deployed to.

use super::client::Images;
use super::config::RegistryConfig;
use crate::guard::Guard;
use crate::{AnyConnection, AnyPlatform, Target, TargetError, read_config};
use async_trait::async_trait;
use passerelle_contract::text;
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of a registry's connection.
pub const REGISTRY: &str = "registry";

/// The kind by its name.
#[must_use]
pub fn connection_kind(kind: &str) -> Option<&'static dyn AnyPlatform> {
    (kind == REGISTRY).then_some(&RegistryKind)
}

/// A connection that goes where the guard allows.
///
/// # Errors
/// [`TargetError::Config`], which names the field.
pub fn open(config: Value, guard: Guard) -> Result<Arc<dyn AnyConnection>, TargetError> {
    Ok(Arc::new(Open { config: read(config)?, images: Images::new(guard) }))
}

fn read(config: Value) -> Result<RegistryConfig, TargetError> {
    let config: RegistryConfig = read_config(config)?;
    if config.password.is_some() != config.username.is_some() {
        let message = text!("username and password go together");
        return Err(TargetError::Config { pointer: "/config/username".to_owned(), message });
    }
    Ok(config)
}

struct RegistryKind;

fn not_a_target() -> TargetError {
    let message = text!("is about a registry of images; services are not deployed to it");
    TargetError::Config { pointer: "/connection".to_owned(), message }
}

#[async_trait]
impl AnyPlatform for RegistryKind {
    fn kind(&self) -> &'static str {
        REGISTRY
    }

    fn title(&self) -> &'static str {
        "Container registry"
    }

    fn connection_schema(&self) -> Value {
        schemars::schema_for!(RegistryConfig).to_value()
    }

    fn binding_schema(&self) -> Value {
        json!({"type": "object", "properties": {}, "additionalProperties": false})
    }

    fn check_connection(&self, given: &Value) -> Result<(), TargetError> {
        read(given.clone()).map(drop)
    }

    fn check_binding(&self, _: &Value) -> Result<(), TargetError> {
        Err(not_a_target())
    }

    /// To public addresses only; [`open`] takes the operator's guard.
    async fn connect(&self, given: Value) -> Result<Arc<dyn AnyConnection>, TargetError> {
        open(given, Guard::default())
    }
}

struct Open {
    config: RegistryConfig,
    images: Images,
}

#[async_trait]
impl AnyConnection for Open {
    async fn check(&self) -> Result<String, TargetError> {
        self.images.check(&self.config).await?;
        Ok(format!("OCI distribution, {}", self.config.host.as_str()))
    }

    fn bind(&self, _: Value) -> Result<Arc<dyn Target>, TargetError> {
        Err(not_a_target())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_a_host_and_who_asks() {
        let check = |config: Value| connection_kind(REGISTRY).unwrap().check_connection(&config);
        assert_eq!(check(json!({"host": "ghcr.io"})), Ok(()));
        assert_eq!(check(json!({"host": "ghcr.io", "username": "ci", "password": {"env": "TOKEN"}})), Ok(()));
        for (config, pointer) in [
            (json!({"host": "https://ghcr.io"}), "/config/host"),
            (json!({"host": "ghcr.io", "username": "ci"}), "/config/username"),
            (json!({"host": "ghcr.io", "password": {"value": "x"}}), "/config/username"),
            (json!({"host": "ghcr.io", "password": "x"}), "/config/password"),
            (json!({"host": "ghcr.io", "token": "x"}), "/config/token"),
        ] {
            let Err(TargetError::Config { pointer: found, .. }) = check(config.clone()) else { panic!("{config}") };
            assert_eq!(found, pointer);
        }
        assert!(connection_kind("kubernetes").is_none());
        assert!(connection_kind(REGISTRY).unwrap().check_binding(&json!({})).is_err());
    }
}
