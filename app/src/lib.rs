//! The pages of Passerelle: rendered on the server from the service layer, with islands where a page is live or instant.
//!
//! Feature `ssr` builds the router of all pages and forms ([`router`]); feature `hydrate` builds the browser's half, in which
//! only the islands and what they draw with are linked.
#![recursion_limit = "256"]

pub mod i18n;
pub mod shell;
pub mod ui;

#[cfg(feature = "hydrate")]
pub mod browser;

#[cfg(feature = "ssr")]
mod access;
#[cfg(feature = "ssr")]
mod alerts;
#[cfg(feature = "ssr")]
mod audit;
#[cfg(feature = "ssr")]
mod catalog;
#[cfg(feature = "ssr")]
mod deployments;
#[cfg(feature = "ssr")]
mod environments;
#[cfg(feature = "ssr")]
mod gallery;
#[cfg(feature = "ssr")]
mod gates;
#[cfg(feature = "ssr")]
mod identity;
#[cfg(feature = "ssr")]
mod matrix;
#[cfg(feature = "ssr")]
mod notifications;
#[cfg(feature = "ssr")]
mod onboarding;
#[cfg(feature = "ssr")]
mod preferences;
#[cfg(feature = "ssr")]
mod slo;
#[cfg(feature = "ssr")]
mod web;

#[cfg(feature = "ssr")]
pub use web::{AppState, Assets};

/// All pages and forms. The caller puts it behind the layer that sets [`passerelle_server::kernel::Ctx`] as a request
/// extension, the origin check and the security headers.
#[cfg(feature = "ssr")]
pub fn router(portal: passerelle_server::portal::Portal, assets: Assets) -> axum::Router {
    let state = AppState { portal, assets: std::sync::Arc::new(assets) };
    axum::Router::new()
        .merge(access::routes())
        .merge(alerts::routes())
        .merge(audit::routes())
        .merge(catalog::routes())
        .merge(deployments::routes())
        .merge(environments::routes())
        .merge(gallery::routes())
        .merge(gates::routes())
        .merge(identity::routes())
        .merge(matrix::routes())
        .merge(notifications::routes())
        .merge(onboarding::routes())
        .merge(preferences::routes())
        .merge(slo::routes())
        .fallback(web::missing)
        .layer(axum::middleware::from_fn_with_state(state.clone(), web::count))
        .with_state(state)
}

/// Entry of the browser's half: makes the runtime ready; `public/app.js` then starts each island.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
