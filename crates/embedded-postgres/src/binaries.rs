//! Finds the Postgres programs of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// What to type on Debian and Ubuntu when Postgres is missing.
pub const INSTALL_LINE: &str = "apt-get update && apt-get install -y postgresql";
/// The oldest major version that may be used.
pub(crate) const OLDEST_MAJOR: u32 = 14;
const NEEDED: [&str; 2] = ["postgres", "initdb"];

/// A folder with `postgres` and `initdb`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    /// The folder, without symbolic links.
    pub folder: PathBuf,
    /// Major version, such as 15.
    pub major: u32,
}

impl Binaries {
    /// Path of one program.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The programs to use: `$PASSERELLE_PG_BIN` when set, else the first folder found in `PATH`, else the newest below
/// `/usr/lib/postgresql`, else what `pg_config --bindir` says.
///
/// # Errors
/// [`Error::BinariesMissing`], [`Error::BinariesIncomplete`] or [`Error::BinariesTooOld`].
pub fn find_binaries() -> Result<Binaries, Error> {
    let found = if let Some(folder) = std::env::var_os("PASSERELLE_PG_BIN") {
        let folder = PathBuf::from(folder);
        if let Some(program) = NEEDED.into_iter().find(|program| !folder.join(program).is_file()) {
            return Err(Error::BinariesIncomplete { folder, program });
        }
        inspect(&folder)
    } else {
        candidates().iter().find_map(|folder| inspect(folder))
    };
    let binaries = found.ok_or(Error::BinariesMissing)?;
    if binaries.major < OLDEST_MAJOR {
        return Err(Error::BinariesTooOld { folder: binaries.folder, major: binaries.major });
    }
    Ok(binaries)
}

/// The programs of one major version, for data that was made by it.
pub(crate) fn find_major(major: u32) -> Result<Option<Binaries>, Error> {
    let first = find_binaries()?;
    if first.major == major {
        return Ok(Some(first));
    }
    if std::env::var_os("PASSERELLE_PG_BIN").is_some() {
        return Ok(None);
    }
    Ok(candidates().iter().filter_map(|folder| inspect(folder)).find(|binaries| binaries.major == major))
}

fn candidates() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    folders.extend(debian_folders(Path::new("/usr/lib/postgresql")));
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output()
        && output.status.success()
    {
        folders.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    folders
}

/// `/usr/lib/postgresql/N/bin`, newest first: Debian keeps every major version there and only wrappers in `PATH`.
fn debian_folders(root: &Path) -> Vec<PathBuf> {
    let mut majors: Vec<u32> = std::fs::read_dir(root)
        .map(|entries| entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect())
        .unwrap_or_default();
    majors.sort_unstable_by(|a, b| b.cmp(a));
    majors.into_iter().map(|major| root.join(major.to_string()).join("bin")).collect()
}

fn inspect(folder: &Path) -> Option<Binaries> {
    // Resolved through the program itself, so that a folder of links leads to the real installation.
    let postgres = folder.join("postgres").canonicalize().ok()?;
    let folder = postgres.parent()?.to_owned();
    if NEEDED.iter().any(|program| !folder.join(program).is_file()) {
        return None;
    }
    let output = Command::new(&postgres).arg("--version").output().ok()?;
    let major = parse_major(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { folder, major })
}

/// `postgres (PostgreSQL) 15.16 (Debian 15.16-0+deb12u1)` and `postgres (PostgreSQL) 19beta1`.
fn parse_major(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL)").nth(1)?.trim_start();
    let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_major("postgres (PostgreSQL) 15.16 (Debian 15.16-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_major("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(parse_major("bash: postgres: command not found"), None);
    }

    #[test]
    fn the_newest_version_comes_first_by_number() {
        let root = tempfile::tempdir().unwrap();
        for major in ["9", "15", "16", "common"] {
            std::fs::create_dir_all(root.path().join(major).join("bin")).unwrap();
        }
        let folders = debian_folders(root.path());
        assert_eq!(folders, ["16", "15", "9"].map(|major| root.path().join(major).join("bin")));
    }

    #[test]
    fn the_missing_error_gives_the_line_to_type() {
        assert!(Error::BinariesMissing.to_string().contains("apt-get install -y postgresql"));
    }
}
