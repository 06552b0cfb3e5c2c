//! Turns Ctrl-C and a polite kill into something to wait for, so that companions are stopped in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// Once this was made SIGINT, SIGTERM and SIGHUP end nothing by themselves. They are caught, not blocked: a program that is
/// started inherits what is blocked and would not hear when it is asked to stop.
#[derive(Debug)]
pub struct Signals {
    asked: Arc<AtomicBool>,
}

impl Signals {
    pub fn catch() -> Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&asked)).context("cannot listen for signals")?;
        }
        Ok(Self { asked })
    }

    /// Waits at most this long; `true` when somebody asked to stop.
    pub fn asked_to_stop(&self, wait: Duration) -> bool {
        let start = Instant::now();
        while !self.asked.load(Ordering::Relaxed) {
            if start.elapsed() >= wait {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Companion;
    use std::path::Path;

    #[test]
    fn a_companion_still_hears_that_it_is_to_stop() {
        let signals = Signals::catch().unwrap();
        let companion = Companion::start("sleep", Path::new("/bin/sleep"), |command| {
            command.arg("600");
        })
        .unwrap();
        let start = Instant::now();
        drop(companion);
        assert!(start.elapsed() < Duration::from_secs(20), "it had to be killed");
        assert!(!signals.asked_to_stop(Duration::ZERO));
    }
}
