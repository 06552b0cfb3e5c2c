//! What can go wrong, in words for the person at the terminal.

use std::path::{Path, PathBuf};

use crate::binaries::{INSTALL_LINE, OLDEST_MAJOR};

/// Why the cluster is not running. Each text says what was found and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No Postgres on this machine.
    #[error(
        "no Postgres programs were found (looked at $PASSERELLE_PG_BIN, PATH, /usr/lib/postgresql/*/bin and pg_config). \
         Install them with:\n    {INSTALL_LINE}\nor set DATABASE_URL to a Postgres of your own"
    )]
    BinariesMissing,
    /// `$PASSERELLE_PG_BIN` is set and wrong.
    #[error("PASSERELLE_PG_BIN is {folder:?}, but that folder has no {program}")]
    BinariesIncomplete {
        /// The folder that the variable names.
        folder: PathBuf,
        /// The first program that is missing there.
        program: &'static str,
    },
    /// Postgres is there and older than what the portal is tried with.
    #[error(
        "Postgres {major} in {folder:?} is too old: {OLDEST_MAJOR} or newer is needed. Install it with:\n    {INSTALL_LINE}"
    )]
    BinariesTooOld {
        /// Where the programs are.
        folder: PathBuf,
        /// Their major version.
        major: u32,
    },
    /// The cluster was made by another major version, whose programs are not on this machine.
    #[error(
        "the data in {folder:?} was made by Postgres {data}, and this machine has Postgres {binaries}. Install the old one:\n    \
         apt-get install -y postgresql-{data}\nor dump the data with it and import the dump into a new data folder"
    )]
    DataVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// Major version that made the data.
        data: u32,
        /// Newest major version found on this machine.
        binaries: u32,
    },
    /// Root must not run Postgres and there is nobody to drop to.
    #[error(
        "Postgres refuses to run as root, and this machine has neither a user `postgres` nor a user `nobody`: create one, or run as an ordinary user"
    )]
    NoAccount,
    /// The cluster's folder belongs to another user.
    #[error(
        "{folder:?} belongs to user {owner}, and this process runs as user {user}: run as that user, or take another data folder"
    )]
    NotOwner {
        /// The folder.
        folder: PathBuf,
        /// Its owner's number.
        owner: u32,
        /// This process's user number.
        user: u32,
    },
    /// Even the short folder for the socket cannot be used safely.
    #[error(
        "the socket folder {folder:?} exists and is not a private folder of user {user}: remove it, or take a data folder with a shorter path"
    )]
    SocketFolder {
        /// The folder.
        folder: PathBuf,
        /// The user that has to own it.
        user: u32,
    },
    /// Another process holds the cluster and it does not get ready.
    #[error(
        "another process holds {folder:?}, but its Postgres does not get ready: look at the logs in {folder:?}/log"
    )]
    OwnerSilent {
        /// The cluster's root folder.
        folder: PathBuf,
    },
    /// `initdb` or the first database failed.
    #[error("a new cluster could not be made in {folder:?}:\n{output}")]
    Initialise {
        /// Where it was to be made.
        folder: PathBuf,
        /// What the Postgres program said.
        output: String,
    },
    /// The server ended, or stayed silent, instead of getting ready.
    #[error("Postgres in {folder:?} did not start ({what}). Its last words:\n{output}")]
    Start {
        /// The cluster's folder.
        folder: PathBuf,
        /// How it failed.
        what: String,
        /// End of its output.
        output: String,
    },
    /// Processes of an earlier run do not end.
    #[error("process {pid} of an earlier run still holds {folder:?} and does not end: stop it by hand")]
    Leftover {
        /// The process.
        pid: i32,
        /// The cluster's folder.
        folder: PathBuf,
    },
    /// A file operation failed.
    #[error("{what} {path:?}: {source}")]
    Io {
        /// What was being done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}

impl Error {
    /// For `map_err` beside a file operation.
    pub(crate) fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}
