//! What every capability's routes share: extractors whose refusals are problem documents, and errors as responses.
//!
//! The middleware in `http` puts the [`Ctx`] into the request and runs it inside [`in_request`].

use super::{AppError, Ctx, validate};
use axum::body::Bytes;
use axum::extract::path::ErrorKind as PathError;
use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::environments::Tier;
use passerelle_contract::{FieldError, Locale, Page, Problem, Text, refused_json, text};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

/// What is told of a body that was cut without having announced its length: the limit of an ordinary request.
const LIMIT_BYTES: usize = 1 << 20;

tokio::task_local! {
    static REQUEST: (String, Locale);
}

/// Runs a request so that errors made anywhere inside carry its id and speak its language.
pub async fn in_request<F: Future>(request_id: String, locale: Locale, inner: F) -> F::Output {
    REQUEST.scope((request_id, locale), inner).await
}

/// The id of the request that is being answered, and the language to answer in; outside of one, nothing and English.
#[must_use]
pub fn request() -> (String, Locale) {
    REQUEST.try_with(Clone::clone).unwrap_or_default()
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let (id, locale) = request();
        match &self {
            Self::Internal(source) => tracing::error!(request_id = %id, error = %source, "request failed"),
            Self::Unavailable(source) => tracing::warn!(request_id = %id, error = %source, "database away"),
            _ => {}
        }
        let mut response = problem_response(&self.problem_for(&id, locale), locale);
        let retry_after_s = match &self {
            Self::RateLimited { retry_after_s } => Some(*retry_after_s),
            Self::Unavailable(_) => Some(2),
            _ => None,
        };
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A problem document as an answer, in the language it was written in.
pub fn problem_response(problem: &Problem, locale: Locale) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, axum::Json(problem)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(locale.tag()));
    response
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
            Bytes::from_request(request, state).await.map_err(|_| AppError::TooLarge { limit_bytes: LIMIT_BYTES })?;
        // An act without details, for example a cancel without a reason, may come without a body.
        let body = if body.is_empty() { Bytes::from_static(b"{}") } else { body };
        if !json && body.as_ref() != b"{}" {
            return Err(AppError::field("/headers/content-type", text!("must be application/json")));
        }
        // Else an array would be read as the fields in their order.
        if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(AppError::field("", text!("the body must be a JSON object")));
        }
        refuse_nul(&body)?;
        let mut reader = serde_json::Deserializer::from_slice(&body);
        let value = parse(&mut reader)?;
        reader.end().map_err(|error| {
            AppError::field("", text!("text after the end of the document: {error}", error = error.to_string()))
        })?;
        Ok(Self(value))
    }
}

/// A body as it came, for what is judged by its bytes; one that is cut at the limit is refused as such.
#[derive(Debug, Clone)]
pub struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        let body = Bytes::from_request(request, state).await;
        body.map(Self).map_err(|_| AppError::TooLarge { limit_bytes: LIMIT_BYTES })
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
    validate::nul_at(&value, "").map_or(Ok(()), |pointer| Err(AppError::field(pointer, validate::nul())))
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
    FieldError::new(pointer, refused_json::words(&message))
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
            return Err(AppError::field(format!("/{}", name.replace('\0', "")), validate::nul()));
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

/// A short list as one page.
#[must_use]
pub fn one_page<T>(items: Vec<T>) -> Json<Page<T>> {
    let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
    Json(Page { items, next_cursor: None, total })
}

/// A tier in a path.
///
/// # Errors
/// `NotFound` with the tiers there are.
pub fn tier_of(text: &str) -> Result<Tier, AppError> {
    Tier::parse(text)
        .ok_or_else(|| AppError::NotFound(text!("tier {tier} (development, staging, production)", tier = text)))
}

/// The id of an object in a path; what is no id names no object of this kind.
///
/// # Errors
/// `NotFound` with the reference as it was written.
pub fn id_of(kind: &str, text: &str) -> Result<Uuid, AppError> {
    text.parse().map_err(|_| AppError::not_found(format!("{kind}:{text}")))
}

fn refused_path(kind: PathError) -> AppError {
    match kind {
        PathError::ParseErrorAtKey { key, expected_type, .. } => {
            let kind = if expected_type.ends_with("Uuid") { "UUID" } else { expected_type };
            AppError::field(format!("/path/{key}"), text!("must be a {kind}", kind))
        }
        PathError::InvalidUtf8InPathParam { key } => AppError::field(format!("/path/{key}"), text!("must be UTF-8")),
        PathError::DeserializeError { key, message, .. } => {
            AppError::field(format!("/path/{key}"), Text::verbatim(message))
        }
        other => AppError::field("/path", Text::verbatim(other.to_string())),
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
            _ => Err(AppError::field("/headers/idempotency-key", text!("must be 1 to 200 visible ASCII characters"))),
        }
    }
}
