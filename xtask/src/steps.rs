//! Shows where a task is: `[2/7] the browser client`, then how long it took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// A task of a known number of steps.
#[derive(Debug)]
pub struct Steps {
    total: usize,
    done: usize,
    start: Instant,
}

impl Steps {
    pub fn new(total: usize) -> Self {
        Self { total, done: 0, start: Instant::now() }
    }

    /// Runs one step; its name is also the first words of its error.
    pub fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        eprintln!("[{}/{}] {name}  (at {})", self.done, self.total, seconds(self.start.elapsed()));
        let start = Instant::now();
        let result = work().with_context(|| format!("{name} failed"));
        if result.is_ok() && start.elapsed() >= Duration::from_secs(2) {
            eprintln!("      took {}", seconds(start.elapsed()));
        }
        result
    }

    pub fn elapsed(&self) -> String {
        seconds(self.start.elapsed())
    }
}

fn seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_step_is_named() {
        let mut steps = Steps::new(1);
        let error = steps.step("the client", || anyhow::bail!("no linker")).map(|(): ()| ()).unwrap_err();
        assert_eq!(format!("{error:#}"), "the client failed: no linker");
    }

    #[test]
    fn times_are_readable() {
        assert_eq!(seconds(Duration::from_secs(59)), "59 s");
        assert_eq!(seconds(Duration::from_secs(61)), "1 min 01 s");
    }
}
