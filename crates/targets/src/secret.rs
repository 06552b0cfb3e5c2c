//! A credential inside a connection's configuration: given as a value or by reference, never shown again.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// `{"value": "..."}`, `{"env": "NAME"}` or `{"file": "/path"}`; the server puts the value in place of `{"vault": "..."}` before it comes here. It has no `Serialize` and prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Source);

#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Source {
    Value(String),
    Env(String),
    File(PathBuf),
}

/// A reference that leads nowhere. The text names the reference, not the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub enum SecretError {
    Env(String),
    File { path: String, reason: String },
}

impl SecretError {
    /// The same as a sentence.
    #[must_use]
    pub fn text(&self) -> Text {
        match self {
            Self::Env(name) => text!("environment variable {name} is not set", name),
            Self::File { path, reason } => text!("secret file {path} cannot be read: {reason}", path, reason),
        }
    }
}

impl Secret {
    #[must_use]
    pub fn from_value(value: impl Into<String>) -> Self {
        Self(Source::Value(value.into()))
    }

    /// Reads the secret; a file is read anew each time, so that a rotated credential takes effect by itself.
    ///
    /// # Errors
    /// When the variable is not set or the file cannot be read.
    pub fn reveal(&self) -> Result<String, SecretError> {
        match &self.0 {
            Source::Value(value) => Ok(value.clone()),
            Source::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone())),
            Source::File(path) => std::fs::read_to_string(path).map_err(|error| SecretError::File {
                path: path.display().to_string(),
                reason: error.kind().to_string(),
            }),
        }
    }
}

impl Secret {
    /// The file that holds the secret, for clients that read it again by themselves.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Source::File(path) => Some(path),
            Source::Value(_) | Source::Env(_) => None,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // What serde says can repeat what was given, and that may be the secret itself.
        let refused = |_: D::Error| D::Error::custom(text!("must be exactly one of value, env, file and vault"));
        Source::deserialize(deserializer).map(Self).map_err(refused)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // `format: secret` is what the forms and the masking of the server look for.
        json_schema!({
            "type": "object",
            "format": "secret",
            "description": "A secret: exactly one of value, env (name of an environment variable of the server), file (path on the server) and vault (PATH#FIELD).",
            "properties": { "value": {"type": "string"}, "env": {"type": "string"}, "file": {"type": "string"}, "vault": {"type": "string"} },
            "minProperties": 1, "maxProperties": 1, "additionalProperties": false
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_refused_is_not_repeated() {
        for given in [r#""hunter2""#, r#"{"hunter2": 1}"#, r#"{"value": ["hunter2"]}"#, r#"{"env": {"hunter2": 1}}"#] {
            let error = serde_json::from_str::<Secret>(given).unwrap_err().to_string();
            assert!(error.starts_with("must be exactly one of value, env, file and vault"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert_eq!(serde_json::from_str::<Secret>(r#"{"value": "x"}"#).unwrap().reveal().unwrap(), "x");
    }
}
