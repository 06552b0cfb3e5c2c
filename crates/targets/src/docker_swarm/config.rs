//! What a connection and a binding are made of, checked while they are read.

use crate::Secret;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::path::PathBuf;

/// A Docker Engine that is a Swarm manager.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectionConfig {
    /// `unix:///path/docker.sock` or `tcp://host:port`.
    pub endpoint: Endpoint,
    /// Certificates for a `tcp` endpoint that asks for them; plain HTTP when absent.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// The engine is the simulator.
    #[serde(default)]
    pub simulated: bool,
}

/// Mutual TLS as the engine does it, each file in PEM.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Authority that signed the engine's certificate.
    pub ca: Secret,
    /// Our certificate.
    pub cert: Secret,
    /// Key of our certificate.
    pub key: Secret,
}

/// One service of the Swarm.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingConfig {
    /// Full name of the service; `stack_service` when a stack made it.
    pub service: ServiceName,
}

/// Where the engine listens.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Endpoint {
    Unix(PathBuf),
    Tcp { host: String, port: u16 },
}

impl TryFrom<String> for Endpoint {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let wrong = || text!("expected unix:///path/docker.sock or tcp://host:port");
        if let Some(path) = text.strip_prefix("unix://") {
            let plain = path.starts_with('/') && path.len() <= 107 && !path.chars().any(char::is_control);
            return if plain { Ok(Self::Unix(PathBuf::from(path))) } else { Err(wrong()) };
        }
        let rest = text.strip_prefix("tcp://").ok_or_else(wrong)?;
        let url = url::Url::parse(&format!("http://{rest}")).map_err(|_| wrong())?;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let anonymous = url.username().is_empty() && url.password().is_none();
        match (url.host_str(), rest.trim_end_matches('/').rsplit(':').next().and_then(|port| port.parse().ok())) {
            (Some(host), Some(port)) if bare && anonymous && port != 0 => Ok(Self::Tcp { host: host.to_owned(), port }),
            _ => Err(wrong()),
        }
    }
}

impl JsonSchema for Endpoint {
    fn schema_name() -> Cow<'static, str> {
        "Endpoint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "title": "Endpoint",
            "description": "unix:///path/docker.sock or tcp://host:port",
            "pattern": "^(unix:///.+|tcp://[^/]+:[0-9]+/?)$"
        })
    }
}

/// Name of a Swarm service; it becomes part of a URL path, so the grammar is Swarm's own: letters, digits, `_`, `.`, `-`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceName(String);

impl ServiceName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ServiceName {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let good = text.len() <= 63 && edge(text.chars().next()) && edge(text.chars().next_back());
        if good && text.chars().all(inner) {
            Ok(Self(text))
        } else {
            Err(text!("expected the name of a service: 1 to 63 of letters, digits, '_', '.', '-'"))
        }
    }
}

impl JsonSchema for ServiceName {
    fn schema_name() -> Cow<'static, str> {
        "ServiceName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "title": "Service",
            "description": "Full name of the service, for example stack_web",
            "maxLength": 63,
            "pattern": "^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str) -> Result<Endpoint, Text> {
        Endpoint::try_from(text.to_owned())
    }

    #[test]
    fn endpoints_are_a_socket_or_a_port() {
        assert_eq!(endpoint("unix:///var/run/docker.sock"), Ok(Endpoint::Unix("/var/run/docker.sock".into())));
        assert_eq!(endpoint("tcp://127.0.0.1:2375"), Ok(Endpoint::Tcp { host: "127.0.0.1".into(), port: 2375 }));
        assert_eq!(endpoint("tcp://manager:80/"), Ok(Endpoint::Tcp { host: "manager".into(), port: 80 }));
        for text in [
            "",
            "unix://docker.sock",
            "http://h:1",
            "https://h:1",
            "tcp://h",
            "tcp://h:0",
            "tcp://u@h:1",
            "tcp://h:1/x",
            "tcp://h:99999",
            "ssh://h:22",
        ] {
            assert!(endpoint(text).is_err(), "{text}");
        }
    }

    #[test]
    fn service_names_stay_one_path_segment() {
        assert!(ServiceName::try_from("cloudtaskhub_auth.v2-a".to_owned()).is_ok());
        for text in ["", "a/b", "..", "a b", "-a", "a?x", "a%2f", &"a".repeat(64)] {
            assert!(ServiceName::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_names_the_field() {
        let swarm = crate::platform("docker_swarm").unwrap();
        let pointer = |outcome: Result<(), crate::TargetError>| match outcome {
            Err(crate::TargetError::Config { pointer, .. }) => pointer,
            other => panic!("{other:?}"),
        };
        let connection = serde_json::json!({ "endpoint": "ftp://x" });
        assert_eq!(pointer(swarm.check_connection(&connection)), "/config/endpoint");
        assert_eq!(pointer(swarm.check_binding(&serde_json::json!({ "service": "a/b" }))), "/config/service");
        assert!(swarm.check_connection(&serde_json::json!({ "endpoint": "tcp://h:1", "host": "x" })).is_err());
    }
}
