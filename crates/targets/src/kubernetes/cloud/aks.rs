//! Azure Kubernetes Service: Resource Manager hands out the cluster's kubeconfig; where the cluster logs in by Entra, a token of Entra
//! takes the place of the program that the kubeconfig names.

use super::{Entry, Found, decoded};
use crate::azure::{self, Application, Proof, Tokens};
use crate::base_url::BaseUrl;
use crate::bearer::Bearer;
use crate::{Secret, TargetError};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::Kubeconfig;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::sync::Arc;

const WHO: &str = "Azure Resource Manager";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const API: &str = "https://management.azure.com";
const API_VERSION: &str = "2024-09-01";
const API_SCOPE: &str = "https://management.azure.com/.default";
/// The application that every AKS cluster with Entra login accepts tokens for.
const CLUSTER_SCOPE: &str = "6dae42f8-4368-4678-94ff-3960e28e3630/.default";

/// A cluster of Azure Kubernetes Service, and the application of Entra that the portal is.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Aks {
    cluster: ResourceId,
    application: Application,
    api: Option<BaseUrl>,
}

/// A cluster of Azure Kubernetes Service, and the application of Entra that the portal is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// Resource id, as `az aks show --query id` prints it.
    #[schemars(title = "Cluster", example = &"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/exai-perso-rg/providers/Microsoft.ContainerService/managedClusters/exai-perso-aks")]
    cluster: ResourceId,
    /// Id or domain of the tenant.
    #[schemars(title = "Tenant")]
    tenant: Word,
    /// Id of the application (client).
    #[schemars(title = "Client id")]
    client_id: Word,
    /// A secret of the application.
    #[serde(default)]
    #[schemars(title = "Client secret")]
    client_secret: Option<Secret>,
    /// Instead of a secret, a token of another issuer that the application trusts, for example the file of a pod's service account.
    #[serde(default)]
    #[schemars(title = "Federated token")]
    federated_token: Option<Secret>,
    /// Base URL of Entra; that of the public cloud when absent.
    #[serde(default)]
    #[schemars(title = "Entra")]
    authority: Option<BaseUrl>,
    /// Base URL of Resource Manager; that of the public cloud when absent.
    #[serde(default)]
    #[schemars(title = "Resource Manager")]
    api: Option<BaseUrl>,
}

impl TryFrom<Fields> for Aks {
    type Error = Text;

    fn try_from(fields: Fields) -> Result<Self, Text> {
        let proof = match (fields.client_secret, fields.federated_token) {
            (Some(secret), None) => Proof::Secret(secret),
            (None, Some(token)) => Proof::Federated(token),
            _ => return Err(text!("give either client_secret or federated_token")),
        };
        let authority = match fields.authority {
            Some(authority) => authority,
            None => BaseUrl::try_from(AUTHORITY.to_owned())?,
        };
        let application = Application { authority, tenant: fields.tenant.0, client_id: fields.client_id.0, proof };
        Ok(Self { cluster: fields.cluster, application, api: fields.api })
    }
}

impl JsonSchema for Aks {
    fn schema_name() -> Cow<'static, str> {
        "Aks".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Fields::json_schema(generator)
    }
}

/// A name that becomes part of a path or a form.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Word(String);

impl TryFrom<String> for Word {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        if plain && (1..=253).contains(&text.len()) && !text.starts_with('.') {
            Ok(Self(text))
        } else {
            Err(text!("expected 1 to 253 letters, digits, '-' and '.'"))
        }
    }
}

impl JsonSchema for Word {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EntraWord".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 253, "pattern": "^[A-Za-z0-9-][A-Za-z0-9.-]*$" })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct ResourceId(String);

impl TryFrom<String> for ResourceId {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let plain = |part: &str| {
            (1..=90).contains(&part.len())
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_.()".contains(c))
                && !part.chars().all(|c| c == '.')
        };
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        match text.split('/').collect::<Vec<_>>()[..] {
            ["", a, subscription, b, group, c, provider, d, name]
                if same(a, "subscriptions")
                    && same(b, "resourceGroups")
                    && same(c, "providers")
                    && same(provider, "Microsoft.ContainerService")
                    && same(d, "managedClusters")
                    && [subscription, group, name].into_iter().all(plain) =>
            {
                Ok(Self(text))
            }
            _ => Err(text!(
                "expected /subscriptions/ID/resourceGroups/GROUP/providers/Microsoft.ContainerService/managedClusters/NAME"
            )),
        }
    }
}

impl JsonSchema for ResourceId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AksCluster".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^/subscriptions/[^/]+/" })
    }
}

#[async_trait]
impl Bearer for Tokens {
    async fn token(&self) -> Result<String, TargetError> {
        Self::token(self).await
    }
}

pub(super) async fn open(
    aks: &Aks,
    http: reqwest::Client,
    given: Option<Found>,
) -> Result<(Entry, Arc<dyn Bearer>), TargetError> {
    let login = Tokens::new(http.clone(), aks.application.clone(), CLUSTER_SCOPE);
    let entry = match given {
        Some(found) => Entry::Tokens(found),
        None => entry(&credentials(aks, http).await?)?,
    };
    Ok((entry, Arc::new(login)))
}

/// The kubeconfig that Resource Manager hands out.
async fn credentials(aks: &Aks, http: reqwest::Client) -> Result<String, TargetError> {
    let api = aks.api.as_ref().map_or(API, BaseUrl::as_str);
    let manager = Tokens::new(http.clone(), aks.application.clone(), API_SCOPE);
    let url = format!("{api}{}/listClusterUserCredential?api-version={API_VERSION}&format=exec", aks.cluster.0);
    // A POST without a body has to say that it has none.
    let request = http.post(url).bearer_auth(manager.token().await?).header("content-length", "0").body("");
    let answer = azure::ask(request, WHO).await?;
    let text = answer["kubeconfigs"][0]["value"].as_str().and_then(|value| STANDARD.decode(value).ok());
    let text = text.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| TargetError::Refused(text!("{name} gave {what}", name = WHO, what = text!("no kubeconfig"))))
}

/// A program that the kubeconfig would run is not run: what it would fetch is fetched here.
fn entry(text: &str) -> Result<Entry, TargetError> {
    let none = || TargetError::Refused(text!("{name} gave {what}", name = WHO, what = text!("no kubeconfig")));
    let kubeconfig = Kubeconfig::from_yaml(text).map_err(|_| none())?;
    let user = kubeconfig.auth_infos.first().and_then(|user| user.auth_info.as_ref());
    if user.is_some_and(|user| user.exec.is_none() && user.auth_provider.is_none()) {
        return Ok(Entry::Kubeconfig(text.to_owned()));
    }
    let cluster = kubeconfig.clusters.first().and_then(|cluster| cluster.cluster.as_ref()).ok_or_else(none)?;
    let server = cluster.server.clone().ok_or_else(none)?;
    let ca = cluster.certificate_authority_data.as_deref().and_then(decoded).ok_or_else(none)?;
    Ok(Entry::Tokens(Found { server, ca: Some(ca) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ID: &str = "/subscriptions/0-1/resourceGroups/exai-perso-rg/providers/Microsoft.ContainerService/managedClusters/exai-perso-aks";

    fn config(more: &Value) -> Value {
        let mut config = json!({"cluster": ID, "tenant": "exai.onmicrosoft.com", "client_id": "11111111-2222-3333-4444-555555555555"});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    }

    #[test]
    fn one_proof_is_needed_and_names_are_checked() {
        let read = |more: Value| serde_json::from_value::<Aks>(config(&more));
        assert!(read(json!({"client_secret": {"env": "S"}})).is_ok());
        assert!(read(json!({"federated_token": {"file": "/t"}})).is_ok());
        for (more, said) in [
            (json!({}), "either client_secret or federated_token"),
            (json!({"client_secret": {"env": "S"}, "federated_token": {"file": "/t"}}), "either client_secret"),
            (json!({"client_secret": {"env": "S"}, "cluster": "exai-perso-aks"}), "/subscriptions/ID"),
            (json!({"client_secret": {"env": "S"}, "cluster": format!("{ID}/../x")}), "/subscriptions/ID"),
            (json!({"client_secret": {"env": "S"}, "tenant": "a/b"}), "expected 1 to 253"),
            (json!({"client_secret": {"env": "S"}, "authority": "http://login.test"}), "https://"),
        ] {
            let error = read(more.clone()).unwrap_err().to_string();
            assert!(error.contains(said), "{more}: {error}");
        }
    }

    #[test]
    fn a_login_program_is_replaced_and_own_credentials_are_kept() {
        let ca = STANDARD.encode("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
        let kubeconfig = |user: Value| {
            json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
                "clusters": [{"name": "c", "cluster": {"server": "https://exai.hcp.francecentral.azmk8s.io:443", "certificate-authority-data": ca}}],
                "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
                "users": [{"name": "u", "user": user}]})
            .to_string()
        };
        let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "kubelogin", "args": ["get-token"]}});
        let Ok(Entry::Tokens(found)) = entry(&kubeconfig(exec)) else { panic!("a login by Entra") };
        assert_eq!(found.server, "https://exai.hcp.francecentral.azmk8s.io:443");
        assert!(matches!(entry(&kubeconfig(json!({"token": "t"}))), Ok(Entry::Kubeconfig(_))));
        assert!(matches!(entry("- no"), Err(TargetError::Refused(_))));
    }
}
