//! The live feed: what happens to a deployment, as it is written.
//!
//! Rows are the truth and a reader polls them; a signal inside the process only shortens the wait. One pump per process
//! reads for all open streams, so the cost does not grow with their number.

use super::store::Store;
use crate::kernel::Result;
use passerelle_contract::deployments::DeploymentEvent;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

/// How long an event of another process may stay unseen here.
const POLL: Duration = Duration::from_millis(300);
/// Ids are given out before their rows are committed, so each look goes back by so many.
const OVERLAP_IDS: i64 = 500;

/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct EventFeed {
    sender: broadcast::Sender<Arc<DeploymentEvent>>,
    wake: Arc<Notify>,
}

impl Default for EventFeed {
    fn default() -> Self {
        Self { sender: broadcast::channel(1024).0, wake: Arc::new(Notify::new()) }
    }
}

impl EventFeed {
    /// Events from now on; a receiver that falls behind is told so and reads the rows again.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<DeploymentEvent>> {
        self.sender.subscribe()
    }

    /// Says that rows were written in this process.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Runs until `stop`.
    pub(crate) async fn pump(self, store: Store, stop: CancellationToken) {
        let mut newest = None;
        let mut seen = HashSet::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            if self.sender.receiver_count() == 0 {
                // Nobody listens: start anew at the end when somebody does.
                newest = None;
                continue;
            }
            if let Err(error) = self.round(&store, &mut newest, &mut seen).await {
                tracing::warn!(%error, "reading deployment events failed; trying again");
            }
        }
    }

    async fn round(&self, store: &Store, newest: &mut Option<i64>, seen: &mut HashSet<i64>) -> Result<()> {
        let after = match *newest {
            Some(id) => id,
            None => {
                // What came just before the first listener is sent too: a listener drops what it has.
                seen.clear();
                store.newest_event_id().await?
            }
        };
        let events = store.events_after(after - OVERLAP_IDS).await?;
        *newest = Some(events.last().map_or(after, |event| event.id.max(after)));
        let floor = newest.unwrap_or(0) - 2 * OVERLAP_IDS;
        seen.retain(|&id| id > floor);
        for event in events {
            if seen.insert(event.id) {
                // An error means that the last listener has gone.
                let _ = self.sender.send(Arc::new(event));
            }
        }
        Ok(())
    }
}
