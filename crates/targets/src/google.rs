//! Access tokens of Google Cloud, in the ways that Google's own clients get theirs:
//!
//! - by the key of a service account: a signed claim is exchanged (RFC 7523);
//! - by a workload identity file (`external_account`): a token of another issuer is exchanged (RFC 8693), and where the file says so
//!   for the token of a service account;
//! - from the metadata server of the machine, when there is no credential at all.
//!
//! Tokens are kept until a minute before they end. Key and file are read anew for each exchange, so rotation needs no restart.

use crate::base_url::is_googles;
use crate::outbound::{ANSWER_LIMIT, read_body, unreachable};
use crate::{Secret, TargetError, masking};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use passerelle_contract::{Text, text};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::Mutex;
use url::Url;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Where the metadata server is, unless this variable says otherwise (the name is Google's).
const METADATA_VARIABLE: &str = "GCE_METADATA_HOST";
const METADATA_HOST: &str = "metadata.google.internal";
/// How long a claim holds; Google takes an hour at most.
const CLAIM: Duration = Duration::from_secs(3600);
/// A token is asked for anew after this at the latest, whatever its issuer says of its life.
const LONGEST_LIFE: Duration = Duration::from_secs(12 * 3600);
/// Before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);
const WHO: &str = "Google's token service";

/// Where the tokens of one connection come from.
#[derive(Debug)]
pub(crate) struct Tokens {
    http: reqwest::Client,
    credentials: Option<Secret>,
    kept: Mutex<Option<Token>>,
}

#[derive(Clone)]
struct Token {
    value: String,
    until: Instant,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

/// A file as `gcloud` or the console makes it.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Credentials {
    ServiceAccount {
        client_email: String,
        private_key: String,
        private_key_id: Option<String>,
        token_uri: String,
    },
    ExternalAccount {
        audience: String,
        subject_token_type: String,
        token_url: String,
        credential_source: SubjectSource,
        service_account_impersonation_url: Option<String>,
    },
}

#[derive(Deserialize)]
struct SubjectSource {
    file: PathBuf,
    #[serde(default)]
    format: SubjectFormat,
}

#[derive(Default, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum SubjectFormat {
    #[default]
    Text,
    Json {
        subject_token_field_name: String,
    },
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

impl Tokens {
    /// Tokens that are sent to these addresses. `credentials` is the JSON of a service account's key or of a workload identity
    /// configuration.
    ///
    /// # Errors
    /// Without credentials, when an address is not Google's: whoever edits a connection must not learn the machine's own token.
    pub fn towards<'a>(
        addresses: impl IntoIterator<Item = &'a str>,
        http: reqwest::Client,
        credentials: Option<Secret>,
    ) -> Result<Self, Text> {
        if credentials.is_none() && !addresses.into_iter().all(is_googles) {
            return Err(text!("give a token or credentials: the token of the machine itself goes to Google only"));
        }
        Ok(Self { http, credentials, kept: Mutex::new(None) })
    }

    /// A token that holds for a minute at least.
    ///
    /// # Errors
    /// [`TargetError::Config`] for a credential that is none, [`TargetError::Forbidden`] when Google refuses it.
    pub async fn token(&self) -> Result<String, TargetError> {
        // Held over the exchange: who comes meanwhile waits for the same token.
        let mut kept = self.kept.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| token.until > Instant::now()) {
            return Ok(token.value.clone());
        }
        let granted = match &self.credentials {
            None => self.by_metadata().await?,
            Some(secret) => match read(secret)? {
                Credentials::ServiceAccount { client_email, private_key, private_key_id, token_uri } => {
                    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                    let claims = json!({ "iss": client_email, "scope": SCOPE, "aud": token_uri, "iat": now,
                        "exp": now + CLAIM.as_secs() });
                    let assertion = signed(&claims, &private_key, private_key_id.as_deref())?;
                    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
                    self.exchange(&token_uri, &[("grant_type", grant), ("assertion", &assertion)]).await?
                }
                external @ Credentials::ExternalAccount { .. } => self.by_federation(external).await?,
            },
        };
        let life = Duration::from_secs(granted.expires_in).min(LONGEST_LIFE).saturating_sub(MARGIN);
        *kept = Some(Token { value: granted.access_token.clone(), until: Instant::now() + life });
        Ok(granted.access_token)
    }

    async fn by_federation(&self, credentials: Credentials) -> Result<Granted, TargetError> {
        let Credentials::ExternalAccount {
            audience,
            subject_token_type,
            token_url,
            credential_source,
            service_account_impersonation_url,
        } = credentials
        else {
            return Err(wrong(text!("is not a workload identity configuration")));
        };
        let subject = subject_token(&credential_source)?;
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("audience", &audience),
            ("scope", SCOPE),
            ("subject_token", &subject),
            ("subject_token_type", &subject_token_type),
        ];
        let granted = self.exchange(&token_url, &form).await?;
        let Some(url) = service_account_impersonation_url else { return Ok(granted) };
        let request = self.http.post(safe(&url)?).bearer_auth(&granted.access_token).json(&json!({ "scope": [SCOPE] }));
        let answer = self.ask(request).await?;
        let token = answer["accessToken"].as_str().ok_or_else(|| odd(text!("no accessToken")))?;
        // The answer tells a moment, and clocks differ: the shortest life that Google gives is taken.
        Ok(Granted { access_token: token.to_owned(), expires_in: 300 })
    }

    async fn by_metadata(&self) -> Result<Granted, TargetError> {
        let host = std::env::var(METADATA_VARIABLE).unwrap_or_else(|_| METADATA_HOST.to_owned());
        let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
        let answer = self.ask(self.http.get(url).header("metadata-flavor", "Google")).await?;
        serde_json::from_value(answer).map_err(|_| odd(text!("no access token")))
    }

    async fn exchange(&self, url: &str, form: &[(&str, &str)]) -> Result<Granted, TargetError> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.http.post(safe(url)?).header("content-type", "application/x-www-form-urlencoded").body(body);
        serde_json::from_value(self.ask(request).await?).map_err(|_| odd(text!("no access token")))
    }

    async fn ask(&self, request: reqwest::RequestBuilder) -> Result<Value, TargetError> {
        let response = request.timeout(ANSWER_LIMIT).send().await.map_err(|error| unreachable(WHO, &error))?;
        let status = response.status().as_u16();
        let answer: Value = serde_json::from_slice(&read_body(response, WHO).await?).unwrap_or_default();
        let said = [&answer["error_description"], &answer["error"]["message"], &answer["error"]];
        let said = said.into_iter().find_map(Value::as_str).unwrap_or("no reason given");
        match status {
            200..300 => Ok(answer),
            429 | 500.. => Err(TargetError::Unreachable(text!("{name} answered {status}", name = WHO, status))),
            _ => {
                Err(TargetError::Forbidden(Text::verbatim(masking::shown(said).chars().take(300).collect::<String>())))
            }
        }
    }
}

fn read(secret: &Secret) -> Result<Credentials, TargetError> {
    let text = secret.reveal().map_err(|error| wrong(error.text()))?;
    serde_json::from_str(&text).map_err(|error| {
        let said = error.to_string();
        // Other messages repeat what stands in the credential.
        let harmless = ["missing field `", "unknown variant `"].iter().any(|begin| said.starts_with(begin));
        wrong(if harmless {
            text!("is not the JSON of a Google credential: {error}", error = said)
        } else {
            text!("is not the JSON of a Google credential")
        })
    })
}

/// A claim as a JWT, signed with RS256.
fn signed(claims: &Value, private_key: &str, key_id: Option<&str>) -> Result<String, TargetError> {
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(id) = key_id {
        header["kid"] = id.into();
    }
    let message = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
    let body: String = private_key.lines().filter(|line| !line.starts_with("-----")).collect();
    let der = STANDARD.decode(body.trim()).map_err(|_| wrong(text!("private_key is not PEM")))?;
    let key = RsaKeyPair::from_pkcs8(&der)
        .map_err(|error| wrong(text!("private_key is no RSA key: {error}", error = error.to_string())))?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &ring::rand::SystemRandom::new(), message.as_bytes(), &mut signature)
        .map_err(|_| wrong(text!("private_key cannot sign")))?;
    Ok(format!("{message}.{}", encoded(signature)))
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn subject_token(source: &SubjectSource) -> Result<String, TargetError> {
    let path = source.file.display().to_string();
    let text = std::fs::read_to_string(&source.file).map_err(|error| {
        wrong(text!("credential_source {path} cannot be read: {reason}", path, reason = error.kind().to_string()))
    })?;
    match &source.format {
        SubjectFormat::Text => Ok(text.trim().to_owned()),
        SubjectFormat::Json { subject_token_field_name: field } => {
            let value: Value = serde_json::from_str(&text).unwrap_or_default();
            let token =
                value[field].as_str().ok_or_else(|| wrong(text!("{path} holds no text field {field}", path, field)))?;
            Ok(token.to_owned())
        }
    }
}

/// A credential goes over TLS, or stays on this machine.
fn safe(text: &str) -> Result<Url, TargetError> {
    let url = Url::parse(text).map_err(|_| wrong(text!("names a token service whose address is none")))?;
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "https" || url.scheme() == "http" && here {
        Ok(url)
    } else {
        Err(wrong(text!("names a token service that is not https")))
    }
}

fn wrong(message: Text) -> TargetError {
    TargetError::Config { pointer: "/config/credentials".to_owned(), message }
}

fn odd(what: Text) -> TargetError {
    TargetError::Unreachable(text!("{name} gave {what}", name = WHO, what))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound;
    use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    /// Made for this test, and known nowhere.
    const KEY: &str = include_str!("../tests/fixtures/service-account.pem");

    fn tokens(credentials: &Value) -> Tokens {
        let http = outbound::client().build().unwrap();
        Tokens::towards([], http, Some(Secret::from_value(credentials.to_string()))).unwrap()
    }

    #[test]
    fn a_claim_is_signed_so_that_the_public_key_verifies_it() {
        let assertion = signed(&json!({ "iss": "a@b" }), KEY, Some("k1")).unwrap();
        let (message, signature) = assertion.rsplit_once('.').unwrap();
        let (header, claims) = message.split_once('.').unwrap();
        let json = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        assert_eq!(json(header), json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
        assert_eq!(json(claims), json!({ "iss": "a@b" }));
        let body: String = KEY.lines().filter(|line| !line.starts_with('-')).collect();
        let pair = RsaKeyPair::from_pkcs8(&STANDARD.decode(body).unwrap()).unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        public.verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }

    #[tokio::test]
    async fn what_is_no_credential_is_named() {
        let account = |token_uri: &str, key: &str| json!({ "type": "service_account", "client_email": "a@b", "private_key": key, "token_uri": token_uri });
        for (credentials, said) in [
            (json!({ "type": "authorized_user" }), "is not the JSON of a Google credential: unknown variant"),
            (json!("ya29.secret"), "is not the JSON"),
            (account("https://127.0.0.1:1/token", "no key"), "private_key"),
            (account("http://tokens.example/", KEY), "not https"),
            (
                json!({ "type": "external_account", "audience": "a", "subject_token_type": "t", "token_url": "https://127.0.0.1:1/",
                    "credential_source": { "file": "/no/such/file" } }),
                "cannot be read",
            ),
        ] {
            let refused = tokens(&credentials).token().await.unwrap_err();
            let TargetError::Config { pointer, message } = &refused else { panic!("{refused:?}") };
            assert_eq!(pointer, "/config/credentials");
            assert!(message.to_string().contains(said), "{message}");
            assert!(!message.to_string().contains("ya29"), "a credential is told: {message}");
        }
    }

    #[test]
    fn a_subject_token_is_the_file_or_a_field_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "plain\n").unwrap();
        let source = |format| SubjectSource { file: file.clone(), format };
        assert_eq!(subject_token(&source(SubjectFormat::Text)).unwrap(), "plain");
        std::fs::write(&file, r#"{"id_token": "inner"}"#).unwrap();
        let field = |name: &str| SubjectFormat::Json { subject_token_field_name: name.to_owned() };
        assert_eq!(subject_token(&source(field("id_token"))).unwrap(), "inner");
        assert!(subject_token(&source(field("other"))).is_err());
    }
}
