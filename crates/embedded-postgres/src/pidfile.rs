//! Reads `postmaster.pid`.

use std::path::Path;

use nix::sys::signal::kill;
use nix::unistd::Pid;

/// What the file says: process number on line 1, state on line 8.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: i32,
    pub(crate) ready: bool,
}

pub(crate) fn read(data: &Path) -> Option<PidFile> {
    parse(&std::fs::read_to_string(data.join("postmaster.pid")).ok()?)
}

/// For a process that attaches: the file's own process is alive and says it is ready.
pub(crate) fn is_ready(data: &Path) -> bool {
    read(data).is_some_and(|file| file.ready && kill(Pid::from_raw(file.pid), None) != Err(nix::errno::Errno::ESRCH))
}

fn parse(text: &str) -> Option<PidFile> {
    let mut lines = text.lines();
    let pid: i32 = lines.next()?.trim().parse().ok()?;
    // Single-user mode writes its process number as a negative one.
    let ready = lines.nth(6).is_some_and(|line| line.trim() == "ready");
    (pid > 0).then_some(PidFile { pid, ready })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_line_eight_says_ready() {
        let file = "4711\n/d\n1700000000\n5432\n/d/run\n\n  5432001     32768\nready   \n";
        assert_eq!(parse(file), Some(PidFile { pid: 4711, ready: true }));
        assert_eq!(parse(&file.replace("ready", "starting")), Some(PidFile { pid: 4711, ready: false }));
        assert_eq!(parse("4711\nready\n"), Some(PidFile { pid: 4711, ready: false }));
    }

    #[test]
    fn rubbish_is_no_process() {
        assert_eq!(parse(""), None);
        assert_eq!(parse("-12\n/d\n"), None);
        assert_eq!(parse("no number\n"), None);
    }
}
