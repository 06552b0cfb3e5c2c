//! An origin that credentials are sent to: TLS, or this machine.

use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use url::Url;

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

    /// Whether it leads nowhere else.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_this_machine(&url))
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let wrong = || text!("expected https://host[:port], or http:// to this machine, without a path");
        // The parser takes spaces and line ends away, and what is kept is the text.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(wrong());
        }
        let url = Url::parse(&text).map_err(|_| wrong())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        let safe = url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url));
        if bare && anonymous && safe { Ok(Self(text.trim_end_matches('/').to_owned())) } else { Err(wrong()) }
    }
}

fn is_this_machine(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// Whether an address is one of Google's own, or on this machine.
#[must_use]
pub fn is_googles(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let google = |host: &str| [".googleapis.com", ".gke.goog"].iter().any(|domain| host.ends_with(domain));
    is_this_machine(&url) || url.host_str().is_some_and(google)
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

    #[test]
    fn googles_own_addresses_are_told_from_those_that_look_like_them() {
        for (address, googles) in [
            ("https://run.googleapis.com", true),
            ("https://europe-west1-run.googleapis.com", true),
            ("https://gke-1.europe-west1-b.gke.goog", true),
            ("http://127.0.0.1:8085", true),
            ("https://run.googleapis.com.evil.example", false),
            ("https://googleapis.com:443.evil.example", false),
            ("https://evilgoogleapis.com", false),
            ("https://34.1.2.3", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_googles(address), googles, "{address}");
        }
    }
}
