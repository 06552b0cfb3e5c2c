//! Times in which nothing is deployed.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// What is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", tag = "kind", content = "value")]
pub enum FreezeScope {
    Global,
    /// Services owned by this team, as `namespace/name`.
    Team(String),
    /// An environment by its name.
    Environment(String),
    /// A service in all environments, as `namespace/name`.
    Service(String),
}

impl FreezeScope {
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Team(_) => "team",
            Self::Environment(_) => "environment",
            Self::Service(_) => "service",
        }
    }

    #[must_use]
    pub fn value(&self) -> &str {
        match self {
            Self::Global => "",
            Self::Team(value) | Self::Environment(value) | Self::Service(value) => value,
        }
    }

    #[must_use]
    pub fn of(kind: &str, value: &str) -> Option<Self> {
        Some(match kind {
            "global" => Self::Global,
            "team" => Self::Team(value.to_owned()),
            "environment" => Self::Environment(value.to_owned()),
            "service" => Self::Service(value.to_owned()),
            _ => return None,
        })
    }
}

/// With only `scope` and `title` it is the red button: frozen from now until it is lifted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FreezeIn {
    pub scope: FreezeScope,
    /// Why; 2 to 200 characters. Everybody who is blocked reads it.
    pub title: String,
    /// Now when absent.
    #[serde(with = "crate::moment::option", default)]
    pub starts_at: Option<OffsetDateTime>,
    /// Until it is lifted when absent. For a recurring freeze: the end of the first window.
    #[serde(with = "crate::moment::option", default)]
    pub ends_at: Option<OffsetDateTime>,
    /// An RFC 5545 rule for the further windows, for example `FREQ=WEEKLY;BYDAY=FR`.
    #[serde(default)]
    pub recurrence: Option<String>,
    /// An IANA name such as `Europe/Paris`, whose wall clock the windows follow; UTC when absent.
    #[serde(default)]
    pub time_zone: Option<String>,
}

/// A time in which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FreezeWindow {
    #[serde(with = "time::serde::rfc3339")]
    pub starts_at: OffsetDateTime,
    /// Until it is lifted when absent.
    #[serde(with = "time::serde::rfc3339::option")]
    pub ends_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FreezeOut {
    pub id: Uuid,
    pub scope: FreezeScope,
    pub title: String,
    #[serde(with = "time::serde::rfc3339")]
    pub starts_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ends_at: Option<OffsetDateTime>,
    pub recurrence: Option<String>,
    pub time_zone: String,
    /// It holds now.
    pub active: bool,
    /// The window that holds now, and the ones to come, at most 20 within a year.
    pub windows: Vec<FreezeWindow>,
    pub created_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub lifted_by: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub lifted_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct FreezeFilter {
    /// Also those that were lifted or are over.
    pub all: Option<bool>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}
