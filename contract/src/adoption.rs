//! Services that are there already and come under a golden path.

use crate::environments::BindingIn;
use crate::{FieldError, Text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A repository that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RepositoryIn {
    /// Connection of kind `ci` to GitHub or GitLab whose `deliver_to` names the repository; absent: the folder of Git repositories on the
    /// portal's machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `owner/name`, or the path of a project.
    pub repository: String,
    /// Branch that is read, and that changes are proposed for; its default branch when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
}

/// Something that runs already. The service gets a binding to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RunsIn {
    /// Connection of the golden path's platform.
    pub connection: String,
    /// Namespace or stack.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Of the Deployment or service.
    pub name: String,
    /// That it belongs to.
    pub environment: String,
}

/// A service to be brought under a golden path.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdoptionIn {
    pub template: String,
    /// What is not answered is taken from what is found.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
    /// Where its files are.
    #[serde(default)]
    pub from: Option<RepositoryIn>,
    /// What runs of it; only for those who may bind services.
    #[serde(default)]
    pub runs: Option<RunsIn>,
    /// Paths of the files that it is to get; when absent, those that are missing, without code of the application.
    #[serde(default)]
    pub files: Option<Vec<String>>,
    /// Whether they are proposed to the repository at once.
    #[serde(default)]
    pub deliver: bool,
}

/// How something that a golden path brings stands in the repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    There,
    Missing,
    /// It is there in another form.
    Differs,
}

/// Something that a service on a golden path has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Practice {
    Container,
    PinnedImage,
    NonRoot,
    Probes,
    ContainerIgnore,
    Catalog,
    Objectives,
    Rules,
    Runbook,
    Pipeline,
    Checks,
    Autoscaler,
    DisruptionBudget,
    NetworkPolicy,
}

impl Practice {
    /// In the order in which they are told.
    pub const ALL: [Self; 14] = [
        Self::Container,
        Self::PinnedImage,
        Self::NonRoot,
        Self::Probes,
        Self::ContainerIgnore,
        Self::Catalog,
        Self::Objectives,
        Self::Rules,
        Self::Runbook,
        Self::Pipeline,
        Self::Checks,
        Self::Autoscaler,
        Self::DisruptionBudget,
        Self::NetworkPolicy,
    ];
}

/// A practice of the golden path, and whether the repository has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PracticeOut {
    pub practice: Practice,
    pub standing: Standing,
    /// File of the repository that shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub message: Option<Text>,
    /// Files of the golden path that bring it.
    pub brought_by: Vec<String>,
}

/// An answer that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FoundAnswer {
    pub parameter: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub value: Value,
    /// File of the repository, or what runs, that told it.
    pub told_by: String,
}

/// A file of the golden path against the repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdoptionFile {
    pub path: String,
    pub standing: Standing,
    /// It is code of an application: a service that is there has its own.
    pub code: bool,
    /// It would be delivered.
    pub chosen: bool,
    /// To what the repository has, line by line as `diff -u` tells it; empty for one that is there.
    pub difference: String,
}

/// What adopting a service would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AdoptionOut {
    pub template: String,
    pub template_version: String,
    /// `namespace/name`, once the answers tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The catalog has it: it gets the tie to the golden path and stays as it is.
    pub known: bool,
    /// Commit of the repository that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Given and found.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
    pub found: Vec<FoundAnswer>,
    /// What has to be answered before the files can be shown.
    pub errors: Vec<FieldError>,
    pub practices: Vec<PracticeOut>,
    /// Empty while answers are missing.
    pub files: Vec<AdoptionFile>,
}

/// How a service came under its golden path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AdoptedOut {
    /// Where its files are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<RepositoryIn>,
    /// Commit that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// The binding to what ran before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding: Option<BindingIn>,
}
