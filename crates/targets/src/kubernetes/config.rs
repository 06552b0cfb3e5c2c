//! How to reach a cluster.

use crate::Secret;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::borrow::Cow;
use url::Url;

/// A connection's configuration: exactly one of `kubeconfig`, `in_cluster` and `server` (with `token`).
#[derive(Debug, Deserialize)]
#[serde(try_from = "Fields")]
pub struct ConnectionConfig {
    pub access: Access,
    /// The cluster is a simulation; the pages say so.
    pub simulated: bool,
}

/// Where the address and the credentials come from.
#[derive(Debug)]
pub enum Access {
    Kubeconfig { kubeconfig: Secret, context: Option<String> },
    InCluster,
    Server { server: Url, ca: Option<Certificate>, token: Secret },
}

/// Certificates in PEM, as they are or by reference.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Certificate {
    Pem(String),
    Reference(Secret),
}

/// The same on the wire: flat, so that errors point at a field and forms stay simple.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [
    {"required": ["kubeconfig"]},
    {"required": ["in_cluster"], "properties": {"in_cluster": {"const": true}}},
    {"required": ["server", "token"]}
]))]
struct Fields {
    /// A kubeconfig with embedded certificates (`kubectl config view --raw --flatten`). Plug-ins that run commands are refused.
    #[serde(default)]
    #[schemars(title = "Kubeconfig")]
    kubeconfig: Option<Secret>,
    /// Context of the kubeconfig; its current context when absent.
    #[serde(default)]
    #[schemars(title = "Context")]
    context: Option<String>,
    /// Use the service account of the pod that the portal runs in.
    #[serde(default)]
    #[schemars(title = "This cluster")]
    in_cluster: bool,
    /// Address of the API server, `https://host:port`.
    #[serde(default)]
    #[schemars(title = "API server", with = "Option<String>", extend("format" = "uri"))]
    server: Option<Url>,
    /// Certificate authority of the API server in PEM; the machine's own when absent.
    #[serde(default)]
    #[schemars(title = "Certificate authority")]
    ca: Option<Certificate>,
    /// Bearer token of a service account. A file is read anew when it changes.
    #[serde(default)]
    #[schemars(title = "Token")]
    token: Option<Secret>,
    /// The cluster is a simulation; the pages say so.
    #[serde(default)]
    #[schemars(title = "Simulated")]
    simulated: bool,
}

impl TryFrom<Fields> for ConnectionConfig {
    type Error = Text;

    fn try_from(fields: Fields) -> Result<Self, Text> {
        let Fields { kubeconfig, context, in_cluster, server, ca, token, simulated } = fields;
        if context.is_some() && kubeconfig.is_none() {
            return Err(text!("context goes with kubeconfig"));
        }
        if (ca.is_some() || token.is_some()) && server.is_none() {
            return Err(text!("ca and token go with server"));
        }
        let access = match (kubeconfig, in_cluster, server) {
            (Some(kubeconfig), false, None) => Access::Kubeconfig { kubeconfig, context },
            (None, true, None) => Access::InCluster,
            (None, false, Some(server)) => {
                let token = token.ok_or(text!("server needs a token"))?;
                Access::Server { server, ca, token }
            }
            _ => return Err(text!("exactly one of kubeconfig, in_cluster: true and server is needed")),
        };
        Ok(Self { access, simulated })
    }
}

impl JsonSchema for ConnectionConfig {
    fn schema_name() -> Cow<'static, str> {
        "KubernetesConnection".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Fields::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use crate::{TargetError, platform};
    use serde_json::{Value, json};

    fn check(config: &Value) -> Result<(), TargetError> {
        platform("kubernetes").unwrap().check_connection(config)
    }

    #[test]
    fn each_way_in_is_accepted_alone() {
        for config in [
            json!({"kubeconfig": {"file": "/etc/passerelle/kubeconfig"}}),
            json!({"kubeconfig": {"env": "KUBECONFIG_TEXT"}, "context": "prod", "simulated": true}),
            json!({"in_cluster": true}),
            json!({"server": "https://10.0.0.1:6443", "token": {"value": "t"}, "ca": "-----BEGIN CERTIFICATE-----"}),
            json!({"server": "https://10.0.0.1:6443", "token": {"file": "/t"}, "ca": {"file": "/ca.crt"}}),
        ] {
            assert_eq!(check(&config), Ok(()), "{config}");
        }
    }

    #[test]
    fn mixtures_and_unknown_fields_are_refused() {
        for config in [
            json!({}),
            json!({"in_cluster": false}),
            json!({"kubeconfig": {"file": "/k"}, "in_cluster": true}),
            json!({"kubeconfig": {"file": "/k"}, "token": {"value": "t"}}),
            json!({"server": "https://10.0.0.1:6443"}),
            json!({"in_cluster": true, "context": "x"}),
            json!({"in_cluster": true, "exec": "sh"}),
            json!({"server": "nonsense", "token": {"value": "t"}}),
            json!({"kubeconfig": "/k"}),
        ] {
            assert!(matches!(check(&config), Err(TargetError::Config { .. })), "{config}");
        }
    }

    #[test]
    fn the_schema_marks_secrets() {
        let schema = platform("kubernetes").unwrap().connection_schema();
        let text = schema.to_string();
        assert!(text.contains(r#""format":"secret""#), "{text}");
        assert!(schema["oneOf"].is_array() && schema["properties"]["in_cluster"]["type"] == "boolean", "{text}");
    }
}
