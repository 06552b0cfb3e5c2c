//! What browsers tell of pages that tried what their policy refuses: a line of the log each, and so many in a minute that nobody fills it.

use crate::kernel::AppError;
use crate::kernel::web::Raw;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use passerelle_contract::text;
use serde_json::Value;
use std::num::NonZeroU32;
use std::sync::Arc;
use url::Url;

/// Where reports are sent.
const ADDRESS: &str = "/csp-reports";
const LINES_A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
const LONGEST_CHARS: usize = 200;

pub fn routes() -> Router {
    let lines: Arc<DefaultDirectRateLimiter> = Arc::new(RateLimiter::direct(Quota::per_minute(LINES_A_MINUTE)));
    Router::new().route(ADDRESS, post(hear)).with_state(lines)
}

async fn hear(State(lines): State<Arc<DefaultDirectRateLimiter>>, Raw(body): Raw) -> Result<StatusCode, AppError> {
    let wrong = || AppError::field("/csp-report", text!("must be the report of a browser, as JSON"));
    let told: Value = serde_json::from_slice(&body).map_err(|_| wrong())?;
    let Report { page, directive, blocked, source } = read(&told["csp-report"]).ok_or_else(wrong)?;
    if lines.check().is_ok() {
        // Debug: what a browser says is escaped, whatever is in it.
        tracing::warn!(?page, ?directive, ?blocked, ?source, "a page tried what its policy refuses");
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, PartialEq, Eq)]
struct Report {
    page: String,
    directive: String,
    blocked: String,
    source: String,
}

/// What `report-uri` has browsers send. `report-to` is newer, but over plain HTTP Chromium then sends nothing at all.
fn read(report: &Value) -> Option<Report> {
    let text = |name: &str| report[name].as_str().unwrap_or_default();
    let directive = ["effective-directive", "violated-directive"].map(text).into_iter().find(|text| !text.is_empty());
    report.is_object().then(|| Report {
        page: place(text("document-uri")),
        directive: short(directive.unwrap_or_default()),
        blocked: place(text("blocked-uri")),
        source: place(text("source-file")),
    })
}

/// An address without its query, where secrets may be; a word such as `inline` as it is.
fn place(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return short(text) };
    url.set_query(None);
    url.set_fragment(None);
    let _ = url.set_username("");
    let _ = url.set_password(None);
    short(url.as_str())
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_CHARS, Report, read};
    use serde_json::json;

    #[test]
    fn a_report_is_read_without_what_may_be_secret() {
        let told = json!({ "document-uri": "https://portal.example/setup?token=abc#x", "blocked-uri": "inline",
            "violated-directive": "script-src-elem", "source-file": "https://ada:pw@portal.example/app.js?v=1" });
        let wanted = Report {
            page: "https://portal.example/setup".to_owned(),
            directive: "script-src-elem".to_owned(),
            blocked: "inline".to_owned(),
            source: "https://portal.example/app.js".to_owned(),
        };
        assert_eq!(read(&told), Some(wanted));
        let long = read(&json!({ "blocked-uri": "x".repeat(10_000) })).unwrap();
        assert_eq!(long.blocked.len(), LONGEST_CHARS);
        for nothing in [json!(null), json!([]), json!(7), json!("x")] {
            assert_eq!(read(&nothing), None, "{nothing}");
        }
    }
}
