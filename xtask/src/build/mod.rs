//! Builds the browser client, the styles, the static files and the server.
//!
//! The result is one folder, `site`, beside the server's binary:
//! ```text
//! site/assets.json        address of every file: {"css": "/static/passerelle.HASH.css", "client_js": ...}
//! site/static/            the files; a name with a hash never changes its content, so it may be cached for ever
//! ```
//! Optimised sites also hold `.br` and `.gz` beside each file that gets smaller by it.

mod classes;
mod client;
mod css;
mod minify;
mod site;
mod utilities;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::install;
use crate::paths::Paths;
use crate::process::{cargo, run as run_command};
use crate::steps::Steps;
use crate::supply::tools;

/// How much the compiler works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Quick to build.
    Dev,
    /// For production.
    Release,
}

/// How the client is built: the small one takes hardly longer from nothing, but does not build on the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// Quick to rebuild, large.
    Quick,
    /// As in production, compressed.
    Small,
}

impl Profile {
    pub fn from_release(release: bool) -> Self {
        if release { Self::Release } else { Self::Dev }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }

    /// The server's binary.
    pub fn binary(self, paths: &Paths) -> PathBuf {
        paths.target().join(self.folder()).join("passerelle")
    }

    /// The site beside it.
    pub fn site(self, paths: &Paths) -> PathBuf {
        paths.target().join(self.folder()).join("site")
    }
}

pub fn run(paths: &Paths, profile: Profile, site_only: bool) -> Result<()> {
    let mut steps = Steps::new(if site_only { 2 } else { 3 });
    steps.step("wasm target", || install::wasm_target(paths))?;
    let client = if profile == Profile::Release { Client::Small } else { Client::Quick };
    steps.step("browser client and styles", || build_site(paths, profile, client))?;
    if !site_only {
        steps.step("server", || build_server(paths, profile, profile == Profile::Dev))?;
        eprintln!("built {} in {}", profile.binary(paths).display(), steps.elapsed());
    }
    Ok(())
}

/// Builds the site into its folder; the styles first, since their mistakes show in a second.
pub fn build_site(paths: &Paths, profile: Profile, client: Client) -> Result<()> {
    let styles = css::compile(paths)?;
    let client_files = client::compile(paths, client)?;
    site::write(paths, &profile.site(paths), &styles, &client_files, client)
}

/// Builds the server; a production build is without the simulator, and with the list of its dependencies inside.
pub fn build_server(paths: &Paths, profile: Profile, simulator: bool) -> Result<()> {
    install::make()?;
    let mut command = match profile {
        Profile::Dev => cargo(paths),
        Profile::Release => listing(paths),
    };
    command.args(["build", "--package", "passerelle", "--bin", "passerelle"]);
    if simulator {
        command.args(["--features", "simulator"]);
    }
    if profile == Profile::Release {
        command.arg("--release");
    }
    run_command(&mut command)
}

/// `cargo auditable`, whose programs tell scanners what they were built from. Without a network there may be none; a program without
/// the list is as good to run, so that is said and nothing more.
fn listing(paths: &Paths) -> Command {
    match tools::AUDITABLE.find_or_install(paths) {
        Ok(auditable) => auditable.command(paths),
        Err(error) => {
            eprintln!("      the program will be without the list of its dependencies: {error:#}");
            cargo(paths)
        }
    }
}
