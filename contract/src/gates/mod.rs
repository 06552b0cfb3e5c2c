//! Gates: the policy of each tier, freezes, waivers, scans, approvals and break-glass.

mod approvals;
mod exceptions;
mod facts;
mod freezes;
mod policy;
mod text;

pub use approvals::{ApprovalDecision, ApprovalIn, ApprovalOut, ApprovalsOut};
pub use exceptions::{
    BreakGlassIn, BreakGlassOut, Scan, ScanOut, Vulnerability, VulnerabilitySeverity, WaiverFilter, WaiverIn, WaiverOut,
};
pub use facts::{FrozenBy, GateFacts, Help};
pub use freezes::{FreezeFilter, FreezeIn, FreezeOut, FreezeScope, FreezeWindow};
pub use policy::{
    ApprovalPolicy, Decision, DecisionFilter, DecisionOut, GateMode, GatePolicy, GatePolicyOut, PromotionPolicy,
    VulnerabilityPolicy,
};
pub use text::{help, sentence};

/// The kinds of gates, in the order in which they are shown.
pub mod kinds {
    pub const PROMOTION_ORDER: &str = "promotion_order";
    pub const PREFLIGHT: &str = "preflight";
    pub const VULNERABILITY: &str = "vulnerability";
    pub const ERROR_BUDGET: &str = "error_budget";
    pub const FREEZE: &str = "freeze";
    pub const APPROVAL: &str = "approval";
    /// Not a rule of its own: says that the others were skipped.
    pub const BREAK_GLASS: &str = "break_glass";
    /// Not a policy: one deployment at a time, always.
    pub const ACTIVE_DEPLOYMENT: &str = "active_deployment";
}
