//! Files of a service on their way to a repository.

use crate::Text;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

/// Where files are to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FileDeliveryIn {
    /// Connection of kind `ci` to GitHub or GitLab whose `deliver_to` names the repository; absent: the folder of Git repositories on the
    /// portal's machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// `owner/name`, or the path of a project.
    pub repository: String,
    #[serde(default)]
    pub into: DeliveryInto,
    /// Branch of an existing repository that the change is proposed for; its default branch when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// Whether a new repository is private; it is when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private: Option<bool>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryInto {
    /// A repository that is made.
    #[default]
    New,
    /// A branch of one that is there, with a request to take it in.
    Existing,
}

impl DeliveryInto {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Existing => "existing",
        }
    }
}

/// Declares a closed list of words.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$of])* $variant,)+
        }

        impl $name {
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                [$(Self::$variant,)+].into_iter().find(|one| one.as_str() == text)
            }
        }
    };
}

words! {
    /// Why files are delivered.
    DeliveryPurpose {
        /// The service was made.
        Files = "files",
        /// Its golden path has a later version.
        Update = "update",
    }
}

words! {
    /// How far a delivery is.
    FileDeliveryState {
        /// Steps are made, or taken back.
        Running = "running",
        Done = "done",
        /// A step failed; it can be tried again, or all be taken back.
        Failed = "failed",
        /// What was made was taken back.
        Undone = "undone",
    }
}

words! {
    /// A step of a delivery.
    DeliveryStep {
        /// The repository is found, or made.
        Repository = "repository",
        /// All files arrive in one commit.
        Commit = "commit",
        /// The repository's people are asked to take it in.
        Proposal = "proposal",
        /// They take it in.
        Merge = "merge",
        /// What was made is taken back.
        Undo = "undo",
    }
}

words! {
    /// How far a step is.
    DeliveryStepState {
        Pending = "pending",
        Running = "running",
        Done = "done",
        Failed = "failed",
    }
}

/// A step with what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryStepOut {
    pub step: DeliveryStep,
    pub state: DeliveryStepState,
    /// What was done, or why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub message: Option<Text>,
    pub attempts: u32,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub started_at: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<OffsetDateTime>,
}

/// A delivery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FileDeliveryOut {
    pub id: Uuid,
    pub onboarding: Uuid,
    pub purpose: DeliveryPurpose,
    /// Of the golden path, whose files these are.
    pub template_version: String,
    pub destination: FileDeliveryIn,
    pub state: FileDeliveryState,
    pub steps: Vec<DeliveryStepOut>,
    /// That holds the files, once they are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Address of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository_url: Option<String>,
    /// Address of the pull request or merge request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal_url: Option<String>,
    pub created_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(default, with = "time::serde::rfc3339::option", skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<OffsetDateTime>,
}

/// Somewhere that files can be delivered to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryPlace {
    /// None for the folder on the portal's machine.
    pub connection: Option<String>,
    /// Repositories that files may go to; empty for the folder, which takes any name.
    pub deliver_to: Vec<String>,
}

words! {
    /// What an update makes of one file.
    UpdateOutcome {
        /// New in the later version.
        Added = "added",
        /// Nobody had changed it.
        Updated = "updated",
        /// Changes of both are in it.
        Merged = "merged",
        /// Both changed the same lines: they stand between markers, to be decided in the request.
        Conflict = "conflict",
        /// The later version has it no more, and nobody had changed it.
        Removed = "removed",
        /// The later version has it no more, but somebody has changed it: it stays.
        KeptChanged = "kept_changed",
        /// Somebody has deleted what the later version changes: it stays away.
        KeptDeleted = "kept_deleted",
    }
}

/// An update of a service's files to the loaded version of its golden path.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UpdateIn {
    /// Answers that differ from those that were kept, or that only the later version asks for.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
    /// The repository as it is now; where the files were delivered to last when absent.
    pub to: Option<FileDeliveryIn>,
}

/// One file of an update.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateChange {
    pub path: String,
    pub outcome: UpdateOutcome,
    /// Somebody has to decide or to know.
    pub needs_a_look: bool,
    /// To what the repository has, line by line as `diff -u` tells it.
    pub difference: String,
}

/// What an update would change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UpdateOut {
    pub onboarding: Uuid,
    pub template: String,
    /// That the service has.
    pub template_version: String,
    /// That is loaded.
    pub available: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub answers: Map<String, Value>,
    pub to: FileDeliveryIn,
    /// Commit of the repository that was compared with.
    pub base: String,
    pub changes: Vec<UpdateChange>,
}
