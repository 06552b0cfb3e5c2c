//! `cargo xtask supply` and `cargo xtask sbom`: what the program is made of, and whether that is allowed.

pub mod advisories;
pub mod sbom;
pub mod tools;

use anyhow::Result;

use crate::paths::Paths;
use crate::process::run as run_command;
use crate::steps::Steps;

/// Bans, licences and sources by `deny.toml`; advisories where a database can be had; the list of parts.
pub fn run(paths: &Paths) -> Result<()> {
    let mut steps = Steps::new(4);
    let deny = steps.step("cargo-deny", || tools::DENY.find_or_install(paths))?;
    steps.step("bans, licences, sources", || {
        run_command(deny.command(paths).args(["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]))
    })?;
    steps.step("advisories", || advisories::check(paths, &deny))?;
    steps.step("list of parts", || sbom::write(paths).map(drop))
}
