//! The facts that a message about a deployment carries, written in the transaction of what happened. Words are made of them where
//! they are sent, in the language of whoever reads.

use super::store::{Awaiting, Claim, Ending, NewDeployment};
use passerelle_contract::deployments::{DeploymentState, Failure};
use passerelle_contract::{Text, text};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

/// What each of them says; the engine's claim writes the same names in SQL.
#[derive(Debug, Clone, Copy)]
pub(super) struct About<'a> {
    pub id: Uuid,
    pub operation: &'a str,
    pub version: Option<&'a str>,
    /// What ran before.
    pub previous: Option<&'a str>,
    pub asked_by: &'a str,
    pub reason: &'a str,
}

impl<'a> About<'a> {
    pub fn attempt(new: &'a NewDeployment) -> Self {
        Self {
            id: new.id,
            operation: new.operation.as_str(),
            version: new.version.as_deref(),
            previous: new.previous_version.as_deref(),
            asked_by: &new.requested_by,
            reason: &new.reason,
        }
    }

    pub fn claim(claim: &'a Claim) -> Self {
        Self {
            id: claim.id,
            operation: &claim.operation,
            version: claim.version.as_deref(),
            previous: claim.previous_version.as_deref(),
            asked_by: &claim.requested_by,
            reason: &claim.reason,
        }
    }

    pub fn awaiting(id: Uuid, row: &'a Awaiting) -> Self {
        Self {
            id,
            operation: &row.operation,
            version: row.version.as_deref(),
            previous: row.previous_version.as_deref(),
            asked_by: &row.requested_by,
            reason: &row.reason,
        }
    }

    /// The facts with some more.
    pub fn with(self, more: Value) -> Value {
        let mut facts = json!({ "deployment": self.id, "operation": self.operation, "version": self.version,
            "previous": self.previous, "asked_by": self.asked_by, "reason": self.reason });
        if let (Value::Object(facts), Value::Object(more)) = (&mut facts, more) {
            facts.extend(more);
        }
        facts
    }

    /// A request for approval: how many people, until when, and of exactly what.
    pub fn requested(self, needed: u8, until: Option<OffsetDateTime>, fingerprint: &[u8]) -> Value {
        let until = until.and_then(|at| at.format(&Rfc3339).ok());
        let fingerprint = hex::encode(fingerprint);
        self.with(json!({ "needed": needed, "until": until, "fingerprint": fingerprint, "not_to": self.asked_by }))
    }
}

/// A failure that it goes back from: the first of two messages.
pub(super) fn going_back(claim: &Claim, failure: &Failure) -> Value {
    let message = text!(
        "{why}; going back to {version}",
        why = &failure.message,
        version = claim.previous_version.as_deref().map_or_else(|| text!("what ran before"), Text::verbatim)
    );
    About::claim(claim).with(json!({ "message": message, "cause": failure.cause.as_str() }))
}

/// The end of a deployment, with the kind of its message.
pub(super) fn ended(claim: &Claim, ending: &Ending) -> (&'static str, Value) {
    let kind = match ending.state {
        DeploymentState::Succeeded => "deployment.succeeded",
        DeploymentState::RolledBack => "deployment.rolled_back",
        DeploymentState::Cancelled => "deployment.cancelled",
        DeploymentState::NeedsPerson => "deployment.needs_person",
        // The engine ends in no other state.
        _ => "deployment.failed",
    };
    let cause = ending.failure.as_ref().map(|failure| failure.cause.as_str());
    (kind, About::claim(claim).with(json!({ "message": ending.message, "cause": cause })))
}
