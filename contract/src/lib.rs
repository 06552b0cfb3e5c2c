//! The wire of Passerelle: identifiers, error codes and the `In`/`Out`/`Filter` types of every capability.
//!
//! Times are RFC 3339 in UTC on the wire.
//!
//! This crate builds for the browser too, so it holds data and nothing else: no SQL, no HTTP server, no cluster client.

pub mod access;
pub mod adoption;
pub mod alerts;
pub mod audit;
pub mod catalog;
pub mod delivery;
pub mod deployments;
pub mod environments;
pub mod gates;
mod locale;
pub mod moment;
pub mod notifications;
pub mod onboarding;
pub mod paging;
pub mod postmortems;
pub mod problem;
pub mod refused_json;
pub mod slo;
pub mod webhooks;
#[doc(hidden)]
pub mod wording;

pub use locale::Locale;
pub use paging::Page;
pub use problem::{ErrorCode, FieldError, Problem};
pub use wording::{Argument, Text};
