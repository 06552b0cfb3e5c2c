//! Who is there and what they may: the first set-up, signing in, sessions, API tokens, users and role bindings.
//!
//! Invariants: no credential is stored in a form that signs in; a credential that does not hold is refused and never falls
//! through to another one; a change of access acts at once in this process and within [`jobs::POLL`] in the others; there is
//! always an administrator.

mod accounts;
mod cache;
pub mod jobs;
mod limiter;
mod model;
mod passwords;
mod roles;
pub mod routes;
mod service;
mod session_store;
mod sessions;
mod store;
mod tokens;

pub use accounts::{SetUp, SignIn};
pub use model::Client;
pub use service::IdentityService;
pub use session_store::PgSessionStore;
pub use sessions::{SESSION_COOKIE, SESSION_COOKIE_SECURE};
