//! Errors as pages: what happened, what to do next, and the request id to give to somebody.

use super::{Page, Req, see_other};
use crate::ui::{ButtonKind, CopyId, Icon, LinkButton};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use passerelle_contract::ErrorCode;
use passerelle_server::kernel::AppError;

/// An error, rendered for the one who asked.
#[derive(Debug)]
pub struct PageError(Box<Response>);

impl PageError {
    #[must_use]
    pub fn new(req: &Req, error: AppError) -> Self {
        let problem = error.problem(&req.ctx);
        if let AppError::Internal(source) | AppError::Unavailable(source) = &error {
            tracing::error!(request_id = %problem.request_id, error = %source, "page failed");
        }
        // Whoever is not signed in is asked to; the address to come back to is kept, when it is a page that can be read.
        if problem.code == ErrorCode::Unauthenticated {
            let next = super::Query::default().with("next", Some(&req.here()));
            return Self::from_response(see_other(&next.href("/sign-in"), None));
        }
        if problem.code == ErrorCode::ConfirmationNeeded {
            return Self::confirm(&req.back_to());
        }
        let t = req.t;
        let (title, text) = match problem.code {
            ErrorCode::NotFound => (t.err_404_title(), t.err_404_text().to_owned()),
            ErrorCode::Forbidden => (t.err_403_title(), format!("{} {}", problem.detail, t.err_403_next())),
            ErrorCode::CrossSite => (t.err_403_title(), t.err_csrf().to_owned()),
            ErrorCode::Internal => (t.err_500_title(), t.err_500_text().to_owned()),
            ErrorCode::Unavailable => (t.err_503_title(), t.err_503_text().to_owned()),
            ErrorCode::Conflict | ErrorCode::AlreadyExists => (t.err_409_title(), problem.detail.clone()),
            _ => (t.err_other_title(), problem.detail.clone()),
        };
        let fields = problem.errors.iter().map(|e| format!("{} {}", e.pointer, e.message)).collect::<Vec<_>>();
        let body = view! {
            <p>{text}</p>
            {fields.into_iter().map(|field| view! { <p class="mono">{field}</p> }).collect::<Vec<_>>()}
            <p class="muted">{t.docs_code(problem.code.as_str())}</p>
            <div class="muted">
                {t.request_id()} " " <CopyId t=t id=problem.request_id.clone() />
            </div>
        };
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::from_response(error_page(req.page(title), status, body.into_any()))
    }

    /// The way to show again who one is, and from there to `next`.
    #[must_use]
    pub fn confirm(next: &str) -> Self {
        Self::from_response(see_other(&super::Query::default().with("next", Some(next)).href("/confirm"), None))
    }

    #[must_use]
    pub fn from_response(response: Response) -> Self {
        Self(Box::new(response))
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// An error page with its status.
#[must_use]
fn error_page(page: Page, status: StatusCode, body: AnyView) -> Response {
    let t = page.t;
    let icon = if status.is_server_error() { "warn" } else { "ask" };
    let title = page.title.clone();
    let view = view! {
        <div class="empty">
            <Icon name=icon size=26 />
            <h1>{title}</h1>
            {body}
            <div class="btns">
                <LinkButton href="/" label=t.go_home() kind=ButtonKind::Primary />
            </div>
        </div>
    };
    let mut response = page.render(view.into_any());
    *response.status_mut() = status;
    response
}

/// Turns a service's error into the page that tells it.
pub trait OrPage<V> {
    /// # Errors
    /// The page.
    fn or_page(self, req: &Req) -> Result<V, PageError>;
}

impl<V> OrPage<V> for Result<V, AppError> {
    fn or_page(self, req: &Req) -> Result<V, PageError> {
        self.map_err(|error| req.fail(error))
    }
}

/// An address that no page has.
pub async fn missing(req: Req) -> PageError {
    req.fail(AppError::not_found(req.path.clone()))
}
