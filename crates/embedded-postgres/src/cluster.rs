//! Makes a cluster once, and checks the version of an existing one.
//!
//! The new cluster is made beside its place and moved there when it is whole, so an interrupted first start leaves
//! nothing that a later one could take for data.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::account::Account;
use crate::binaries::{Binaries, find_binaries, find_major};
use crate::error::Error;
use crate::layout::{Layout, make_private};
use crate::{DATABASE, SUPERUSER, launch};

/// The programs for the cluster in `layout`, which is made when absent.
pub(crate) fn ensure(layout: &Layout, account: &Account, durable: bool) -> Result<Binaries, Error> {
    let data = layout.data();
    if !data.exists() {
        let binaries = find_binaries()?;
        create(layout, account, &binaries, durable)?;
        return Ok(binaries);
    }
    let version_file = data.join("PG_VERSION");
    let text = std::fs::read_to_string(&version_file).map_err(Error::io("read", &version_file))?;
    let major = text.trim().parse().map_err(|_| {
        Error::io("read", &version_file)(std::io::Error::other(format!("{:?} is no version number", text.trim())))
    })?;
    match find_major(major)? {
        Some(binaries) => Ok(binaries),
        None => Err(Error::DataVersion { folder: data, data: major, binaries: find_binaries()?.major }),
    }
}

fn create(layout: &Layout, account: &Account, binaries: &Binaries, durable: bool) -> Result<(), Error> {
    let folder = layout.unfinished();
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(Error::io("remove", &folder))?;
    }
    make_private(&folder, account)?;
    let mut initdb = launch::command(&binaries.program("initdb"), account, true);
    initdb.arg("-D").arg(&folder).args(["-U", SUPERUSER, "-A", "trust", "--no-locale", "-E", "UTF8", "-k"]);
    if !durable {
        initdb.arg("--no-sync");
    }
    run(initdb, "", &folder)?;

    // Single-user mode: no server has to run yet, and no client program has to be installed.
    let mut single = launch::command(&binaries.program("postgres"), account, true);
    single.args(["--single", "-D"]).arg(&folder).arg("template1");
    run(single, &format!("CREATE DATABASE {DATABASE}\n"), &folder)?;

    let data = layout.data();
    std::fs::rename(&folder, &data).map_err(Error::io("move into place", &data))
}

fn run(mut command: Command, input: &str, folder: &Path) -> Result<(), Error> {
    let failed = |output: String| Error::Initialise { folder: folder.to_owned(), output };
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ended early cannot be written to; its own words say more than that.
        let _ = stdin.write_all(input.as_bytes());
    }
    let Output { status, stdout, stderr } = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    let output = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    // Single-user mode ends well even when its statement failed.
    if !status.success() || output.lines().any(|line| line.contains("ERROR:") || line.contains("FATAL:")) {
        return Err(failed(output));
    }
    Ok(())
}
