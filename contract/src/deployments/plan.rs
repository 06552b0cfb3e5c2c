//! What a deployment would do, told before it is asked for.

use super::{EnvVar, GateOut, Replicas};
use crate::environments::{HoldOut, Tier};
use crate::{Locale, Text};
use serde::{Deserialize, Serialize};

/// What a change would do to one field of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DiffLine {
    /// For example `image tinyweb`, `env SESSION_TTL`, `replicas`; the same in every language.
    pub field: String,
    /// A value as it stands on the target, or what can be said of it.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub before: Option<Text>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub after: Option<Text>,
}

impl DiffLine {
    /// A line about values as they stand; nothing when they are the same.
    #[must_use]
    pub fn of_values(field: impl Into<String>, before: Option<String>, after: Option<String>) -> Option<Self> {
        if before == after {
            return None;
        }
        Some(Self { field: field.into(), before: before.map(Text::verbatim), after: after.map(Text::verbatim) })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    /// The deployment would fail: it is blocked.
    Error,
}

/// Something noticed before the act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Finding {
    pub severity: Severity,
    /// For example `missing_key`, `mutable_tag`, `no_probe`.
    pub code: String,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message: Text,
}

/// A dry run: what would change, and whether it may.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlanOut {
    pub service: String,
    pub environment: String,
    pub tier: Tier,
    pub simulated: bool,
    pub current_version: Option<String>,
    pub incoming_version: Option<String>,
    pub current_image: Option<String>,
    pub incoming_image: String,
    pub replicas: Replicas,
    pub diff: Vec<DiffLine>,
    pub env: Vec<EnvVar>,
    pub gates: Vec<GateOut>,
    pub findings: Vec<Finding>,
    pub hold: Option<HoldOut>,
    /// Page that compares what runs with what would run: the commits between.
    #[serde(default)]
    pub compare_url: Option<String>,
    /// The target did not answer, so parts above are missing: the reason.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub incomplete: Option<Text>,
}

impl PlanOut {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(mut self, locale: Locale) -> Self {
        self.gates = self.gates.into_iter().map(|gate| gate.into_said(locale)).collect();
        for finding in &mut self.findings {
            finding.message = std::mem::take(&mut finding.message).into_said(locale);
        }
        for line in &mut self.diff {
            line.before = line.before.take().map(|value| value.into_said(locale));
            line.after = line.after.take().map(|value| value.into_said(locale));
        }
        self.incomplete = self.incomplete.map(|why| why.into_said(locale));
        self
    }
}
