//! Golden paths, and the services that were made by them.

use crate::Text;
use crate::adoption::AdoptedOut;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

/// A golden path, in the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateOut {
    pub id: String,
    /// Semantic version: another output is another version.
    pub version: String,
    pub title: String,
    pub description: String,
    /// The kind of target that its services run on, as connections name it.
    pub platform: String,
}

/// A golden path with its form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateDetail {
    #[serde(flatten)]
    pub template: TemplateOut,
    /// What it does better than the usual way: a Markdown list.
    pub notes: String,
    /// The pages of the form.
    pub steps: Vec<TemplateStep>,
    /// JSON Schema (2020-12) of the answers.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub schema: Value,
    /// Answers that are accepted as they stand.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub example: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TemplateStep {
    pub title: String,
    pub parameters: Vec<String>,
}

/// What to look at before anything is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PreviewIn {
    pub template: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
}

/// What a new service will be made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PreviewOut {
    pub template: String,
    pub template_version: String,
    /// `namespace/name`.
    pub service: String,
    pub files: Vec<FileOut>,
    /// Of all files together.
    pub bytes: u64,
}

/// A file of a new service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileOut {
    /// Relative, with `/`.
    pub path: String,
    pub bytes: u64,
    /// In hexadecimal digits.
    pub sha256: String,
    pub executable: bool,
    /// In a preview only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

/// How the files get to those who work with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delivery {
    /// A zip to download.
    #[default]
    Archive,
}

/// A service to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OnboardingIn {
    pub template: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
    #[serde(default)]
    pub delivery: Delivery,
}

/// Something that is done for a new service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnboardingStep {
    /// It is in the catalog, with the files: one transaction.
    Catalog,
    /// Its objectives are measured.
    Objectives,
    /// It is bound to where it runs.
    Bindings,
}

impl OnboardingStep {
    /// In their order.
    pub const ALL: [Self; 3] = [Self::Catalog, Self::Objectives, Self::Bindings];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Objectives => "objectives",
            Self::Bindings => "bindings",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnboardingStepState {
    Done,
    /// Somebody has to do something first; trying again does it.
    Waiting,
}

/// A step with what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepOut {
    pub step: OnboardingStep,
    pub state: OnboardingStepState,
    /// What is missing, or what was done.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OnboardingState {
    Done,
    /// The service is there; some step waits for somebody.
    Incomplete,
}

/// A service that was made by a golden path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnboardingRow {
    pub id: Uuid,
    pub template: String,
    pub template_version: String,
    /// The loaded version of its golden path, when that is a later one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<String>,
    /// `namespace/name`.
    pub service: String,
    pub state: OnboardingState,
    pub created_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// The same with everything that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OnboardingOut {
    #[serde(flatten)]
    pub onboarding: OnboardingRow,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
    pub delivery: Delivery,
    /// Of a service that was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopted: Option<AdoptedOut>,
    pub steps: Vec<StepOut>,
    /// Those that the golden path brought.
    pub files: Vec<FileOut>,
}

/// Filter of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct OnboardingFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    pub template: Option<String>,
    /// Only those whose golden path has a later version.
    pub behind: Option<bool>,
    pub cursor: Option<String>,
    /// 1 to 200; 20 when absent.
    pub limit: Option<u32>,
}
