//! How long an answer may take to begin and how much a request may send.

use super::problems;
use crate::kernel::AppError;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use std::time::Duration;

/// Bytes of an ordinary request.
pub const BODY_LIMIT: usize = 1 << 20;
/// Bytes of an import: several times a catalog of 10,000 components.
pub const IMPORT_BODY_LIMIT: usize = 32 << 20;
/// Bytes of the forms that import a catalog or objectives by hand.
pub const IMPORT_FORM_LIMIT: usize = 2 << 20;
/// Bytes of a scanner's report.
const REPORT_BODY_LIMIT: usize = 8 << 20;
/// A body that is too large is read to its end up to here, so that the client sees the answer and not a broken pipe.
const DRAIN_LIMIT: u64 = 64 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(20);

/// THE list of routes that take more than [`BODY_LIMIT`].
fn limit_for(path: &str) -> usize {
    match path {
        "/api/v1/catalog/imports" | "/api/v1/slos/imports" => IMPORT_BODY_LIMIT,
        "/catalog/import" | "/slos/import" => IMPORT_FORM_LIMIT,
        path if path.starts_with("/api/v1/releases/") && path.ends_with("/vulnerabilities") => REPORT_BODY_LIMIT,
        _ => BODY_LIMIT,
    }
}

pub(super) async fn timeout(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => problems::timed_out(limit),
    }
}

/// What a form of a page gets instead of a body that was too large, so that a page can say so.
#[derive(Debug, Clone, Copy)]
pub struct BodyTooLarge {
    pub limit_bytes: usize,
}

/// Refuses by the announced length at once; a body without one is cut where the limit is, which its reader reports.
pub(super) async fn body(request: Request, next: Next) -> Response {
    let limit = limit_for(request.uri().path());
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    let (mut parts, body) = request.into_parts();
    if announced.is_some_and(|length| length > limit as u64) {
        drain(body, announced.unwrap_or_default()).await;
        if parts.uri.path().starts_with("/api/") {
            return AppError::TooLarge { limit_bytes: limit }.into_response();
        }
        parts.extensions.insert(BodyTooLarge { limit_bytes: limit });
        return next.run(Request::from_parts(parts, Body::empty())).await;
    }
    if announced.is_some() || body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    next.run(Request::from_parts(parts, cut(body, limit))).await
}

/// The body up to the limit, and an error when there is more. The rest is read and thrown away first, for the same reason as
/// in [`drain`].
fn cut(body: Body, limit: usize) -> Body {
    let state = (body.into_data_stream(), 0_u64, false);
    Body::from_stream(futures::stream::unfold(state, move |(mut chunks, mut seen, ended)| async move {
        if ended {
            return None;
        }
        loop {
            let more = seen <= limit as u64 || seen <= DRAIN_LIMIT;
            let chunk = match chunks.next().await {
                Some(chunk) if more => chunk.map_err(std::io::Error::other),
                _ if seen > limit as u64 => Err(std::io::Error::other("the body is too large")),
                _ => return None,
            };
            let Ok(bytes) = &chunk else { return Some((chunk, (chunks, seen, true))) };
            seen = seen.saturating_add(bytes.len() as u64);
            if seen <= limit as u64 {
                return Some((chunk, (chunks, seen, false)));
            }
        }
    }))
}

async fn drain(body: Body, announced: u64) {
    if announced > DRAIN_LIMIT {
        return;
    }
    let read = async {
        let mut chunks = body.into_data_stream();
        while let Some(Ok(_)) = chunks.next().await {}
    };
    // A client that does not finish in time gets its answer anyway.
    drop(tokio::time::timeout(DRAIN_TIME, read).await);
}

#[cfg(test)]
mod tests {
    use super::{BODY_LIMIT, IMPORT_BODY_LIMIT, body};
    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::http::{Request, StatusCode};
    use axum::middleware::from_fn;
    use axum::routing::post;
    use tower::ServiceExt;

    async fn send(path: &str, size: usize, announced: bool) -> StatusCode {
        let count = |body: Bytes| async move { body.len().to_string() };
        let app = Router::new()
            .route("/api/v1/x", post(count))
            .route("/api/v1/catalog/imports", post(count))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .layer(from_fn(body));
        let bytes = vec![b'x'; size];
        let mut request = Request::post(path);
        let body = if announced {
            request = request.header("content-length", size);
            Body::from(bytes)
        } else {
            let chunks: Vec<Result<Bytes, std::io::Error>> =
                bytes.chunks(64 << 10).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
            Body::from_stream(futures::stream::iter(chunks))
        };
        app.oneshot(request.body(body).unwrap()).await.unwrap().status()
    }

    #[tokio::test]
    async fn a_body_is_limited_by_its_route_whether_announced_or_not() {
        assert_eq!(send("/api/v1/x", BODY_LIMIT, true).await, StatusCode::OK);
        assert_eq!(send("/api/v1/x", BODY_LIMIT + 1, true).await, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(send("/api/v1/x", BODY_LIMIT + 1, false).await.is_client_error());
        assert_eq!(send("/api/v1/x", 1000, false).await, StatusCode::OK);
        assert_eq!(send("/api/v1/catalog/imports", BODY_LIMIT + 1, true).await, StatusCode::OK);
        assert_eq!(send("/api/v1/catalog/imports", IMPORT_BODY_LIMIT + 1, true).await, StatusCode::PAYLOAD_TOO_LARGE);
    }
}
