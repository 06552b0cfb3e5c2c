//! What a command says on standard output.

use anyhow::{Context, Result};
use std::fmt::Display;
use std::io::{ErrorKind, Write};

/// A line. A reader that has gone away (`passerelle openapi | head`) has what it wanted: the command goes on to its end.
///
/// # Errors
/// When the line cannot be written for another reason, such as a full disk.
pub fn say(line: impl Display) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("writing to standard output"),
    }
}
