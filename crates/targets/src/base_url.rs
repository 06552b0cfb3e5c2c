//! An origin that credentials are sent to: TLS, or this machine.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// `https://host[:port]` without a path; `http` to this machine only.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let wrong = || text!("expected https://host[:port], or http:// to this machine, without a path");
        let url = url::Url::parse(&text).map_err(|_| wrong())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
        let safe = url.scheme() == "https" || (url.scheme() == "http" && here);
        if bare && anonymous && safe { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err(wrong()) }
    }
}

impl JsonSchema for BaseUrl {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "BaseUrl".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_this_machine_by_tls_only() {
        for (text, good) in [
            ("https://eks.eu-west-3.amazonaws.com", true),
            ("http://127.0.0.1:5001/", true),
            ("http://eks.eu-west-3.amazonaws.com", false),
            ("http://127.0.0.1.evil.test", false),
            ("https://u:p@host", false),
            ("https://host/path", false),
            ("https://host?x=1", false),
            ("ftp://host", false),
        ] {
            assert_eq!(BaseUrl::try_from(text.to_owned()).is_ok(), good, "{text}");
        }
    }
}
