//! Telling people: what happened goes over channels (Slack, a webhook, e-mail) to where rules say, and each message has a row that says
//! what became of it.
//!
//! Invariants:
//! - what happened is a row of `outbox_events`, written in the transaction of its cause; nothing is told that did not happen, and
//!   nothing that happened is forgotten, whoever is killed when;
//! - an event is laid out into deliveries once (a unique index), a delivery is held by one process (a lease), and its id goes along with
//!   the message, because it may come twice: at least once, never silently not;
//! - each destination is tried by itself, so many times and no more; one that is away delays no other;
//! - a message goes only where the guard allows, and holds facts, links to the portal, and no secret.
//!
//! Public surface: [`NotificationService`] (use cases), [`Courier`] (the worker), [`router`].

mod channels;
mod courier;
mod event;
mod message;
mod model;
mod routes;
mod service;
mod store;

pub use channels::schemas;
pub use courier::Courier;
pub use routes::router;
pub use service::{NotificationService, Outlook};
pub use store::channels::SealedChannels;
