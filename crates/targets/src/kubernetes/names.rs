//! Names of Kubernetes objects, checked when they are read, so that none can be anything else in a URL.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// A DNS-1123 label: a namespace or a container. At most 63 of `a-z`, `0-9`, `-`, with a letter or digit at both ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Label(String);

/// A DNS-1123 subdomain: a Deployment. At most 253 characters, labels joined by dots.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Name(String);

impl Label {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Name {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Label {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        if is_label(&text) {
            return Ok(Self(text));
        }
        Err(refusal(&text, &text!("1 to 63 of a-z, 0-9 and '-', with a letter or digit at both ends")))
    }
}

impl TryFrom<String> for Name {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        if text.len() <= 253 && text.split('.').all(is_label) {
            return Ok(Self(text));
        }
        Err(refusal(
            &text,
            &text!("1 to 253 of a-z, 0-9, '-' and '.', with a letter or digit at both ends of each part"),
        ))
    }
}

/// Goes through the reader of JSON, which keeps words and no text; so the words are of one template, which is known again.
fn refusal(text: &str, allowed: &Text) -> Text {
    let shown: String = crate::masking::shown(text).chars().take(80).collect();
    text!("'{shown}' is not a Kubernetes name; allowed: {allowed}", shown, allowed)
}

fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

impl JsonSchema for Label {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "KubernetesLabel".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 63, "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$" })
    }
}

impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "KubernetesName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "maxLength": 253,
            "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_dns_1123() {
        for good in ["a", "web-1", "0"] {
            assert!(Label::try_from(good.to_owned()).is_ok(), "{good}");
        }
        let long = "a".repeat(64);
        for bad in ["", "-a", "a-", "A", "a.b", "a/b", "../x", "a b", "é", "a\n", long.as_str()] {
            assert!(Label::try_from(bad.to_owned()).is_err(), "{bad:?}");
        }
        assert!(Name::try_from("web.v1".to_owned()).is_ok());
        assert!(Name::try_from("web..v1".to_owned()).is_err());
        assert!(Name::try_from("web?watch=1".to_owned()).is_err());
    }
}
