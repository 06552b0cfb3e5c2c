//! Posted forms: the hidden `csrf` field is verified before a handler sees anything; on errors the values stay.

use super::{AppState, PageError, Req, multipart};
use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use passerelle_contract::{FieldError, Problem};
use passerelle_server::http::{BodyTooLarge, IMPORT_FORM_LIMIT};
use passerelle_server::kernel::AppError;
use uuid::Uuid;

/// A form that came from one of our pages.
#[derive(Debug)]
pub struct Posted {
    pub req: Req,
    pub fields: Fields,
}

/// The values of a form, in order.
#[derive(Debug, Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// The value with the white space around it removed; empty when absent.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The value as it was typed (passwords, documents).
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    #[must_use]
    pub fn text(&self, name: &str) -> String {
        self.get(name).to_owned()
    }

    /// The value unless it is empty.
    #[must_use]
    pub fn some(&self, name: &str) -> Option<String> {
        Some(self.get(name)).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// A check box.
    #[must_use]
    pub fn on(&self, name: &str) -> bool {
        self.get(name) == "true"
    }

    /// A whole number, or the error for its field.
    ///
    /// # Errors
    /// When it is not a number that fits, with the text to show.
    pub fn number<N: std::str::FromStr>(&self, name: &str, wrong: &str) -> Result<N, FieldError> {
        self.get(name).parse().map_err(|_| FieldError::said(format!("/{name}"), wrong))
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl IntoIterator for Fields {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A form for people who may not be signed in.
#[derive(Debug)]
pub struct PostedByAnybody(pub Posted);

impl FromRequest<AppState> for Posted {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let req = Req::from_parts(&parts, state);
        // Before anything is read, or drawn anew with its errors.
        if req.ctx.is_anonymous() {
            return Err(req.fail(AppError::Unauthenticated));
        }
        Self::read(&parts, body, req).await
    }
}

impl FromRequest<AppState> for PostedByAnybody {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let req = Req::from_parts(&parts, state);
        Posted::read(&parts, body, req).await.map(Self)
    }
}

impl Posted {
    async fn read(parts: &Parts, body: Body, req: Req) -> Result<Self, PageError> {
        if let Some(BodyTooLarge { limit_bytes }) = parts.extensions.get().copied() {
            return Err(req.fail(AppError::TooLarge { limit_bytes }));
        }
        // The largest forms are the imports by hand.
        let Ok(bytes) = axum::body::to_bytes(body, IMPORT_FORM_LIMIT).await else {
            return Err(req.fail(AppError::TooLarge { limit_bytes: IMPORT_FORM_LIMIT }));
        };
        let fields: Fields = if multipart::is_multipart(&parts.headers) {
            multipart::fields(&parts.headers, bytes).await
        } else {
            url::form_urlencoded::parse(&bytes).into_owned().collect()
        };
        match req.ctx.verify_csrf(fields.get("csrf")) {
            Ok(()) => Ok(Self { req, fields }),
            Err(error) => Err(req.fail(error)),
        }
    }
}

/// What was wrong with a form, field by field.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    status: Option<StatusCode>,
    fields: Vec<FieldError>,
    /// What is wrong with the whole.
    pub general: Option<String>,
    /// The deployment that stands in the way.
    pub holder: Option<Uuid>,
    /// Fields that nobody has filled in yet: no errors, and told as hints.
    open: Vec<String>,
}

impl Errors {
    /// The text for the field at this pointer (or below it).
    #[must_use]
    pub fn of(&self, pointer: &str) -> Option<String> {
        let mut found = self.fields.iter().filter(|e| {
            e.pointer == pointer || e.pointer.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'))
        });
        found.next().map(|e| e.message.to_string())
    }

    /// With the pointers of fields that are still to be filled in.
    #[must_use]
    pub fn leaving_open(mut self, pointers: Vec<String>) -> Self {
        self.open = pointers;
        self
    }

    /// Whether the field at this pointer is still to be filled in, and nothing is wrong with it.
    #[must_use]
    pub fn is_open(&self, pointer: &str) -> bool {
        self.open.iter().any(|one| one == pointer) && self.of(pointer).is_none()
    }

    /// Whether any field is still to be filled in.
    #[must_use]
    pub fn leave_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The form that shows them, as the refusal that it is.
    #[must_use]
    pub fn refuse(&self, mut form: Response) -> Response {
        *form.status_mut() = self.status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
        form
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty() && self.general.is_none()
    }

    /// The errors whose pointer none of `shown` covers; they are told above the form, so that none gets lost.
    #[must_use]
    pub fn elsewhere(&self, shown: &[&str]) -> Vec<String> {
        let covered = |pointer: &str| shown.iter().any(|s| pointer == *s || pointer.starts_with(&format!("{s}/")));
        let lost = self.fields.iter().filter(|e| !covered(&e.pointer));
        lost.map(|e| format!("{} {}", e.pointer, e.message)).collect()
    }
}

impl From<Problem> for Errors {
    fn from(problem: Problem) -> Self {
        let general = problem.errors.is_empty().then(|| problem.detail.clone());
        Self {
            status: StatusCode::from_u16(problem.status).ok(),
            fields: problem.errors,
            general,
            holder: problem.holder,
            open: Vec::new(),
        }
    }
}

impl From<FieldError> for Errors {
    fn from(error: FieldError) -> Self {
        Self { fields: vec![error], ..Self::default() }
    }
}
