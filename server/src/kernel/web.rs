//! What every capability's routes share: extractors whose refusals are problem documents, and errors as responses.
//!
//! The middleware in `http` puts the [`Ctx`] into the request and runs it inside [`with_request_id`].

use super::{AppError, Ctx, validate};
use axum::body::Bytes;
use axum::extract::path::ErrorKind as PathError;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::FieldError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
            return Err(AppError::field("/headers/content-type", "must be application/json"));
        }
        // Else an array would be read as the fields in their order.
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(AppError::field("", "the body must be a JSON object"));
        }
        refuse_nul(&body)?;
        let mut reader = serde_json::Deserializer::from_slice(&body);
        let value = parse(&mut reader)?;
        reader.end().map_err(|error| AppError::field("", format!("text after the end of the document: {error}")))?;
        Ok(Self(value))
    }
}

/// JSON writes U+0000 only as an escape, so a body without one costs a search and nothing more.
fn refuse_nul(body: &[u8]) -> Result<(), AppError> {
    const ESCAPE: &[u8] = br"\u0000";
    if !body.windows(ESCAPE.len()).any(|window| window == ESCAPE) {
        return Ok(());
    }
    // What is no JSON at all is told by the reader that knows the fields.
    let Ok(value) = serde_json::from_slice::<Value>(body) else { return Ok(()) };
    validate::nul_at(&value, "").map_or(Ok(()), |pointer| Err(AppError::field(pointer, validate::NUL)))
}

fn parse<'de, T: serde::Deserialize<'de>, D>(deserializer: D) -> Result<T, AppError>
where
    D: serde::Deserializer<'de>,
    D::Error: std::fmt::Display,
{
    serde_path_to_error::deserialize(deserializer).map_err(|error| AppError::Invalid(vec![field_error(&error)]))
}

/// What serde refuses, with the place as a JSON pointer (RFC 6901). Of a field that is missing or there twice serde gives the
/// place of the object around it, and the name in its message.
pub fn field_error<E: std::fmt::Display>(error: &serde_path_to_error::Error<E>) -> FieldError {
    use serde_path_to_error::Segment;
    let message = error.inner().to_string();
    let mut pointer = String::new();
    let path = error.path();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            // The name of a variant is no place in the document.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let named = message.strip_prefix("missing field `").or_else(|| message.strip_prefix("duplicate field `"));
    if let Some((name, _)) = named.and_then(|rest| rest.split_once('`'))
        && !pointer.ends_with(&format!("/{name}"))
    {
        pointer.push_str(&format!("/{name}"));
    }
    FieldError::new(pointer, plain_words(&message))
}

/// What serde expects, in words for people who do not write Rust.
fn plain_words(message: &str) -> String {
    const WORDS: [(&str, &str); 6] = [
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number from 0 to 4294967295"),
        ("expected u64", "expected a whole number from 0"),
        ("expected i64", "expected a whole number"),
        ("expected a string", "expected text"),
        ("expected a boolean", "expected true or false"),
    ];
    WORDS.iter().fold(message.to_owned(), |text, (from, to)| text.replace(from, to))
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
        if let Some((name, _)) = set.iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(AppError::field(format!("/{}", name.replace('\0', "")), validate::NUL));
        }
        let text = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&set).finish();
        parse(serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(text.as_bytes()))).map(Self)
    }
}

/// The parts of the path that a route names; what cannot be one is refused by name.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Path<T> {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AppError> {
        match <axum::extract::Path<T> as FromRequestParts<S>>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failed)) => Err(refused_path(failed.into_kind())),
            Err(other) => Err(AppError::internal(other)),
        }
    }
}

fn refused_path(kind: PathError) -> AppError {
    match kind {
        PathError::ParseErrorAtKey { key, expected_type, .. } => {
            let wanted = if expected_type.ends_with("Uuid") { "UUID" } else { expected_type };
            AppError::field(format!("/path/{key}"), format!("must be a {wanted}"))
        }
        PathError::InvalidUtf8InPathParam { key } => AppError::field(format!("/path/{key}"), "must be UTF-8"),
        PathError::DeserializeError { key, message, .. } => AppError::field(format!("/path/{key}"), message),
        other => AppError::field("/path", other.to_string()),
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
