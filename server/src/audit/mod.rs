//! The audit: reading, exporting, sealing and verifying what [`crate::kernel::WriteTx`] wrote.
//!
//! Invariants: rows are only inserted (a trigger and the role's rights hold that); every committed row is linked into the chain within about
//! a second; checkpoints are signed with a key derived from the installation's secret, and kept in a table and in a file outside the database.

mod export;
mod offline;
pub mod routes;
mod sealer;
mod service;
mod store;
mod verify;

pub use offline::{public_key, verify_export, verify_lines};
pub use passerelle_audit_chain::VerifyingKey;
pub use sealer::{CHECKPOINT_FILE, Sealer};
pub use service::AuditService;
pub use verify::{Verdict, last_key_id, verify};
