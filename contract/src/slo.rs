//! Service level objectives and their error budgets.

use crate::environments::Tier;
use crate::problem::FieldError;
use crate::{Locale, Text, text};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// What a budget means for a deployment, in the order of how much it hinders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BudgetVerdict {
    Ok,
    Warn,
    Approval,
    Block,
}

impl BudgetVerdict {
    pub const ALL: [Self; 4] = [Self::Ok, Self::Warn, Self::Approval, Self::Block];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Approval => "approval",
            Self::Block => "block",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// What the figures are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SloState {
    Ok,
    NoTraffic,
    Partial,
    NoData,
}

/// Why a verdict is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SloCause {
    BudgetLeft,
    BudgetLow,
    BudgetExhausted,
    NoTraffic,
    NoData,
    Stale,
    Partial,
}

/// An SLO as a line of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SloRow {
    pub id: Uuid,
    /// Unique for the service.
    pub name: String,
    pub title: String,
    /// `namespace/name`.
    pub service: String,
    /// Absent: counts for every environment.
    pub environment: Option<String>,
    /// Percent of good events.
    pub objective: f64,
    /// `30d` (rolling) or `1M Europe/Paris` (calendar).
    pub window: String,
    /// Share of the budget that is left; below 0 when overspent. Absent before the first measurement.
    pub remaining_ratio: Option<f64>,
    /// Burn rates over `1h`, `6h` and `3d`; 1 spends exactly the budget in the period.
    pub burn: BTreeMap<String, f64>,
    pub verdict: Option<BudgetVerdict>,
    pub state: SloState,
    /// The source of the figures is a simulator.
    pub simulated: bool,
    /// What was left of the whole budget at even distances over the period, the oldest first.
    pub sparkline: Vec<f64>,
}

/// An SLO with its figures now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SloOut {
    pub id: Uuid,
    pub name: String,
    pub title: String,
    pub description: Option<String>,
    /// `namespace/name`.
    pub service: String,
    pub environment: Option<String>,
    /// Name of the connection that is asked.
    pub connection: String,
    /// The source behind it is a simulator.
    pub simulated: bool,
    /// `openslo` or `five_line`.
    pub format: String,
    /// What it says, in English and French.
    pub reads_as: BTreeMap<String, String>,
    /// Percent of good events.
    pub objective: f64,
    pub window: String,
    /// `events` or `slices`.
    pub unit: String,
    pub good: f64,
    pub bad: f64,
    pub total: f64,
    /// How many may be bad, of the total so far.
    pub budget_total: f64,
    /// How many more may be bad; below 0 when overspent.
    pub budget_remaining: f64,
    /// Share of the budget that is left.
    pub remaining_ratio: f64,
    /// The same in six exact digits.
    pub remaining: String,
    /// The whole budget as time, in seconds, for events that come evenly.
    pub budget_seconds: f64,
    pub burn: BTreeMap<String, f64>,
    pub alerts: Vec<AlertPairOut>,
    pub verdict: BudgetVerdict,
    pub causes: Vec<SloCause>,
    /// What it means for deployments to each environment that the service is bound to and that it counts for.
    pub stands: Vec<SloStanding>,
    /// The ladder that `verdict` was found on.
    pub policy: SloPolicy,
    pub state: SloState,
    /// Share of the period that was seen, 0 to 1.
    pub coverage: f64,
    /// Age of the newest measurement in seconds.
    pub data_age_s: Option<u64>,
    /// When it is gone at the larger of the 1 h and 6 h burn rates.
    #[serde(with = "time::serde::rfc3339::option")]
    pub exhausts_at: Option<OffsetDateTime>,
    /// The same, with what leaves the window meanwhile.
    #[serde(with = "time::serde::rfc3339::option")]
    pub exhausts_with_relief_at: Option<OffsetDateTime>,
    /// When a spent budget is above 0 again, at the present rate.
    #[serde(with = "time::serde::rfc3339::option")]
    pub frees_at: Option<OffsetDateTime>,
    /// At the end of a calendar period, at the present rate.
    pub projected_remaining_ratio: Option<f64>,
    #[serde(with = "time::serde::rfc3339")]
    pub period_from: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub period_to: OffsetDateTime,
    /// Why the last reading of the source failed.
    pub source_error: Option<String>,
    /// Share by which the source's own count of a day differs.
    pub drift: Option<f64>,
    pub corrections: Vec<CorrectionOut>,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// What a budget means for deployments to one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SloStanding {
    pub environment: String,
    pub tier: Tier,
    pub verdict: BudgetVerdict,
    pub causes: Vec<SloCause>,
}

/// Where the steps of a tier's ladder are, in percent of the budget that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SloPolicy {
    /// Below this, a deployment is warned of it; -100 to 100.
    pub warn_below: i32,
    /// Below this, somebody has to approve; at most `warn_below`.
    pub approval_below: i32,
    /// At this and below, deployments are blocked; at most `approval_below`.
    pub block_at: i32,
    /// The least verdict when data is missing, stale or partial.
    pub missing: BudgetVerdict,
}

/// The ladder of a tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SloPolicyOut {
    pub tier: Tier,
    pub policy: SloPolicy,
}

/// How many SLOs have each verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SloCounts {
    pub ok: u64,
    pub warn: u64,
    pub approval: u64,
    pub block: u64,
    /// Never measured yet.
    pub unmeasured: u64,
}

/// A pair of alert windows with its burn now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlertPairOut {
    /// `page` or `ticket`.
    pub severity: String,
    /// For example `1h`.
    pub long: String,
    /// For example `5m`.
    pub short: String,
    /// Fires when the burn over both windows is above it.
    pub factor: f64,
    pub burn_long: f64,
    pub burn_short: f64,
    pub firing: bool,
    /// Even a total outage does not burn so fast.
    pub unreachable: bool,
}

/// Filters of the list; all are optional and combine with "and".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SloFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    /// `namespace/name` of the owning team.
    pub team: Option<String>,
    /// `namespace/name`.
    pub system: Option<String>,
    /// Those that count for deployments to this environment.
    pub environment: Option<String>,
    pub verdict: Option<BudgetVerdict>,
    /// Words that the title, the name or the service has, in any case.
    pub q: Option<String>,
    pub sort: Option<SloSort>,
    pub cursor: Option<String>,
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum SloSort {
    /// Least budget left first; what was never measured comes before all.
    #[default]
    Remaining,
    /// Service, then name.
    Name,
}

/// How a file is imported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SloImportOptions {
    /// `namespace/name`; wins over what the file says.
    pub service: Option<String>,
    /// For objectives whose service is not told: each belongs to the service of this namespace that its name begins with, so that
    /// "Order Service Error Rate" is one of `order-service`.
    pub namespace: Option<String>,
    pub environment: Option<String>,
    /// Name of a connection of kind `prometheus`; wins over the file's data source.
    pub connection: Option<String>,
    /// An alert needs at least so many bad events in its long window; as it was when absent, 0 for a new one.
    pub min_bad_events: Option<u32>,
    /// Only say what would happen.
    pub dry_run: bool,
    /// Counter of requests for the five-line format; `http_requests_total` when absent.
    pub requests_metric: Option<String>,
    /// Histogram of durations in seconds for it; `http_request_duration_seconds` when absent.
    pub durations_metric: Option<String>,
    /// Label that names the service; `service` when absent.
    pub service_label: Option<String>,
    /// Value of that label; the name of the service when absent.
    pub service_value: Option<String>,
    /// Label of the status code; `code` when absent.
    pub code_label: Option<String>,
    /// Anchored regular expression of failing codes; `5..` when absent.
    pub bad_codes: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SloImportReport {
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub slos: Vec<ImportedSlo>,
    /// What was assumed.
    pub warnings: Vec<SloFileNote>,
    /// With anything here, nothing was imported.
    pub errors: Vec<SloFileNote>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImportedSlo {
    /// Absent in a dry run of a new one.
    pub id: Option<Uuid>,
    pub name: String,
    pub service: String,
    /// `created`, `updated` or `unchanged`.
    pub change: String,
    pub reads_as: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SloFileNote {
    pub line: u32,
    pub pointer: String,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub message: Text,
}

impl SloImportReport {
    /// The same in the language of its reader.
    #[must_use]
    pub fn into_said(mut self, locale: Locale) -> Self {
        for note in self.warnings.iter_mut().chain(&mut self.errors) {
            note.message = std::mem::take(&mut note.message).into_said(locale);
        }
        self
    }
}

impl SloFileNote {
    #[must_use]
    pub fn to_field(&self) -> FieldError {
        FieldError::new(self.pointer.clone(), text!("line {line}: {message}", line = self.line, message = self.message))
    }
}

/// Changes of an SLO; its file is changed by importing again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SloPatch {
    /// A document with exactly one objective, OpenSLO v1; keeps the name.
    pub source: Option<String>,
    pub connection: Option<String>,
    /// An alert needs at least so many bad events in its long window.
    pub min_bad_events: Option<u32>,
}

/// A stretch of time that does not count.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CorrectionIn {
    #[serde(with = "crate::moment")]
    pub from: OffsetDateTime,
    #[serde(with = "crate::moment")]
    pub to: OffsetDateTime,
    /// 10 to 2,000 characters.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CorrectionOut {
    pub id: Uuid,
    #[serde(with = "time::serde::rfc3339")]
    pub from: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub to: OffsetDateTime,
    pub reason: String,
    pub approver: String,
    /// Share of the budget that was left before it.
    pub remaining_before: String,
    pub remaining_after: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
}

/// Which part of the history.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SloHistoryFilter {
    /// The period's begin when absent.
    #[serde(with = "crate::moment::option")]
    pub from: Option<OffsetDateTime>,
    /// Now when absent.
    #[serde(with = "crate::moment::option")]
    pub to: Option<OffsetDateTime>,
}

/// One hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SloHistoryPoint {
    /// The end of the hour.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    pub bad: f64,
    pub total: f64,
    /// Share of the budget that was left then.
    pub remaining_ratio: f64,
    /// Burn rate of the hour.
    pub burn: f64,
    /// Minutes of the hour that were seen.
    pub known: u32,
}

/// Which rules, in which form.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RulesFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    pub form: Option<RulesForm>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RulesForm {
    /// A file for `rule_files`.
    #[default]
    Rules,
    /// An object for the Prometheus operator.
    PrometheusRule,
    /// A file for `promtool test rules`.
    Tests,
    /// Ready alerts: CPU, memory, crash loops, response time, error rate, down.
    Ready,
}
