//! A problem that a layer answered to a browser becomes a page: whoever follows a link or sends a form reads a sentence, not JSON. Pages that the portal
//! draws itself do not come by here, and fetches of scripts get their problem as it is.

use super::docs_page::{escape, in_language};
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use passerelle_contract::Problem;

/// More than any problem has.
const LARGEST: usize = 256 << 10;

pub(super) async fn of_problems(request: Request, next: Next) -> Response {
    let reads_pages =
        !request.uri().path().starts_with("/api/") && has(request.headers(), ACCEPT.as_str(), "text/html");
    let response = next.run(request).await;
    if !reads_pages || !has(response.headers(), CONTENT_TYPE.as_str(), "application/problem+json") {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, LARGEST).await else { return Response::from_parts(parts, Body::empty()) };
    let Ok(problem) = serde_json::from_slice::<Problem>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    let language = parts.headers.get(CONTENT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or("en");
    let (headers, page) = in_language(language, &problem.title, &html(&problem));
    parts.headers.remove(CONTENT_LENGTH);
    for (name, value) in &headers {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, Body::from(page))
}

fn html(problem: &Problem) -> String {
    let Problem { title, detail, kind, code, request_id, .. } = problem;
    format!(
        "<h1>{}</h1><p>{}</p><p><a href=\"/\">Passerelle</a></p><p><a href=\"{}\"><code>{}</code></a> <code>{}</code></p>",
        escape(title),
        escape(detail),
        escape(kind),
        code.as_str(),
        escape(request_id)
    )
}

fn has(headers: &HeaderMap<HeaderValue>, name: &str, kind: &str) -> bool {
    headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_contract::ErrorCode;

    #[test]
    fn what_is_told_is_text() {
        let problem = Problem {
            kind: "/docs/errors/not_found".to_owned(),
            title: "not found".to_owned(),
            status: 404,
            code: ErrorCode::NotFound,
            detail: "there is no <script>".to_owned(),
            request_id: "r".to_owned(),
            errors: Vec::new(),
            holder: None,
        };
        let html = html(&problem);
        assert!(
            html.contains("there is no &lt;script&gt;") && html.contains("href=\"/docs/errors/not_found\""),
            "{html}"
        );
    }
}
