//! How to reach a cluster.

use super::cloud::{Aks, Eks, Gke, Login};
use crate::Secret;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use std::borrow::Cow;
use url::Url;

/// A connection's configuration: exactly one of `kubeconfig`, `in_cluster`, `server` (with `token`), `gke`, `eks` and `aks`.
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
    Kubeconfig {
        kubeconfig: Secret,
        context: Option<String>,
    },
    InCluster,
    Server {
        server: Url,
        ca: Option<Certificate>,
        token: Secret,
    },
    /// The cloud is asked for tokens, and for the address too when there is none.
    Cloud {
        login: Login,
        server: Option<Url>,
        ca: Option<Certificate>,
    },
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
    {"required": ["server", "token"]},
    {"required": ["gke"]},
    {"required": ["eks"]},
    {"required": ["aks"]}
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
    /// Google Kubernetes Engine.
    #[serde(default)]
    #[schemars(title = "GKE")]
    gke: Option<Gke>,
    /// Amazon Elastic Kubernetes Service.
    #[serde(default)]
    #[schemars(title = "EKS")]
    eks: Option<Eks>,
    /// Azure Kubernetes Service.
    #[serde(default)]
    #[schemars(title = "AKS")]
    aks: Option<Aks>,
    /// Address of the API server, `https://host:port`; with GKE, EKS and AKS only where the cloud is not to be asked for it.
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
        let Fields { kubeconfig, context, in_cluster, gke, eks, aks, server, ca, token, simulated } = fields;
        if context.is_some() && kubeconfig.is_none() {
            return Err(text!("context goes with kubeconfig"));
        }
        if (ca.is_some() || token.is_some()) && server.is_none() {
            return Err(text!("ca and token go with server"));
        }
        let mut logins =
            gke.map(Login::Gke).into_iter().chain(eks.map(Login::Eks)).chain(aks.map(Login::Aks)).collect::<Vec<_>>();
        if token.is_some() && !logins.is_empty() {
            return Err(text!("a token does not go with gke, eks or aks, which fetch their own"));
        }
        let one = || text!("exactly one of kubeconfig, in_cluster: true, server, gke, eks and aks is needed");
        let login = logins.pop();
        if !logins.is_empty() {
            return Err(one());
        }
        let access = match (kubeconfig, in_cluster, login, server) {
            (Some(kubeconfig), false, None, None) => Access::Kubeconfig { kubeconfig, context },
            (None, true, None, None) => Access::InCluster,
            (None, false, Some(login), server) => Access::Cloud { login, server, ca },
            (None, false, None, Some(server)) => {
                let token = token.ok_or(text!("server needs a token"))?;
                Access::Server { server, ca, token }
            }
            _ => return Err(one()),
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

    const GKE: &str = "projects/p/locations/europe-west1-b/clusters/gke-reactivite-cluster";

    #[test]
    fn a_wrong_field_of_a_cloud_is_pointed_at() {
        for (config, pointer) in [
            (json!({"gke": {"cluster": "gke-reactivite-cluster"}}), "/config/gke/cluster"),
            (json!({"eks": {"region": "eu/west", "cluster": "c"}}), "/config/eks/region"),
            (json!({"eks": {"region": "eu-west-3", "cluster": "c", "role_arn": "r"}}), "/config/eks/role_arn"),
            (json!({"aks": {"cluster": "c"}}), "/config/aks/cluster"),
        ] {
            let Err(TargetError::Config { pointer: found, .. }) = check(&config) else { panic!("{config} passed") };
            assert_eq!(found, pointer);
        }
    }

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
            json!({"gke": {"cluster": GKE}}),
            json!({"gke": {"cluster": GKE, "credentials": {"file": "/key.json"}}, "server": "https://10.0.0.1", "ca": "PEM"}),
            json!({"eks": {"region": "eu-west-3", "cluster": "fil-rouge"}}),
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
            json!({"gke": {"cluster": GKE}, "eks": {"region": "eu-west-3", "cluster": "c"}}),
            json!({"gke": {"cluster": GKE}, "in_cluster": true}),
            json!({"gke": {"cluster": GKE}, "server": "https://10.0.0.1", "token": {"value": "t"}}),
            json!({"gke": {"cluster": GKE}, "ca": "PEM"}),
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
