//! Where things are.

use std::path::{Path, PathBuf};

/// The repository and its build folder.
#[derive(Debug, Clone)]
pub struct Paths {
    root: PathBuf,
    target: PathBuf,
}

impl Paths {
    /// From the manifest folder that cargo names at run time, so that a moved clone works without a rebuild.
    pub fn find() -> Self {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let manifest = PathBuf::from(manifest);
        let root = manifest.parent().unwrap_or(&manifest).to_owned();
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
        Self { root, target }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn target(&self) -> &Path {
        &self.target
    }

    /// The client has its own folder: another platform, and no waiting for the server's build lock.
    pub fn client_target(&self) -> PathBuf {
        self.target.join("client")
    }
}
