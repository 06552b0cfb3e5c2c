//! Counts failures per key in a window that starts with the first one. In memory: each process counts for itself.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::time::{Duration, Instant};

const MAX_KEYS: usize = 20_000;

/// A key with how many failures it may have.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    pub(super) key: String,
    pub(super) max: u32,
}

#[derive(Debug)]
pub(super) struct Limiter {
    window: Duration,
    counts: Mutex<HashMap<String, (u32, Instant)>>,
}

impl Limiter {
    pub(super) fn new(window: Duration) -> Self {
        Self { window, counts: Mutex::new(HashMap::new()) }
    }

    /// Counts an attempt as failed before it is tried, so that parallel ones cannot slip by.
    ///
    /// # Errors
    /// Seconds to wait, when a key is used up; then nothing is counted.
    pub(super) fn take(&self, limits: &[Limit]) -> Result<(), u64> {
        let now = Instant::now();
        let mut counts = self.counts.lock();
        for limit in limits {
            if let Some((count, since)) = counts.get(&limit.key)
                && *count >= limit.max
                && let Some(left) = self.window.checked_sub(now.duration_since(*since))
                && !left.is_zero()
            {
                return Err(left.as_secs() + 1);
            }
        }
        if counts.len() + limits.len() > MAX_KEYS {
            counts.retain(|_, (_, since)| now.duration_since(*since) < self.window);
        }
        if counts.len() + limits.len() > MAX_KEYS {
            // A flood from very many sources: better to forget counts than to keep everybody out or to grow.
            counts.clear();
        }
        for limit in limits {
            let entry = counts.entry(limit.key.clone()).or_insert((0, now));
            if now.duration_since(entry.1) >= self.window {
                *entry = (0, now);
            }
            entry.0 += 1;
        }
        Ok(())
    }

    /// The attempt was good after all: it does not count.
    pub(super) fn give_back(&self, limits: &[Limit]) {
        let mut counts = self.counts.lock();
        for limit in limits {
            if let Some((count, _)) = counts.get_mut(&limit.key) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Limiter};
    use std::time::Duration;

    #[test]
    fn failures_are_limited_per_key_and_forgotten_after_the_window() {
        let limiter = Limiter::new(Duration::from_millis(40));
        let keys = |source: &str| [Limit { key: format!("s:{source}"), max: 2 }];
        limiter.take(&keys("a")).unwrap();
        limiter.take(&keys("a")).unwrap();
        assert!(limiter.take(&keys("a")).is_err());
        assert!(limiter.take(&keys("b")).is_ok());
        limiter.give_back(&keys("a"));
        assert!(limiter.take(&keys("a")).is_ok());
        std::thread::sleep(Duration::from_millis(45));
        assert!(limiter.take(&keys("a")).is_ok());
    }
}
