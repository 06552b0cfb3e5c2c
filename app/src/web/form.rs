//! Posted forms: the hidden `csrf` field is verified before a handler sees anything; on errors the values stay.

use super::{AppState, PageError, Req};
use axum::extract::{FromRequest, Request};
use passerelle_contract::{FieldError, Problem};
use passerelle_server::kernel::AppError;

/// The largest form: the import of a catalog by hand.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;

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
        self.get(name).parse().map_err(|_| FieldError::new(format!("/{name}"), wrong))
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl FromRequest<AppState> for Posted {
    type Rejection = PageError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, PageError> {
        let (parts, body) = request.into_parts();
        let req = Req::from_parts(&parts, state);
        let Ok(bytes) = axum::body::to_bytes(body, MAX_FORM_BYTES).await else {
            return Err(req.fail(AppError::TooLarge { limit_bytes: MAX_FORM_BYTES }));
        };
        let fields: Fields = url::form_urlencoded::parse(&bytes).into_owned().collect();
        match req.ctx.verify_csrf(fields.get("csrf")) {
            Ok(()) => Ok(Self { req, fields }),
            Err(error) => Err(req.fail(error)),
        }
    }
}

/// What was wrong with a form, field by field.
#[derive(Debug, Clone, Default)]
pub struct Errors {
    fields: Vec<FieldError>,
    /// What is wrong with the whole.
    pub general: Option<String>,
}

impl Errors {
    /// The text for the field at this pointer (or below it).
    #[must_use]
    pub fn of(&self, pointer: &str) -> Option<String> {
        let mut found = self.fields.iter().filter(|e| {
            e.pointer == pointer || e.pointer.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'))
        });
        found.next().map(|e| e.message.clone())
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
        Self { fields: problem.errors, general }
    }
}

impl From<FieldError> for Errors {
    fn from(error: FieldError) -> Self {
        Self { fields: vec![error], general: None }
    }
}
