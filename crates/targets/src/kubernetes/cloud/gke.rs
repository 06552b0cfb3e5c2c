//! Google Kubernetes Engine: the API tells address and authority, a Google access token logs in.

use super::{Entry, Found, decoded};
use crate::base_url::BaseUrl;
use crate::bearer::Bearer;
use crate::google::Tokens;
use crate::outbound::{ANSWER_LIMIT, read_body, unreachable};
use crate::{Secret, TargetError, masking};
use async_trait::async_trait;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

const API: &str = "https://container.googleapis.com";
const WHO: &str = "Google Kubernetes Engine";

/// A cluster of Google Kubernetes Engine.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gke {
    /// Full name, `projects/PROJECT/locations/LOCATION/clusters/NAME`.
    #[schemars(title = "Cluster", example = &"projects/reactivite/locations/europe-west1-b/clusters/gke-reactivite-cluster")]
    pub cluster: ClusterName,
    /// JSON of a service account's key or of a workload identity configuration; the metadata server of the machine is asked when absent.
    #[serde(default)]
    #[schemars(title = "Credentials")]
    pub credentials: Option<Secret>,
    /// Base URL of the GKE API; Google's own when absent.
    #[serde(default)]
    #[schemars(title = "GKE API")]
    pub api: Option<BaseUrl>,
}

/// `projects/P/locations/L/clusters/C`, of letters that need no escape in a path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ClusterName(String);

impl TryFrom<String> for ClusterName {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let plain = |part: &str| {
            !part.is_empty()
                && part.len() <= 100
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte))
                && part != ".."
        };
        match text.split('/').collect::<Vec<_>>()[..] {
            ["projects", project, "locations", location, "clusters", name]
                if [project, location, name].into_iter().all(plain) =>
            {
                Ok(Self(text))
            }
            _ => Err(text!("expected projects/PROJECT/locations/LOCATION/clusters/NAME")),
        }
    }
}

impl JsonSchema for ClusterName {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "GkeCluster".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^projects/[^/]+/locations/[^/]+/clusters/[^/]+$" })
    }
}

#[derive(Debug)]
struct Login(Tokens);

#[async_trait]
impl Bearer for Login {
    async fn token(&self) -> Result<String, TargetError> {
        self.0.token().await.map_err(here)
    }
}

/// The credentials are a field of this connection.
fn here(error: TargetError) -> TargetError {
    match error {
        TargetError::Config { message, .. } => {
            TargetError::Config { pointer: "/config/gke/credentials".to_owned(), message }
        }
        other => other,
    }
}

pub(super) async fn open(
    gke: &Gke,
    http: reqwest::Client,
    given: Option<Found>,
) -> Result<(Entry, Arc<dyn Bearer>), TargetError> {
    // Whoever is asked for the address could tell one of their own.
    let addresses = given.iter().map(|found| found.server.as_str()).chain(gke.api.as_ref().map(BaseUrl::as_str));
    let tokens = Tokens::towards(addresses, http.clone(), gke.credentials.clone())
        .map_err(|message| TargetError::Config { pointer: "/config/gke/credentials".to_owned(), message })?;
    let login = Login(tokens);
    let found = match given {
        Some(found) => found,
        None => describe(gke, &http, &login).await?,
    };
    Ok((Entry::Tokens(found), Arc::new(login)))
}

async fn describe(gke: &Gke, http: &reqwest::Client, login: &Login) -> Result<Found, TargetError> {
    let api = gke.api.as_ref().map_or(API, BaseUrl::as_str);
    let request = http.get(format!("{api}/v1/{}", gke.cluster.0)).bearer_auth(login.token().await?);
    let response = request.timeout(ANSWER_LIMIT).send().await.map_err(|error| unreachable(WHO, &error))?;
    let status = response.status().as_u16();
    let answer: Value = serde_json::from_slice(&read_body(response, WHO).await?).unwrap_or_default();
    let said: String =
        masking::shown(answer["error"]["message"].as_str().unwrap_or_default()).chars().take(300).collect();
    match status {
        200..300 => found(&answer),
        404 => Err(TargetError::Missing(text!("the cluster {name}", name = &gke.cluster.0))),
        429 | 500.. => Err(TargetError::Unreachable(text!("{name} answered {status}", name = WHO, status))),
        _ => Err(TargetError::Forbidden(text!("{name} answered {status}: {said}", name = WHO, status, said))),
    }
}

fn found(cluster: &Value) -> Result<Found, TargetError> {
    let none = || TargetError::Refused(text!("{name} tells no address of the cluster yet", name = WHO));
    // The endpoint by name is signed by a public authority; the one by address, by the cluster's own.
    let dns = &cluster["controlPlaneEndpointsConfig"]["dnsEndpointConfig"];
    if let (Some(name), Some(true)) = (dns["endpoint"].as_str(), dns["allowExternalTraffic"].as_bool()) {
        return Ok(Found { server: format!("https://{name}"), ca: None });
    }
    let host = cluster["endpoint"].as_str().filter(|host| !host.is_empty()).ok_or_else(none)?;
    let ca = cluster["masterAuth"]["clusterCaCertificate"].as_str().and_then(decoded).ok_or_else(none)?;
    Ok(Found { server: format!("https://{host}"), ca: Some(ca) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cluster_is_named_in_full() {
        let of = |text: &str| ClusterName::try_from(text.to_owned()).is_ok();
        assert!(of("projects/p/locations/europe-west1-b/clusters/gke-reactivite-cluster"));
        for bad in [
            "gke",
            "projects/p/locations/l/clusters/",
            "projects/../locations/l/clusters/c",
            "projects/p/locations/l/clusters/c?x",
            "projects/p/zones/l/clusters/c",
        ] {
            assert!(!of(bad), "{bad}");
        }
    }

    #[test]
    fn address_and_authority_come_from_the_description() {
        let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        let ca = {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD.encode(pem)
        };
        let by_address = found(&json!({"endpoint": "34.1.2.3", "masterAuth": {"clusterCaCertificate": ca}})).unwrap();
        assert_eq!((by_address.server.as_str(), by_address.ca.as_deref()), ("https://34.1.2.3", Some(pem)));
        let dns = json!({"endpoint": "34.1.2.3", "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"endpoint": "gke-1.europe-west1-b.gke.goog", "allowExternalTraffic": true}}});
        assert_eq!(found(&dns).unwrap().server, "https://gke-1.europe-west1-b.gke.goog");
        assert!(matches!(found(&json!({"status": "PROVISIONING"})), Err(TargetError::Refused(_))));
        assert!(found(&json!({"endpoint": "34.1.2.3", "masterAuth": {}})).is_err(), "never without its authority");
    }
}
