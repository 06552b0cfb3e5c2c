//! The configuration of a connection of kind `prometheus`.

use passerelle_targets::Secret;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Prometheus, or anything that answers its HTTP API: Thanos, Mimir, a managed service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Address before `/api/v1`, for example `http://prometheus:9090`.
    #[schemars(length(min = 8))]
    pub url: String,
    /// Bearer token.
    #[serde(default)]
    pub bearer: Option<Secret>,
    /// User name of basic authentication.
    #[serde(default)]
    pub username: Option<String>,
    /// Password of basic authentication.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Further headers, for example `X-Scope-OrgID`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Certificate of the authority that signed the server's, in PEM, when the system does not know it.
    #[serde(default)]
    pub ca_certificate: Option<String>,
    /// Longest time for one answer in seconds, 1 to 60; 10 when absent.
    #[serde(default)]
    pub timeout_s: Option<u64>,
    /// Leads to the simulator.
    #[serde(default)]
    pub simulated: bool,
}
