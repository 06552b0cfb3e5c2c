//! Post-mortems to be written: one for each incident that spent more than a fifth of an error budget.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PostmortemState {
    /// Nobody has written one yet.
    Open,
    Closed,
}

/// A task: one incident, and what was learnt of it once somebody has closed it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PostmortemOut {
    pub id: Uuid,
    pub state: PostmortemState,
    /// The objective whose budget was spent.
    pub slo: Uuid,
    pub objective: String,
    /// `namespace/name`.
    pub service: String,
    /// Absent: the objective counts for every environment.
    pub environment: Option<String>,
    /// The first failure, to the minute.
    #[serde(with = "time::serde::rfc3339")]
    pub began_at: OffsetDateTime,
    /// The last failure so far.
    #[serde(with = "time::serde::rfc3339")]
    pub ended_at: OffsetDateTime,
    /// Bad events (or slices) between the two.
    pub bad: f64,
    /// The share of the budget that they were, when it was last looked at.
    pub spent: f64,
    #[serde(with = "time::serde::rfc3339")]
    pub opened_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub closed_at: Option<OffsetDateTime>,
    pub closed_by: Option<String>,
    /// Where it is written.
    pub link: Option<String>,
    pub words: Option<String>,
}

/// What closes one: a link, words, or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PostmortemCloseIn {
    /// An http or https address.
    pub link: Option<String>,
    /// 10 to 2,000 characters.
    pub words: Option<String>,
}

/// Filters; all are optional and combine with "and".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PostmortemFilter {
    /// `namespace/name`.
    pub service: Option<String>,
    pub slo: Option<Uuid>,
    pub state: Option<PostmortemState>,
}
