//! What can go wrong between us and a platform. The text is for the person who deploys: no upstream bodies, no credentials.

use passerelle_contract::deployments::{Cause, Failure};
use passerelle_contract::{Text, text};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum TargetError {
    /// No answer, a broken connection, a 5xx: worth another try.
    Unreachable(Text),
    /// The platform understood and said no: validation, admission, quota.
    Refused(Text),
    /// Our credentials do not hold (401) or do not reach (403).
    Forbidden(Text),
    /// The object that the binding names is not there.
    Missing(Text),
    /// What is to be deployed is nowhere, or is not what it should be.
    Artifact(Text),
    /// A newer epoch or another deployment has changed the object since.
    Fenced(Text),
    /// The configuration cannot work; the pointer names the field.
    Config { pointer: String, message: Text },
}

impl TargetError {
    /// The error as a sentence for the one who deploys.
    #[must_use]
    pub fn text(&self) -> Text {
        match self {
            Self::Unreachable(why) => text!("the target did not answer: {why}", why),
            Self::Refused(why) => text!("the target refused: {why}", why),
            Self::Forbidden(why) => text!("the target refused our credentials: {why}", why),
            Self::Missing(what) => text!("{what} does not exist on the target", what),
            Self::Artifact(why) => why.clone(),
            Self::Fenced(why) => text!("another deployment has changed the target since: {why}", why),
            Self::Config { pointer, message } => text!("{message} ({pointer})", message, pointer),
        }
    }

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
            Self::Refused(why) if why.to_string().contains("quota") => Cause::Quota,
            Self::Refused(_) | Self::Forbidden(_) | Self::Fenced(_) => Cause::Refused,
            Self::Artifact(_) => Cause::ImagePull,
            Self::Missing(_) | Self::Config { .. } => Cause::MissingConfig,
        };
        Failure { cause, message: self.text(), instance: None, logs: Vec::new() }
    }
}
