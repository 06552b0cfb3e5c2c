//! Disturbances asked for by a test: latency, failures, lost answers, frozen and broken connections.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tokio::sync::watch;

/// Body of `POST /_sim/faults`. It replaces the faults of its prefix; an empty one clears them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// For example `/k8s/gke` or `/run`; empty = everything.
    pub prefix: String,
    /// Added before each answer.
    pub latency_ms: u64,
    /// That many calls fail with `status`, without effect.
    pub fail_next: u32,
    /// Status of failing calls.
    pub status: u16,
    /// That many writes take effect, then their connection breaks before the answer is complete.
    pub lose_answers: u32,
    /// Calls and streams stand still until it is lifted.
    pub freeze: bool,
    /// Which calls the faults hit.
    pub only: Only,
}

/// Which calls are hit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Only {
    #[default]
    All,
    Reads,
    Writes,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            latency_ms: 0,
            fail_next: 0,
            status: 503,
            lose_answers: 0,
            freeze: false,
            only: Only::All,
        }
    }
}

impl Faults {
    fn hits(&self, prefix: &str, write: bool) -> bool {
        (self.prefix.is_empty() || self.prefix == prefix)
            && match self.only {
                Only::All => true,
                Only::Reads => !write,
                Only::Writes => write,
            }
    }
}

/// What is to be done to one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) latency_ms: u64,
    pub(crate) fail: Option<u16>,
    pub(crate) lose_answer: bool,
}

#[derive(Debug)]
pub(crate) struct FaultBoard {
    by_prefix: Mutex<BTreeMap<String, Faults>>,
    /// Raised at each change; frozen calls and streams look again.
    changed: watch::Sender<u64>,
    /// Raised to end all open streams.
    cut: watch::Sender<u64>,
}

impl FaultBoard {
    pub(crate) fn new() -> Self {
        Self { by_prefix: Mutex::default(), changed: watch::Sender::new(0), cut: watch::Sender::new(0) }
    }

    pub(crate) fn set(&self, faults: Faults) {
        self.by_prefix.lock().insert(faults.prefix.clone(), faults);
        self.changed.send_modify(|turn| *turn += 1);
    }

    pub(crate) fn clear(&self) {
        self.by_prefix.lock().clear();
        self.changed.send_modify(|turn| *turn += 1);
    }

    pub(crate) fn all(&self) -> Vec<Faults> {
        self.by_prefix.lock().values().cloned().collect()
    }

    pub(crate) fn cut_streams(&self) {
        self.cut.send_modify(|turn| *turn += 1);
    }

    /// Resolves when the streams that are open now are to end.
    pub(crate) async fn cut_asked(&self) {
        let mut cut = self.cut.subscribe();
        cut.mark_unchanged();
        // The sender lives as long as `self`, so an error cannot come while this is awaited.
        let _ = cut.changed().await;
    }

    /// Waits while the prefix is frozen.
    pub(crate) async fn thawed(&self, prefix: &str, write: bool) {
        let mut changed = self.changed.subscribe();
        while self.by_prefix.lock().values().any(|faults| faults.freeze && faults.hits(prefix, write)) {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Takes one call's share of the counted faults.
    pub(crate) fn take(&self, prefix: &str, write: bool) -> Fate {
        let mut fate = Fate::default();
        for faults in self.by_prefix.lock().values_mut().filter(|faults| faults.hits(prefix, write)) {
            fate.latency_ms = fate.latency_ms.max(faults.latency_ms);
            if fate.fail.is_none() && faults.fail_next > 0 {
                faults.fail_next -= 1;
                fate.fail = Some(faults.status);
            } else if write && fate.fail.is_none() && faults.lose_answers > 0 {
                faults.lose_answers -= 1;
                fate.lose_answer = true;
            }
        }
        fate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_faults_run_out_and_keep_to_their_prefix() {
        let board = FaultBoard::new();
        board.set(Faults { prefix: "/k8s/a".into(), fail_next: 1, status: 500, ..Faults::default() });
        assert_eq!(board.take("/k8s/b", false), Fate::default());
        assert_eq!(board.take("/k8s/a", false).fail, Some(500));
        assert_eq!(board.take("/k8s/a", false).fail, None);
    }

    #[test]
    fn faults_may_hit_writes_only() {
        let board = FaultBoard::new();
        board.set(Faults { lose_answers: 1, only: Only::Writes, ..Faults::default() });
        assert!(!board.take("/run", false).lose_answer);
        assert!(board.take("/run", true).lose_answer);
        assert!(!board.take("/run", true).lose_answer);
    }
}
