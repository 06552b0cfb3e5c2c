//! Archives of sites and of manifests.

use passerelle_targets::archive::{Limits, unpack};

const LIMITS: Limits = Limits { unpacked: 1 << 20, one: 1 << 18, files: 100 };

pub fn run(bytes: &[u8]) {
    let Ok(files) = unpack(bytes, LIMITS) else { return };
    let size: usize = files.values().map(Vec::len).sum();
    assert!(files.len() <= LIMITS.files && size as u64 <= LIMITS.unpacked);
    for (path, content) in &files {
        assert!(content.len() as u64 <= LIMITS.one);
        let inside = !path.starts_with('/') && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
        assert!(inside && !path.contains(['\\', '\0', '\n']), "{path:?}");
    }
}
