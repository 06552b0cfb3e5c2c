//! Environments, connections and target bindings.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// How much care an environment asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    Development,
    Staging,
    Production,
}

impl Tier {
    pub const ALL: [Self; 3] = [Self::Development, Self::Staging, Self::Production];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EnvironmentIn {
    /// 1 to 40 characters: a-z, 0-9 and `-`, starting with a letter.
    pub name: String,
    pub tier: Tier,
    /// Position in the row of environments, from 1.
    pub order: u16,
    /// A failed rollout goes back to the version before by itself; true when absent.
    #[serde(default)]
    pub auto_rollback: Option<bool>,
    /// How long a rollout may go without being complete, in seconds, 10 to 3,600; 300 when absent.
    #[serde(default)]
    pub progress_deadline_s: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct EnvironmentPatch {
    pub tier: Option<Tier>,
    pub order: Option<u16>,
    pub auto_rollback: Option<bool>,
    pub progress_deadline_s: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvironmentOut {
    pub id: Uuid,
    pub name: String,
    pub tier: Tier,
    pub order: u16,
    pub auto_rollback: bool,
    pub progress_deadline_s: u32,
    /// How many services are bound to it.
    pub bindings: u32,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ConnectionIn {
    pub name: String,
    /// A registered kind, for example `kubernetes`.
    pub kind: String,
    /// As the kind's schema says. A secret is `{"value"}`, `{"env"}` or `{"file"}`.
    pub config: Value,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ConnectionPatch {
    pub config: Option<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionOut {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    /// Secret values are replaced by `{"set": true}`; references stay.
    pub config: Value,
    pub bindings: u32,
    /// True for a connection to the simulator.
    pub simulated: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// The result of trying a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConnectionCheck {
    pub reachable: bool,
    /// What answered, for example `Kubernetes v1.33.1`, or why nothing did.
    pub message: String,
    pub duration_ms: u64,
}

/// A kind of target with the JSON Schemas that its forms are drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TargetKindOut {
    pub kind: String,
    pub title: String,
    pub connection_schema: Value,
    pub binding_schema: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BindingIn {
    /// `namespace/name`.
    pub service: String,
    pub environment: String,
    pub kind: String,
    /// Name of the connection.
    pub connection: String,
    pub config: Value,
}

/// Something that runs on a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RunningOut {
    /// Namespace or stack; empty where there is neither.
    pub group: String,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Wanted, where a number is fixed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<u32>,
    /// Configuration of a binding to it.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub config: Value,
    /// Service that is bound to it, `namespace/name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BindingPatch {
    pub connection: Option<String>,
    pub config: Option<Value>,
}

/// Filters of the list of bindings; all are optional and combine with "and".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct BindingFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    pub environment: Option<String>,
    /// Name of a connection.
    pub connection: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BindingOut {
    pub id: Uuid,
    pub service: String,
    pub environment: String,
    pub kind: String,
    pub connection: String,
    pub config: Value,
    pub hold: Option<HoldOut>,
}

/// Automation may not change a binding while a hold is on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldOut {
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    pub by: String,
    pub reason: String,
}
