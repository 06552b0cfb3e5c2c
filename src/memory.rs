//! How the process holds memory, decided before it does anything.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// glibc reads it once, when a program starts.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Begins the program again, in the same process, with one arena for all threads, unless somebody has chosen a number.
///
/// By default glibc makes an arena for each thread, up to eight per core, and what an import took stays behind in all of them:
/// measured, a third of the memory after an import, for no gain in speed (`docs/benchmarks.md`). A program can set the number from
/// within by unsafe calls only; from without it is one variable. Where that fails the program goes on as it is.
pub fn hold_little() {
    if !cfg!(target_env = "gnu") || std::env::var_os(ARENAS).is_some() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    // Only comes back when it could not.
    let _ = command.args(arguments).env(ARENAS, "1").exec();
}
