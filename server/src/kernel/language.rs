//! The language of a request, for the sentences of an answer.

use axum::extract::FromRequestParts;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use passerelle_contract::Locale;
use std::convert::Infallible;

/// English, unless `Accept-Language` prefers French.
#[derive(Debug, Clone, Copy)]
pub struct Spoken(pub Locale);

impl<S: Send + Sync> FromRequestParts<S> for Spoken {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let header = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Ok(Self(header.map(Locale::negotiate).unwrap_or_default()))
    }
}
