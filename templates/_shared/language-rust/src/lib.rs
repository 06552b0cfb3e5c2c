//! The service: settings, routes and metrics. `main.rs` starts it.

<% if database %>
pub mod database;
<% endif %>
pub mod metrics;
pub mod routes;
pub mod settings;
