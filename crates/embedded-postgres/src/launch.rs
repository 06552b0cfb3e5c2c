//! Runs a Postgres program as the cluster's account, with a clean environment.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::account::Account;

/// A command for one of the Postgres programs. `follow` ties its life to the calling thread, see the crate's doc.
pub(crate) fn command(program: &Path, account: &Account, follow: bool) -> Command {
    let mut command = match setpriv().filter(|_| follow) {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "INT", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    command
        .env_clear()
        // PGDATA, PGOPTIONS and the like of the caller must not reach it.
        .envs([
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
        ])
        // The caller's working folder may be one that the account cannot enter.
        .current_dir("/")
        .stdin(Stdio::null())
        // Ctrl-C goes to the server, which finishes its work before it stops Postgres.
        .process_group(0);
    if account.drops_root {
        // With a user set, the standard library drops the supplementary groups as well.
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// `setpriv`, when it knows the parent-death signal (busybox' does not).
fn setpriv() -> Option<&'static Path> {
    static FOUND: OnceLock<bool> = OnceLock::new();
    let path = Path::new("/usr/bin/setpriv");
    let works = *FOUND.get_or_init(|| {
        Command::new(path)
            .args(["--pdeathsig", "INT", "--", "true"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    });
    works.then_some(path)
}
