//! A registry as a connection: its host, and who asks there.

use super::place::normal;
use crate::Secret;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;

/// A registry of container images. Nothing is deployed to it: it is asked whether an image is there before it is deployed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistryConfig {
    /// Host as the images name it: `docker.io`, `ghcr.io`, `europe-west1-docker.pkg.dev`, `exai.azurecr.io`, `registry.example:5000`.
    #[schemars(title = "Host")]
    pub host: RegistryHost,
    /// Who asks; nobody when absent. Google: `_json_key`. Amazon: `AWS`. Azure: the id of a service principal.
    #[serde(default)]
    #[schemars(title = "User name", with = "Option<String>")]
    pub username: Option<String>,
    /// Password or access token with the right to read. A file is read anew each time.
    #[serde(default)]
    #[schemars(title = "Password")]
    pub password: Option<Secret>,
}

/// `host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct RegistryHost(String);

impl RegistryHost {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RegistryHost {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let (name, port) = text.split_once(':').map_or((text.as_str(), None), |(name, port)| (name, Some(port)));
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let good = name.len() <= 253
            && name.split('.').all(label)
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|number| number > 0) && !port.starts_with('+'));
        if good { Ok(Self(normal(&text))) } else { Err(text!("expected host or host:port, without https://")) }
    }
}

impl JsonSchema for RegistryHost {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RegistryHost".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 259, "examples": ["ghcr.io"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_hosts() {
        let host = |text: &str| RegistryHost::try_from(text.to_owned()).map(|host| host.0);
        assert_eq!(host("GHCR.io").as_deref(), Ok("ghcr.io"));
        assert_eq!(host("index.docker.io").as_deref(), Ok("docker.io"));
        assert_eq!(host("127.0.0.1:15000").as_deref(), Ok("127.0.0.1:15000"));
        for bad in [
            "",
            "https://ghcr.io",
            "ghcr.io/acme",
            "a b",
            "user@host",
            "host:0",
            "host:99999",
            "host:",
            "-a.b",
            "a..b",
            "host:+5",
        ] {
            assert!(host(bad).is_err(), "{bad:?}");
        }
    }
}
