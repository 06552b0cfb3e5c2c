//! Secrets at rest: how they are sealed, with which key, and how all of them get a new one.
//!
//! Invariants:
//! - A secret is sealed for its own place (owner and field) and opens in no other.
//! - Every sealed text names its key. A key is written to the database before anything is sealed with it, so whoever reads a text finds its key.
//! - A reference leads only where the configuration of the machine allows, whoever wrote it into a connection or a channel.
//! - Whoever seals holds a lock until its transaction ends; a rotation that has it too knows that nothing more comes under an older key.

mod fields;
mod references;
mod rotation;
mod service;
mod store;
mod vault;

pub use fields::{keep, mask, places};
pub use rotation::{Rotated, Sealed, SealedRow};
pub use service::{Checked, RevealError, Secrets, Unreadable};
