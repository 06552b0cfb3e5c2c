//! A request that may change something must come from this site, or from something that is no browser.
//!
//! Browsers send `Origin` with every unsafe request that another site causes, so its absence together with the absence of
//! `Sec-Fetch-Site` means a script; a script that brings a cookie is refused all the same.

use super::stack::HttpSettings;
use crate::kernel::AppError;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub(super) async fn check(State(settings): State<Arc<HttpSettings>>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || from_this_site(request.headers(), settings.public_origin.as_deref()) {
        next.run(request).await
    } else {
        AppError::CrossSite.into_response()
    }
}

fn from_this_site(headers: &HeaderMap, public_origin: Option<&str>) -> bool {
    let text = |name: &axum::http::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(origin) = text(&ORIGIN) {
        return match public_origin {
            Some(ours) => origin.eq_ignore_ascii_case(ours.trim_end_matches('/')),
            None => {
                authority(origin).is_some_and(|given| text(&HOST).is_some_and(|host| given.eq_ignore_ascii_case(host)))
            }
        };
    }
    match headers.get("sec-fetch-site").map(|value| value.to_str().unwrap_or("unreadable")) {
        Some(site) => matches!(site, "same-origin" | "none"),
        None => headers.contains_key(AUTHORIZATION) || !headers.contains_key(COOKIE),
    }
}

fn authority(origin: &str) -> Option<&str> {
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"))
}

#[cfg(test)]
mod tests {
    use super::from_this_site;
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn what_another_site_causes_is_refused() {
        let host = ("host", "127.0.0.1:8080");
        let cookie = ("cookie", "passerelle_session=x");
        for bad in [
            &[host, cookie, ("origin", "https://evil.example")][..],
            &[host, cookie, ("origin", "null")],
            &[host, cookie, ("origin", "http://127.0.0.1:8081")],
            &[host, cookie, ("sec-fetch-site", "cross-site")],
            &[host, cookie, ("sec-fetch-site", "same-site")],
            &[host, cookie],
            &[host, ("authorization", "Bearer psl_x"), ("origin", "https://evil.example")],
        ] {
            assert!(!from_this_site(&headers(bad), None), "{bad:?}");
        }
        for good in [
            &[host, cookie, ("origin", "http://127.0.0.1:8080")][..],
            &[host, cookie, ("sec-fetch-site", "same-origin")],
            &[host, ("authorization", "Bearer psl_x")],
            &[host],
        ] {
            assert!(from_this_site(&headers(good), None), "{good:?}");
        }
    }

    #[test]
    fn behind_a_proxy_the_configured_origin_counts_and_not_the_host() {
        let ours = Some("https://portal.example");
        let given = |origin| headers(&[("host", "10.0.0.1"), ("origin", origin)]);
        assert!(from_this_site(&given("https://portal.example"), ours));
        assert!(!from_this_site(&given("http://10.0.0.1"), ours));
        assert!(!from_this_site(&given("https://portal.example.evil.example"), ours));
    }
}
