//! What a connection and a binding are made of, checked while they are read.

use super::migration::Limit;
use crate::Secret;
use crate::base_url::BaseUrl;
use crate::canary::{Pause, Steps};
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// A region of a Google Cloud project.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionConfig {
    /// Id of the project.
    pub project: Name,
    /// For example `europe-west1`.
    pub region: Name,
    /// Base URL of the Admin API; Google's own when absent.
    #[serde(default)]
    pub endpoint: Option<BaseUrl>,
    /// OAuth access token, read anew for each call, so a file that is rotated keeps working. Instead of credentials.
    #[serde(default)]
    pub token: Option<Secret>,
    /// JSON of a service account's key or of a workload identity configuration. Without it and without a token, the metadata server of
    /// the machine is asked.
    #[serde(default)]
    pub credentials: Option<Secret>,
    /// The API is the simulator.
    #[serde(default)]
    pub simulated: bool,
}

/// One service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingConfig {
    pub service: Name,
    /// Container whose image a deployment sets; needed when a revision has more than one.
    #[serde(default)]
    pub container: Option<Name>,
    /// Percentages of the traffic that a new revision gets one after the other before it gets all of it; all at once when absent.
    #[serde(default)]
    pub canary_steps: Steps,
    /// Seconds between two steps, 5 to 3600; 60 when absent.
    #[serde(default)]
    pub canary_pause_s: Pause,
    /// Cloud Run job in the same region that gets the release's image and has to succeed before a new revision is made.
    #[serde(default)]
    pub migration_job: Option<Name>,
    /// Seconds that the job may take, 30 to 7200; 600 when absent.
    #[serde(default)]
    pub migration_timeout_s: Limit,
}

/// A name that becomes part of a URL path: lower-case letters, digits and hyphens, from a letter, at most 49.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Name {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Name {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let edges = text.starts_with(|c: char| c.is_ascii_lowercase()) && !text.ends_with('-');
        if plain && edges && text.len() <= 49 {
            Ok(Self(text))
        } else {
            Err(text!("expected 1 to 49 of a-z, 0-9 and '-', from a letter, not ending with '-'"))
        }
    }
}

impl JsonSchema for Name {
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 49, "pattern": "^[a-z]([a-z0-9-]*[a-z0-9])?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_within_their_part_of_a_path() {
        assert!(Name::try_from("user-service".to_owned()).is_ok());
        for text in ["", "a/b", "A", "-a", "a-", "1a", "a.b"] {
            assert!(Name::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
