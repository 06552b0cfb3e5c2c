//! Tests of what needs no database.

mod documents;
mod hostile;
mod relations;

use super::import::{self, Parsed};
use super::upload::Upload;

/// Reads one YAML stream.
pub(super) fn read(text: &str) -> Parsed {
    import::parse(&Upload::from_stream(text.as_bytes()).unwrap())
}

/// A component with extra lines under `spec`.
pub(super) fn component(name: &str, spec: &str) -> String {
    format!(
        "---\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\nspec:\n  type: service\n{spec}"
    )
}

/// Small, repeatable pseudo-random numbers (xorshift), so that a failure can be run again.
pub(super) struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}
