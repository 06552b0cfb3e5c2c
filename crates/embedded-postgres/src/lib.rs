//! A private Postgres cluster on a unix socket, owned by one process.
//!
//! With no `DATABASE_URL` the portal brings its own database: [`EmbeddedPostgres::start`] makes a cluster in the data
//! folder (once), starts it, and stops it when the handle is dropped. The Postgres programs come from the operating
//! system; nothing is downloaded and no TCP port is opened.
//!
//! Invariants:
//! - One owner a cluster. The owner holds a file lock, which the kernel releases however the owner ends. A second
//!   process on the same folder (a command line beside a running server) *attaches*: it gets the URL and stops nothing.
//! - Postgres never outlives its owner by more than a clean shutdown. Every way out (drop, exit, `kill -9`) ends in a
//!   SIGINT to the postmaster; see below for how that is done without `unsafe`.
//! - A start never trusts what an earlier one left: a stale `postmaster.pid`, socket locks, orphaned backends and a
//!   half-made cluster are all found and cleared, by command line, never by process number alone.
//! - Postgres refuses to run as root, so root drops to `postgres` or `nobody`.
//!
//! # The parent-death signal
//! The kernel sends it when the *thread* that started the child ends, and setting it needs `prctl` between fork and
//! exec. `CommandExt::pre_exec` is `unsafe`, which this workspace forbids, so the postmaster is started through
//! `setpriv --pdeathsig INT` (util-linux, essential on Debian): it sets the signal and becomes Postgres in the same
//! process. A dedicated thread, which lives as long as the handle, does the starting, so `start` may be called from any
//! thread. Where `setpriv` is missing, an orphan is stopped at the next start instead.

mod account;
mod binaries;
mod cluster;
mod error;
mod launch;
mod layout;
mod leftovers;
mod pidfile;
mod settings;
mod supervisor;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use binaries::{Binaries, INSTALL_LINE, find_binaries};
pub use error::Error;

use account::Account;
use layout::Layout;
use supervisor::Supervisor;

/// The database that a new cluster has from the start.
pub const DATABASE: &str = "passerelle";
/// The cluster's superuser. Only who may open the socket (the owner's account and root) can connect as it.
pub const SUPERUSER: &str = "postgres";
/// How long a process waits for a cluster that another one is starting.
const ATTACH_LIMIT: Duration = Duration::from_secs(120);

/// Where the cluster lives and what it promises.
#[derive(Debug, Clone)]
pub struct Options {
    /// The portal's data folder; the cluster is its sub-folder `postgres`. Made when absent.
    pub data_folder: PathBuf,
    /// `true`: a commit survives a power cut. `false`: no fsync, more connections; for tests only.
    pub durable: bool,
}

/// A running cluster. Dropping it stops Postgres, unless another process owns the cluster.
#[derive(Debug)]
pub struct EmbeddedPostgres {
    layout: Layout,
    /// `None` when attached to a cluster that another process owns.
    supervisor: Option<Supervisor>,
}

impl EmbeddedPostgres {
    /// Starts the cluster, making it first if needed, or attaches to the one that another process already runs.
    ///
    /// Blocks until Postgres takes connections: about a second the first time, 0.1 s later, longer when it recovers
    /// after a crash. In async code call it inside `spawn_blocking`.
    ///
    /// # Errors
    /// Every variant of [`Error`] names what is wrong and what to do.
    pub fn start(options: Options) -> Result<Self, Error> {
        let account = Account::choose(&options.data_folder)?;
        let layout = Layout::prepare(&options.data_folder, &account)?;
        let deadline = std::time::Instant::now() + ATTACH_LIMIT;
        let lock = layout.open_lock()?;
        loop {
            if layout::try_lock(&lock, &layout)? {
                let supervisor = Supervisor::start(layout.clone(), account, lock, options.durable)?;
                return Ok(Self { layout, supervisor: Some(supervisor) });
            }
            if pidfile::is_ready(&layout.data()) {
                return Ok(Self { layout, supervisor: None });
            }
            if std::time::Instant::now() >= deadline {
                return Err(Error::OwnerSilent { folder: layout.root().to_owned() });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The URL of a database of this cluster, for sqlx or libpq.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        // sqlx wants a host part even though `host` overrides it.
        let host = percent_encode(&self.layout.run().to_string_lossy());
        format!("postgres://{SUPERUSER}@localhost:5432/{}?host={host}", percent_encode(database))
    }

    /// The folder with the cluster's socket, for `psql -h`.
    #[must_use]
    pub fn socket_folder(&self) -> &Path {
        self.layout.run()
    }

    /// Whether this process runs the cluster; `false` when it is attached to another process's.
    #[must_use]
    pub fn is_owner(&self) -> bool {
        self.supervisor.is_some()
    }

    /// Stops Postgres and waits for it: running transactions are rolled back. Does nothing when attached.
    pub fn stop(mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stop();
        }
    }
}

impl Drop for EmbeddedPostgres {
    fn drop(&mut self) {
        if let Some(supervisor) = self.supervisor.take() {
            supervisor.stop();
        }
    }
}

fn percent_encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::percent_encode;

    #[test]
    fn urls_hold_any_path() {
        assert_eq!(percent_encode("/run/a b/é"), "%2Frun%2Fa%20b%2F%C3%A9");
    }
}
