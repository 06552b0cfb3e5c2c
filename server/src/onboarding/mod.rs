//! Golden paths: from answers to a service that is in the catalog with its files, and the tie that stays between them.
//!
//! Invariants:
//! - The service, its files, its answers and the audit row are one transaction; the service enters the catalog by the reading and writing of an
//!   import, and only as a new one.
//! - What a new service brings along beside that (objectives, bindings) is done by the use cases of their owners, with the rights of
//!   whoever asks: a golden path gives nobody more than they may. What could not be done is said, and can be tried again.
//! - The files are kept as they were made, or as the update that was taken in last made them: what a later version is compared with. They are delivered step by step by a worker, each step written down, and each finds what it did
//!   before; what is not ours is never overwritten, and never taken back.
//!
//! - A service that was there before keeps its own files: it gets those that were ticked, and is offered later versions of these and of what it had in the
//!   same form.
//!
//! Public surface: [`OnboardingService`], [`Deliverer`] (the worker), [`router`], and the templates as the pages draw them.

mod adoption;
mod jobs;
mod model;
mod parcel;
mod routes;
mod service;
mod store;

pub use jobs::Deliverer;
pub use passerelle_templates::{Kind, Library, Parameter, Step, Template, Widget};
pub use routes::router;
pub use service::OnboardingService;
