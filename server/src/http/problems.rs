//! Problems that no use case knows of: no such route, not this method, no answer in time.

use crate::kernel::web::{problem_response, request};
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use passerelle_contract::{ErrorCode, Problem, Text, text};
use std::time::Duration;

fn answer(status: StatusCode, code: ErrorCode, title: &Text, detail: &Text) -> Response {
    let (request_id, locale) = request();
    let problem = Problem {
        kind: format!("/docs/errors/{}", code.as_str()),
        title: title.said(locale),
        status: status.as_u16(),
        code,
        detail: detail.said(locale),
        request_id,
        errors: Vec::new(),
        holder: None,
    };
    problem_response(&problem, locale)
}

pub(super) async fn no_such_route(uri: Uri) -> Response {
    let path: String = uri.path().chars().take(200).collect();
    let detail = text!("there is no {path} in this API; /docs/api lists what there is", path = format!("{path:?}"));
    answer(StatusCode::NOT_FOUND, ErrorCode::NotFound, &ErrorCode::NotFound.title(), &detail)
}

/// axum adds the `Allow` header.
pub(super) async fn not_this_method(method: Method) -> Response {
    let detail = text!(
        "{method} is not something this resource does; the header Allow lists what it does",
        method = method.as_str()
    );
    answer(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::NotFound, &text!("method not allowed"), &detail)
}

pub(super) fn timed_out(limit: Duration) -> Response {
    let detail =
        text!("there was no answer in {seconds} s; look at the object before you try again", seconds = limit.as_secs());
    answer(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, &text!("timed out"), &detail)
}
