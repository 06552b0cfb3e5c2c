//! What happened, as the outbox holds it.

use passerelle_contract::Text;
use passerelle_contract::deployments::Operation;
use passerelle_contract::gates::{ApprovalDecision, FreezeScope, WaiverIn};
use passerelle_contract::notifications::EventKind;
use passerelle_contract::slo::BudgetVerdict;
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

/// One row of the outbox.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: i64,
    pub at: OffsetDateTime,
    pub kind: EventKind,
    /// `namespace/name`; none for what is about no single service.
    pub service: Option<String>,
    pub environment: Option<String>,
    pub facts: Facts,
}

/// All that the writers of events say; each kind says some of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Of freezes, waivers and broken glass.
    pub id: Option<Uuid>,
    pub deployment: Option<Uuid>,
    pub operation: Option<Operation>,
    pub version: Option<String>,
    pub previous: Option<String>,
    pub asked_by: Option<String>,
    pub reason: Option<String>,
    /// What happened, in a sentence.
    pub message: Option<Text>,
    /// The named cause of a failure.
    pub cause: Option<String>,
    pub by: Option<String>,
    pub decision: Option<ApprovalDecision>,
    pub comment: Option<String>,
    pub needed: Option<u8>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub until: Option<OffsetDateTime>,
    /// Hexadecimal; of what was asked for.
    pub fingerprint: Option<String>,
    pub title: Option<String>,
    pub scope: Option<FreezeScope>,
    pub minutes: Option<u32>,
    pub incident: Option<String>,
    pub waiver: Option<WaiverIn>,
    /// The objective of a budget.
    pub slo: Option<Uuid>,
    pub verdict: Option<BudgetVerdict>,
    pub verdict_before: Option<BudgetVerdict>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub began_at: Option<OffsetDateTime>,
}

impl Facts {
    /// A payload of another version of the portal may say things otherwise; then the event is told with what its row says.
    pub fn read(payload: &Value) -> Self {
        Self::deserialize(payload).unwrap_or_else(|error| {
            tracing::warn!(%error, "the facts of an event cannot be read; it is told without them");
            Self {
                deployment: payload.get("deployment").and_then(Value::as_str).and_then(|id| id.parse().ok()),
                ..Self::default()
            }
        })
    }
}
