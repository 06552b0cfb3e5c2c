//! Clears what an earlier run left after it was killed.
//!
//! Process numbers are reused, and a zombie still answers to a signal, so a process counts as ours only by its command
//! line: the postmaster names our data folder, and its children carry our cluster's name in their titles. The command
//! line is readable in containers that forbid looking at another user's `/proc/PID/cwd`.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::Error;
use crate::layout::Layout;

/// Signals in the order of force, and how long each may take: SIGINT is a clean stop, SIGQUIT leaves recovery to the
/// next start.
const ESCALATION: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(20)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];

/// Stops orphans and removes their lock files. The caller holds the owner's lock, so nothing here is in use.
pub(crate) fn clear(layout: &Layout) -> Result<(), Error> {
    let data = layout.data();
    let title = format!("postgres: {}: ", layout.cluster_name());
    for (signal, limit) in ESCALATION {
        if stopped(&data, &title, signal, limit) {
            break;
        }
    }
    if let Some(pid) = processes(&data, &title).first() {
        return Err(Error::Leftover { pid: *pid, folder: data });
    }
    for file in [data.join("postmaster.pid"), layout.socket_lock()] {
        match std::fs::remove_file(&file) {
            Ok(()) => tracing::warn!(file = %file.display(), "removed a lock that a killed Postgres left"),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("remove", &file)(error)),
        }
    }
    Ok(())
}

fn stopped(data: &Path, title: &str, signal: Signal, limit: Duration) -> bool {
    let found = processes(data, title);
    if found.is_empty() {
        return true;
    }
    tracing::warn!(?signal, processes = ?found, "stopping Postgres processes of an earlier run");
    for pid in found {
        // It may have ended by itself since; the loop below is what counts.
        let _ = kill(Pid::from_raw(pid), signal);
    }
    let start = Instant::now();
    while start.elapsed() < limit {
        if processes(data, title).is_empty() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

fn processes(data: &Path, title: &str) -> Vec<i32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|cmdline| is_ours(&cmdline, data, title)))
        .collect()
}

fn is_ours(cmdline: &[u8], data: &Path, title: &str) -> bool {
    if cmdline.starts_with(title.as_bytes()) {
        return true;
    }
    let mut arguments = cmdline.split(|byte| *byte == 0);
    let program = arguments.next().unwrap_or_default();
    program.ends_with(b"/postgres")
        && arguments.after_flag(b"-D").is_some_and(|folder| folder == data.as_os_str().as_encoded_bytes())
}

/// The argument that follows a flag.
trait AfterFlag<'a> {
    fn after_flag(self, flag: &[u8]) -> Option<&'a [u8]>;
}

impl<'a, I: Iterator<Item = &'a [u8]>> AfterFlag<'a> for I {
    fn after_flag(mut self, flag: &[u8]) -> Option<&'a [u8]> {
        self.find(|argument| *argument == flag)?;
        self.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_postmaster_of_this_folder_and_its_children_are_ours() {
        let data = Path::new("/srv/portal/postgres/data");
        let title = "postgres: passerelle-01: ";
        let ours = |cmdline: &str| is_ours(cmdline.as_bytes(), data, title);
        assert!(ours("/usr/lib/postgresql/15/bin/postgres\0-D\0/srv/portal/postgres/data\0-k\0/run\0"));
        assert!(ours("postgres: passerelle-01: checkpointer \0\0\0"));
        assert!(!ours("/usr/lib/postgresql/15/bin/postgres\0-D\0/srv/portal/postgres/data2\0"));
        assert!(!ours("/usr/bin/vim\0-D\0/srv/portal/postgres/data\0"));
        assert!(!ours("postgres: passerelle-02: checkpointer"));
        assert!(!ours(""));
    }
}
