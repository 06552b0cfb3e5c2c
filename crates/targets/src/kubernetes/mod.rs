//! Placeholder: being written.

use crate::{Connection, Platform, Target, TargetError};
use async_trait::async_trait;
use std::sync::Arc;

#[derive(Debug)]
pub struct Kubernetes;
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct ConnectionConfig {}
#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct BindingConfig {}
#[derive(Debug)]
pub struct Open;

#[async_trait]
impl Connection for Open {
    type Binding = BindingConfig;
    async fn check(&self) -> Result<String, TargetError> {
        Err(TargetError::Unreachable("not written".into()))
    }
    fn bind(&self, _: BindingConfig) -> Result<Arc<dyn Target>, TargetError> {
        Err(TargetError::Unreachable("not written".into()))
    }
}

#[async_trait]
impl Platform for Kubernetes {
    const KIND: &'static str = "kubernetes";
    const TITLE: &'static str = "Kubernetes";
    type ConnectionConfig = ConnectionConfig;
    type BindingConfig = BindingConfig;
    type Connection = Open;
    async fn connect(_: ConnectionConfig) -> Result<Open, TargetError> {
        Ok(Open)
    }
}
