//! What every handler starts from: the caller, the language, the theme, the moment.

use super::{Assets, Errors, FLASH, Page, PageError, Query, THEME, Waiting, cookie, cookies, set_cookie};
use crate::i18n::T;
use crate::ui::{Flash, Pages};
use axum::extract::{FromRef, FromRequestParts};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use passerelle_contract::environments::Tier;
use passerelle_server::kernel::web::id_of;
use passerelle_server::kernel::{AppError, Ctx, Via, locale_of};
use passerelle_server::portal::Portal;
use std::convert::Infallible;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the pages share.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The use cases; handlers take it as `State(portal): State<Portal>`.
    pub portal: Portal,
    pub assets: Arc<Assets>,
}

impl FromRef<AppState> for Portal {
    fn from_ref(state: &AppState) -> Self {
        state.portal.clone()
    }
}

/// Light, dark, or what the system says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::Auto,
        }
    }

    /// The `data-theme` attribute; none follows the system.
    #[must_use]
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Light => Some("light"),
            Self::Dark => Some("dark"),
        }
    }
}

/// One request for a page.
#[derive(Debug, Clone)]
pub struct Req {
    pub ctx: Ctx,
    pub t: T,
    pub theme: Theme,
    pub now: OffsetDateTime,
    pub path: String,
    pub query: Query,
    /// A page that can be come back to by its address.
    pub reads: bool,
    /// Deployments that wait for an approval of the caller.
    pub waiting: u64,
    flash: Option<Flash>,
    assets: Arc<Assets>,
}

impl Req {
    /// Where this request is in the list at `path`.
    #[must_use]
    pub fn pages(&self, path: &str, shown: usize, total: u64, next_cursor: Option<&str>) -> Pages {
        let at = |cursor| self.query.with("cursor", cursor).href(path);
        let first = self.query.get("cursor").map(|_| at(None));
        Pages { shown, total, first, next: next_cursor.map(|cursor| at(Some(cursor))) }
    }

    #[must_use]
    pub fn from_parts(parts: &Parts, state: &AppState) -> Self {
        let headers = &parts.headers;
        let locale = locale_of(headers);
        let ctx = parts.extensions.get::<Ctx>().cloned();
        Self {
            ctx: ctx.unwrap_or_else(|| Ctx::anonymous(Via::Page, Uuid::now_v7().to_string()).speaking(locale)),
            t: T(locale),
            theme: cookie(headers, THEME).map(|text| Theme::parse(&text)).unwrap_or_default(),
            now: OffsetDateTime::now_utc(),
            path: parts.uri.path().to_owned(),
            reads: parts.method.is_safe(),
            query: Query::parse(parts.uri.query().unwrap_or_default()),
            waiting: parts.extensions.get::<Waiting>().map_or(0, |waiting| waiting.0),
            flash: cookies::flash(headers).and_then(|text| serde_json::from_str(&text).ok()),
            assets: state.assets.clone(),
        }
    }

    /// An empty page with this title, to be filled and rendered.
    #[must_use]
    pub fn page(&self, title: impl Into<String>) -> Page {
        Page::new(self, title.into())
    }

    #[must_use]
    pub fn flash(&self) -> Option<&Flash> {
        self.flash.as_ref()
    }

    #[must_use]
    pub fn assets(&self) -> &Arc<Assets> {
        &self.assets
    }

    /// The page that tells this error.
    #[must_use]
    pub fn fail(&self, error: AppError) -> PageError {
        PageError::new(self, error)
    }

    /// What a form shows again beside its fields, with what was typed still there; anything else is a page of its own.
    ///
    /// # Errors
    /// That page.
    pub fn shown(&self, error: AppError) -> Result<Errors, PageError> {
        match &error {
            AppError::Invalid(_)
            | AppError::AlreadyExists(_)
            | AppError::Conflict(_)
            | AppError::Forbidden(_)
            | AppError::DeploymentActive { .. } => Ok(error.problem(&self.ctx).into()),
            _ => Err(self.fail(error)),
        }
    }

    /// The id in an address; what is no id names no object of this kind.
    ///
    /// # Errors
    /// The page of what is not found.
    pub fn id(&self, kind: &str, text: &str) -> Result<Uuid, PageError> {
        id_of(kind, text).map_err(|error| self.fail(error))
    }

    /// The tier in an address.
    ///
    /// # Errors
    /// As [`Self::id`].
    pub fn tier(&self, text: &str) -> Result<Tier, PageError> {
        Tier::parse(text).ok_or_else(|| self.fail(AppError::not_found(format!("tier:{text}"))))
    }

    /// Before a form for production is shown, and before it is sent: what was typed is in `next`, so that it is there again afterwards.
    ///
    /// # Errors
    /// The way to `/confirm`, when it is too long ago that the caller showed who they are.
    pub fn confirmed_for(&self, tier: Tier, next: &str) -> Result<(), PageError> {
        if tier == Tier::Production && self.ctx.must_confirm() { Err(PageError::confirm(next)) } else { Ok(()) }
    }

    /// Where to come back to after showing who one is: this page, or the part of the portal that a form belongs to.
    #[must_use]
    pub fn back_to(&self) -> String {
        if self.reads || self.path.starts_with("/approve/") {
            return self.here();
        }
        format!("/{}", self.path.trim_start_matches('/').split('/').next().unwrap_or_default())
    }

    /// The present address with its query.
    #[must_use]
    pub fn here(&self) -> String {
        self.query.href(&self.path)
    }
}

impl FromRequestParts<AppState> for Req {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::from_parts(parts, state))
    }
}

/// 303 to a page of ours, with a message for it.
#[must_use]
pub fn see_other(path: &str, flash: Option<Flash>) -> Response {
    // Only our own pages: one slash, and nothing a browser could read as another host.
    let safe = path.starts_with('/') && !path.starts_with("//") && !path.contains(['\\', '\t', '\r', '\n']);
    let location = HeaderValue::from_str(if safe { path } else { "/" }).unwrap_or(HeaderValue::from_static("/"));
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
    let text = flash.and_then(|flash| serde_json::to_string(&flash).ok());
    if let Some(value) = text.and_then(|text| HeaderValue::from_str(&set_cookie(FLASH, &text, 60)).ok()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}
