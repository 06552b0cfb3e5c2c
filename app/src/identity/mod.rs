//! Signing in and out, and the first administrator from the one-use link.

mod set_up;
mod sign_in;

use crate::web::AppState;
use axum::Router;
use axum::routing::{get, post};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/setup", get(set_up::form).post(set_up::submit))
}
