//! The name of a folder inside something else, which it cannot leave.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// A folder inside a bucket or a bundle, with a slash at its end; empty is the top itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Folder(String);

impl Folder {
    /// One of ours.
    pub(crate) fn below(name: &'static str) -> Self {
        Self(format!("{name}/"))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Folder {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let bare = text.strip_suffix('/').unwrap_or(&text);
        if bare.is_empty() && text.is_empty() {
            return Ok(Self::default());
        }
        let plain = |part: &str| {
            !part.is_empty()
                && !part.starts_with('.')
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        };
        if bare.len() <= 200 && bare.split('/').all(plain) {
            Ok(Self(format!("{bare}/")))
        } else {
            Err(text!(
                "expected a folder: names of letters, digits, '-', '.', '_' with '/' between, none beginning with '.'"
            ))
        }
    }
}

impl JsonSchema for Folder {
    fn schema_name() -> Cow<'static, str> {
        "Folder".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 201, "examples": ["app/"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stay_where_they_are() {
        for (text, read) in [("", Some("")), ("app", Some("app/")), ("a/b-1.x/", Some("a/b-1.x/"))] {
            assert_eq!(Folder::try_from(text.to_owned()).ok().as_ref().map(Folder::as_str), read, "{text}");
        }
        for text in ["/", "/a", "a//b", "..", "a/../b", ".git", "a b", "a?b", "a\\b"] {
            assert!(Folder::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
