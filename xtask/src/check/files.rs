//! The files of the repository.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::output;

/// A text file: path from the root with `/`, content.
pub type TextFile = (String, String);

/// All files that git knows or would add, whose name ends so; binary ones are left out.
pub fn ending(paths: &Paths, endings: &[&str]) -> Result<Vec<TextFile>> {
    let listing = output(Command::new("git").current_dir(paths.root()).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "-z",
    ]))?;
    let mut found = Vec::new();
    for name in listing.split('\0').filter(|name| endings.iter().any(|ending| name.ends_with(ending))) {
        let path: PathBuf = paths.root().join(name);
        // Listed and not there: deleted, and not yet committed.
        if let Ok(bytes) = std::fs::read(&path)
            && let Ok(content) = String::from_utf8(bytes)
        {
            found.push((name.to_owned(), content));
        }
    }
    Ok(found)
}
