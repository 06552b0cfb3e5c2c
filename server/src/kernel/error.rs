//! The one error type of the use cases. Each variant has a text for the client; what only the log may know stays in
//! [`AppError::Internal`] and [`AppError::Unavailable`].

use super::Ctx;
use passerelle_contract::{ErrorCode, FieldError, Locale, Problem, Text, text};
use uuid::Uuid;

pub type Result<T, E = AppError> = std::result::Result<T, E>;

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum AppError {
    #[error("{}", self.detail())]
    Invalid(Vec<FieldError>),
    #[error("{}", self.detail())]
    Unauthenticated,
    /// The text says which role would allow it.
    #[error("{}", self.detail())]
    Forbidden(Text),
    /// The text names the object as the caller wrote it.
    #[error("{}", self.detail())]
    NotFound(Text),
    /// The text names the object.
    #[error("{}", self.detail())]
    AlreadyExists(Text),
    #[error("{}", self.detail())]
    DeploymentActive { holder: Uuid, service: String, environment: String, attempt: Option<Uuid> },
    #[error("{0}")]
    Conflict(Text),
    #[error("{}", self.detail())]
    IdempotencyMismatch,
    #[error("{}", self.detail())]
    TooLarge { limit_bytes: usize },
    #[error("{}", self.detail())]
    RateLimited { retry_after_s: u64 },
    #[error("{}", self.detail())]
    CrossSite,
    /// Allowed, but the person has to show again who they are.
    #[error("{}", self.detail())]
    ConfirmationNeeded,
    #[error("{0}")]
    Target(Text),
    #[error("the database is away")]
    Unavailable(#[source] Source),
    #[error("internal error: {0}")]
    Internal(#[source] Source),
}

impl AppError {
    /// One wrong field.
    pub fn field(pointer: impl Into<String>, message: Text) -> Self {
        Self::Invalid(vec![FieldError::new(pointer, message)])
    }

    /// An object that is not there, by its reference (`service:shop/web`), which is the same in every language.
    pub fn not_found(reference: impl Into<String>) -> Self {
        Self::NotFound(Text::verbatim(reference))
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
            Self::ConfirmationNeeded => ErrorCode::ConfirmationNeeded,
            Self::Target(_) => ErrorCode::TargetUnavailable,
            Self::Unavailable(_) => ErrorCode::Unavailable,
            Self::Internal(_) => ErrorCode::Internal,
        }
    }

    /// The text for the client; nothing from inside gets out.
    #[must_use]
    pub fn detail(&self) -> Text {
        match self {
            Self::Invalid(errors) => {
                text!("invalid input: {fields}", fields = errors.iter().map(place).collect::<Vec<_>>())
            }
            Self::Unauthenticated => text!("not signed in"),
            Self::Forbidden(because) => text!("not allowed: {because}", because),
            Self::NotFound(what) => text!("{what} does not exist, or you may not see it", what),
            Self::AlreadyExists(what) => text!("{what} exists already", what),
            Self::DeploymentActive { holder, service, environment, .. } => {
                text!("deployment {holder} is running for {service} in {environment}", holder, service, environment)
            }
            Self::Conflict(why) | Self::Target(why) => why.clone(),
            Self::IdempotencyMismatch => text!("this Idempotency-Key was used with a different request"),
            Self::TooLarge { limit_bytes } => text!("the request is larger than {limit_bytes} bytes", limit_bytes),
            Self::RateLimited { retry_after_s } => {
                text!("too many requests; try again in {retry_after_s} s", retry_after_s)
            }
            Self::CrossSite => text!("the request comes from another site"),
            Self::ConfirmationNeeded => {
                text!("you showed who you are too long ago for this; confirm it at /confirm and try again")
            }
            Self::Internal(_) => {
                text!("Something went wrong on our side; the log has the details under this request id.")
            }
            Self::Unavailable(_) => text!("The database is away; nothing was done. Try again in a moment."),
        }
    }

    /// The error in the language of the one who acts.
    #[must_use]
    pub fn problem(&self, ctx: &Ctx) -> Problem {
        self.problem_for(&ctx.request_id, ctx.locale)
    }

    #[must_use]
    pub fn problem_for(&self, request_id: &str, locale: Locale) -> Problem {
        let code = self.code();
        let said = |error: &FieldError| error.clone().into_said(locale);
        Problem {
            kind: format!("/docs/errors/{}", code.as_str()),
            title: code.title().said(locale),
            status: code.status(),
            code,
            detail: self.detail().said(locale),
            request_id: request_id.to_owned(),
            errors: if let Self::Invalid(errors) = self { errors.iter().map(said).collect() } else { Vec::new() },
            holder: if let Self::DeploymentActive { holder, .. } = self { Some(*holder) } else { None },
        }
    }
}

/// A wrong field inside a sentence.
fn place(error: &FieldError) -> Text {
    if error.pointer.is_empty() {
        return error.message.clone();
    }
    text!("{pointer} {message}", pointer = &error.pointer, message = &error.message)
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
