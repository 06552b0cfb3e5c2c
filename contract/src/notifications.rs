//! Notifications: which events are told, over which channels, by which rules, and what became of each message.

use crate::Text;
use crate::environments::Tier;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// What can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum EventKind {
    #[serde(rename = "deployment.started")]
    DeploymentStarted,
    #[serde(rename = "deployment.succeeded")]
    DeploymentSucceeded,
    /// Also when it goes back by itself afterwards, which is told again when it has.
    #[serde(rename = "deployment.failed")]
    DeploymentFailed,
    #[serde(rename = "deployment.rolled_back")]
    DeploymentRolledBack,
    #[serde(rename = "deployment.needs_person")]
    DeploymentNeedsPerson,
    #[serde(rename = "deployment.blocked")]
    DeploymentBlocked,
    #[serde(rename = "deployment.cancelled")]
    DeploymentCancelled,
    /// A deployment waits for approval.
    #[serde(rename = "approval.requested")]
    ApprovalRequested,
    /// An approval or a rejection.
    #[serde(rename = "approval.given")]
    ApprovalGiven,
    /// What was asked for changed, so what was said does not count any more.
    #[serde(rename = "approval.voided")]
    ApprovalVoided,
    #[serde(rename = "approval.expired")]
    ApprovalExpired,
    #[serde(rename = "break_glass.opened")]
    BreakGlassOpened,
    #[serde(rename = "break_glass.used")]
    BreakGlassUsed,
    #[serde(rename = "freeze.created")]
    FreezeCreated,
    #[serde(rename = "freeze.lifted")]
    FreezeLifted,
    #[serde(rename = "waiver.created")]
    WaiverCreated,
    /// What is left of an error budget means something else for deployments than before.
    #[serde(rename = "budget.changed")]
    BudgetChanged,
    /// An incident spent so much of an error budget that somebody has to write a post-mortem.
    #[serde(rename = "postmortem.opened")]
    PostmortemOpened,
}

impl EventKind {
    pub const ALL: [Self; 18] = [
        Self::DeploymentStarted,
        Self::DeploymentSucceeded,
        Self::DeploymentFailed,
        Self::DeploymentRolledBack,
        Self::DeploymentNeedsPerson,
        Self::DeploymentBlocked,
        Self::DeploymentCancelled,
        Self::ApprovalRequested,
        Self::ApprovalGiven,
        Self::ApprovalVoided,
        Self::ApprovalExpired,
        Self::BreakGlassOpened,
        Self::BreakGlassUsed,
        Self::FreezeCreated,
        Self::FreezeLifted,
        Self::WaiverCreated,
        Self::BudgetChanged,
        Self::PostmortemOpened,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeploymentStarted => "deployment.started",
            Self::DeploymentSucceeded => "deployment.succeeded",
            Self::DeploymentFailed => "deployment.failed",
            Self::DeploymentRolledBack => "deployment.rolled_back",
            Self::DeploymentNeedsPerson => "deployment.needs_person",
            Self::DeploymentBlocked => "deployment.blocked",
            Self::DeploymentCancelled => "deployment.cancelled",
            Self::ApprovalRequested => "approval.requested",
            Self::ApprovalGiven => "approval.given",
            Self::ApprovalVoided => "approval.voided",
            Self::ApprovalExpired => "approval.expired",
            Self::BreakGlassOpened => "break_glass.opened",
            Self::BreakGlassUsed => "break_glass.used",
            Self::FreezeCreated => "freeze.created",
            Self::FreezeLifted => "freeze.lifted",
            Self::WaiverCreated => "waiver.created",
            Self::BudgetChanged => "budget.changed",
            Self::PostmortemOpened => "postmortem.opened",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// The language that messages of a channel are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Language {
    #[default]
    En,
    Fr,
}

impl Language {
    #[must_use]
    pub const fn locale(self) -> crate::Locale {
        match self {
            Self::En => crate::Locale::En,
            Self::Fr => crate::Locale::Fr,
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "en" => Some(Self::En),
            "fr" => Some(Self::Fr),
            _ => None,
        }
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.locale().tag()
    }
}

/// A kind of channel, with the JSON Schema that its form is drawn from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelKindOut {
    pub kind: String,
    pub title: String,
    pub schema: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ChannelIn {
    /// 1 to 63 characters: a-z, 0-9 and `-`, starting with a letter.
    pub name: String,
    /// `slack`, `webhook` or `email`.
    pub kind: String,
    /// As the kind's schema says. A secret is `{"value"}`, `{"env"}`, `{"file"}` or `{"vault"}`.
    pub config: Value,
    #[serde(default)]
    pub language: Language,
    /// True when absent.
    #[serde(default)]
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ChannelPatch {
    /// A secret given as `{"set": true}` stays as it is stored.
    pub config: Option<Value>,
    pub language: Option<Language>,
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelOut {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    /// Secret values are replaced by `{"set": true}`; references stay.
    pub config: Value,
    pub language: Language,
    /// A channel that is not enabled keeps what waits for it and gets nothing new.
    pub enabled: bool,
    /// How many rules lead to it.
    pub rules: u32,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// What the peer answered to a test message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ChannelTest {
    pub delivered: bool,
    /// In the words of the peer where it gave any, else why nothing got there.
    pub answer: String,
    pub duration_ms: u64,
}

/// Which events go to a channel. What a rule leaves out is not asked; an event that concerns everything (a freeze of all) fits each rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct RuleIn {
    /// Name of the channel.
    pub channel: String,
    /// Services that this team owns, as `namespace/name`.
    pub team: Option<String>,
    /// Services of this system, as `namespace/name`.
    pub system: Option<String>,
    pub environment: Option<String>,
    pub tier: Option<Tier>,
    /// All kinds when empty.
    pub events: Vec<EventKind>,
    /// True when absent.
    pub enabled: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleOut {
    pub id: Uuid,
    pub channel: String,
    pub team: Option<String>,
    pub system: Option<String>,
    pub environment: Option<String>,
    pub tier: Option<Tier>,
    pub events: Vec<EventKind>,
    pub enabled: bool,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
}

/// Where a message is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Will be tried, for the first time or again.
    Waiting,
    Delivered,
    /// Not tried again by itself.
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Delivered, Self::Failed];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One message to one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryOut {
    /// Goes along with the message, so that a receiver can tell a repetition.
    pub id: Uuid,
    pub event: EventKind,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub deployment: Option<Uuid>,
    /// Name of the channel as it was.
    pub channel: String,
    /// A mailbox; nothing where the channel has one destination.
    pub recipient: Option<String>,
    pub state: DeliveryState,
    pub attempts: u32,
    /// What the last attempt was answered, or why it did not get there.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub answer: Option<Text>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// When it is tried next.
    #[serde(with = "time::serde::rfc3339::option")]
    pub next_at: Option<OffsetDateTime>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub ended_at: Option<OffsetDateTime>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema, utoipa::IntoParams))]
#[cfg_attr(feature = "openapi", into_params(parameter_in = Query))]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryFilter {
    pub channel: Option<String>,
    pub state: Option<DeliveryState>,
    pub event: Option<EventKind>,
    /// `namespace/name`
    pub service: Option<String>,
    pub environment: Option<String>,
    pub cursor: Option<String>,
    /// 1 to 200; 20 when absent.
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_and_the_database_have_the_same_words() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(EventKind::parse(kind.as_str()), Some(kind));
        }
        for state in DeliveryState::ALL {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
        }
    }
}
