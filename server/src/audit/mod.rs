//! The audit: reading, exporting, sealing and verifying what [`crate::kernel::WriteTx`] wrote.
//!
//! Invariants: rows are only inserted (a trigger and the role's rights hold that), and leave as the beginning of the chain, into a signed
//! archive; every committed row is linked into the chain within about
//! a second; checkpoints are signed with a key derived from the installation's secret, and kept in a table and in a file outside the database.

mod archive;
mod export;
mod formats;
mod offline;
pub mod routes;
mod sealer;
mod service;
mod store;
mod streams;
mod verify;

pub use archive::{Archived, Wanted, archive};
pub use offline::{public_key, verify_export, verify_lines};
pub use passerelle_audit_chain::VerifyingKey;
pub use sealer::{CHECKPOINT_FILE, Sealer};
pub use service::AuditService;
pub use streams::Stream;
pub use verify::{Verdict, last_key_id, verify};
