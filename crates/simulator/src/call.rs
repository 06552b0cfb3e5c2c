//! One HTTP call, taken apart for the platforms, and what they note about it for the journal.

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

/// A call with its body read.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Below the platform's prefix, with a leading slash.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_set(&self, name: &str) -> bool {
        matches!(self.parameter(name), Some("true" | "1" | "True"))
    }

    pub(crate) fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn is_write(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }
}

/// Put into a response's extensions by a write that was accepted or refused.
#[derive(Debug, Clone)]
pub(crate) struct Wrote {
    pub(crate) object: String,
    pub(crate) effect: bool,
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    with_type(status, "application/json", Body::from(value.to_string()))
}

pub(crate) fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    with_type(status, "text/plain", Body::from(text.into()))
}

pub(crate) fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}

pub(crate) fn wrote(mut response: Response, object: String, effect: bool) -> Response {
    response.extensions_mut().insert(Wrote { object, effect });
    response
}
