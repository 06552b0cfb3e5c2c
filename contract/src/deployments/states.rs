//! The words of a deployment's life, and what is seen on a target.

use crate::{Locale, Text};
use serde::{Deserialize, Serialize};

/// Where a deployment is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    Requested,
    /// A gate or another deployment refused it; it changed nothing.
    Blocked,
    AwaitingApproval,
    Queued,
    Running,
    Verifying,
    Succeeded,
    Failed,
    RolledBack,
    Cancelled,
    /// The portal cannot tell what is right; somebody has to look.
    NeedsPerson,
}

impl DeploymentState {
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::Blocked,
        Self::AwaitingApproval,
        Self::Queued,
        Self::Running,
        Self::Verifying,
        Self::Succeeded,
        Self::Failed,
        Self::RolledBack,
        Self::Cancelled,
        Self::NeedsPerson,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Blocked => "blocked",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Verifying => "verifying",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::RolledBack => "rolled_back",
            Self::Cancelled => "cancelled",
            Self::NeedsPerson => "needs_person",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }

    /// It holds the lock of its service and environment.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Requested | Self::AwaitingApproval | Self::Queued | Self::Running | Self::Verifying)
    }
}

/// What a deployment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    Deploy,
    RollBack,
    Restart,
    Scale,
}

impl Operation {
    pub const ALL: [Self; 4] = [Self::Deploy, Self::RollBack, Self::Restart, Self::Scale];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::RollBack => "roll_back",
            Self::Restart => "restart",
            Self::Scale => "scale",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == text)
    }
}

/// How what runs is doing. Ordered from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Health {
    Healthy,
    Progressing,
    /// Not observed yet, or the target did not answer.
    Unknown,
    Degraded,
    Failed,
}

impl Health {
    pub const ALL: [Self; 5] = [Self::Healthy, Self::Progressing, Self::Unknown, Self::Degraded, Self::Failed];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Progressing => "progressing",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|health| health.as_str() == text)
    }
}

/// Why a deployment failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    ImagePull,
    CrashLoop,
    Probe,
    MissingConfig,
    Unschedulable,
    Quota,
    Deadline,
    /// The job that changes the database failed, before the new version was started.
    Migration,
    /// A job of the pipeline that deploys failed.
    JobFailed,
    /// What the binding waits for (a database, a broker) was not ready, and nothing was changed.
    Dependency,
    /// Too many of the service's events failed since the rollout began, or nobody could say how many where that has to be said.
    ErrorRatio,
    TargetUnreachable,
    /// The target refused the change, or our right to make it.
    Refused,
    Unknown,
}

impl Cause {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ImagePull => "image_pull",
            Self::CrashLoop => "crash_loop",
            Self::Probe => "probe",
            Self::MissingConfig => "missing_config",
            Self::Unschedulable => "unschedulable",
            Self::Quota => "quota",
            Self::Deadline => "deadline",
            Self::Migration => "migration",
            Self::JobFailed => "job_failed",
            Self::Dependency => "dependency",
            Self::ErrorRatio => "error_ratio",
            Self::TargetUnreachable => "target_unreachable",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// The named cause of a failure, with the last log lines when there are any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Failure {
    pub cause: Cause,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message: Text,
    /// The pod, task or revision it was seen on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(default)]
    pub logs: Vec<String>,
}

/// One pod, task or revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instance {
    pub name: String,
    pub state: InstanceState,
    pub image: String,
    /// It belongs to the version being rolled out.
    pub updated: bool,
    pub restarts: u32,
    /// What the platform says, for example `ImagePullBackOff: ...`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub message: Option<Text>,
}

impl Failure {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(self, locale: Locale) -> Self {
        Self { message: self.message.into_said(locale), ..self }
    }
}

impl Instance {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(self, locale: Locale) -> Self {
        Self { message: self.message.map(|message| message.into_said(locale)), ..self }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum InstanceState {
    Pending,
    Starting,
    Ready,
    Failing,
    Stopping,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replicas {
    pub desired: u32,
    /// Of the version being rolled out.
    pub updated: u32,
    /// Ready, of any version.
    pub ready: u32,
}

/// One environment variable; a secret shows where it comes from, never its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnvVar {
    pub name: String,
    /// The value, or a reference such as `secret db-credentials / url`; values of secret-looking names are masked.
    pub value: String,
    pub secret: bool,
}
