//! A page becomes HTML: document, shell, content.

use super::{FLASH, Req, Theme, set_cookie};
use crate::i18n::T;
use crate::shell::{Section, Shell, ShellProps};
use crate::ui::{Crumb, Flash};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, SET_COOKIE};
use axum::response::{IntoResponse, Response};
use leptos::prelude::*;
use passerelle_contract::environments::Tier;
use serde::Deserialize;
use std::sync::Arc;
use time::OffsetDateTime;

/// Only our own files; there is no inline script to allow, and of inline styles only attributes.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; report-uri /csp-reports";

/// Addresses of the static files, with the hash of their content in the name where the build makes one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Assets {
    pub css: String,
    /// The script of `public/app.js`.
    pub script: String,
    /// The wasm-bindgen glue and the wasm of the islands.
    pub client_js: String,
    pub client_wasm: String,
    pub favicon: String,
    pub favicon_production: String,
}

impl Default for Assets {
    fn default() -> Self {
        Self {
            css: "/static/passerelle.css".to_owned(),
            script: "/static/app.js".to_owned(),
            client_js: "/static/client.js".to_owned(),
            client_wasm: "/static/client.wasm".to_owned(),
            favicon: "/static/favicon.svg".to_owned(),
            favicon_production: "/static/favicon-production.svg".to_owned(),
        }
    }
}

/// Everything around the content of a page.
#[derive(Debug, Clone)]
pub struct Page {
    pub t: T,
    pub title: String,
    pub section: Section,
    pub crumbs: Vec<Crumb>,
    /// The environment the page acts on; the band, the title and the icon carry it.
    pub band: Option<(Tier, String)>,
    /// Why nothing is deployed there now; beside the band.
    pub frozen: Option<String>,
    pub theme: Theme,
    pub here: String,
    pub user: Option<String>,
    /// Deployments that wait for an approval of the user.
    pub waiting: u64,
    pub csrf: String,
    pub now: OffsetDateTime,
    pub flash: Option<Flash>,
    pub assets: Arc<Assets>,
    /// Without navigation: sign-in and set-up.
    pub bare: bool,
    /// Islands that must be alive at once, not when the browser is idle.
    pub live: bool,
    /// Words already in the search field.
    pub search: String,
}

impl Page {
    #[must_use]
    pub fn new(req: &Req, title: String) -> Self {
        let principal = req.ctx.principal();
        let name = if principal.display_name.is_empty() { &principal.name } else { &principal.display_name };
        Self {
            t: req.t,
            title,
            section: Section::None,
            crumbs: Vec::new(),
            band: None,
            frozen: None,
            theme: req.theme,
            here: req.here(),
            user: (!req.ctx.is_anonymous()).then(|| name.clone()),
            waiting: req.waiting,
            csrf: req.ctx.csrf_token(),
            now: req.now,
            flash: req.flash().cloned(),
            assets: req.assets().clone(),
            bare: false,
            live: false,
            search: String::new(),
        }
    }

    #[must_use]
    pub fn section(mut self, section: Section) -> Self {
        self.section = section;
        self
    }

    #[must_use]
    pub fn crumbs(mut self, crumbs: Vec<Crumb>) -> Self {
        self.crumbs = crumbs;
        self
    }

    #[must_use]
    pub fn band(mut self, tier: Tier, name: impl Into<String>) -> Self {
        self.band = Some((tier, name.into()));
        self
    }

    #[must_use]
    pub fn frozen(mut self, why: Option<String>) -> Self {
        self.frozen = why;
        self
    }

    #[must_use]
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// The answer: asked for anew each time, because it shows what is true now to one person.
    #[must_use]
    pub fn render(self, content: AnyView) -> Response {
        let shown_flash = self.flash.is_some();
        let html = to_html(|| Shell(ShellProps { page: self, content }).into_any());
        let mut response = html.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
        if shown_flash && let Ok(gone) = HeaderValue::from_str(&set_cookie(FLASH, "", 0)) {
            headers.append(SET_COOKIE, gone);
        }
        response
    }
}

/// Renders inside a reactive owner of its own, which ends with the page.
fn to_html(view: impl FnOnce() -> AnyView) -> String {
    let owner = Owner::new_root(None);
    let html = owner.with(|| view().to_html());
    owner.unset_with_forced_cleanup();
    format!("<!DOCTYPE html>{html}")
}

/// A page of the portal.
#[must_use]
pub fn page(page: Page, content: impl IntoView + 'static) -> Response {
    page.render(content.into_any())
}

/// A page without navigation.
#[must_use]
pub fn plain_page(page: Page, content: impl IntoView + 'static) -> Response {
    page.bare().render(content.into_any())
}

/// A part of a page, for the script that puts it in place.
#[must_use]
pub fn fragment(content: impl IntoView + 'static) -> Response {
    let owner = Owner::new_root(None);
    let html = owner.with(|| content.into_any().to_html());
    owner.unset_with_forced_cleanup();
    let mut response = html.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
