//! Audit rows as they are read.

use crate::Text;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Written before an effect outside the database; an outcome row follows.
    Intent,
    Success,
    Failure,
    Denied,
}

impl Outcome {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditEventOut {
    pub id: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub actor: String,
    /// `page`, `api`, `cli`, `webhook`, `job` or `mcp`.
    pub via: String,
    /// For example `deployment.create`.
    pub action: String,
    /// The kind and key of the object, for example `deployment:019a...` or `service:skillforge/user-service`.
    pub object: String,
    /// The service it concerns, when there is one.
    pub service: Option<String>,
    pub environment: Option<String>,
    pub reason: Option<String>,
    pub before: Option<Value>,
    pub after: Option<Value>,
    pub request_id: String,
    pub outcome: Outcome,
    /// True once the sealer has linked the row into the chain.
    pub sealed: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct AuditFilter {
    pub actor: Option<String>,
    pub action: Option<String>,
    pub object: Option<String>,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub outcome: Option<Outcome>,
    /// Inclusive, RFC 3339.
    #[serde(with = "crate::moment::option")]
    pub from: Option<OffsetDateTime>,
    /// Exclusive, RFC 3339.
    #[serde(with = "crate::moment::option")]
    pub to: Option<OffsetDateTime>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

/// A signed statement that the chain had this hash after this row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckpointOut {
    pub position: i64,
    pub event_id: i64,
    pub hash: String,
    pub signature: String,
    pub key_id: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// Where an exported row stands in the hash chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChainOut {
    /// From 1, without a gap in a whole export.
    pub position: i64,
    /// SHA-256 of the hash before and of this row, hexadecimal.
    pub hash: String,
    /// The signature over the chain up to here, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<SignatureOut>,
    /// On the first row behind an archive: the archive that holds what was before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<ArchiveOut>,
}

/// Old rows that were moved into a file, and the signature of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ArchiveOut {
    /// The first position of the chain in it.
    pub first: i64,
    /// The last one; the chain goes on at the next.
    pub last: i64,
    /// The row at the last position.
    pub event_id: i64,
    /// The chain's hash after the last row, hexadecimal.
    pub hash: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at_us: i64,
    /// Hexadecimal.
    pub signature: String,
    pub key_id: String,
}

/// A stream of the audit to a collector, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditStreamOut {
    pub id: String,
    /// The host, or the file.
    pub to: String,
    /// `jsonl`, `ocsf` or `cef`.
    pub format: String,
    /// The last position of the chain that was taken; 0 before the first.
    pub position: i64,
    /// Sealed rows that were not taken yet.
    pub waiting: i64,
    #[serde(with = "time::serde::rfc3339::option")]
    pub sent_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub failing_since: Option<OffsetDateTime>,
    /// Why the last attempt failed; none once one went well.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub failure: Option<Text>,
}

/// An Ed25519 signature over position, row and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SignatureOut {
    /// Hexadecimal.
    pub signature: String,
    pub key_id: String,
    /// Microseconds since 1970-01-01T00:00:00Z.
    pub at_us: i64,
}

/// A line of an export as JSON lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExportedEvent {
    #[serde(flatten)]
    pub event: AuditEventOut,
    pub chain: Option<ChainOut>,
}
