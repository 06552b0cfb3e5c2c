//! Pages of environments, connections and bindings. The forms of connections and bindings are drawn from the JSON Schema of
//! their kind, so a new kind of target needs no page of its own.

mod binding_edit;
mod binding_new;
mod bindings;
mod connection_edit;
mod connection_new;
mod connections;
pub mod draw;
mod edit;
mod list;
pub mod schema;
pub mod values;

use crate::web::AppState;
use axum::Router;
use axum::routing::{get, post};
use passerelle_contract::environments::TargetKindOut;

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/environments", get(list::show))
        .route("/environments/new", get(edit::new).post(edit::create))
        .route("/environments/{name}", get(edit::show).post(edit::save))
        .route("/connections", get(connections::show))
        .route("/connections/new", get(connection_new::new).post(connection_new::create))
        .route("/connections/{name}", get(connection_edit::show).post(connection_edit::save))
        .route("/connections/{name}/check", post(connections::check))
        .route("/connections/{name}/delete", post(connection_edit::delete))
        .route("/bindings", get(bindings::show))
        .route("/bindings/new", get(binding_new::new).post(binding_new::create))
        .route("/bindings/{id}", get(binding_edit::show).post(binding_edit::save))
        .route("/bindings/{id}/delete", post(binding_edit::delete))
}

/// The title of a kind; a kind that this version does not know is shown as it is stored.
fn kind_title(kinds: &[TargetKindOut], kind: &str) -> String {
    kinds.iter().find(|known| known.kind == kind).map_or_else(|| kind.to_owned(), |known| known.title.clone())
}
