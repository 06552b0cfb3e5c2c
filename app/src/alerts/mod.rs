//! Alerts: the list, and the same for one service and beside a chart.

mod list;
mod rows;

use crate::web::AppState;
use axum::Router;
use axum::routing::get;

pub use rows::{in_period, list, marks, of_service};

pub fn routes() -> Router<AppState> {
    Router::new().route("/alerts", get(list::show))
}
