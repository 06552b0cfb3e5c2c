//! Leaving for the provider, and coming back from it.

use crate::fetch::Client;
use crate::provider::{Known, Provider};
use crate::token::{Expected, Unsound, payload, verify};
use crate::{Fetch, FetchFailed, Groups, Refused, claims, userinfo};
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse};
use openidconnect::{
    AuthType, AuthorizationCode, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError, Scope, TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;
use url::Url;

/// What the browser keeps, sealed, between leaving and coming back. It holds for one issuer, once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    pub provider: String,
    pub issuer: String,
    pub state: String,
    nonce: String,
    verifier: String,
    /// Somebody has to have proven themselves there since then, in seconds since 1970; an open session there is not enough.
    #[serde(default)]
    since: Option<i64>,
}

impl Pending {
    /// For a provider that sends no ID token.
    pub(crate) const fn without_nonce(provider: String, issuer: String, state: String, verifier: String) -> Self {
        Self { provider, issuer, state, nonce: String::new(), verifier, since: None }
    }

    pub(crate) fn verifier(&self) -> &str {
        &self.verifier
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pending").field("provider", &self.provider).finish_non_exhaustive()
    }
}

/// The query with which the provider sends somebody back.
#[derive(Clone, Default)]
pub struct Returned {
    pub code: Option<String>,
    pub state: Option<String>,
    pub iss: Option<String>,
    pub error: Option<String>,
}

impl std::fmt::Debug for Returned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Returned").field("code", &self.code.is_some()).finish_non_exhaustive()
    }
}

impl Returned {
    /// Reads a query; `None` when something that is used is there twice, which no provider sends.
    #[must_use]
    pub fn parse(query: &str) -> Option<Self> {
        let mut returned = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "code" => &mut returned.code,
                "state" => &mut returned.state,
                "iss" => &mut returned.iss,
                "error" => &mut returned.error,
                _ => continue,
            };
            if place.replace(value.into_owned()).is_some() {
                return None;
            }
        }
        Some(returned)
    }
}

/// Somebody whom the provider vouches for. There is no e-mail in it: nothing may be decided by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub issuer: String,
    pub subject: String,
    /// A name to show.
    pub name: Option<String>,
    /// What the provider calls its own user name; anybody may choose one.
    pub user_name: Option<String>,
    /// The provider's session, for back-channel logout.
    pub session: Option<String>,
    pub groups: Groups,
}

/// The code, when what came back belongs to what is pending; `own` judges the issuer that the answer names.
pub(crate) fn code_of(
    id: &str,
    issuer: &str,
    pending: &Pending,
    returned: &Returned,
    own: impl Fn(Option<&str>) -> bool,
) -> Result<String, Refused> {
    if pending.provider != id || pending.issuer != issuer {
        return Err(Refused::stale("the sign-in was begun at another provider"));
    }
    let state = returned.state.as_deref().unwrap_or_default();
    if !bool::from(state.as_bytes().ct_eq(pending.state.as_bytes())) {
        return Err(Refused::stale("the state is not the one of this browser"));
    }
    if !own(returned.iss.as_deref()) {
        return Err(Refused::answer("the answer in the browser is of another issuer (iss)"));
    }
    match (returned.error.as_deref(), returned.code.as_deref()) {
        (Some("access_denied"), _) => Err(Refused::denied("the sign-in was refused at the provider")),
        (Some(_), _) => Err(Refused::provider("the provider answered with an error")),
        (None, Some(code)) if !code.is_empty() && code.len() <= 4096 => Ok(code.to_owned()),
        _ => Err(Refused::answer("the provider sent no code")),
    }
}

type Ready = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

impl Provider {
    /// The address to go to, and what to keep meanwhile.
    ///
    /// # Errors
    /// When the provider cannot be asked for its description.
    pub async fn begin(&self, fetch: &dyn Fetch) -> Result<(Url, Pending), Refused> {
        self.leave(fetch, None).await
    }

    /// As [`Self::begin`], for somebody who has to prove themselves anew (`prompt=login`, `max_age=0`): whoever comes back is believed only
    /// when the provider says that it was since `now` (`auth_time`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub async fn begin_again(&self, fetch: &dyn Fetch, now: i64) -> Result<(Url, Pending), Refused> {
        self.leave(fetch, Some(now)).await
    }

    async fn leave(&self, fetch: &dyn Fetch, since: Option<i64>) -> Result<(Url, Pending), Refused> {
        let known = self.known(fetch).await?;
        let client = self.client(&known, None)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut request = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        if since.is_some() {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (url, state, nonce) = request.url();
        let pending = Pending {
            provider: self.settings.id.clone(),
            issuer: self.settings.issuer.clone(),
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            since,
        };
        Ok((url, pending))
    }

    /// Who came back. The caller sees to it that `pending` is used once and is this browser's.
    ///
    /// # Errors
    /// Everything that does not fit, before anything of it is believed.
    pub async fn finish(
        &self,
        fetch: &dyn Fetch,
        secret: Option<&str>,
        pending: &Pending,
        returned: &Returned,
        now: i64,
    ) -> Result<Person, Refused> {
        let known = self.known(fetch).await?;
        let code = self.code(&known, pending, returned)?;
        let tokens = self.exchange(fetch, &known, secret, code, &pending.verifier).await?;
        let id_token = tokens.id_token().ok_or(Refused::answer("the provider sent no ID token"))?;
        let nonce = Nonce::new(pending.nonce.clone());
        self.verified(fetch, &known, &tokens, id_token, &nonce, now).await?;
        let signed = payload(&id_token.to_string())?;
        claims::check(&signed, &self.settings.client_id, now)?;
        claims::proven_since(&signed, pending.since)?;
        let subject = claims::subject(&signed)?;
        let mut further = Map::new();
        if let Some(url) = &known.discovered.userinfo {
            further = userinfo::ask(fetch, url, tokens.access_token().secret(), &subject).await?;
        }
        Ok(self.person(subject, &signed, &further))
    }

    /// The code, when what came back belongs to what is pending.
    fn code(&self, known: &Known, pending: &Pending, returned: &Returned) -> Result<String, Refused> {
        let (id, issuer) = (&self.settings.id, &self.settings.issuer);
        code_of(id, issuer, pending, returned, |named| match named {
            Some(named) => named == issuer,
            None => !known.discovered.names_itself,
        })
    }

    async fn exchange(
        &self,
        fetch: &dyn Fetch,
        known: &Known,
        secret: Option<&str>,
        code: String,
        verifier: &str,
    ) -> Result<CoreTokenResponse, Refused> {
        let client = self.client(known, secret)?;
        let http = Client(fetch);
        let answer = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&http)
            .await;
        answer.map_err(|error| match error {
            RequestTokenError::ServerResponse(_) => Refused::answer("the provider does not take the code"),
            RequestTokenError::Request(FetchFailed(_)) => Refused::provider("the token endpoint does not answer"),
            RequestTokenError::Parse(..) => Refused::answer("what the token endpoint sent cannot be read"),
            RequestTokenError::Other(_) => Refused::provider("the token endpoint answers in another way"),
        })
    }

    async fn verified(
        &self,
        fetch: &dyn Fetch,
        known: &Arc<Known>,
        tokens: &CoreTokenResponse,
        token: &CoreIdToken,
        nonce: &Nonce,
        now: i64,
    ) -> Result<(), Refused> {
        let expected = |known: &Known| {
            let (issuer, client_id) = (&self.issuer, &self.client_id);
            verify(
                token,
                &Expected {
                    issuer,
                    client_id,
                    keys: &known.keys,
                    algorithms: &known.discovered.algorithms,
                    nonce,
                    access_token: tokens.access_token(),
                    now,
                },
            )
        };
        match expected(known) {
            Ok(()) => Ok(()),
            Err(Unsound::Refused(refused)) => Err(refused),
            Err(Unsound::NoKey) => match expected(&*self.known_anew(fetch, known).await?) {
                Ok(()) => Ok(()),
                Err(Unsound::Refused(refused)) => Err(refused),
                Err(Unsound::NoKey) => Err(Refused::answer("no key of the provider has this id")),
            },
        }
    }

    /// Signed claims come first; the user information fills what they lack.
    fn person(&self, subject: String, signed: &Map<String, Value>, further: &Map<String, Value>) -> Person {
        let shown = |name: &str| claims::shown(signed, name).or_else(|| claims::shown(further, name));
        let groups = match &self.settings.groups_claim {
            None => Groups::NotAsked,
            Some(claim) => Groups::read(signed.get(claim).or_else(|| further.get(claim))),
        };
        Person {
            issuer: self.settings.issuer.clone(),
            subject,
            name: shown("name"),
            user_name: shown("preferred_username"),
            session: signed.get("sid").and_then(Value::as_str).filter(|sid| sid.len() <= 255).map(str::to_owned),
            groups,
        }
    }

    fn client(&self, known: &Known, secret: Option<&str>) -> Result<Ready, Refused> {
        let redirect = RedirectUrl::new(self.settings.redirect_uri.clone())
            .map_err(|_| Refused::provider("the portal's own address is not known"))?;
        let discovered = &known.discovered;
        let mut client = CoreClient::new(self.client_id.clone(), self.issuer.clone(), known.keys.clone())
            .set_auth_uri(discovered.authorization.clone())
            .set_token_uri(discovered.token.clone())
            .set_redirect_uri(redirect)
            .set_auth_type(if discovered.secret_in_body { AuthType::RequestBody } else { AuthType::BasicAuth });
        if let Some(secret) = secret {
            client = client.set_client_secret(ClientSecret::new(secret.to_owned()));
        }
        Ok(client)
    }
}
