//! Signed statements about the chain: where it stood, and which of its rows went into an archive.

use crate::Hash;
use ed25519_dalek::{Signature, Signer, Verifier};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// "After the row at this position the chain had this link."
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// How many rows are linked.
    pub position: i64,
    pub event_id: i64,
    /// Hexadecimal.
    pub hash: String,
    /// Hexadecimal.
    pub signature: String,
    /// The first 16 hexadecimal digits of SHA-256 of the public key.
    pub key_id: String,
    pub at_us: i64,
}

/// "The rows from `first` to `last` are in the file with this digest, and no longer here." Signed apart from checkpoints: whoever cuts off the
/// beginning of the chain has checkpoints to show, but no archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Archive {
    /// The first position of it.
    pub first: i64,
    /// The last position of it; the chain goes on at the next.
    pub last: i64,
    pub event_id: i64,
    /// The link after the last row, hexadecimal.
    pub hash: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    pub at_us: i64,
    /// Hexadecimal.
    pub signature: String,
    /// As of a [`Checkpoint`].
    pub key_id: String,
}

/// The key that signs; it lives outside the database.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

/// The key that checks.
#[derive(Debug, Clone)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.verifying_key().id())
    }
}

impl SigningKey {
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    #[must_use]
    pub fn sign(&self, position: i64, event_id: i64, hash: &Hash, at_us: i64) -> Checkpoint {
        let signature = self.0.sign(&message(position, event_id, hash, at_us));
        Checkpoint {
            position,
            event_id,
            hash: hex::encode(hash),
            signature: hex::encode(signature.to_bytes()),
            key_id: self.verifying_key().id(),
            at_us,
        }
    }

    /// Signs what an archive holds; its `signature` and `key_id` are made anew.
    #[must_use]
    pub fn sign_archive(&self, archive: Archive) -> Archive {
        let signature = hex::encode(self.0.sign(&archive_message(&archive)).to_bytes());
        Archive { signature, key_id: self.verifying_key().id(), ..archive }
    }
}

impl VerifyingKey {
    /// As 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    /// Reads what [`Self::to_hex`] wrote; nothing for any other text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).ok()?;
        ed25519_dalek::VerifyingKey::from_bytes(&bytes).ok().map(Self)
    }

    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(Sha256::digest(self.0.as_bytes()))[..16].to_owned()
    }

    /// Whether this key signed exactly this checkpoint.
    #[must_use]
    pub fn holds(&self, checkpoint: &Checkpoint) -> bool {
        let (mut hash, mut signature) = ([0; 32], [0; 64]);
        if hex::decode_to_slice(&checkpoint.hash, &mut hash).is_err()
            || hex::decode_to_slice(&checkpoint.signature, &mut signature).is_err()
        {
            return false;
        }
        let message = message(checkpoint.position, checkpoint.event_id, &hash, checkpoint.at_us);
        self.0.verify(&message, &Signature::from_bytes(&signature)).is_ok()
    }

    /// Whether this key signed exactly this archive.
    #[must_use]
    pub fn holds_archive(&self, archive: &Archive) -> bool {
        let mut signature = [0; 64];
        hex::decode_to_slice(&archive.signature, &mut signature).is_ok()
            && self.0.verify(&archive_message(archive), &Signature::from_bytes(&signature)).is_ok()
    }
}

/// The texts are as long as they are long, so each has its length before it.
fn archive_message(archive: &Archive) -> Vec<u8> {
    let mut message = b"passerelle-archive-1\0".to_vec();
    for number in [archive.first, archive.last, archive.event_id, archive.at_us] {
        message.extend_from_slice(&number.to_be_bytes());
    }
    for text in [&archive.hash, &archive.sha256] {
        message.extend_from_slice(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        message.extend_from_slice(text.as_bytes());
    }
    message
}

fn message(position: i64, event_id: i64, hash: &Hash, at_us: i64) -> Vec<u8> {
    let mut message = b"passerelle-checkpoint-1\0".to_vec();
    message.extend_from_slice(&position.to_be_bytes());
    message.extend_from_slice(&event_id.to_be_bytes());
    message.extend_from_slice(hash);
    message.extend_from_slice(&at_us.to_be_bytes());
    message
}
