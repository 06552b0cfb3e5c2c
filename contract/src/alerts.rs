//! Alerts, as an Alertmanager tells them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// What an Alertmanager sends to a webhook receiver (version 4). Fields that later versions add are ignored: what is known is enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertmanagerIn {
    /// `4`.
    pub version: String,
    /// Alerts of the same group that it left out for the size of the message.
    #[serde(rename = "truncatedAlerts", default)]
    pub truncated_alerts: u32,
    pub alerts: Vec<AlertmanagerAlert>,
}

/// One alert of a message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct AlertmanagerAlert {
    pub status: AlertState,
    pub labels: BTreeMap<String, String>,
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    #[serde(with = "crate::moment")]
    pub starts_at: OffsetDateTime,
    /// Year 1 while it fires.
    #[serde(with = "crate::moment")]
    pub ends_at: OffsetDateTime,
    #[serde(rename = "generatorURL", default)]
    pub generator_url: String,
    /// Names the set of labels.
    pub fingerprint: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    Firing,
    Resolved,
}

impl AlertState {
    pub const ALL: [Self; 2] = [Self::Firing, Self::Resolved];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How labels are read, in the address of the webhook.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertmanagerOptions {
    /// Of services that a label names without one.
    pub namespace: Option<String>,
    /// Where an alert without a label `environment` is.
    pub environment: Option<String>,
    /// The label that names the service; `service` when absent.
    pub service_label: Option<String>,
}

/// What was made of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertReport {
    /// Told for the first time.
    pub new: u32,
    /// Over since this message.
    pub resolved: u32,
    /// Told again, with nothing new.
    pub unchanged: u32,
    /// Of all these, those whose labels name no service of the catalog.
    pub without_service: u32,
}

/// One occurrence of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertOut {
    pub id: Uuid,
    pub name: String,
    pub state: AlertState,
    /// As its label says: `page`, `ticket`, `critical`, ...
    pub severity: Option<String>,
    pub summary: Option<String>,
    /// `namespace/name`; absent when its labels name no service of the catalog.
    pub service: Option<String>,
    pub environment: Option<String>,
    /// The connection it came by.
    pub connection: String,
    #[serde(with = "time::serde::rfc3339")]
    pub started_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    /// When the Alertmanager told of it last: it repeats itself while an alert fires.
    #[serde(with = "time::serde::rfc3339")]
    pub heard_at: OffsetDateTime,
    /// Where Prometheus shows it.
    pub source_url: Option<String>,
    /// What to do, from the annotation `runbook_url`.
    pub runbook_url: Option<String>,
    pub labels: BTreeMap<String, String>,
}

/// What narrows the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    pub environment: Option<String>,
    pub state: Option<AlertState>,
    pub severity: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}
