//! The portal's own token: where it comes from, and how it is kept from ending.

use super::{Answer, Vault, VaultError, odd};
use passerelle_contract::text;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A token this close to its end is not used any more.
const MARGIN: Duration = Duration::from_secs(5);

/// A token that was accepted.
pub(super) struct Session {
    token: String,
    since: Instant,
    /// None: it does not end.
    lasts: Option<Duration>,
    renewable: bool,
}

impl Session {
    fn of(token: String, seconds: &Value, renewable: &Value) -> Self {
        let lasts = seconds.as_u64().filter(|seconds| *seconds > 0).map(Duration::from_secs);
        Self { token, since: Instant::now(), lasts, renewable: renewable.as_bool().unwrap_or_default() }
    }

    fn ended(&self) -> bool {
        self.lasts.is_some_and(|lasts| self.since.elapsed() + MARGIN.min(lasts / 10) >= lasts)
    }

    /// Two thirds of its time are over.
    fn due(&self) -> bool {
        self.lasts.is_some_and(|lasts| self.since.elapsed() >= lasts * 2 / 3)
    }
}

impl Vault {
    /// A token that holds: the one there is, renewed when that is due, or a new one. One request at a time does this.
    pub(super) async fn token(&self) -> Result<String, VaultError> {
        let mut session = self.0.session.lock().await;
        if let Some(known) = session.as_mut() {
            if !known.due() {
                return Ok(known.token.clone());
            }
            // Also close to its end, or past it by our clock: Vault knows better.
            if known.renewable && self.renewed(known).await && !known.due() {
                return Ok(known.token.clone());
            }
        }
        match self.signed_in().await {
            Ok(new) => Ok(session.insert(new).token.clone()),
            // The earlier one is good for a while yet.
            Err(error) => match session.as_ref().filter(|known| !known.ended()) {
                Some(known) => Ok(known.token.clone()),
                None => Err(error),
            },
        }
    }

    /// Whether Vault gave the token more time. It may give less than asked for, when its longest life comes to its end.
    async fn renewed(&self, session: &mut Session) -> bool {
        let answer = self.call(Method::POST, "auth/token/renew-self", Some(&session.token), Some(&json!({}))).await;
        match answer {
            Ok(Answer { status: StatusCode::OK, body }) => {
                let auth = &body["auth"];
                let lasts = session.lasts;
                *session = Session::of(session.token.clone(), &auth["lease_duration"], &auth["renewable"]);
                // Less than a third of what it was: the end of its longest life, so another one is fetched while this one holds.
                !matches!((lasts, session.lasts), (Some(before), Some(now)) if now < before / 3)
            }
            _ => false,
        }
    }

    async fn signed_in(&self) -> Result<Session, VaultError> {
        match self.0.config.token() {
            Some(reference) => {
                let token =
                    reference.read().map_err(|why| VaultError::Refused(text!("the token for Vault: {why}", why)))?;
                self.own(token).await
            }
            None => self.by_kubernetes().await,
        }
    }

    /// A token that was given: how long it lasts is asked.
    async fn own(&self, token: String) -> Result<Session, VaultError> {
        let answer = self.call(Method::GET, "auth/token/lookup-self", Some(&token), None).await?;
        match answer.status {
            StatusCode::OK => {
                let data = &answer.body["data"];
                Ok(Session::of(token, &data["ttl"], &data["renewable"]))
            }
            StatusCode::FORBIDDEN => Err(VaultError::Refused(text!(
                "Vault does not accept the token of the setting vault.token: it may have ended"
            ))),
            status => Err(odd(status)),
        }
    }

    async fn by_kubernetes(&self) -> Result<Session, VaultError> {
        let config = &self.0.config;
        let (path, role) = (config.kubernetes_token_file.as_str(), config.kubernetes_role.as_str());
        // Read each time: the kubelet puts a new one there before the old one ends.
        let jwt = tokio::fs::read_to_string(path).await.map_err(|error| {
            VaultError::Refused(text!(
                "secret file {path} cannot be read: {reason}",
                path,
                reason = error.kind().to_string()
            ))
        })?;
        let place = format!("auth/{}/login", config.kubernetes_mount);
        let body = json!({ "role": role, "jwt": jwt.trim() });
        let answer = self.call(Method::POST, &place, None, Some(&body)).await?;
        match answer.status {
            StatusCode::OK => {
                let auth = &answer.body["auth"];
                let token = auth["client_token"].as_str().filter(|token| !token.is_empty());
                let token = token.ok_or_else(|| VaultError::Away(text!("Vault gave no token")))?;
                Ok(Session::of(token.to_owned(), &auth["lease_duration"], &auth["renewable"]))
            }
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                Err(VaultError::Refused(text!(
                    "Vault does not let the portal sign in as the role {role} at {place}",
                    role,
                    place
                )))
            }
            status => Err(odd(status)),
        }
    }
}
