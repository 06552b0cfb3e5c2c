//! Looking an image up where it is kept, by the distribution API that every registry speaks (OCI distribution, Docker Registry HTTP API V2).
//!
//! Only manifests are asked for, by HEAD; nothing is pulled. Each request goes through the [guard](crate::guard): the host comes from the name
//! of an image, which somebody typed, and the address of the token service comes from the registry's answer.
//!
//! Invariant: credentials go to the registry that they were given for and to the token service that it names, over TLS or within this machine.

mod challenge;
mod client;
mod config;
mod findings;
mod kind;
mod place;

pub use client::{Found, Images};
pub use config::{RegistryConfig, RegistryHost};
pub use findings::finding;
pub use kind::{REGISTRY, connection_kind, open};
pub use place::{Place, names_its_registry, registry_of};
