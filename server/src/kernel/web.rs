//! What every capability's routes share: extractors whose refusals are problem documents, and errors as responses.
//!
//! The middleware in `http` puts the [`Ctx`] into the request and runs it inside [`with_request_id`].

use super::{AppError, Ctx};
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::FieldError;
use serde::Serialize;
use serde::de::DeserializeOwned;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// Runs a request so that errors made anywhere inside carry its id.
pub async fn with_request_id<F: Future>(request_id: String, inner: F) -> F::Output {
    REQUEST_ID.scope(request_id, inner).await
}

/// The id of the request that is being answered; empty outside of one.
#[must_use]
pub fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let id = request_id();
        match &self {
            Self::Internal(source) => tracing::error!(request_id = %id, error = %source, "request failed"),
            Self::Unavailable(source) => tracing::warn!(request_id = %id, error = %source, "database away"),
            _ => {}
        }
        let problem = self.problem_for(&id);
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        let retry_after_s = match &self {
            Self::RateLimited { retry_after_s } => Some(*retry_after_s),
            Self::Unavailable(_) => Some(2),
            _ => None,
        };
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Ctx {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| AppError::internal("route outside of the authentication layer"))
    }
}

/// A JSON body or answer; what does not parse is refused by field.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.split(';').next().is_some_and(|mime| mime.trim() == "application/json"));
        let body =
            Bytes::from_request(request, state).await.map_err(|_| AppError::TooLarge { limit_bytes: 1 << 20 })?;
        // An act without details, for example a cancel without a reason, may come without a body.
        let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
        if !json && body.as_ref() != b"{}" {
            return Err(AppError::field("", "the body must come as Content-Type: application/json"));
        }
        parse(&mut serde_json::Deserializer::from_slice(&body)).map(Self)
    }
}

fn parse<'de, T: serde::Deserialize<'de>, D>(deserializer: D) -> Result<T, AppError>
where
    D: serde::Deserializer<'de>,
    D::Error: std::fmt::Display,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let pointer = if path == "." { String::new() } else { format!("/{}", path.replace('.', "/")) };
        AppError::Invalid(vec![FieldError::new(pointer, error.into_inner().to_string())])
    })
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The query string; an unknown or ill-typed parameter is refused by name.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, AppError> {
        let query = parts.uri.query().unwrap_or_default();
        // Forms send empty fields for "not set".
        let set: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(_, value)| !value.is_empty())
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .collect();
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&set).finish();
        parse(serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()))).map(Self)
    }
}

/// `Idempotency-Key`: 1 to 200 visible characters.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(pub String);

impl<S: Send + Sync> OptionalFromRequestParts<S> for IdempotencyKey {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, AppError> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(None) };
        match value.to_str() {
            Ok(text) if (1..=200).contains(&text.len()) => Ok(Some(Self(text.to_owned()))),
            _ => Err(AppError::field("/headers/idempotency-key", "must be 1 to 200 visible ASCII characters")),
        }
    }
}
