//! Turns Ctrl-C and a polite kill into something to wait for, so that companions are stopped in order.

use std::time::Duration;

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// While this exists SIGINT, SIGTERM and SIGHUP end nothing by themselves. Programs started later get a clean mask
/// from the standard library.
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
}

impl Signals {
    /// Call before any thread is started.
    pub fn catch() -> Result<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        set.thread_block().context("cannot block signals")?;
        let fd = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
            .context("cannot listen for signals")?;
        Ok(Self { fd })
    }

    /// Waits at most this long; `true` when somebody asked to stop.
    pub fn asked_to_stop(&self, wait: Duration) -> bool {
        let start = std::time::Instant::now();
        loop {
            if matches!(self.fd.read_signal(), Ok(Some(_))) {
                return true;
            }
            if start.elapsed() >= wait {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}
