//! Runs other programs: to their end, or beside this one until it stops them.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::paths::Paths;

/// The cargo that started this.
pub fn cargo(paths: &Paths) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(paths.root());
    // Of this package and meant for it alone: build scripts that look at them would run again.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs to the end; its output is shown.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", line(command)))?;
    check(command, status)
}

/// Runs to the end and gives what it wrote to its standard output.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("cannot run {}", line(command)))?;
    check(command, output.status)?;
    String::from_utf8(output.stdout).with_context(|| format!("the output of {} is not UTF-8", line(command)))
}

/// Whether a program can be run at all and ends well.
pub fn works(program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn check(command: &Command, status: ExitStatus) -> Result<()> {
    if !status.success() {
        bail!("`{}` ended with {status}", line(command));
    }
    Ok(())
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy()));
    words.join(" ")
}

/// A program that runs beside this one and is stopped with it.
#[derive(Debug)]
pub struct Companion {
    name: &'static str,
    child: Child,
}

impl Companion {
    /// Starts `program` in its own process group: Ctrl-C reaches this process only, which then stops in order.
    pub fn start(name: &'static str, program: &Path, configure: impl FnOnce(&mut Command)) -> Result<Self> {
        // With setpriv it also ends when this process is killed.
        let mut command = if works("setpriv", &["--pdeathsig", "TERM", "--", "true"]) {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "TERM", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        configure(&mut command);
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {name} ({})", program.display()))?;
        Ok(Self { name, child })
    }

    /// Fails once the program has ended.
    pub fn still_runs(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("{} ended by itself with {status}", self.name),
            None => Ok(()),
        }
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        for (signal, seconds) in [(Signal::SIGTERM, 30), (Signal::SIGKILL, 5)] {
            if let Ok(pid) = i32::try_from(self.child.id()) {
                // It may have ended by itself; waiting tells.
                let _ = kill(Pid::from_raw(pid), signal);
            }
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(seconds) {
                if !matches!(self.child.try_wait(), Ok(None)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_named_with_its_arguments() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err().to_string();
        assert!(error.contains("sh -c exit 3") && error.contains('3'), "{error}");
    }

    #[test]
    fn a_companion_ends_with_its_owner() {
        let companion = Companion::start("sleep", Path::new("/bin/sleep"), |command| {
            command.arg("600");
        })
        .unwrap();
        let pid = companion.child.id();
        drop(companion);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
