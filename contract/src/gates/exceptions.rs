//! What a scan found, and the two exceptions: a waiver for one vulnerability, break-glass for one deployment.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VulnerabilitySeverity {
    Unknown,
    Low,
    Medium,
    High,
    Critical,
}

impl VulnerabilitySeverity {
    /// Reads the word of a scanner, in any case; a word that we do not know is `Unknown`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.trim().to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" | "negligible" => Self::Low,
            _ => Self::Unknown,
        }
    }
}

/// One finding of a scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Vulnerability {
    /// For example `CVE-2024-3094`.
    pub id: String,
    pub package: String,
    pub installed: String,
    /// The version with the fix. Absent: there is none.
    pub fixed: Option<String>,
    /// The report does not say whether there is a fix, so it counts as if there were one.
    #[serde(default)]
    pub fix_unknown: bool,
    pub severity: VulnerabilitySeverity,
    pub title: String,
}

/// What a report says, in our words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Scan {
    /// `trivy` or `sarif`.
    pub format: String,
    /// Name and version of the scanner, when the report says it.
    pub scanner: String,
    /// What was scanned, as the report says it.
    pub artifact: Option<String>,
    pub critical: u32,
    pub high: u32,
    pub medium: u32,
    pub low: u32,
    pub unknown: u32,
    /// The worst first.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// The scan of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanOut {
    pub release: Uuid,
    pub scan: Scan,
    /// SHA-256 of the report as it was sent.
    pub report_sha256: String,
    pub uploaded_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub uploaded_at: OffsetDateTime,
}

/// Lets one vulnerability of one service pass until a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct WaiverIn {
    /// `namespace/name`.
    pub service: String,
    /// For example `CVE-2024-3094`.
    pub vulnerability: String,
    /// Only in this package; in any when absent.
    #[serde(default)]
    pub package: Option<String>,
    /// Why it can wait; 10 to 2,000 characters.
    pub reason: String,
    /// At most 90 days from now.
    #[serde(with = "crate::moment")]
    pub expires_at: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WaiverOut {
    pub id: Uuid,
    pub service: String,
    pub vulnerability: String,
    pub package: Option<String>,
    pub reason: String,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// It holds now.
    pub active: bool,
    pub created_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    pub revoked_by: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub revoked_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct WaiverFilter {
    /// `namespace/name`.
    pub service: String,
}

/// Opens the glass: the next deployment of the one who opens it skips the gates, once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BreakGlassIn {
    /// `namespace/name`; exactly one.
    pub service: String,
    pub environment: String,
    /// Why; 10 to 2,000 characters.
    pub reason: String,
    /// Where the incident is dealt with: an http or https address.
    #[serde(default)]
    pub incident: Option<String>,
    /// 1 to 60; 60 when absent.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// One's own password again: a session that was left open is not enough. Not needed within five minutes of a confirmation
    /// (`POST /sessions/current/confirmation`, or at one's sign-in provider).
    #[serde(default)]
    pub password: String,
}

impl std::fmt::Debug for BreakGlassIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BreakGlassIn")
            .field("service", &self.service)
            .field("environment", &self.environment)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BreakGlassOut {
    pub id: Uuid,
    pub service: String,
    pub environment: String,
    pub reason: String,
    /// Where the incident is dealt with.
    #[serde(default)]
    pub incident: Option<String>,
    pub opened_by: String,
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub expires_at: OffsetDateTime,
    /// The deployment that used it up.
    pub used_by: Option<Uuid>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub used_at: Option<OffsetDateTime>,
}
