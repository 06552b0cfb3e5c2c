//! Problems that no use case knows of: no such route, not this method, no answer in time.

use crate::kernel::web::request_id;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use passerelle_contract::{ErrorCode, Problem};
use std::time::Duration;

fn answer(status: StatusCode, code: ErrorCode, title: &str, detail: String) -> Response {
    let problem = Problem {
        kind: format!("/docs/errors/{}", code.as_str()),
        title: title.to_owned(),
        status: status.as_u16(),
        code,
        detail,
        request_id: request_id(),
        errors: Vec::new(),
        holder: None,
    };
    let mut response = (status, axum::Json(problem)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response
}

pub(super) async fn no_such_route(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    let detail = format!("there is no {path:?} in this API; /docs/api lists what there is");
    answer(StatusCode::NOT_FOUND, ErrorCode::NotFound, "not found", detail)
}

/// axum adds the `Allow` header.
pub(super) async fn not_this_method(method: Method) -> Response {
    let detail = format!("{method} is not something this resource does; the header Allow lists what it does");
    answer(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::NotFound, "method not allowed", detail)
}

pub(super) fn timed_out(limit: Duration) -> Response {
    let seconds = limit.as_secs();
    let detail = format!("there was no answer in {seconds} s; look at the object before you try again");
    answer(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, "timed out", detail)
}
