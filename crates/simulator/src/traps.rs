//! Traps hold one write where a test wants its caller to die: before it has an effect, or after it and before the answer.

use parking_lot::Mutex;
use tokio::sync::watch;

/// Where a write is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It never has an effect.
    Before,
    /// It has had its effect; nobody hears of it until the trap is released.
    After,
}

/// Which write is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trap {
    /// For example `/k8s/gke`.
    pub prefix: String,
    /// The first write from now on is 1.
    pub nth: u32,
    pub side: Side,
}

#[derive(Debug)]
pub(crate) struct Traps {
    set: Mutex<Option<Trap>>,
    /// Whether a write is held.
    holds: watch::Sender<bool>,
}

impl Default for Traps {
    fn default() -> Self {
        Self { set: Mutex::default(), holds: watch::Sender::new(false) }
    }
}

impl Traps {
    /// Replaces the trap that is set; whatever is held goes on.
    pub(crate) fn set(&self, trap: Option<Trap>) {
        *self.set.lock() = trap;
        self.holds.send_replace(false);
    }

    /// Counts a write; says where it is to be held when it is the one.
    pub(crate) fn step_on(&self, prefix: &str) -> Option<Side> {
        let mut set = self.set.lock();
        let trap = set.as_mut().filter(|trap| trap.prefix == prefix)?;
        trap.nth = trap.nth.saturating_sub(1);
        if trap.nth > 0 {
            return None;
        }
        set.take().map(|trap| trap.side)
    }

    /// Until the trap is released, or the caller has hung up.
    pub(crate) async fn hold(&self) {
        let mut holds = self.holds.subscribe();
        self.holds.send_replace(true);
        let _ = holds.wait_for(|holds| !holds).await;
    }

    /// Resolves when a write is held.
    pub(crate) async fn caught(&self) {
        let _ = self.holds.subscribe().wait_for(|holds| *holds).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_write_of_its_prefix_is_caught_once() {
        let traps = Traps::default();
        traps.set(Some(Trap { prefix: "/run".into(), nth: 2, side: Side::After }));
        let steps = ["/run", "/storage", "/run", "/run"].map(|prefix| traps.step_on(prefix));
        assert_eq!(steps, [None, None, Some(Side::After), None]);
    }

    #[tokio::test]
    async fn what_is_held_goes_on_when_the_trap_is_released() {
        let traps = std::sync::Arc::new(Traps::default());
        let holder = std::sync::Arc::clone(&traps);
        let held = tokio::spawn(async move { holder.hold().await });
        traps.caught().await;
        assert!(!held.is_finished());
        traps.set(None);
        held.await.unwrap();
    }
}
