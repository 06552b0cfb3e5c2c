//! What a connection is made of, checked while it is read.

use crate::Secret;
use crate::base_url::BaseUrl;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// A bucket.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionConfig {
    /// Name of the bucket.
    pub bucket: Bucket,
    /// Which API it is reached by.
    pub store: Kind,
    /// Base URL of the API; Google's or Amazon's own when absent.
    #[serde(default)]
    pub endpoint: Option<BaseUrl>,
    /// Region of an S3 bucket; `us-east-1` when absent.
    #[serde(default)]
    pub region: Option<Region>,
    /// Access key of an S3 bucket.
    #[serde(default)]
    pub access_key_id: Option<String>,
    /// Secret that belongs to the access key.
    #[serde(default)]
    pub secret_access_key: Option<Secret>,
    /// Session token of temporary S3 credentials.
    #[serde(default)]
    pub session_token: Option<Secret>,
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

/// The protocol of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "Store")]
pub enum Kind {
    Google,
    S3,
}

/// The name of a bucket, which becomes part of a URL path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Bucket(String);

impl Bucket {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Bucket {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let plain =
            text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte));
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let edges = text.starts_with(edge) && text.ends_with(edge) && !text.contains("..");
        if plain && edges && (3..=222).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(text!(
                "expected the name of a bucket: 3 to 222 of a-z, 0-9, '-', '.', '_', with a letter or digit at both ends"
            ))
        }
    }
}

impl JsonSchema for Bucket {
    fn schema_name() -> Cow<'static, str> {
        "Bucket".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 3, "maxLength": 222 })
    }
}

/// A region's name, which becomes part of a host's name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Region(String);

impl Region {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Region {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let plain = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if plain && (1..=40).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(text!("expected a region: 1 to 40 of a-z, 0-9 and '-'"))
        }
    }
}

impl JsonSchema for Region {
    fn schema_name() -> Cow<'static, str> {
        "S3Region".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 40 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_buckets() {
        for (text, good) in [
            ("site-1.example.com", true),
            ("ab", false),
            ("-abc", false),
            ("a/b/c", false),
            ("Abc", false),
            ("a..b", false),
        ] {
            assert_eq!(Bucket::try_from(text.to_owned()).is_ok(), good, "{text}");
        }
        assert!(Region::try_from("eu-west-3".to_owned()).is_ok());
        assert!(Region::try_from("x.evil.example/".to_owned()).is_err());
    }
}
