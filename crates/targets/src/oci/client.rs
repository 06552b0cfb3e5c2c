//! The look-up: one HEAD, a token when the registry asks for one, and the same HEAD again.

use super::challenge::{self, Challenge};
use super::config::RegistryConfig;
use super::place::{Place, origin};
use crate::guard::{Guard, Refusal};
use crate::outbound::{read_body_of, what_failed};
use crate::{ImageRef, TargetError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use passerelle_contract::{Text, text};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Response, StatusCode};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use url::Url;

/// The kinds of manifest that an image can be: an index of several platforms first, so that the digest is what a node resolves too.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
const DIGEST: &str = "docker-content-digest";
/// For one whole look-up. A plan waits for it, so it is short.
const LIMIT: Duration = Duration::from_secs(3);
const MAX_TOKEN_BYTES: usize = 64 * 1024;
const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;
/// How long an answer is used again: a plan is followed by its deployment.
const KEPT_FOR: Duration = Duration::from_secs(30);
const MOST_KEPT: usize = 1000;

/// What a registry says of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there; `sha256:...` of what it means now.
    There {
        digest: Option<String>,
    },
    /// The registry was asked and has no such image.
    Missing,
    /// It does not tell us.
    Denied,
    Unreachable(Text),
    /// The guard does not let us ask.
    NotAsked(Text),
}

/// What was found, for whom, and when.
type Kept = HashMap<(Place, Option<String>), (Instant, Found)>;

/// Looks images up and remembers the answers for a moment. Cheap to clone.
#[derive(Clone, Default)]
pub struct Images {
    guard: Guard,
    kept: Arc<Mutex<Kept>>,
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Images").finish_non_exhaustive()
    }
}

impl Images {
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self { guard, kept: Arc::default() }
    }

    /// Asks the image's own registry, with the credentials for it where there are any.
    pub async fn look_up(&self, image: &ImageRef, registry: Option<&RegistryConfig>) -> Found {
        let place = Place::of(image);
        let key = (place.clone(), registry.and_then(|registry| registry.username.clone()));
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, found)) = kept().get(&key)
            && at.elapsed() < KEPT_FOR
        {
            return found.clone();
        }
        let found = self.ask(&place, registry).await;
        // What is not there, or failed, may go well a moment later.
        if matches!(found, Found::There { .. }) {
            let mut kept = kept();
            if kept.len() >= MOST_KEPT {
                kept.retain(|_, (at, _)| at.elapsed() < KEPT_FOR);
            }
            if kept.len() < MOST_KEPT {
                kept.insert(key, (Instant::now(), found.clone()));
            }
        }
        found
    }

    async fn ask(&self, place: &Place, registry: Option<&RegistryConfig>) -> Found {
        let host = &place.host;
        let basic = match registry.map(basic).transpose() {
            Ok(basic) => basic.flatten(),
            Err(error) => return Found::Unreachable(error.text()),
        };
        let session = Session { guard: &self.guard, basic, host };
        match tokio::time::timeout(LIMIT, session.manifest(place)).await {
            Ok(Ok(found)) => found,
            Ok(Err(Failed::Refused(Refusal::Forbidden(why)))) => Found::NotAsked(why),
            Ok(Err(Failed::Refused(Refusal::Unknown(why)))) => Found::Unreachable(why),
            Ok(Err(Failed::Broken(why))) => Found::Unreachable(text!("registry {host}: {why}", host, why)),
            Err(_) => Found::Unreachable(text!("registry {host}: {why}", host, why = text!("no answer in time"))),
        }
    }

    /// Tries a registry and its credentials.
    ///
    /// # Errors
    /// [`TargetError::Unreachable`] and [`TargetError::Forbidden`].
    pub async fn check(&self, registry: &RegistryConfig) -> Result<(), TargetError> {
        let host = registry.host.as_str();
        let session = Session { guard: &self.guard, basic: basic(registry)?, host };
        let answer = match tokio::time::timeout(LIMIT, session.ping()).await {
            Ok(Ok(status)) => status,
            Ok(Err(Failed::Refused(refusal))) => return Err(TargetError::Unreachable(refusal.text().clone())),
            Ok(Err(Failed::Broken(why))) => {
                return Err(TargetError::Unreachable(text!("registry {host}: {why}", host, why)));
            }
            Err(_) => {
                let why = text!("no answer in time");
                return Err(TargetError::Unreachable(text!("registry {host}: {why}", host, why)));
            }
        };
        match answer.as_u16() {
            200..300 => Ok(()),
            401 | 403 => {
                Err(TargetError::Forbidden(text!("registry {host} answered {status}", host, status = answer.as_u16())))
            }
            status => Err(TargetError::Unreachable(text!("registry {host} answered {status}", host, status))),
        }
    }
}

/// `user:password` as the header wants it.
fn basic(registry: &RegistryConfig) -> Result<Option<HeaderValue>, TargetError> {
    let Some(username) = &registry.username else { return Ok(None) };
    let password = registry.password.as_ref().map(crate::Secret::reveal).transpose();
    let password = password.map_err(|error| TargetError::Forbidden(error.text()))?.unwrap_or_default();
    let pair = STANDARD.encode(format!("{username}:{}", password.trim_end_matches('\n')));
    Ok(header("Basic", &pair))
}

fn header(scheme: &str, credentials: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("{scheme} {credentials}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

enum Failed {
    Refused(Refusal),
    Broken(Text),
}

/// One conversation with one registry.
struct Session<'a> {
    guard: &'a Guard,
    basic: Option<HeaderValue>,
    host: &'a str,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Session<'_> {
    async fn manifest(&self, place: &Place) -> Result<Found, Failed> {
        let path = format!("/v2/{}/manifests/{}", place.repository, place.reference);
        let scope = format!("repository:{}:pull", place.repository);
        let (answer, credentials) = self.call(Method::HEAD, &path, Some(&scope)).await?;
        match answer.status().as_u16() {
            200..300 => {}
            404 => return Ok(Found::Missing),
            401 | 403 => return Ok(Found::Denied),
            status => return Err(Failed::Broken(text!("it answered {status}", status))),
        }
        let told = answer.headers().get(DIGEST).and_then(|value| value.to_str().ok());
        if let Some(digest) = told.and_then(whole) {
            return Ok(Found::There { digest: Some(digest) });
        }
        // The digest is that of the very bytes.
        let answer = self.send(Method::GET, &self.url(&path)?, credentials.as_ref()).await?;
        if !answer.status().is_success() {
            return Ok(Found::There { digest: None });
        }
        let body = read_body_of(answer, "", MAX_MANIFEST_BYTES).await;
        let digest = body.ok().map(|body| format!("sha256:{}", crate::fencing::hex(&Sha256::digest(&body))));
        Ok(Found::There { digest })
    }

    async fn ping(&self) -> Result<StatusCode, Failed> {
        Ok(self.call(Method::GET, "/v2/", None).await?.0.status())
    }

    /// With whatever the registry asks for.
    async fn call(
        &self,
        method: Method,
        path: &str,
        scope: Option<&str>,
    ) -> Result<(Response, Option<HeaderValue>), Failed> {
        let url = self.url(path)?;
        let answer = self.send(method.clone(), &url, None).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok((answer, None));
        }
        let credentials = match asked(answer.headers()) {
            Some(Challenge::Basic) => self.basic.clone(),
            Some(Challenge::Bearer { realm, service, scope: wanted }) => {
                let scope = wanted.as_deref().or(scope);
                self.token(&realm, service.as_deref(), scope).await?
            }
            None => None,
        };
        let Some(credentials) = credentials else { return Ok((answer, None)) };
        Ok((self.send(method, &url, Some(&credentials)).await?, Some(credentials)))
    }

    /// Nothing when the token service gives none to us.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Option<HeaderValue>, Failed> {
        let unreadable = || Failed::Broken(text!("the address of its token service cannot be read"));
        let mut url = Url::parse(realm).map_err(|_| unreadable())?;
        {
            let mut query = url.query_pairs_mut();
            for (name, value) in [("service", service), ("scope", scope)] {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
        }
        let answer = self.send(Method::GET, &url, self.basic.as_ref()).await?;
        match answer.status().as_u16() {
            200..300 => {}
            401 | 403 => return Ok(None),
            status => return Err(Failed::Broken(text!("its token service answered {status}", status))),
        }
        let body = read_body_of(answer, "", MAX_TOKEN_BYTES).await;
        let body = body.map_err(|_| Failed::Broken(text!("the connection broke")))?;
        let token: Token = serde_json::from_slice(&body)
            .map_err(|_| Failed::Broken(text!("the answer of its token service cannot be read")))?;
        Ok(token.token.or(token.access_token).and_then(|token| header("Bearer", &token)))
    }

    fn url(&self, path: &str) -> Result<Url, Failed> {
        Url::parse(&format!("{}{path}", origin(self.host)))
            .map_err(|_| Failed::Refused(Refusal::Forbidden(text!("must be an http or https address"))))
    }

    /// Boxed: a look-up is part of larger futures.
    fn send<'b>(
        &'b self,
        method: Method,
        url: &'b Url,
        credentials: Option<&'b HeaderValue>,
    ) -> BoxFuture<'b, Result<Response, Failed>> {
        Box::pin(async move {
            let client = self.guard.client(url, LIMIT).await.map_err(Failed::Refused)?;
            let mut request = client.request(method, url.clone()).header(ACCEPT, MANIFESTS);
            if let Some(credentials) = credentials {
                request = request.header(AUTHORIZATION, credentials.clone());
            }
            request.send().await.map_err(|error| Failed::Broken(what_failed(&error)))
        })
    }
}

fn asked(headers: &HeaderMap) -> Option<Challenge> {
    challenge::read(headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()))
}

/// A digest as images carry it.
fn whole(text: &str) -> Option<String> {
    ImageRef::parse(&format!("x@{text}")).ok()?.digest
}
