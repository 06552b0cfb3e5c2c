//! Pages of deployments: the list, one deployment live, and the acts on what runs.

mod act;
mod approval;
mod approval_link;
mod choosing;
mod decide;
mod deploy;
mod detail;
mod fields;
mod going;
mod list;
mod planned;
mod roll_back;

use crate::web::AppState;
use axum::Router;
use axum::routing::{get, post};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/deployments", get(list::page_of))
        .route("/deployments/{id}", get(detail::detail))
        .route("/deployments/{id}/live", get(detail::live))
        .route("/deployments/{id}/cancel", post(detail::cancel))
        .route("/deployments/{id}/approval", post(decide::decide))
        .route("/approve/{token}", get(approval_link::show).post(approval_link::decide))
        .route("/deployments/{id}/change", post(decide::change))
        .route("/services/{namespace}/{name}/deploy", get(deploy::choose).post(deploy::submit))
        .route("/services/{namespace}/{name}/rollback", get(roll_back::choose).post(roll_back::submit))
        .route("/services/{namespace}/{name}/{act}", get(act::ask).post(act::submit))
}

/// Production asks to type the service's name; the server checks what the page's script only helps with.
fn confirmed(typed: &str, name: &str, production: bool) -> bool {
    !production || typed == name
}
