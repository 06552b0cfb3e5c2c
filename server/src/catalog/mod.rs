//! Services, APIs, resources, systems and teams, in Backstage's terms.
//!
//! Documents come in by [`import`] (pure), are written by `store`, and are read from [`index`]: an image of the whole catalog in
//! memory that follows the table by its revision. Postgres holds the truth; the image can be thrown away at any time.
//!
//! Invariants: an entity's id stays the same over re-imports and archiving; one broken document never keeps others out; an import
//! that changes nothing writes nothing.

mod admitting;
pub mod cycles;
mod detail;
mod editing;
pub mod entity;
pub mod import;
mod importing;
pub mod index;
mod plan;
pub mod portal;
pub mod reference;
pub mod relations;
pub mod routes;
mod service;
mod store;
pub mod text;
pub mod upload;
pub use passerelle_lined_yaml as yaml;

#[cfg(test)]
mod tests;

pub use admitting::{Admission, LaidService};
pub use importing::ImportOptions;
pub use portal::{PortalDocumentSink, PortalDocuments, PortalOutcome, Sourced};
pub use service::{CatalogService, EntityFilter, KnownService, ServiceRef};
pub use upload::{MAX_UPLOAD_BYTES, Upload};
