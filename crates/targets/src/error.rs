//! What can go wrong between us and a platform. The text is for the person who deploys: no upstream bodies, no credentials.

use passerelle_contract::deployments::{Cause, Failure};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No answer, a broken connection, a 5xx: worth another try.
    #[error("the target did not answer: {0}")]
    Unreachable(String),
    /// The platform understood and said no: validation, admission, quota.
    #[error("the target refused: {0}")]
    Refused(String),
    /// Our credentials do not hold (401) or do not reach (403).
    #[error("the target refused our credentials: {0}")]
    Forbidden(String),
    /// The object that the binding names is not there.
    #[error("{0} does not exist on the target")]
    Missing(String),
    /// A newer epoch or another deployment has changed the object since.
    #[error("another deployment has changed the target since: {0}")]
    Fenced(String),
    /// The configuration cannot work; the pointer names the field.
    #[error("{message} ({pointer})")]
    Config { pointer: String, message: String },
}

impl TargetError {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }

    /// The error as the cause of a failed deployment.
    #[must_use]
    pub fn to_failure(&self) -> Failure {
        let cause = match self {
            Self::Unreachable(_) => Cause::TargetUnreachable,
            Self::Refused(text) if text.contains("quota") => Cause::Quota,
            Self::Refused(_) | Self::Forbidden(_) | Self::Fenced(_) => Cause::Refused,
            Self::Missing(_) | Self::Config { .. } => Cause::MissingConfig,
        };
        Failure { cause, message: self.to_string(), instance: None, logs: Vec::new() }
    }
}
