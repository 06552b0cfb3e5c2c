//! A hash chain over audit rows, and signed checkpoints on it. Pure: knows neither a database nor files.
//!
//! - A row is hashed over its canonical bytes: [`Row::canonical`], length-prefixed, so that no two rows have the same bytes.
//! - Link n is `SHA-256(link n-1 || SHA-256(row))`; the link before the first is 32 zero bytes.
//! - A checkpoint is an Ed25519 signature over position, event id and link. It is kept outside the database too, which is what finds a
//!   cut tail, a restored backup, and a rewrite by somebody who knows all of the above but not the key.
//! - An archive is a signed statement that rows from the beginning of the chain are in a file: verification then begins behind them.

mod checkpoint;
mod row;
mod verify;

pub use checkpoint::{Archive, Checkpoint, SigningKey, VerifyingKey};
pub use row::Row;
pub use verify::{Fault, Linked, Report, Verifier};

/// A link of the chain.
pub type Hash = [u8; 32];

/// The link before the first row.
pub const GENESIS: Hash = [0; 32];

/// The link after `previous` for a row.
#[must_use]
pub fn link(previous: &Hash, row: &Row) -> Hash {
    use sha2::{Digest, Sha256};
    let row: Hash = Sha256::digest(row.canonical()).into();
    Sha256::new().chain_update(previous).chain_update(row).finalize().into()
}
