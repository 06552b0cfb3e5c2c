//! A row as it is hashed.

use serde::{Deserialize, Serialize};

/// Every column of an audit row, as text where the exact text counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub id: i64,
    /// Microseconds since 1970-01-01T00:00:00Z: what Postgres keeps.
    pub at_us: i64,
    pub actor: String,
    pub via: String,
    pub action: String,
    pub object: String,
    pub service: Option<String>,
    pub environment: Option<String>,
    pub reason: Option<String>,
    /// The JSON text as it was written.
    pub before: Option<String>,
    /// The JSON text as it was written.
    pub after: Option<String>,
    pub request_id: String,
    pub outcome: String,
}

impl Row {
    /// The bytes that are hashed: a version, then each column with its length before it; an absent one has the length -1.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut bytes = b"passerelle-audit-1\0".to_vec();
        bytes.extend_from_slice(&self.id.to_be_bytes());
        bytes.extend_from_slice(&self.at_us.to_be_bytes());
        let columns = [
            Some(&self.actor),
            Some(&self.via),
            Some(&self.action),
            Some(&self.object),
            self.service.as_ref(),
            self.environment.as_ref(),
            self.reason.as_ref(),
            self.before.as_ref(),
            self.after.as_ref(),
            Some(&self.request_id),
            Some(&self.outcome),
        ];
        for column in columns {
            match column {
                Some(text) => {
                    bytes.extend_from_slice(&i64::try_from(text.len()).unwrap_or(i64::MAX).to_be_bytes());
                    bytes.extend_from_slice(text.as_bytes());
                }
                None => bytes.extend_from_slice(&(-1_i64).to_be_bytes()),
            }
        }
        bytes
    }
}
