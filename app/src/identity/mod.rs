//! Signing in and out, by password or at a provider, and the first administrator from the one-use link.

mod confirm;
mod no_role;
mod provider;
mod set_up;
mod sign_in;

use crate::web::AppState;
use axum::Router;
use axum::routing::{get, post};

pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/sign-in", get(sign_in::form).post(sign_in::submit))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/confirm", get(confirm::ask).post(confirm::submit))
        .route("/auth/{provider}/confirm", get(provider::leave_to_confirm))
        .route("/auth/no-role", get(no_role::show))
        .route("/auth/{provider}/sign-in", get(provider::leave))
        .route("/auth/{provider}/callback", get(provider::come_back))
        .route("/auth/{provider}/sign-out", get(provider::sign_out))
        .route("/auth/{provider}/backchannel-logout", post(provider::signed_out_there))
        .route("/setup", get(set_up::form).post(set_up::submit))
}
