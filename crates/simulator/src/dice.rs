//! Names, identifiers and jitter from a seeded generator: the same world and the same calls give the same names.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// The letters of Kubernetes' generated names: no vowels, nothing that reads like another sign.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

#[derive(Debug)]
pub(crate) struct Dice(StdRng);

impl Dice {
    /// A generator of its own for each part of the world, so that traffic on one does not shift the names of another.
    pub(crate) fn new(seed: u64, part: &str) -> Self {
        let mixed = part.bytes().fold(seed ^ 0x9e37_79b9_7f4a_7c15, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(7)
        });
        Self(StdRng::seed_from_u64(mixed))
    }

    pub(crate) fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(LETTERS[self.0.gen_range(0..LETTERS.len())])).collect()
    }

    pub(crate) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.0.r#gen()).into_uuid().to_string()
    }

    /// 25 characters, as the Docker Engine names services and tasks.
    pub(crate) fn swarm_id(&mut self) -> String {
        const SIGNS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
        (0..25).map(|_| char::from(SIGNS[self.0.gen_range(0..SIGNS.len())])).collect()
    }

    pub(crate) fn hex(&mut self, bytes: usize) -> String {
        (0..bytes).map(|_| format!("{:02x}", self.0.r#gen::<u8>())).collect()
    }

    /// `seconds`, between a fifth less and a fifth more.
    pub(crate) fn around(&mut self, seconds: f64) -> f64 {
        seconds * self.0.gen_range(0.8..1.2)
    }

    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        self.0.gen_range(0..bound.max(1))
    }
}

/// A digest that depends on the image name only, as a registry would answer for an unchanged tag.
pub(crate) fn digest(image: &str) -> String {
    use sha2::{Digest, Sha256};
    if let Some((_, digest)) = image.split_once('@') {
        return digest.to_owned();
    }
    let sum = Sha256::digest(image.as_bytes());
    let hex: String = sum.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// SHA-256 of a content, in hexadecimal.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_names() {
        let (mut a, mut b, mut c) = (Dice::new(7, "k8s/a"), Dice::new(7, "k8s/a"), Dice::new(7, "k8s/b"));
        let first = a.suffix(5);
        assert_eq!(first, b.suffix(5));
        assert_ne!(first, c.suffix(5));
        assert_eq!(a.uuid(), b.uuid());
    }

    #[test]
    fn a_pinned_image_keeps_its_digest() {
        assert_eq!(digest("web@sha256:abc"), "sha256:abc");
        assert_eq!(digest("web:1"), digest("web:1"));
        assert_ne!(digest("web:1"), digest("web:2"));
    }
}
