//! What GitHub and GitLab tell by their webhooks: that something was built. It becomes a release of every service that comes out of
//! that repository.
//!
//! Invariants:
//! - Nothing of a body is read before its sender has shown that it knows the connection's secret: by an HMAC over the raw bytes (GitHub) or
//!   by the secret itself (GitLab), compared in constant time.
//! - A delivery is taken once. A release is one of a service and version anyway, so a delivery that comes again before it was written down
//!   makes nothing twice either.
//! - Releases are made by the use case that `POST /releases` has, and by no other way.

mod github;
mod gitlab;
mod model;
mod routes;
mod service;
mod signature;
mod store;

pub use github::read as read_github;
pub use gitlab::read as read_gitlab;
pub use model::{Built, Heard, Source, What, release};
pub use routes::router;
pub use service::WebhookService;
pub use signature::{github_holds, gitlab_holds};
