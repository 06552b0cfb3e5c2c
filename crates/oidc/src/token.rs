//! The signature of a token: which algorithms count, and what the crate `openidconnect` verifies of an ID token.

use crate::Refused;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError,
};
use serde_json::{Map, Value};

/// How far clocks may differ, in seconds.
pub(crate) const LEEWAY: i64 = 60;
/// An ID token is made when the code is exchanged; an old one was kept by somebody. Seconds.
const MAX_AGE: i64 = 600;

/// THE list: asymmetric only. `none` signs nothing, and an HMAC could be made by everybody who knows the key it is checked with.
const ALLOWED: [(&str, CoreJwsSigningAlgorithm); 9] = [
    ("RS256", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256),
    ("RS384", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384),
    ("RS512", CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512),
    ("PS256", CoreJwsSigningAlgorithm::RsaSsaPssSha256),
    ("PS384", CoreJwsSigningAlgorithm::RsaSsaPssSha384),
    ("PS512", CoreJwsSigningAlgorithm::RsaSsaPssSha512),
    ("ES256", CoreJwsSigningAlgorithm::EcdsaP256Sha256),
    ("ES384", CoreJwsSigningAlgorithm::EcdsaP384Sha384),
    ("EdDSA", CoreJwsSigningAlgorithm::EdDsa),
];

/// Those of ours that a provider announces; all of ours when it announces nothing.
pub(crate) fn algorithms(announced: Option<&[String]>) -> Vec<CoreJwsSigningAlgorithm> {
    let wanted = |name: &str| announced.is_none_or(|list| list.iter().any(|item| item == name));
    ALLOWED.into_iter().filter(|(name, _)| wanted(name)).map(|(_, algorithm)| algorithm).collect()
}

/// Why an ID token does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsound {
    /// No key of this id and kind: the provider may have new ones.
    NoKey,
    Refused(Refused),
}

/// What an ID token must fit.
#[derive(Debug)]
pub(crate) struct Expected<'e> {
    pub(crate) issuer: &'e IssuerUrl,
    pub(crate) client_id: &'e ClientId,
    pub(crate) keys: &'e CoreJsonWebKeySet,
    pub(crate) algorithms: &'e [CoreJwsSigningAlgorithm],
    pub(crate) nonce: &'e Nonce,
    /// What came with it.
    pub(crate) access_token: &'e AccessToken,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// Signature, `iss`, `aud` (ours is in it), `exp`, `iat`, `nonce`, and `at_hash` where there is one. The rest of the claims is [`crate::claims`]'.
pub(crate) fn verify(token: &CoreIdToken, expected: &Expected<'_>) -> Result<(), Unsound> {
    let now = expected.now;
    let at = |seconds: i64| DateTime::<Utc>::from_timestamp(seconds, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    // A verifier without a secret refuses every HMAC, whatever the list says.
    let verifier = CoreIdTokenVerifier::new_public_client(
        expected.client_id.clone(),
        expected.issuer.clone(),
        expected.keys.clone(),
    )
    .set_allowed_algs(expected.algorithms.iter().cloned())
    // Further audiences are judged with `azp`, which this crate's claims do.
    .set_other_audience_verifier_fn(|_| true)
    .set_time_fn(move || at(now - LEEWAY))
    .set_issue_time_verifier_fn(move |issued| {
        let age = now - issued.timestamp();
        if (-LEEWAY..=MAX_AGE).contains(&age) { Ok(()) } else { Err(String::new()) }
    });
    let claims = token.claims(&verifier, expected.nonce).map_err(|error| match error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => Unsound::NoKey,
        other => Unsound::Refused(Refused::answer(cause(&other))),
    })?;
    let Some(told) = claims.access_token_hash() else { return Ok(()) };
    let (algorithm, key) = (token.signing_alg(), token.signing_key(&verifier));
    let ours = match (algorithm, key) {
        (Ok(algorithm), Ok(key)) => AccessTokenHash::from_token(expected.access_token, algorithm, key).ok(),
        _ => None,
    };
    if ours.as_ref() == Some(told) {
        Ok(())
    } else {
        Err(Unsound::Refused(Refused::answer("the access token is not the ID token's (at_hash)")))
    }
}

fn cause(error: &ClaimsVerificationError) -> &'static str {
    match error {
        ClaimsVerificationError::Expired(_) => "the ID token has ended, or was not made just now",
        ClaimsVerificationError::InvalidAudience(_) => "the ID token is for another client (aud)",
        ClaimsVerificationError::InvalidIssuer(_) => "the ID token is of another issuer (iss)",
        ClaimsVerificationError::InvalidNonce(_) => "the ID token belongs to another sign-in (nonce)",
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
            "the ID token is signed in a way that is not accepted (alg)"
        }
        ClaimsVerificationError::SignatureVerification(_) => "the signature of the ID token does not hold",
        _ => "the ID token is not one that is understood",
    }
}

/// The claims of a token whose signature has been verified, as JSON.
pub(crate) fn payload(token: &str) -> Result<Map<String, Value>, Refused> {
    let body = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
    serde_json::from_slice(&body).map_err(|_| Refused::answer("the claims cannot be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_both_sides_know_is_accepted() {
        assert_eq!(algorithms(None).len(), ALLOWED.len());
        let announced = ["none", "HS256", "RS256", "EdDSA"].map(str::to_owned);
        let both = algorithms(Some(&announced));
        assert_eq!(both, [CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256, CoreJwsSigningAlgorithm::EdDsa]);
        assert!(algorithms(Some(&["none".to_owned(), "HS512".to_owned()])).is_empty());
    }
}
