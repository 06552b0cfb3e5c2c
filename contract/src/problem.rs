//! Errors as RFC 9457 problem documents with a closed list of codes.

use crate::{Locale, Text, text};
use serde::{Deserialize, Serialize};

/// Every error the portal answers with. Each has a page under `docs/errors/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// A field is missing, of the wrong type or outside what is allowed.
    InvalidInput,
    /// No credential, or one that does not hold.
    Unauthenticated,
    /// Known caller, but no role allows this.
    Forbidden,
    /// The object does not exist, or the caller may not know that it does.
    NotFound,
    /// The object exists already.
    AlreadyExists,
    /// Another deployment of the same service and environment is running.
    DeploymentActive,
    /// The object changed since it was read, or is not in a state that allows this.
    Conflict,
    /// The same `Idempotency-Key` came with a different request.
    IdempotencyMismatch,
    /// The request body is larger than allowed.
    TooLarge,
    /// Too many requests from this source.
    RateLimited,
    /// The request came from another site.
    CrossSite,
    /// Signed in too long ago for this: show again who you are.
    ConfirmationNeeded,
    /// The cluster, cloud or engine did not answer, or refused.
    TargetUnavailable,
    /// The database is away; nothing was done.
    Unavailable,
    /// Our fault; the log has the details under the request id.
    Internal,
}

impl ErrorCode {
    /// The HTTP status of this code.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidInput => 422,
            Self::Unauthenticated => 401,
            Self::Forbidden | Self::CrossSite | Self::ConfirmationNeeded => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::DeploymentActive | Self::Conflict | Self::IdempotencyMismatch => 409,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::TargetUnavailable => 502,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// The code as it is written on the wire and in the file name of its documentation.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::DeploymentActive => "deployment_active",
            Self::Conflict => "conflict",
            Self::IdempotencyMismatch => "idempotency_mismatch",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::CrossSite => "cross_site",
            Self::ConfirmationNeeded => "confirmation_needed",
            Self::TargetUnavailable => "target_unavailable",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The error in a few words.
    #[must_use]
    pub fn title(self) -> Text {
        match self {
            Self::InvalidInput => text!("invalid input"),
            Self::Unauthenticated => text!("unauthenticated"),
            Self::Forbidden => text!("forbidden"),
            Self::NotFound => text!("not found"),
            Self::AlreadyExists => text!("already exists"),
            Self::DeploymentActive => text!("deployment active"),
            Self::Conflict => text!("conflict"),
            Self::IdempotencyMismatch => text!("idempotency mismatch"),
            Self::TooLarge => text!("too large"),
            Self::RateLimited => text!("rate limited"),
            Self::CrossSite => text!("cross site"),
            Self::ConfirmationNeeded => text!("confirmation needed"),
            Self::TargetUnavailable => text!("target unavailable"),
            Self::Unavailable => text!("unavailable"),
            Self::Internal => text!("internal"),
        }
    }

    /// Every code, for documentation and tests.
    pub const ALL: [Self; 15] = [
        Self::InvalidInput,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::AlreadyExists,
        Self::DeploymentActive,
        Self::Conflict,
        Self::IdempotencyMismatch,
        Self::TooLarge,
        Self::RateLimited,
        Self::CrossSite,
        Self::ConfirmationNeeded,
        Self::TargetUnavailable,
        Self::Unavailable,
        Self::Internal,
    ];
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// JSON pointer of the field, for example `/config/namespace`.
    pub pointer: String,
    /// What is wrong and what is allowed.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message: Text,
}

impl FieldError {
    #[must_use]
    pub fn new(pointer: impl Into<String>, message: Text) -> Self {
        Self { pointer: pointer.into(), message }
    }

    /// With words that are in the language of their reader already, as a page has them.
    #[must_use]
    pub fn said(pointer: impl Into<String>, words: impl Into<String>) -> Self {
        Self::new(pointer, Text::verbatim(words))
    }

    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(self, locale: Locale) -> Self {
        Self { pointer: self.pointer, message: self.message.into_said(locale) }
    }
}

/// An error as the client reads it (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    pub code: ErrorCode,
    pub detail: String,
    pub request_id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// For `deployment_active`: the id of the deployment that holds the lock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<uuid::Uuid>,
}
