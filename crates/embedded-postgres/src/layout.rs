//! The folders of a cluster, and the lock that says who owns it.
//!
//! ```text
//! DATA_FOLDER/postgres/            this process's own; a link to /var/lib/passerelle/... when Postgres cannot get here
//!     owner.lock                   held by the process that runs the cluster
//!     data/                        the cluster; there only once it is complete
//!     data.new/                    one being made; never read
//!     log/  run/                   Postgres' logs and socket
//! ```

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::account::Account;
use crate::error::Error;

/// Longest path of a unix socket on Linux, in bytes.
const SOCKET_PATH_LIMIT: usize = 107;
/// Postgres names its socket after the port, which never changes here.
const SOCKET_NAME: &str = ".s.PGSQL.5432";
/// Where root keeps clusters whose data folder an unprivileged user cannot reach.
const SYSTEM_FOLDER: &str = "/var/lib/passerelle";

/// Paths of one cluster, all absolute and without symbolic links.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
    run: PathBuf,
}

impl Layout {
    pub(crate) fn prepare(data_folder: &Path, account: &Account) -> Result<Self, Error> {
        std::fs::create_dir_all(data_folder).map_err(Error::io("make the data folder", data_folder))?;
        let data_folder = data_folder.canonicalize().map_err(Error::io("resolve", data_folder))?;
        let entry = data_folder.join("postgres");
        if entry.symlink_metadata().is_err() {
            make_root(&entry, &data_folder, account)?;
        }
        // A link whose folder is gone is made again rather than left to fail in a puzzling way.
        if let (Ok(target), Err(_)) = (std::fs::read_link(&entry), entry.metadata()) {
            make_folder(&target, 0o755)?;
        }
        let root = entry.canonicalize().map_err(Error::io("resolve", &entry))?;
        let log = root.join("log");
        make_private(&log, account)?;
        let mut run = root.join("run");
        if run.join(SOCKET_NAME).as_os_str().len() > SOCKET_PATH_LIMIT {
            run = short_run_folder(&root, account);
        }
        make_private(&run, account)?;
        Ok(Self { root, run })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn run(&self) -> &Path {
        &self.run
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(crate) fn unfinished(&self) -> PathBuf {
        self.root.join("data.new")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    pub(crate) fn socket_lock(&self) -> PathBuf {
        self.run.join(format!("{SOCKET_NAME}.lock"))
    }

    /// The name that Postgres puts into the titles of its processes, so that a later start knows them again.
    pub(crate) fn cluster_name(&self) -> String {
        format!("passerelle-{:016x}", fingerprint(&self.root))
    }

    pub(crate) fn open_lock(&self) -> Result<File, Error> {
        let path = self.root.join("owner.lock");
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(Error::io("open", &path))
    }
}

/// Takes the owner's lock; `false` when another process has it.
pub(crate) fn try_lock(lock: &File, layout: &Layout) -> Result<bool, Error> {
    match lock.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(source)) => Err(Error::io("lock", &layout.root)(source)),
    }
}

/// Makes a folder that only `account` can enter, or checks that an existing one is such.
pub(crate) fn make_private(folder: &Path, account: &Account) -> Result<(), Error> {
    if folder.symlink_metadata().is_err() {
        make_folder(folder, 0o700)?;
        account.own(folder)?;
    }
    // Not `metadata`: in a shared folder such as /tmp somebody else could have put a link here.
    let meta = folder.symlink_metadata().map_err(Error::io("read", folder))?;
    if meta.is_dir() && meta.uid() == account.uid && meta.mode() & 0o077 == 0 {
        return Ok(());
    }
    // A folder that root made and was killed before giving it away.
    if meta.is_dir() && account.drops_root && meta.uid() == 0 && meta.mode() & 0o077 == 0 {
        return account.own(folder);
    }
    Err(Error::SocketFolder { folder: folder.to_owned(), user: account.uid })
}

fn make_root(entry: &Path, data_folder: &Path, account: &Account) -> Result<(), Error> {
    if account.reaches(data_folder) {
        return make_folder(entry, 0o755);
    }
    // The time makes it a new cluster when somebody deleted the data folder to start afresh.
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let folder = Path::new(SYSTEM_FOLDER).join(format!("{:016x}-{now}", fingerprint(data_folder)));
    make_folder(&folder, 0o755)?;
    std::os::unix::fs::symlink(&folder, entry).map_err(Error::io("link", entry))?;
    tracing::info!(
        folder = %folder.display(),
        "the user that runs Postgres cannot reach {}, so the database lives elsewhere",
        data_folder.display()
    );
    Ok(())
}

fn make_folder(folder: &Path, mode: u32) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(mode).create(folder).map_err(Error::io("make", folder))
}

/// The same for every process of this user, so that one can attach to another's cluster.
fn short_run_folder(root: &Path, account: &Account) -> PathBuf {
    let name = format!("passerelle-{}-{:016x}", account.uid, fingerprint(root));
    Path::new(if account.drops_root { "/run" } else { "/tmp" }).join(name)
}

/// FNV-1a: short, and the same in every build, which the standard library's hasher does not promise.
fn fingerprint(path: &Path) -> u64 {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> Account {
        Account { uid: nix::unistd::geteuid().as_raw(), gid: nix::unistd::getegid().as_raw(), drops_root: false }
    }

    #[test]
    fn a_long_path_gets_a_short_socket_folder() {
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join("a".repeat(60)).join("b".repeat(60));
        let layout = Layout::prepare(&long, &me()).unwrap();
        assert!(layout.run().join(SOCKET_NAME).as_os_str().len() <= SOCKET_PATH_LIMIT);
        assert_eq!(layout.run(), Layout::prepare(&long, &me()).unwrap().run());
        std::fs::remove_dir(layout.run()).unwrap();
    }

    #[test]
    fn an_open_or_linked_run_folder_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        let open = root.path().join("open");
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(make_private(&open, &me()), Err(Error::SocketFolder { .. })));
        let link = root.path().join("link");
        std::os::unix::fs::symlink(root.path(), &link).unwrap();
        assert!(matches!(make_private(&link, &me()), Err(Error::SocketFolder { .. })));
    }

    #[test]
    fn one_owner_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::prepare(root.path(), &me()).unwrap();
        let first = layout.open_lock().unwrap();
        let second = layout.open_lock().unwrap();
        assert!(try_lock(&first, &layout).unwrap());
        assert!(!try_lock(&second, &layout).unwrap());
        drop(first);
        assert!(try_lock(&second, &layout).unwrap());
    }
}
