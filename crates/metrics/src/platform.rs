//! A source as a kind of connection, beside the kinds that services are deployed to.

use crate::config::PrometheusConfig;
use crate::prometheus::Prometheus;
use async_trait::async_trait;
use passerelle_contract::text;
use passerelle_targets::{AnyConnection, AnyPlatform, Target, TargetError, read_config};
use serde_json::{Value, json};
use std::sync::Arc;

/// The kind of a Prometheus connection.
pub const PROMETHEUS: &str = "prometheus";

/// The kind of source by its name.
#[must_use]
pub fn connection_kind(kind: &str) -> Option<&'static dyn AnyPlatform> {
    (kind == PROMETHEUS).then_some(&PrometheusKind)
}

struct PrometheusKind;

fn not_a_target() -> TargetError {
    let message = text!("is about a source of metrics; services are not deployed to it");
    TargetError::Config { pointer: "/connection".to_owned(), message }
}

#[async_trait]
impl AnyPlatform for PrometheusKind {
    fn kind(&self) -> &'static str {
        PROMETHEUS
    }

    fn title(&self) -> &'static str {
        "Prometheus"
    }

    fn connection_schema(&self) -> Value {
        schemars::schema_for!(PrometheusConfig).to_value()
    }

    fn binding_schema(&self) -> Value {
        json!({"type": "object", "properties": {}, "additionalProperties": false})
    }

    fn check_connection(&self, given: &Value) -> Result<(), TargetError> {
        Prometheus::new(read_config(given.clone())?).map(drop)
    }

    fn check_binding(&self, _: &Value) -> Result<(), TargetError> {
        Err(not_a_target())
    }

    async fn connect(&self, given: Value) -> Result<Arc<dyn AnyConnection>, TargetError> {
        Ok(Arc::new(Open(Prometheus::new(read_config(given)?)?)))
    }
}

struct Open(Prometheus);

#[async_trait]
impl AnyConnection for Open {
    async fn check(&self) -> Result<String, TargetError> {
        self.0.version().await.map_err(|error| TargetError::Unreachable(error.text()))
    }

    fn bind(&self, _: Value) -> Result<Arc<dyn Target>, TargetError> {
        Err(not_a_target())
    }
}
