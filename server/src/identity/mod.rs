//! Who is there and what they may: the first set-up, signing in, sessions, API tokens, users and role bindings.
//!
//! Invariants: no credential is stored in a form that signs in; a credential that does not hold is refused and never falls
//! through to another one; a change of access acts at once in this process and within [`jobs::POLL`] in the others; there is
//! always an administrator, as far as people change roles; the groups of a provider may take the last one away, and then
//! the command line on the server makes a token that gives the role again.

mod accounts;
mod cache;
pub mod device;
pub mod jobs;
mod limiter;
mod model;
mod passwords;
mod providers;
mod rights;
mod rights_store;
mod roles;
pub mod routes;
mod service;
mod session_store;
mod sessions;
mod store;
mod tokens;

pub use accounts::{SetUp, SignIn};
pub use model::{Client, token_id};
pub use providers::{
    Arrived, Departure, Kind, OwnProvider, OwnWays, ProviderError, Returned, RolesTold, WaysIn, WaysToConfirm,
    local_path,
};
pub use service::IdentityService;
pub use session_store::PgSessionStore;
pub use sessions::{SESSION_COOKIE, SESSION_COOKIE_SECURE};
