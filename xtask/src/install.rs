//! Makes sure that what a task needs is on this machine: installs it as root where apt is, else says what to type.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use passerelle_embedded_postgres::{Error as PostgresError, find_binaries};

use crate::paths::Paths;
use crate::process::{output, run, works};

const WASM: &str = "wasm32-unknown-unknown";
/// Names that a Chromium goes by, the one to install first.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// The standard library for the browser client.
pub fn wasm_target(paths: &Paths) -> Result<()> {
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(paths.root()))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).is_dir() {
        return Ok(());
    }
    if !works("rustup", &["--version"]) {
        bail!("the Rust toolchain at {} has no {WASM}: install it the way you installed Rust", sysroot.trim());
    }
    run(Command::new("rustup").args(["target", "add", WASM]).current_dir(paths.root()))
        .with_context(|| format!("the target {WASM} could not be added (is the network reachable?)"))
}

/// The formatter and the linter, which a minimal toolchain comes without.
pub fn lint_components(paths: &Paths) -> Result<()> {
    let has = |tool: &str| works_in(paths, "cargo", &[tool, "--version"]);
    let missing: Vec<&str> = [("fmt", "rustfmt"), ("clippy", "clippy")]
        .into_iter()
        .filter(|(tool, _)| !has(tool))
        .map(|(_, name)| name)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    run(Command::new("rustup").args(["component", "add"]).args(&missing).current_dir(paths.root()))
        .with_context(|| format!("{} could not be added to the toolchain", missing.join(" and ")))
}

/// The Postgres programs, of which the portal starts its own private server.
pub fn postgres() -> Result<()> {
    match find_binaries() {
        Ok(_) => Ok(()),
        Err(PostgresError::BinariesMissing) => {
            apt_install("Postgres", "postgresql")?;
            find_binaries().map(drop).map_err(Into::into)
        }
        Err(error) => Err(error.into()),
    }
}

/// What the allocator, which is in C, is built with; the compiler is there, since Rust links by it.
pub fn make() -> Result<()> {
    if works("make", &["--version"]) { Ok(()) } else { apt_install("make", "make") }
}

/// What libFuzzer, which is in C++, is built with.
pub fn cpp() -> Result<()> {
    if works("c++", &["--version"]) { Ok(()) } else { apt_install("A C++ compiler", "g++") }
}

/// A Chromium for the browser tests; gives its name.
pub fn chromium() -> Result<String> {
    if let Ok(program) = std::env::var("PASSERELLE_CHROMIUM") {
        if works(&program, &["--version"]) {
            return Ok(program);
        }
        bail!("PASSERELLE_CHROMIUM is {program:?}, and that does not run");
    }
    if let Some(found) = find_browser() {
        return Ok(found);
    }
    apt_install("Chromium", "chromium")?;
    find_browser().context(
        "the installed chromium does not run (on Ubuntu it is a snap): install Google Chrome, or set PASSERELLE_CHROMIUM to a browser's path",
    )
}

/// Prometheus and its tool, which tests of SLOs measure against.
pub fn prometheus() -> Result<()> {
    if ["prometheus", "promtool"].into_iter().all(|program| works(program, &["--version"])) {
        return Ok(());
    }
    apt_install("Prometheus", "prometheus")
}

fn find_browser() -> Option<String> {
    BROWSERS.into_iter().find(|name| works(name, &["--version"])).map(str::to_owned)
}

fn apt_install(what: &str, package: &str) -> Result<()> {
    let is_root = nix::unistd::geteuid().is_root();
    if !is_root || !works("apt-get", &["--version"]) {
        let sudo = if is_root { "" } else { "sudo " };
        bail!(
            "{what} is missing. On Debian or Ubuntu:\n    {sudo}apt-get update && {sudo}apt-get install -y {package}\nthen run this again"
        );
    }
    eprintln!("      installing {package} with apt-get");
    let apt =
        |arguments: &[&str]| run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments));
    apt(&["update", "-q"])?;
    apt(&["install", "-y", "-q", "--no-install-recommends", package])
}

fn works_in(paths: &Paths, program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).current_dir(paths.root()).output().is_ok_and(|output| output.status.success())
}
