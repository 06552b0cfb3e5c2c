//! What a gate decided from. `code` is the key of the sentence; the sentences themselves are in `text.rs`.

use super::FreezeScope;
use crate::Text;
use crate::deployments::Exemption;
use crate::deployments::Health;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

/// Who can help when a gate does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Help {
    /// Whoever may deploy this service.
    Developers,
    /// Whoever may approve for this environment, but the one who asks.
    Approvers,
    /// Operators lift freezes and grant waivers.
    Operators,
    /// Admins change the policy and connect what is missing.
    Admins,
}

/// A freeze that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenBy {
    pub id: Uuid,
    pub title: String,
    pub scope: FreezeScope,
    pub by: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum GateFacts {
    ActiveDeployment {
        holder: Uuid,
    },
    RollBackAllowed,

    PromotionFirst,
    PromotionHealthy {
        environment: String,
        healthy_s: u64,
        needed_s: u64,
    },
    PromotionSoaking {
        environment: String,
        healthy_s: u64,
        needed_s: u64,
    },
    /// It ran there, but not long enough, and does not run there any more.
    PromotionTooShort {
        environment: String,
        healthy_s: u64,
        needed_s: u64,
    },
    PromotionNotHealthy {
        environment: String,
        health: Health,
    },
    PromotionNeverRan {
        environment: String,
        image: String,
        /// As people name it; absent in verdicts of older portals.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
    /// It should run there, but nothing has been seen for too long.
    PromotionStale {
        environment: String,
        seen_s_ago: Option<u64>,
    },

    ApprovalMissing {
        needed: u8,
        given: u8,
        by: Vec<String>,
        #[serde(with = "time::serde::rfc3339::option")]
        until: Option<OffsetDateTime>,
    },
    ApprovalGiven {
        needed: u8,
        by: Vec<String>,
    },
    ApprovalRejected {
        by: String,
        reason: String,
    },
    ApprovalExpired {
        needed: u8,
        given: u8,
    },

    NotFrozen {
        #[serde(with = "time::serde::rfc3339::option")]
        next: Option<OffsetDateTime>,
        title: Option<String>,
    },
    Frozen {
        freezes: Vec<FrozenBy>,
    },

    ScanMissing {
        required: bool,
    },
    ScanClean {
        scanner: String,
        critical: u32,
        high: u32,
        waived: Vec<String>,
    },
    ScanFound {
        critical: u32,
        high: u32,
        /// The worst five, for example `CVE-2024-3094 (xz 5.6.0, fixed in 5.6.2)`.
        examples: Vec<String>,
        waived: Vec<String>,
    },

    PreflightClean,
    PreflightErrors {
        errors: Vec<Text>,
    },
    PreflightUnchecked {
        why: Text,
    },

    BudgetOk {
        objective: String,
        remaining_percent: f64,
    },
    BudgetLow {
        objective: String,
        remaining_percent: f64,
    },
    /// It is low or spent, and does not stop a fix of this class.
    BudgetExempt {
        objective: String,
        remaining_percent: f64,
        exempt: Exemption,
    },
    BudgetSpent {
        objective: String,
        remaining_percent: f64,
    },
    /// No data, stale or partial data.
    BudgetUnknown {
        objective: String,
        why: String,
    },

    GlassBroken {
        by: String,
        reason: String,
        #[serde(with = "time::serde::rfc3339")]
        until: OffsetDateTime,
    },
}
