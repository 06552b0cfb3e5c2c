//! Secrets that lie in HashiCorp Vault or OpenBao: `PATH#FIELD` of a KV engine, version 2.
//!
//! - What is read is kept for a moment in memory, and nowhere else.
//! - The portal's own token is renewed before it ends, or fetched anew; a refused one is fetched anew once, then the refusal is told.
//! - An answer's body is never repeated: errors name the path, the field, and what to look at.

mod session;

use crate::config::{VaultConfig, is_path};
use passerelle_contract::{Text, text};
use passerelle_targets::outbound;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use session::Session;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time for one whole answer.
const LIMIT: Duration = Duration::from_secs(8);
/// Largest answer; a secret of KV is at most 1 MiB.
const LARGEST: usize = 2 * 1024 * 1024;
/// Secrets that are kept at most; beyond them all are forgotten.
const MOST_KEPT: usize = 500;

/// Why a secret was not to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum VaultError {
    /// It helps to change the reference, what lies in Vault, or the rights there.
    Refused(Text),
    /// It may help to wait.
    Away(Text),
}

/// The portal's access to one Vault. Cheap to clone.
#[derive(Clone)]
pub(super) struct Vault(Arc<Inner>);

struct Inner {
    config: VaultConfig,
    http: reqwest::Client,
    base: Url,
    session: tokio::sync::Mutex<Option<Session>>,
    kept: parking_lot::Mutex<HashMap<String, Kept>>,
}

struct Kept {
    since: Instant,
    fields: Value,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({})", self.0.base)
    }
}

/// A request's answer: its status, and its body when that is JSON.
struct Answer {
    status: StatusCode,
    body: Value,
}

impl Vault {
    /// # Errors
    /// When the file with its authority cannot be read or holds no certificate. The rest was checked with the configuration.
    pub(super) fn new(config: &VaultConfig) -> Result<Self, String> {
        let mut client = outbound::client().timeout(LIMIT);
        if !config.ca_file.is_empty() {
            client = outbound::trusting_only(client, Path::new(&config.ca_file))
                .map_err(|why| format!("vault.ca_file: {why}"))?;
        }
        let http = client.build().map_err(|error| error.to_string())?;
        let base = Url::parse(&config.address).map_err(|error| format!("vault.address: {error}"))?;
        let inner = Inner { config: config.clone(), http, base, session: Default::default(), kept: Default::default() };
        Ok(Self(Arc::new(inner)))
    }

    /// The field that a reference names.
    pub(super) async fn read(&self, reference: &str) -> Result<String, VaultError> {
        let (path, field) = parsed(&self.0.config, reference).map_err(VaultError::Refused)?;
        let fields = self.fields(path).await?;
        match fields.get(field) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(VaultError::Refused(text!("{field} of {path} in Vault is no text", field, path))),
            None => {
                let mut names =
                    fields.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
                names.sort_unstable();
                let known = names.join(", ");
                Err(VaultError::Refused(text!(
                    "{path} in Vault has no field {field}; it has {known}",
                    path,
                    field,
                    known
                )))
            }
        }
    }

    /// Renews the token when that is due, so that it outlives a time in which nothing is read.
    pub(super) async fn keep(&self) {
        if self.0.session.lock().await.is_none() {
            return;
        }
        if let Err(VaultError::Refused(why) | VaultError::Away(why)) = self.token().await {
            tracing::warn!(%why, "the token for Vault could not be renewed");
        }
    }

    async fn fields(&self, path: &str) -> Result<Value, VaultError> {
        let fresh = Duration::from_secs(self.0.config.cache_s);
        if let Some(kept) = self.0.kept.lock().get(path).filter(|kept| kept.since.elapsed() < fresh) {
            return Ok(kept.fields.clone());
        }
        let fields = self.asked(path).await?;
        let mut kept = self.0.kept.lock();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        if !fresh.is_zero() {
            kept.insert(path.to_owned(), Kept { since: Instant::now(), fields: fields.clone() });
        }
        Ok(fields)
    }

    async fn asked(&self, path: &str) -> Result<Value, VaultError> {
        let place = format!("{}/data/{path}", self.0.config.mount);
        let mut answer = self.call(Method::GET, &place, Some(&self.token().await?), None).await?;
        if answer.status == StatusCode::FORBIDDEN {
            // A token that was revoked is answered like one without the right.
            self.forget_session().await;
            answer = self.call(Method::GET, &place, Some(&self.token().await?), None).await?;
        }
        match answer.status {
            StatusCode::OK => match answer.body.pointer("/data/data") {
                Some(fields @ Value::Object(_)) => Ok(fields.clone()),
                _ => {
                    let mount = self.0.config.mount.as_str();
                    Err(VaultError::Refused(text!("{mount} in Vault is no KV engine of version 2", mount)))
                }
            },
            StatusCode::FORBIDDEN => Err(VaultError::Refused(text!(
                "Vault does not let the portal read {path} (right: read on {place})",
                path,
                place
            ))),
            StatusCode::NOT_FOUND if answer.body.pointer("/data/metadata").is_some() => {
                Err(VaultError::Refused(text!("the newest version of {path} in Vault was deleted", path)))
            }
            StatusCode::NOT_FOUND => Err(VaultError::Refused(text!(
                "{path} is not in Vault, in {mount}",
                path,
                mount = self.0.config.mount.as_str()
            ))),
            status => Err(odd(status)),
        }
    }

    async fn forget_session(&self) {
        *self.0.session.lock().await = None;
    }

    async fn call(
        &self,
        method: Method,
        place: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, VaultError> {
        let away = |why: passerelle_targets::TargetError| VaultError::Away(why.text());
        // Places are checked names with slashes between.
        let url = self
            .0
            .base
            .join(&format!("v1/{place}"))
            .map_err(|_| VaultError::Refused(text!("the address of Vault is none")))?;
        let mut request = self.0.http.request(method, url).header("X-Vault-Request", "true");
        if !self.0.config.namespace.is_empty() {
            request = request.header("X-Vault-Namespace", &self.0.config.namespace);
        }
        if let Some(token) = token {
            let mut value = reqwest::header::HeaderValue::from_str(token)
                .map_err(|_| VaultError::Refused(text!("the token for Vault is none")))?;
            value.set_sensitive(true);
            request = request.header("X-Vault-Token", value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| away(outbound::unreachable("Vault", &error)))?;
        let status = response.status();
        let bytes = outbound::read_body_of(response, "Vault", LARGEST).await.map_err(away)?;
        Ok(Answer { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}

/// A status that says nothing of the secret itself.
fn odd(status: StatusCode) -> VaultError {
    match status.as_u16() {
        503 => VaultError::Away(text!("Vault is sealed, or not ready")),
        429 | 472 | 473 | 300..=399 => VaultError::Away(text!(
            "this Vault is a standby that does not answer by itself (status {status})",
            status = status.as_u16()
        )),
        status @ 500.. => VaultError::Away(text!("Vault answered {status}", status)),
        status => VaultError::Refused(text!("Vault answered {status}", status)),
    }
}

/// Path and field.
///
/// # Errors
/// What is allowed.
pub(super) fn parsed<'a>(config: &VaultConfig, reference: &'a str) -> Result<(&'a str, &'a str), Text> {
    let wrong = || text!("must be PATH#FIELD, with letters, digits, - _ . and / in the path");
    let (path, field) = reference.split_once('#').ok_or_else(wrong)?;
    if !is_path(path) || !(1..=200).contains(&field.len()) || field.chars().any(char::is_control) {
        return Err(wrong());
    }
    let below =
        path.strip_prefix(config.folder.as_str()).is_some_and(|rest| config.folder.is_empty() || rest.starts_with('/'));
    if below {
        Ok((path, field))
    } else {
        Err(text!(
            "must lie below {folder}/ in Vault (setting {setting})",
            folder = config.folder.as_str(),
            setting = "vault.folder"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_a_path_below_the_folder_and_a_field() {
        let config = VaultConfig::default();
        assert_eq!(parsed(&config, "passerelle/github#token").unwrap(), ("passerelle/github", "token"));
        for bad in [
            "passerelle/github",
            "passerelle/github#",
            "passerelle#token",
            "passerelles/github#token",
            "other/github#token",
            "passerelle/../other#token",
            "passerelle/%2e%2e/other#token",
            "passerelle/a?version=1#token",
            "/passerelle/a#token",
            "#token",
            "",
        ] {
            assert!(parsed(&config, bad).is_err(), "{bad}");
        }
        let open = VaultConfig { folder: String::new(), ..config };
        assert_eq!(parsed(&open, "other#a#b").unwrap(), ("other", "a#b"));
    }
}
