//! Back-channel logout: a token by which the provider says that somebody signed out there (OpenID Connect Back-Channel Logout 1.0).

use crate::provider::{Known, Provider};
use crate::token::{LEEWAY, payload};
use crate::{Fetch, Refused, claims};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{CoreJsonWebKey, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKey, JsonWebKeyId};
use serde::Deserialize;
use serde_json::{Map, Value};

const MAX_TOKEN: usize = 16 * 1024;
/// Seconds; a logout told later than this is no news.
const MAX_AGE: i64 = 600;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// Whose sessions end: all of a subject, or one of the provider's sessions; at least one of both is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    pub subject: Option<String>,
    pub session: Option<String>,
    /// The token's id, which the caller takes once.
    pub id: String,
    /// Until when the caller remembers the id, in seconds since 1970.
    pub until: i64,
}

#[derive(Deserialize)]
struct Header {
    alg: CoreJwsSigningAlgorithm,
    kid: Option<JsonWebKeyId>,
    typ: Option<String>,
    crit: Option<Value>,
}

impl Provider {
    /// Reads a logout token.
    ///
    /// # Errors
    /// Everything that does not fit.
    pub async fn logged_out(&self, fetch: &dyn Fetch, token: &str, now: i64) -> Result<LoggedOut, Refused> {
        const NO_TOKEN: Refused = Refused::answer("this is no logout token");
        let mut parts = token.rsplitn(2, '.');
        let (Some(signature), Some(signed)) = (parts.next(), parts.next()) else { return Err(NO_TOKEN) };
        if token.len() > MAX_TOKEN || signed.matches('.').count() != 1 {
            return Err(NO_TOKEN);
        }
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| NO_TOKEN);
        let header = decode(signed.split('.').next().unwrap_or_default())?;
        let header: Header = serde_json::from_slice(&header).map_err(|_| NO_TOKEN)?;
        let typed = header.typ.as_deref().is_none_or(|typ| matches!(typ, "JWT" | "jwt" | "logout+jwt"));
        if header.crit.is_some() || !typed {
            return Err(NO_TOKEN);
        }
        let signature = decode(signature)?;
        let known = self.known(fetch).await?;
        if !holds(&known, &header, signed, &signature)? {
            let anew = self.known_anew(fetch, &known).await?;
            if !holds(&anew, &header, signed, &signature)? {
                return Err(Refused::answer("no key of the provider has this id"));
            }
        }
        self.read(&payload(token)?, now)
    }

    fn read(&self, claims: &Map<String, Value>, now: i64) -> Result<LoggedOut, Refused> {
        let text =
            |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty() && text.len() <= 255);
        let seconds = |name: &str| claims.get(name).and_then(Value::as_f64).map(|at| at as i64);
        let wrong = |cause| Err(Refused::answer(cause));
        if text("iss") != Some(&self.settings.issuer) {
            return wrong("the logout token is of another issuer (iss)");
        }
        let client = self.settings.client_id.as_str();
        let ours = match claims.get("aud") {
            Some(Value::String(one)) => one == client,
            Some(Value::Array(list)) => list.iter().any(|item| item.as_str() == Some(client)),
            _ => false,
        };
        if !ours {
            return wrong("the logout token is for another client (aud)");
        }
        claims::check(claims, client, now).or_else(|refused| {
            // Several audiences without `azp` are usual here: nobody signs in by such a token.
            if claims.contains_key("azp") || claims.contains_key("nbf") { Err(refused) } else { Ok(()) }
        })?;
        if !seconds("iat").is_some_and(|at| (-LEEWAY..=MAX_AGE).contains(&now.saturating_sub(at))) {
            return wrong("the logout token was not made just now (iat)");
        }
        if claims.contains_key("exp") && seconds("exp").is_none_or(|at| at.saturating_add(LEEWAY) <= now) {
            return wrong("the logout token has ended (exp)");
        }
        if claims.contains_key("nonce") {
            return wrong("a logout token has no nonce");
        }
        if !claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
            return wrong("the token tells no logout (events)");
        }
        let (subject, session) = (text("sub").map(str::to_owned), text("sid").map(str::to_owned));
        let Some(id) = text("jti").map(str::to_owned) else { return wrong("the logout token has no id (jti)") };
        if subject.is_none() && session.is_none() {
            return wrong("the logout token names nobody (sub, sid)");
        }
        Ok(LoggedOut { subject, session, id, until: now + MAX_AGE + LEEWAY })
    }
}

/// Whether a key of the set signed it; false when none has this id and kind.
fn holds(known: &Known, header: &Header, signed: &str, signature: &[u8]) -> Result<bool, Refused> {
    if !known.discovered.algorithms.contains(&header.alg) {
        return Err(Refused::answer("the logout token is signed in a way that is not accepted (alg)"));
    }
    let named = |key: &&CoreJsonWebKey| header.kid.is_none() || header.kid.as_ref() == key.key_id();
    let mut seen = false;
    for key in known.keys.keys().iter().filter(named) {
        seen = true;
        // A key of another kind does not verify either.
        if key.verify_signature(&header.alg, signed.as_bytes(), signature).is_ok() {
            return Ok(true);
        }
    }
    if seen { Err(Refused::answer("the signature of the logout token does not hold")) } else { Ok(false) }
}
