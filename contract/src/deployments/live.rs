//! What surrounds a service where it runs, and where it differs from what was deployed.

use super::{Health, Instance, Replicas};
use crate::environments::Tier;
use crate::{Locale, Text};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// One field that is not as it was deployed here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Drift {
    /// As in a plan: `image web`, `env SESSION_TTL`, `replicas`, or a path.
    pub field: String,
    /// Secrets are masked.
    pub deployed: Option<String>,
    pub runs: Option<String>,
    /// Who wrote the field last, as the platform knows them, for example `kubectl-edit`.
    #[serde(default)]
    pub by: Option<String>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
}

/// What decides the number of instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Autoscaler {
    pub name: String,
    pub min: u32,
    pub max: u32,
    pub current: u32,
    pub desired: u32,
    /// For example `cpu 63 % of 80 %`.
    pub metrics: Vec<String>,
}

/// An address under which the service is reached from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Route {
    /// Name of the Ingress.
    pub name: String,
    pub host: String,
    pub path: String,
    pub tls: bool,
    pub class: Option<String>,
    /// Where the controller listens; absent while nobody serves it.
    pub address: Option<String>,
}

/// A certificate of one of its hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Certificate {
    pub name: String,
    pub hosts: Vec<String>,
    pub ready: bool,
    #[serde(with = "time::serde::rfc3339::option")]
    pub expires_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub renews_at: Option<OffsetDateTime>,
    /// What its issuer says.
    pub message: Option<String>,
}

/// One limit of the place it runs in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Quota {
    pub name: String,
    /// For example `requests.cpu`.
    pub resource: String,
    pub used: String,
    pub hard: String,
    /// 0.0 to 1.0 and more.
    pub used_ratio: f64,
}

/// What the platform noted lately.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlatformEvent {
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
    pub warning: bool,
    pub reason: String,
    /// For example `Pod web-6c9f-x2x1v`.
    pub object: String,
    pub message: String,
    pub count: u32,
}

/// What is around a workload; what could not be looked up is told in `unseen`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Surroundings {
    pub autoscaler: Option<Autoscaler>,
    pub routes: Vec<Route>,
    pub certificates: Vec<Certificate>,
    pub quotas: Vec<Quota>,
    /// Newest first.
    pub events: Vec<PlatformEvent>,
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub unseen: Vec<Text>,
}

/// One service in one environment, as it is at this moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LiveOut {
    pub service: String,
    pub environment: String,
    pub tier: Tier,
    pub target_kind: String,
    pub simulated: bool,
    pub image: Option<String>,
    pub health: Health,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub health_message: Option<Text>,
    pub replicas: Option<Replicas>,
    pub instances: Vec<Instance>,
    pub surroundings: Surroundings,
    /// The deployment that it is compared with.
    pub compared_with: Option<Uuid>,
    pub drift: Vec<Drift>,
    /// The target did not answer, so parts above are missing: the reason.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub incomplete: Option<Text>,
}

impl LiveOut {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(mut self, locale: Locale) -> Self {
        self.health_message = self.health_message.map(|message| message.into_said(locale));
        self.instances = self.instances.into_iter().map(|instance| instance.into_said(locale)).collect();
        let unseen = std::mem::take(&mut self.surroundings.unseen);
        self.surroundings.unseen = unseen.into_iter().map(|text| text.into_said(locale)).collect();
        self.incomplete = self.incomplete.map(|why| why.into_said(locale));
        self
    }
}
