//! The one error type of the use cases. Each variant has a text for the client; what only the log may know stays in
//! [`AppError::Internal`] and [`AppError::Unavailable`].

use super::Ctx;
use passerelle_contract::{ErrorCode, FieldError, Problem};
use uuid::Uuid;

pub type Result<T, E = AppError> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("invalid input: {}", .0.iter().map(|e| format!("{} {}", e.pointer, e.message)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    #[error("not signed in")]
    Unauthenticated,
    /// The text says which role would allow it.
    #[error("not allowed: {0}")]
    Forbidden(String),
    /// The text names the object as the caller wrote it.
    #[error("{0} does not exist, or you may not see it")]
    NotFound(String),
    #[error("{0} exists already")]
    AlreadyExists(String),
    #[error("deployment {holder} is running for {service} in {environment}")]
    DeploymentActive { holder: Uuid, service: String, environment: String, attempt: Option<Uuid> },
    #[error("{0}")]
    Conflict(String),
    #[error("this Idempotency-Key was used with a different request")]
    IdempotencyMismatch,
    #[error("the request is larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    #[error("too many requests; try again in {retry_after_s} s")]
    RateLimited { retry_after_s: u64 },
    #[error("the request comes from another site")]
    CrossSite,
    #[error("{0}")]
    Target(String),
    #[error("the database is away")]
    Unavailable(#[source] Source),
    #[error("internal error: {0}")]
    Internal(#[source] Source),
}

impl AppError {
    /// One wrong field.
    pub fn field(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, message)])
    }

    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) => ErrorCode::InvalidInput,
            Self::Unauthenticated => ErrorCode::Unauthenticated,
            Self::Forbidden(_) => ErrorCode::Forbidden,
            Self::NotFound(_) => ErrorCode::NotFound,
            Self::AlreadyExists(_) => ErrorCode::AlreadyExists,
            Self::DeploymentActive { .. } => ErrorCode::DeploymentActive,
            Self::Conflict(_) => ErrorCode::Conflict,
            Self::IdempotencyMismatch => ErrorCode::IdempotencyMismatch,
            Self::TooLarge { .. } => ErrorCode::TooLarge,
            Self::RateLimited { .. } => ErrorCode::RateLimited,
            Self::CrossSite => ErrorCode::CrossSite,
            Self::Target(_) => ErrorCode::TargetUnavailable,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The text for the client; nothing from inside gets out.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Internal(_) => {
                "Something went wrong on our side; the log has the details under this request id.".to_owned()
            }
            Self::Unavailable(_) => "The database is away; nothing was done. Try again in a moment.".to_owned(),
            other => other.to_string(),
        }
    }

    #[must_use]
    pub fn problem(&self, ctx: &Ctx) -> Problem {
        self.problem_for(&ctx.request_id)
    }

    #[must_use]
    pub fn problem_for(&self, request_id: &str) -> Problem {
        let code = self.code();
        Problem {
            kind: format!("/docs/errors/{}", code.as_str()),
            title: code.as_str().replace('_', " "),
            status: code.status(),
            code,
            detail: self.detail(),
            request_id: request_id.to_owned(),
            errors: if let Self::Invalid(errors) = self { errors.clone() } else { Vec::new() },
            holder: if let Self::DeploymentActive { holder, .. } = self { Some(*holder) } else { None },
        }
    }
}

impl From<sqlx::Error> for AppError {
    /// Lost connections are `Unavailable`, all else is ours. A constraint that a caller can violate is mapped beside its query.
    fn from(error: sqlx::Error) -> Self {
        let away = match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                true
            }
            // Class 57P: the server shuts down or starts up; 08: connection exceptions.
            sqlx::Error::Database(db) => {
                db.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08"))
            }
            _ => false,
        };
        if away { Self::Unavailable(error.into()) } else { Self::Internal(error.into()) }
    }
}

/// The name of the constraint that an insert or update violated, if that is what happened.
#[must_use]
pub fn violated(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error().and_then(|db| db.constraint())
}
