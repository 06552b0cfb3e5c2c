//! Known faults of dependencies, by the database of RustSec. It is a git repository on the network; where it can be neither found nor
//! fetched that is printed, and nothing is said about advisories.

use std::path::PathBuf;

use anyhow::Result;

use super::tools::Found;
use crate::paths::Paths;
use crate::process::run as run_command;

const SOURCE: &str = "https://github.com/RustSec/advisory-db";

/// # Errors
/// When an advisory is about one of our dependencies.
pub fn check(paths: &Paths, deny: &Found) -> Result<()> {
    let mut arguments = vec!["check", "--hide-inclusion-graph"];
    if !can_be_fetched() {
        if !is_there() {
            println!(
                "      advisories are NOT checked: there is no copy of {SOURCE} in the folder of cargo, and it cannot be reached from here"
            );
            return Ok(());
        }
        println!("      {SOURCE} cannot be reached: the copy in the folder of cargo is used as it is");
        arguments.push("--disable-fetch");
    }
    arguments.push("advisories");
    run_command(deny.command(paths).args(arguments))
}

/// Asked with a limit, since a network that drops everything would be waited for.
fn can_be_fetched() -> bool {
    let ask = ["20", "git", "ls-remote", "--quiet", SOURCE, "HEAD"];
    std::process::Command::new("timeout")
        .args(ask)
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .is_ok_and(|output| output.status.success())
}

fn is_there() -> bool {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let folders = home.and_then(|home| std::fs::read_dir(home.join("advisory-dbs")).ok());
    folders.is_some_and(|mut found| found.next().is_some())
}
