//! The door: one visible stack of middleware around the routes of all capabilities, health, and the description of the API.
//!
//! How the portal is put together (`stack.rs` has the order and why):
//!
//! ```text
//! let api   = identity::routes::routes(..).merge(audit::routes::routes(..)).merge(..);
//! let rest  = http::rest(api);                       // /api/v1, openapi.json, /docs/api, problems for 404 and 405
//! let app   = rest.merge(pages).merge(http::health(..));
//! let app   = http::stack(app, http::Stack { identity, db, settings });
//! axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
//! ```

mod authenticate;
mod compression;
mod csp_reports;
mod description;
mod docs_page;
mod error_pages;
mod forwarded;
mod health;
mod idempotency;
mod limits;
mod openapi;
mod plain_pages;
mod problems;
mod rates;
mod request;
mod security_headers;
mod site;
mod stack;

pub use csp_reports::routes as csp_reports;
pub use health::{Health, health};
pub use idempotency::sweep as sweep_idempotency_keys;
pub use limits::{BODY_LIMIT, BodyTooLarge, IMPORT_BODY_LIMIT, IMPORT_FORM_LIMIT};
pub use openapi::{document, rest};
pub use rates::RateSettings;
pub use stack::{HttpSettings, Stack, stack};
