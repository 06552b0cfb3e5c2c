//! `cargo xtask dev`: builds, runs, and does so again on every change. A mistake leaves the last good server running.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::build::{self, Client, Profile};
use crate::demo::Portal;
use crate::install;
use crate::paths::Paths;
use crate::process::Companion;
use crate::signals::Signals;
use crate::waiting;

/// What the site is made of.
const SITE: [&str; 4] = ["app", "contract", "style", "public"];
/// What the server is made of.
const SERVER: [&str; 8] = ["src", "app", "contract", "server", "crates", "migrations", "Cargo.toml", "Cargo.lock"];

type Times = BTreeMap<PathBuf, SystemTime>;

pub fn run(paths: &Paths, data: &Path, listen: &str) -> Result<()> {
    let signals = Signals::catch()?;
    waiting::check_free(listen, Some("--listen"))?;
    install::wasm_target(paths)?;
    install::postgres()?;
    let portal = Portal::new(paths, data, listen, Profile::Dev)?;
    let mut server: Option<Companion> = None;
    let (mut site_built, mut server_built) = (Times::new(), Times::new());
    loop {
        let (site_now, server_now) = (times(paths.root(), &SITE), times(paths.root(), &SERVER));
        let site_changed = site_now != site_built;
        let server_changed = server_now != server_built;
        if site_changed || server_changed {
            (site_built, server_built) = (site_now, server_now);
            match rebuild(paths, site_changed, server_changed) {
                Ok(()) => {
                    // Stopped first: both would want the same address and database.
                    drop(server.take());
                    server = start(&portal, &signals, listen);
                }
                Err(error) => eprintln!("{error:#}\nwaiting for a change"),
            }
        }
        if signals.asked_to_stop(Duration::from_millis(300)) {
            return Ok(());
        }
    }
}

fn start(portal: &Portal, signals: &Signals, listen: &str) -> Option<Companion> {
    match portal.start(signals) {
        Ok(server) => {
            eprintln!("running at http://{listen}/");
            Some(server)
        }
        Err(error) => {
            eprintln!("{error:#}\nwaiting for a change");
            None
        }
    }
}

fn rebuild(paths: &Paths, site: bool, server: bool) -> Result<()> {
    if site {
        build::build_site(paths, Profile::Dev, Client::Quick)?;
    }
    if server {
        build::build_server(paths, Profile::Dev, true)?;
    }
    Ok(())
}

/// Modification time of every file below these. Polling needs no other crate and works in every container.
fn times(root: &Path, names: &[&str]) -> Times {
    let mut found = Times::new();
    for name in names {
        collect(&root.join(name), &mut found);
    }
    found
}

fn collect(path: &Path, found: &mut Times) {
    if let Ok(entries) = std::fs::read_dir(path) {
        for entry in entries.flatten() {
            collect(&entry.path(), found);
        }
    } else if let Ok(modified) = std::fs::metadata(path).and_then(|meta| meta.modified()) {
        found.insert(path.to_owned(), modified);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_new_and_deleted_files_are_noticed() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("app/src");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(inner.join("a.rs"), "1").unwrap();
        let first = times(root.path(), &["app"]);
        assert_eq!(first, times(root.path(), &["app"]));
        std::fs::write(inner.join("b.rs"), "1").unwrap();
        let second = times(root.path(), &["app"]);
        assert_ne!(first, second);
        std::fs::File::options()
            .write(true)
            .open(inner.join("a.rs"))
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH)
            .unwrap();
        let third = times(root.path(), &["app"]);
        assert_ne!(second, third);
        std::fs::remove_file(inner.join("b.rs")).unwrap();
        assert_ne!(third, times(root.path(), &["app"]));
    }
}
