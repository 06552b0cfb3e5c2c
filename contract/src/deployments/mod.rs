//! Releases, plans, deployments and what runs where.

use crate::environments::{HoldOut, Tier};
use crate::gates::{ApprovalsOut, Help, sentence};
use crate::{Locale, Text, wording};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

mod live;
mod plan;
mod states;

pub use live::{Autoscaler, Certificate, Drift, LiveOut, PlatformEvent, Quota, Route, Surroundings};
pub use plan::{DiffLine, Finding, PlanOut, Severity};
pub use states::{Cause, DeploymentState, EnvVar, Failure, Health, Instance, InstanceState, Operation, Replicas};

/// An archive (`.tar.gz`, `.tar` or `.zip`) of manifests that belong to a release. Whatever the address serves later, only these very bytes
/// are used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ManifestBundle {
    /// Where it is fetched: `https`, or `http` inside networks that the operator has opened. No redirect is followed.
    pub url: String,
    /// SHA-256 of the archive, 64 lower-case hexadecimal digits.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReleaseIn {
    /// `namespace/name`.
    pub service: String,
    pub version: String,
    #[serde(default)]
    pub commit: Option<String>,
    /// Image of the service, best with a digest.
    pub image: String,
    #[serde(default)]
    pub build_url: Option<String>,
    #[serde(default)]
    pub notes: Option<String>,
    /// Page of its repository on GitHub or GitLab; with it a plan links to what has changed.
    #[serde(default)]
    pub repository_url: Option<String>,
    /// Commit or tag of the repository; the commit when absent.
    #[serde(default)]
    pub git_ref: Option<String>,
    /// Manifests for bindings that apply them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<ManifestBundle>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReleaseOut {
    pub id: Uuid,
    pub service: String,
    pub version: String,
    pub commit: Option<String>,
    pub image: String,
    pub build_url: Option<String>,
    pub notes: Option<String>,
    /// Page of its repository.
    #[serde(default)]
    pub repository_url: Option<String>,
    /// Commit or tag of the repository.
    #[serde(default)]
    pub git_ref: Option<String>,
    /// Manifests for bindings that apply them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<ManifestBundle>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// Environments where it runs now.
    pub runs_in: Vec<String>,
}

/// Why an error budget does not stop a deployment. A roll back needs no such word: it is never stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Exemption {
    /// It closes a hole.
    SecurityFix,
    /// It ends an outage.
    P0Fix,
}

impl Exemption {
    pub const ALL: [Self; 2] = [Self::SecurityFix, Self::P0Fix];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecurityFix => "security_fix",
            Self::P0Fix => "p0_fix",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|exemption| exemption.as_str() == text)
    }
}

/// Body of `POST /plans` and `POST /deployments`: exactly one of `release`, `version` and `image`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DeploymentIn {
    /// `namespace/name`.
    pub service: String,
    pub environment: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Why; 2 to 2,000 characters, 10 at least with `exempt`. Required for a deployment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// An error budget only warns of a fix of this class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt: Option<Exemption>,
}

/// Which configuration a roll back uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConfigChoice {
    /// The configuration that ran with that release.
    #[default]
    Release,
    /// Today's configuration with the earlier image.
    Current,
}

/// How many instances run after a roll back with the release's own configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReplicasChoice {
    /// As many as now: the load of today decides, not that of then.
    #[default]
    Current,
    /// As many as ran with that release.
    Release,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RollBackIn {
    /// A deployment to go back to; the last healthy one before the current when absent.
    pub to: Option<Uuid>,
    pub config: ConfigChoice,
    /// With `config` = `release` only; where an autoscaler decides, it goes on deciding.
    pub replicas: ReplicasChoice,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ReasonIn {
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ScaleIn {
    /// 0 to 1,000; 0 is refused in production.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000))]
    pub replicas: i64,
    #[serde(default)]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Pass,
    /// It goes, and somebody should know.
    Warn,
    /// Not now: it frees itself, or somebody has to approve.
    Wait,
    Block,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct GateOut {
    /// The rule, for example `freeze`.
    pub kind: String,
    pub verdict: Verdict,
    /// One plain sentence.
    pub reason: String,
    /// What it was decided from; `code` says which facts these are.
    pub facts: Value,
    /// When it frees itself, if it does.
    #[serde(with = "time::serde::rfc3339::option", default)]
    pub frees_at: Option<OffsetDateTime>,
    /// Who can help when it does not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Help>,
}

impl GateOut {
    /// The same in the language of its reader: the sentence, and the sentences among the facts.
    #[must_use]
    pub fn into_said(mut self, locale: Locale) -> Self {
        self.reason = sentence(locale, &self);
        wording::say_all(&mut self.facts, locale);
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    Pending,
    Running,
    Succeeded,
    Failed,
    Skipped,
}

impl StepState {
    pub const ALL: [Self; 5] = [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Skipped];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepOut {
    /// `preflight`, `migrate`, `apply`, `rollout`, `verify` or `roll_back`.
    pub name: String,
    pub state: StepState,
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub message: Option<Text>,
}

/// One deployment with its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeploymentOut {
    pub id: Uuid,
    pub service: String,
    pub environment: String,
    pub tier: Tier,
    pub operation: Operation,
    pub state: DeploymentState,
    pub target_kind: String,
    pub simulated: bool,
    pub version: Option<String>,
    pub image: Option<String>,
    pub replicas: Option<u32>,
    pub previous_version: Option<String>,
    pub previous_image: Option<String>,
    pub config: Option<ConfigChoice>,
    pub reason: String,
    pub requested_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub started_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
    pub gates: Vec<GateOut>,
    pub steps: Vec<StepOut>,
    pub failure: Option<Failure>,
    /// The last seen instances, of the old and the new version.
    pub instances: Vec<Instance>,
    pub progress: Option<Replicas>,
    pub cancel_requested: bool,
    /// Set when the deployment needs approvals.
    #[serde(default)]
    pub approvals: Option<ApprovalsOut>,
    /// Set when gates were skipped: the break-glass that allowed it.
    #[serde(default)]
    pub break_glass: Option<Uuid>,
    /// The class of fix that an error budget does not stop.
    #[serde(default)]
    pub exempt: Option<Exemption>,
    /// Id of the newest event included; start the event stream after it.
    pub last_event_id: i64,
}

impl DeploymentOut {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(mut self, locale: Locale) -> Self {
        self.gates = self.gates.into_iter().map(|gate| gate.into_said(locale)).collect();
        for step in &mut self.steps {
            step.message = step.message.take().map(|message| message.into_said(locale));
        }
        self.failure = self.failure.map(|failure| failure.into_said(locale));
        self.instances = self.instances.into_iter().map(|instance| instance.into_said(locale)).collect();
        self
    }
}

/// One row of the deployment list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeploymentRow {
    pub id: Uuid,
    pub service: String,
    pub environment: String,
    pub tier: Tier,
    pub operation: Operation,
    pub state: DeploymentState,
    pub version: Option<String>,
    pub image: Option<String>,
    pub reason: String,
    pub requested_by: String,
    pub cause: Option<Cause>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DeploymentFilter {
    pub service: Option<String>,
    pub environment: Option<String>,
    pub state: Option<DeploymentState>,
    pub operation: Option<Operation>,
    pub actor: Option<String>,
    /// Only those that hold the lock of their service and environment.
    pub active: Option<bool>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// One entry of a deployment's event stream; the SSE `id` is `id`, the SSE `event` is `kind`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeploymentEvent {
    pub id: i64,
    pub deployment: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// `state`, `step`, `instances` or `log`.
    pub kind: String,
    /// One sentence, for the timeline.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message: Text,
    pub data: Value,
}

impl DeploymentEvent {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(mut self, locale: Locale) -> Self {
        self.message = self.message.into_said(locale);
        wording::say_all(&mut self.data, locale);
        self
    }
}

/// What runs for one service in one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CellOut {
    pub environment: String,
    pub tier: Tier,
    /// Absent when the service is not bound to this environment.
    pub binding: Option<Uuid>,
    pub target_kind: Option<String>,
    pub simulated: bool,
    pub version: Option<String>,
    pub image: Option<String>,
    pub health: Health,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub health_message: Option<Text>,
    pub replicas: Option<Replicas>,
    /// Where what runs differs from what was deployed here.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// When this version was put there, and by whom, if the portal did it.
    #[serde(with = "time::serde::rfc3339::option")]
    pub since: Option<OffsetDateTime>,
    pub by: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub observed_at: Option<OffsetDateTime>,
    pub hold: Option<HoldOut>,
    /// The deployment that is running now.
    pub active: Option<Uuid>,
    pub active_state: Option<DeploymentState>,
    /// The newest deployment that ended.
    pub last: Option<Uuid>,
    pub last_state: Option<DeploymentState>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatrixRow {
    pub service: crate::catalog::ServiceOut,
    /// One per environment, in the order of the environments.
    pub cells: Vec<CellOut>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct MatrixFilter {
    pub q: Option<String>,
    pub system: Option<String>,
    pub team: Option<String>,
    /// Only rows where something is failing, degraded, on hold or being deployed.
    pub attention: Option<bool>,
    /// Only rows whose environments run different versions.
    pub differs: Option<bool>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// The service x environment matrix.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MatrixOut {
    pub environments: Vec<crate::environments::EnvironmentOut>,
    pub rows: Vec<MatrixRow>,
    pub next_cursor: Option<String>,
    pub total: u64,
}
