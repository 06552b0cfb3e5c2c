//! The `git` program on one repository, without the settings of the machine, without hooks, and without a working tree.

use passerelle_contract::text;
use passerelle_targets::{TargetError, masking};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

/// For one command.
const LIMIT: Duration = Duration::from_secs(60);

/// A repository by its folder of objects: the bare repository itself, or `.git` of a working one.
#[derive(Debug)]
pub(crate) struct Git(pub PathBuf);

/// How a command ended.
pub(crate) struct Output {
    pub good: bool,
    pub text: Vec<u8>,
    complaint: String,
}

impl Output {
    pub fn line(&self) -> String {
        String::from_utf8_lossy(&self.text).trim().to_owned()
    }

    /// What git said, when it failed.
    pub fn or_refused(self) -> Result<Self, TargetError> {
        if self.good {
            return Ok(self);
        }
        let said: String = masking::shown(self.complaint.trim()).chars().take(300).collect();
        Err(TargetError::Refused(text!("git: {said}", said)))
    }
}

impl Git {
    pub async fn run(&self, arguments: &[&str]) -> Result<Output, TargetError> {
        self.feed(arguments, &[]).await
    }

    pub async fn feed(&self, arguments: &[&str], input: &[u8]) -> Result<Output, TargetError> {
        let mut command = command();
        command.arg("--git-dir").arg(&self.0).args(arguments);
        run(command, input).await
    }
}

/// Makes a bare repository.
pub(crate) async fn init(folder: &Path, branch: &str) -> Result<(), TargetError> {
    let mut command = command();
    // No template: its hooks would be somebody's.
    command.args(["init", "--quiet", "--bare", "--template=", "--initial-branch", branch]).arg(folder);
    run(command, &[]).await?.or_refused().map(drop)
}

fn command() -> Command {
    let mut command = Command::new("git");
    command.env_clear().env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", "/dev/null");
    command.env("GIT_TERMINAL_PROMPT", "0").env("LC_ALL", "C");
    // A repository that lacks objects on purpose would fetch them from where its settings say.
    command.env("GIT_NO_LAZY_FETCH", "1").env("GIT_ALLOW_PROTOCOL", "none");
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    // The repository's own settings must not make git start anything.
    command.args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn run(mut command: Command, input: &[u8]) -> Result<Output, TargetError> {
    let broken =
        |_: std::io::Error| TargetError::Unreachable(text!("the program git cannot be run on the portal's machine"));
    let mut child = command.spawn().map_err(broken)?;
    let feeding = child.stdin.take();
    let feed = async move {
        if let Some(mut pipe) = feeding {
            // Git may end before it has read everything; its complaint says why.
            drop(pipe.write_all(input).await);
        }
    };
    let both = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = tokio::time::timeout(LIMIT, both).await;
    let output = output
        .map_err(|_| TargetError::Unreachable(text!("git took longer than {seconds} s", seconds = LIMIT.as_secs())))?;
    let output = output.map_err(broken)?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Output { good: output.status.success(), text: output.stdout, complaint })
}
