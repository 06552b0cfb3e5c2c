//! The configuration of a connection of kind `prometheus`.

use passerelle_targets::Secret;
use passerelle_targets::kubernetes::Certificate;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Prometheus, or anything that answers its HTTP API: Thanos, Mimir, a managed service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PrometheusConfig {
    /// Address before `/api/v1`, for example `http://prometheus:9090`.
    #[schemars(length(min = 8), extend("format" = "uri"))]
    pub url: String,
    /// Bearer token. A file is read anew for each request.
    #[serde(default)]
    pub bearer: Option<Secret>,
    /// User name of basic authentication.
    #[serde(default)]
    pub username: Option<String>,
    /// Password of basic authentication.
    #[serde(default)]
    pub password: Option<Secret>,
    /// Tenant of a Mimir or a Thanos that keeps several, sent as `X-Scope-OrgID`; `a|b` asks two.
    #[serde(default)]
    #[schemars(title = "Organisation")]
    pub org_id: Option<String>,
    /// Further headers: `{"X-Name": {"value": "…"}}`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Certificates of the authorities that signed the server's, in PEM, when the system does not know them.
    #[serde(default)]
    #[schemars(title = "Certificate authority")]
    pub ca_certificate: Option<Certificate>,
    /// Longest time for one answer in seconds, 1 to 60; 10 when absent.
    #[serde(default)]
    pub timeout_s: Option<u64>,
    /// Leads to the simulator.
    #[serde(default)]
    pub simulated: bool,
}
