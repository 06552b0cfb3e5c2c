//! `/docs/errors/{code}`, where the `type` of every problem document leads: what the error means and what to do.

use super::docs_page::{Page, around};
use crate::kernel::markdown;
use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use passerelle_contract::ErrorCode;

/// A page for each code.
pub(super) fn routes() -> Router {
    ErrorCode::ALL.iter().fold(Router::new(), |routes, code| {
        let page = page(*code);
        routes.route(&format!("/docs/errors/{}", code.as_str()), get(move || async move { page.into_response() }))
    })
}

fn page(code: ErrorCode) -> Page {
    around(code.as_str(), &markdown::html(text(code), 1))
}

/// The files of the documentation; a code without one does not compile.
const fn text(code: ErrorCode) -> &'static str {
    macro_rules! file {
        ($name:literal) => {
            include_str!(concat!("../../../docs/errors/", $name, ".md"))
        };
    }
    match code {
        ErrorCode::InvalidInput => file!("invalid_input"),
        ErrorCode::Unauthenticated => file!("unauthenticated"),
        ErrorCode::Forbidden => file!("forbidden"),
        ErrorCode::NotFound => file!("not_found"),
        ErrorCode::AlreadyExists => file!("already_exists"),
        ErrorCode::DeploymentActive => file!("deployment_active"),
        ErrorCode::Conflict => file!("conflict"),
        ErrorCode::IdempotencyMismatch => file!("idempotency_mismatch"),
        ErrorCode::TooLarge => file!("too_large"),
        ErrorCode::RateLimited => file!("rate_limited"),
        ErrorCode::CrossSite => file!("cross_site"),
        ErrorCode::ConfirmationNeeded => file!("confirmation_needed"),
        ErrorCode::TargetUnavailable => file!("target_unavailable"),
        ErrorCode::Unavailable => file!("unavailable"),
        ErrorCode::Internal => file!("internal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_page_of_its_name() {
        for code in ErrorCode::ALL {
            let (_, html) = page(code);
            assert!(html.contains(&format!("<h1><code>{}</code></h1>", code.as_str())), "{html}");
            assert!(html.contains(&format!("HTTP {}", code.status())), "{html}");
        }
    }
}
