//! The cluster against a real Postgres: first start, restart, kills of either side, attaching, clear refusals.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use passerelle_embedded_postgres::{DATABASE, EmbeddedPostgres, Error, Options, find_binaries};

/// A data folder that the unprivileged user can reach when the tests run as root.
fn data_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn start(folder: &Path) -> Result<EmbeddedPostgres, Error> {
    EmbeddedPostgres::start(Options { data_folder: folder.to_owned(), durable: false })
}

/// For the tests that kill Postgres itself: only then is a commit a promise.
fn start_durable(folder: &Path) -> EmbeddedPostgres {
    EmbeddedPostgres::start(Options { data_folder: folder.to_owned(), durable: true }).unwrap()
}

fn query(url: &str, sql: &str) -> Result<String, String> {
    let psql = find_binaries().unwrap().program("psql");
    let output = Command::new(psql).args([url, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn postmaster(folder: &Path) -> Pid {
    let text = std::fs::read_to_string(folder.join("postgres/data/postmaster.pid")).unwrap();
    Pid::from_raw(text.lines().next().unwrap().parse().unwrap())
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Gone, or a zombie that nobody collects.
fn is_gone(pid: Pid) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_or(true, |stat| stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

/// Another process that owns the cluster, so that it can be killed.
struct Owner {
    child: Child,
    url: String,
}

impl Owner {
    fn spawn(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_passerelle-postgres"))
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Self { child, url: url.trim().to_owned() }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn data_is_there_after_a_restart() {
    let folder = data_folder();
    let first = start(folder.path()).unwrap();
    assert!(first.is_owner());
    query(&first.url(DATABASE), "create table t (n int); insert into t values (7)").unwrap();
    let pid = postmaster(folder.path());
    first.stop();
    assert!(is_gone(pid), "stop waits for Postgres");
    let second = start(folder.path()).unwrap();
    assert_eq!(query(&second.url(DATABASE), "select n from t").unwrap(), "7");
}

#[test]
fn it_is_closed_small_and_not_root() {
    let folder = data_folder();
    let postgres = start(folder.path()).unwrap();
    let url = postgres.url("postgres");
    assert_eq!(query(&url, "show listen_addresses").unwrap(), "");
    assert_eq!(query(&url, "show jit").unwrap(), "off");
    let mode = std::fs::metadata(postgres.socket_folder()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let status = std::fs::read_to_string(format!("/proc/{}/status", postmaster(folder.path()))).unwrap();
    let uid = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    assert_ne!(uid.split_whitespace().nth(1).unwrap(), "0");
}

#[test]
fn durable_means_fsync() {
    let folder = data_folder();
    let postgres = start_durable(folder.path());
    let sql = "select current_setting('fsync') || current_setting('synchronous_commit')";
    assert_eq!(query(&postgres.url(DATABASE), sql).unwrap(), "onon");
}

#[test]
fn a_killed_owner_takes_postgres_along() {
    let folder = data_folder();
    let mut owner = Owner::spawn(folder.path());
    query(&owner.url, "create table t (n int); insert into t values (7)").unwrap();
    let pid = postmaster(folder.path());
    owner.kill();
    wait_until("the end of Postgres", || is_gone(pid));
    let again = start(folder.path()).unwrap();
    assert_eq!(query(&again.url(DATABASE), "select n from t").unwrap(), "7");
}

#[test]
fn owner_and_postmaster_killed_at_once() {
    let folder = data_folder();
    for round in 0..3 {
        let mut owner = Owner::spawn(folder.path());
        query(&owner.url, "create table if not exists t (n int); insert into t values (7)").unwrap();
        let pid = postmaster(folder.path());
        // Postmaster first and without a pause: its file says "ready" and its backends are still there.
        kill(pid, Signal::SIGKILL).unwrap();
        owner.kill();
        let again = start_durable(folder.path());
        assert_eq!(query(&again.url(DATABASE), "select count(*) from t").unwrap(), (round + 1).to_string());
    }
}

#[test]
fn an_orphan_is_stopped_first() {
    let folder = data_folder();
    let owner = Owner::spawn(folder.path());
    let orphan = postmaster(folder.path());
    // A stopped process gets no signal from its parent's death until it continues.
    kill(orphan, Signal::SIGSTOP).unwrap();
    let mut owner = owner;
    owner.kill();
    let starter = std::thread::spawn({
        let folder = folder.path().to_owned();
        move || start(&folder).map(|postgres| query(&postgres.url(DATABASE), "select 1").unwrap())
    });
    std::thread::sleep(Duration::from_millis(300));
    kill(orphan, Signal::SIGCONT).unwrap();
    assert_eq!(starter.join().unwrap().unwrap(), "1");
    assert!(is_gone(orphan));
}

#[test]
fn a_killed_postmaster_comes_back_by_itself() {
    let folder = data_folder();
    let postgres = start_durable(folder.path());
    let url = postgres.url(DATABASE);
    query(&url, "create table t (n int); insert into t values (7)").unwrap();
    let before = postmaster(folder.path());
    kill(before, Signal::SIGKILL).unwrap();
    wait_until("the new Postgres", || query(&url, "select n from t").as_deref() == Ok("7"));
    assert_ne!(postmaster(folder.path()), before);
}

#[test]
fn a_second_process_attaches_and_stops_nothing() {
    let folder = data_folder();
    let owner = Owner::spawn(folder.path());
    let attached = start(folder.path()).unwrap();
    assert!(!attached.is_owner());
    assert_eq!(attached.url(DATABASE), owner.url);
    attached.stop();
    assert_eq!(query(&owner.url, "select 1").unwrap(), "1");
    let mut owner = owner;
    drop(owner.child.stdin.take());
    assert!(owner.child.wait().unwrap().success(), "the end of its input ends it well");
}

#[test]
fn an_interrupted_first_start_is_done_again() {
    let folder = data_folder();
    std::fs::create_dir_all(folder.path().join("postgres/data.new/base")).unwrap();
    std::fs::write(folder.path().join("postgres/data.new/PG_VERSION"), "15").unwrap();
    let postgres = start(folder.path()).unwrap();
    assert_eq!(query(&postgres.url(DATABASE), "select 1").unwrap(), "1");
    assert!(!folder.path().join("postgres/data.new").exists());
}

#[test]
fn data_of_another_major_version_is_refused_in_words() {
    let folder = data_folder();
    start(folder.path()).unwrap().stop();
    let version = folder.path().join("postgres/data/PG_VERSION");
    std::fs::write(&version, "11\n").unwrap();
    let error = start(folder.path()).unwrap_err();
    assert!(matches!(error, Error::DataVersion { data: 11, .. }), "{error}");
    assert!(error.to_string().contains("apt-get install -y postgresql-11"), "{error}");
}

#[test]
fn a_long_path_works_through_a_short_socket_folder() {
    let folder = data_folder();
    let long = folder.path().join("l".repeat(100)).join("o".repeat(100));
    let postgres = start(&long).unwrap();
    assert_eq!(query(&postgres.url(DATABASE), "select 1").unwrap(), "1");
    let socket_folder: PathBuf = postgres.socket_folder().to_owned();
    assert!(!socket_folder.starts_with(&long));
    postgres.stop();
    std::fs::remove_dir_all(socket_folder).unwrap();
}

#[test]
fn a_folder_that_postgres_cannot_reach_still_works_for_root() {
    let folder = data_folder();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let postgres = start(folder.path()).unwrap();
    assert_eq!(query(&postgres.url(DATABASE), "select 1").unwrap(), "1");
    postgres.stop();
    // Root cannot leave a cluster where its unprivileged user has no way in: there is a link then.
    let entry = folder.path().join("postgres");
    assert_eq!(entry.is_symlink(), nix::unistd::geteuid().is_root());
    if entry.is_symlink() {
        std::fs::remove_dir_all(entry.canonicalize().unwrap()).unwrap();
    }
}

#[test]
fn what_postgres_said_is_in_the_error() {
    let folder = data_folder();
    start(folder.path()).unwrap().stop();
    let conf = folder.path().join("postgres/data/postgresql.conf");
    std::fs::write(&conf, "no_such_setting = 1\n").unwrap();
    let error = start(folder.path()).unwrap_err().to_string();
    assert!(error.contains("no_such_setting"), "{error}");
}
