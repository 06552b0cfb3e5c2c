//! What each tier asks for, and the answer for CI.

use crate::deployments::{Exemption, GateOut};
use crate::environments::Tier;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How strict a gate is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GateMode {
    /// Not asked.
    #[default]
    Off,
    /// Told, but does not stand in the way.
    Warn,
    Block,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PromotionPolicy {
    pub mode: GateMode,
    /// How long the same artifact must have been healthy in the environment before; 0 to 10,080 (a week).
    pub healthy_minutes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalPolicy {
    /// How many people must approve, without the one who asks; 0 (off) to 5.
    pub needed: u8,
    /// When a request for approval ends by itself, in hours; 1 to 24.
    pub expires_after_hours: u8,
}

impl Default for ApprovalPolicy {
    fn default() -> Self {
        Self { needed: 0, expires_after_hours: 24 }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct VulnerabilityPolicy {
    /// A HIGH or CRITICAL vulnerability with a fix, and without a waiver, stands in the way.
    pub mode: GateMode,
    /// A release without a report stands in the way too; without this it is only told.
    pub report_required: bool,
}

/// What a tier asks of a deployment. A roll back is never asked anything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GatePolicy {
    pub promotion_order: PromotionPolicy,
    pub preflight: GateMode,
    pub vulnerability: VulnerabilityPolicy,
    /// Judged only while objectives are measured.
    pub error_budget: GateMode,
    pub freeze: GateMode,
    pub approval: ApprovalPolicy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GatePolicyOut {
    pub tier: Tier,
    pub policy: GatePolicy,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// Absent while the policy is the one that came with the portal.
    pub updated_by: Option<String>,
}

/// May it be deployed now?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    Allow,
    /// Yes, and somebody should know why it is not quite right.
    Warn,
    /// After approvals.
    Approval,
    Block,
}

/// The answer for CI.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DecisionOut {
    pub service: String,
    pub environment: String,
    pub tier: Tier,
    pub version: Option<String>,
    pub decision: Decision,
    /// The sentences of the gates that do not pass.
    pub reasons: Vec<String>,
    pub gates: Vec<GateOut>,
    /// When all that blocks frees itself, if it does.
    #[serde(with = "time::serde::rfc3339::option")]
    pub frees_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339")]
    pub decided_at: OffsetDateTime,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct DecisionFilter {
    /// `namespace/name`.
    pub service: String,
    pub environment: String,
    /// A release's version; without it the gates about the artifact are not asked.
    pub version: Option<String>,
    /// It would be a fix of this class.
    pub exempt: Option<Exemption>,
}
