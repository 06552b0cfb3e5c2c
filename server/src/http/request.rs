//! The id of a request, its one line in the log, and what a panic becomes.

use crate::kernel::web::in_request;
use crate::kernel::{AppError, locale_of, validate};
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::time::Instant;
use uuid::Uuid;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of this request, for layers and handlers.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// Makes the id (none is taken from outside: it is a key of the audit), and logs the request when it is answered.
pub(super) async fn identify_and_log(mut request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    request.headers_mut().remove(REQUEST_ID);
    request.extensions_mut().insert(RequestId(id.clone()));
    let locale = locale_of(request.headers());
    let method = request.method().clone();
    // Only the path: queries may hold what people search for. Debug escapes control characters.
    let path: String = request.uri().path().chars().take(200).collect();
    let began = Instant::now();
    let mut response = in_request(id.clone(), locale, next.run(request)).await;
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let status = response.status().as_u16();
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    if status >= 500 {
        tracing::warn!(request_id = %id, %method, ?path, status, duration_us, "request");
    } else if method.is_safe() {
        tracing::debug!(request_id = %id, %method, ?path, status, duration_us, "request");
    } else {
        tracing::info!(request_id = %id, %method, ?path, status, duration_us, "request");
    }
    response
}

/// A path that holds U+0000 is refused before anything looks for what it names.
pub(super) async fn refuse_nul(request: Request, next: Next) -> Response {
    if request.uri().path().contains("%00") {
        return AppError::field("/path", validate::nul()).into_response();
    }
    next.run(request).await
}

/// A panic is our fault and becomes an ordinary 500.
pub(super) fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response<Body> {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned());
    AppError::internal(format!("panic: {text}")).into_response()
}
