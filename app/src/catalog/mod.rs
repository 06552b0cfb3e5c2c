//! The catalog: services with filters, one service with all that is known of it, systems and every other entity.

mod about;
mod entity;
mod import;
mod list;
mod live;
mod overview;
mod service;
mod tabs;
mod waivers;

use crate::web::AppState;
use axum::Router;
use axum::routing::{get, post};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/catalog/import", get(import::form).post(import::submit))
        .route("/services", get(list::show))
        .route("/services/{namespace}/{name}", get(service::show))
        .route("/services/{namespace}/{name}/waivers", get(waivers::show).post(waivers::create))
        .route("/waivers/{id}/revoke", post(waivers::revoke))
        .route("/systems", get(entity::systems))
        .route("/systems/{namespace}/{name}", get(entity::system))
        .route("/entities/{kind}/{namespace}/{name}", get(entity::show))
}

/// `namespace/name` of a full reference; a key without a kind is one already.
fn key_of(reference: &str) -> &str {
    reference.split_once(':').map_or(reference, |(_, key)| key)
}
