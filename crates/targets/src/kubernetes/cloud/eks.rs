//! Elastic Kubernetes Service: the API tells address and authority, a presigned call of STS logs in.

use super::{Entry, Found, decoded};
use crate::aws::{self, Credentials, Given, Keys, Place, Scope};
use crate::base_url::BaseUrl;
use crate::bearer::{Bearer, Kept, Timed};
use crate::{Secret, TargetError};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const WHO: &str = "AWS EKS";
/// A token is taken for 15 minutes from its signature on, whatever it says itself.
const TOKEN_LIFE: Duration = Duration::from_secs(900);
const MARGIN: Duration = Duration::from_secs(300);
/// What AWS's own client writes as the life of the presigned call.
const CALL_LIFE: Duration = Duration::from_secs(60);

/// A cluster of Elastic Kubernetes Service. Without keys and token, those of the machine are used.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Eks {
    region: String,
    cluster: String,
    given: Given,
    api: Option<BaseUrl>,
    sts: Option<BaseUrl>,
}

/// A cluster of Elastic Kubernetes Service. Without keys and token, those of the machine are used.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// For example `eu-west-3`.
    #[schemars(title = "Region", example = &"eu-west-3")]
    region: Word,
    /// Name of the cluster.
    #[schemars(title = "Cluster")]
    cluster: Word,
    /// Id of an access key, with its secret.
    #[serde(default)]
    #[schemars(title = "Access key id", with = "Option<String>")]
    access_key_id: Option<Word>,
    /// The secret of the access key.
    #[serde(default)]
    #[schemars(title = "Secret access key")]
    secret_access_key: Option<Secret>,
    /// Only with temporary keys.
    #[serde(default)]
    #[schemars(title = "Session token")]
    session_token: Option<Secret>,
    /// Role that is taken, `arn:aws:iam::ACCOUNT:role/NAME`; with a web identity token, the role that trusts its issuer.
    #[serde(default)]
    #[schemars(title = "Role", with = "Option<String>")]
    role_arn: Option<RoleArn>,
    /// Token of another issuer that the role trusts, for example the file of a pod's service account.
    #[serde(default)]
    #[schemars(title = "Web identity token")]
    web_identity_token: Option<Secret>,
    /// Base URL of the EKS API; AWS's own when absent.
    #[serde(default)]
    #[schemars(title = "EKS API")]
    api: Option<BaseUrl>,
    /// Base URL of STS for taking a role; AWS's own when absent.
    #[serde(default)]
    #[schemars(title = "STS API")]
    sts: Option<BaseUrl>,
}

impl TryFrom<Fields> for Eks {
    type Error = Text;

    fn try_from(fields: Fields) -> Result<Self, Text> {
        let role = fields.role_arn.map(|role| role.0);
        let given = match (fields.access_key_id, fields.secret_access_key, fields.web_identity_token) {
            (Some(id), Some(secret), None) => Given::Keys { id: id.0, secret, session: fields.session_token, role },
            (None, None, Some(token)) => {
                let role = role.ok_or(text!("a web identity token goes with role_arn"))?;
                Given::WebIdentity { role, token }
            }
            (None, None, None) => Given::Machine { role },
            (Some(_), None, _) | (None, Some(_), _) => {
                return Err(text!("access_key_id and secret_access_key go together"));
            }
            (Some(_), Some(_), Some(_)) => return Err(text!("give either an access key or a web identity token")),
        };
        Ok(Self { region: fields.region.0, cluster: fields.cluster.0, given, api: fields.api, sts: fields.sts })
    }
}

impl JsonSchema for Eks {
    fn schema_name() -> Cow<'static, str> {
        "Eks".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Fields::json_schema(generator)
    }
}

/// A name that becomes part of a host or a path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct Word(String);

impl TryFrom<String> for Word {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if plain && (1..=128).contains(&text.len()) && !text.starts_with('-') {
            Ok(Self(text))
        } else {
            Err(text!("expected 1 to 128 letters, digits, '-' and '_'"))
        }
    }
}

impl JsonSchema for Word {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Word".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 128, "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]*$" })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
struct RoleArn(String);

impl TryFrom<String> for RoleArn {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let role = |name: &str| name.starts_with("role/") && !name.chars().any(|c| c.is_whitespace() || c.is_control());
        match parts[..] {
            ["arn", partition, "iam", "", account, name]
                if partition.starts_with("aws")
                    && account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && role(name) =>
            {
                Ok(Self(text))
            }
            _ => Err(text!("expected arn:aws:iam::ACCOUNT:role/NAME")),
        }
    }
}

#[derive(Debug)]
struct Login {
    credentials: Credentials,
    region: String,
    cluster: String,
    kept: Kept<String>,
}

#[async_trait]
impl Bearer for Login {
    async fn token(&self) -> Result<String, TargetError> {
        let sign = || async {
            let keys = self.credentials.keys().await?;
            let token = token(&keys, &self.region, &self.cluster, SystemTime::now())?;
            Ok(Timed::new(token, TOKEN_LIFE, MARGIN))
        };
        self.kept.get(sign).await
    }
}

fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// The address of a signed call that tells who the caller is, bound to the cluster by a header; the API server makes that call.
fn token(keys: &Keys, region: &str, cluster: &str, at: SystemTime) -> Result<String, TargetError> {
    let address = format!("https://sts.{region}.{}/?Action=GetCallerIdentity&Version=2011-06-15", suffix(region));
    let request = http::Request::get(address).header("x-k8s-aws-id", cluster).body(Vec::new());
    let request = request.map_err(|_| TargetError::Refused(text!("the request to AWS cannot be signed")))?;
    let address = aws::presigned(request, keys, Scope { region, service: "sts", at }, CALL_LIFE)?;
    Ok(format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(address)))
}

pub(super) async fn open(
    eks: &Eks,
    http: reqwest::Client,
    given: Option<Found>,
) -> Result<(Entry, Arc<dyn Bearer>), TargetError> {
    let region = eks.region.clone();
    let sts = eks
        .sts
        .as_ref()
        .map_or_else(|| format!("https://sts.{region}.{}", suffix(&region)), |url| url.as_str().to_owned());
    let place = Place { http: http.clone(), region: region.clone(), sts };
    let credentials = Credentials::new(place, eks.given.clone());
    let found = match given {
        Some(found) => found,
        None => describe(eks, &http, &credentials.keys().await?).await?,
    };
    let login = Login { credentials, region, cluster: eks.cluster.clone(), kept: Kept::new() };
    Ok((Entry::Tokens(found), Arc::new(login)))
}

async fn describe(eks: &Eks, http: &reqwest::Client, keys: &Keys) -> Result<Found, TargetError> {
    let own = || format!("https://eks.{}.{}", eks.region, suffix(&eks.region));
    let api = eks.api.as_ref().map_or_else(own, |url| url.as_str().to_owned());
    let cannot = || TargetError::Refused(text!("the request to AWS cannot be signed"));
    let request =
        http::Request::get(format!("{api}/clusters/{}", eks.cluster)).body(Vec::new()).map_err(|_| cannot())?;
    let signed = aws::headers(request, keys, &eks.region, "eks")?;
    let request = reqwest::Request::try_from(signed).map_err(|_| cannot())?;
    let body = aws::ask(reqwest::RequestBuilder::from_parts(http.clone(), request), WHO).await?;
    found(&serde_json::from_slice(&body).unwrap_or_default())
}

fn found(answer: &Value) -> Result<Found, TargetError> {
    let cluster = &answer["cluster"];
    let none = || TargetError::Refused(text!("{name} tells no address of the cluster yet", name = WHO));
    let server = cluster["endpoint"].as_str().filter(|address| !address.is_empty()).ok_or_else(none)?;
    let ca = cluster["certificateAuthority"]["data"].as_str().and_then(decoded).ok_or_else(none)?;
    Ok(Found { server: server.to_owned(), ca: Some(ca) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::UNIX_EPOCH;

    fn read(config: Value) -> Result<Eks, serde_json::Error> {
        serde_json::from_value(config)
    }

    #[test]
    fn each_way_in_is_accepted_and_mixtures_are_refused() {
        let (region, cluster) = ("eu-west-3", "fil-rouge");
        let arn = "arn:aws:iam::123456789012:role/deploy";
        for config in [
            json!({"region": region, "cluster": cluster}),
            json!({"region": region, "cluster": cluster, "role_arn": arn}),
            json!({"region": region, "cluster": cluster, "access_key_id": "AKIA", "secret_access_key": {"value": "s"}}),
            json!({"region": region, "cluster": cluster, "role_arn": arn, "web_identity_token": {"file": "/t"}}),
        ] {
            read(config.clone()).unwrap_or_else(|error| panic!("{config}: {error}"));
        }
        for (config, said) in [
            (json!({"region": region, "cluster": cluster, "access_key_id": "AKIA"}), "go together"),
            (json!({"region": region, "cluster": cluster, "web_identity_token": {"file": "/t"}}), "role_arn"),
            (json!({"region": region, "cluster": cluster, "role_arn": "admin"}), "arn:aws:iam"),
            (json!({"region": "eu.evil.test/", "cluster": cluster}), "expected 1 to 128"),
            (json!({"region": region, "cluster": "../x"}), "expected 1 to 128"),
            (json!({"region": region}), "cluster"),
        ] {
            let error = read(config.clone()).unwrap_err().to_string();
            assert!(error.contains(said), "{config}: {error}");
        }
    }

    #[test]
    fn a_token_is_a_presigned_call_bound_to_the_cluster() {
        let keys = Keys { id: "AKIA".into(), secret: "hunter2".into(), session: None };
        let at = UNIX_EPOCH + Duration::from_secs(1_440_938_160);
        let token = token(&keys, "eu-west-3", "demo", at).unwrap();
        let address = URL_SAFE_NO_PAD.decode(token.strip_prefix("k8s-aws-v1.").unwrap()).unwrap();
        let address = String::from_utf8(address).unwrap();
        assert!(address.starts_with("https://sts.eu-west-3.amazonaws.com/?Action=GetCallerIdentity"), "{address}");
        assert!(address.contains("x-k8s-aws-id") && address.contains("X-Amz-Expires=60"), "{address}");
        assert!(!address.contains("hunter2"));
        assert_eq!(suffix("cn-north-1"), "amazonaws.com.cn");
    }

    #[test]
    fn a_cluster_without_its_authority_is_not_used() {
        assert!(found(&json!({"cluster": {"endpoint": "https://x", "certificateAuthority": {}}})).is_err());
        assert!(matches!(found(&json!({"cluster": {"status": "CREATING"}})), Err(TargetError::Refused(_))));
    }
}
