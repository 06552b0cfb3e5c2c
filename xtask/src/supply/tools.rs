//! Cargo's further commands: taken where they are, else built from the registry into the target folder, so that nothing of the
//! machine changes. A version is named, so that two runs of one commit are judged alike.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::paths::Paths;
use crate::process::{cargo, run};

/// A further command of cargo.
#[derive(Debug, Clone, Copy)]
pub struct Tool {
    package: &'static str,
    /// The oldest that will do, and the one that is installed.
    version: &'static str,
    /// The word after `cargo`.
    subcommand: &'static str,
}

/// Judges dependencies by `deny.toml`.
pub const DENY: Tool = Tool { package: "cargo-deny", version: "0.20.2", subcommand: "deny" };
/// Writes the dependencies of a program into it.
pub const AUDITABLE: Tool = Tool { package: "cargo-auditable", version: "0.7.7", subcommand: "auditable" };

/// A tool that can be run.
#[derive(Debug)]
pub struct Found(Tool);

impl Tool {
    /// # Errors
    /// When it is nowhere and cannot be installed, for example without a network.
    pub fn find_or_install(self, paths: &Paths) -> Result<Found> {
        if !self.is_there(paths) {
            self.install(paths)?;
        }
        Ok(Found(self))
    }

    fn is_there(self, paths: &Paths) -> bool {
        let own = root(paths).join("bin").join(self.package);
        [own, PathBuf::from(self.package)].iter().any(|program| {
            let said = Command::new(program).args([self.subcommand, "--version"]).output();
            said.is_ok_and(|said| said.status.success() && self.is_enough(&String::from_utf8_lossy(&said.stdout)))
        })
    }

    /// Not older than what is installed here; of one that only passes the question on to cargo nothing can be told.
    fn is_enough(self, said: &str) -> bool {
        let numbers =
            |text: &str| -> Option<Vec<u32>> { text.trim().split('.').map(|part| part.parse().ok()).collect() };
        let Some(version) = said.strip_prefix(self.package) else { return true };
        matches!((numbers(version), numbers(self.version)), (Some(found), Some(wanted)) if found >= wanted)
    }

    fn install(self, paths: &Paths) -> Result<()> {
        let wanted = format!("{}@{}", self.package, self.version);
        eprintln!("      installing {wanted} with cargo");
        let root = root(paths);
        let mut command = cargo(paths);
        // Unoptimised is built in a third of the time, and fast enough for what it does.
        command.args(["install", "--locked", "--debug", "--no-default-features", &wanted, "--root"]).arg(&root);
        command.arg("--target-dir").arg(root.join("build")).env("CARGO_PROFILE_DEV_DEBUG", "0");
        run(&mut command).with_context(|| format!("{} could not be installed", self.package))?;
        // What it was built from takes more than a gigabyte, and is not needed again.
        std::fs::remove_dir_all(root.join("build")).with_context(|| format!("clearing {}", root.display()))
    }
}

impl Found {
    /// The tool as cargo starts it, in the repository.
    pub fn command(&self, paths: &Paths) -> Command {
        let mut places = vec![root(paths).join("bin")];
        places.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        let mut command = cargo(paths);
        command.arg(self.0.subcommand);
        // A folder whose name cannot be in such a list leaves the list as it was.
        if let Ok(path) = std::env::join_paths(places) {
            command.env("PATH", path);
        }
        command
    }
}

fn root(paths: &Paths) -> PathBuf {
    paths.target().join("tools")
}

#[cfg(test)]
mod tests {
    use super::{AUDITABLE, DENY};

    #[test]
    fn an_older_one_does_not_do() {
        assert!(DENY.is_enough("cargo-deny 0.20.2\n") && DENY.is_enough("cargo-deny 0.21.0"));
        assert!(!DENY.is_enough("cargo-deny 0.20.1") && !DENY.is_enough("cargo-deny 0.9.20"));
        assert!(!DENY.is_enough("cargo-deny") && !DENY.is_enough("cargo-deny of tomorrow"));
        assert!(AUDITABLE.is_enough("cargo 1.95.0 (f2d3ce0bd 2026-03-21)"));
    }
}
