//! One running cluster: its state, and the loop that moves it.

use super::state::State;
use super::{argo, deployment, deployment_status, garbage, job, pod, replica_set};
use crate::dice::Dice;
use crate::faults::FaultBoard;
use crate::pace::Pace;
use crate::world::ClusterWorld;
use parking_lot::Mutex;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

/// Rounds of the controllers at one instant; more would mean that two of them undo each other's work.
const ROUNDS: usize = 64;

#[derive(Debug)]
pub(crate) struct Cluster {
    /// `/k8s/<name>`.
    pub(crate) prefix: String,
    pub(crate) world: ClusterWorld,
    pub(crate) state: Mutex<State>,
    /// Told after each write by a client.
    pub(crate) changed: Notify,
    pub(crate) faults: Arc<FaultBoard>,
}

impl Cluster {
    pub(crate) fn new(name: &str, world: ClusterWorld, seed: u64, pace: Pace, faults: Arc<FaultBoard>) -> Self {
        let prefix = format!("/k8s/{name}");
        let mut state = State::new(Dice::new(seed, &prefix), pace);
        super::seed::fill(&mut state, name, &world, OffsetDateTime::now_utc());
        Self { prefix, world, state: Mutex::new(state), changed: Notify::new(), faults }
    }

    /// Moves the controllers and pods for ever.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let now = OffsetDateTime::now_utc();
            let due = reconcile(&mut self.state.lock(), now);
            let wait = due.map_or(Duration::HOUR, |due| due - OffsetDateTime::now_utc());
            let wait = wait.max(Duration::MILLISECOND).unsigned_abs();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.changed.notified() => {}
            }
        }
    }
}

/// Brings everything to where it is at `now`; answers when it moves next.
pub(crate) fn reconcile(state: &mut State, now: OffsetDateTime) -> Option<OffsetDateTime> {
    for _ in 0..ROUNDS {
        let before = state.store.version();
        garbage::collect(state, now);
        pod::reconcile(state, now);
        job::reconcile(state, now);
        replica_set::reconcile(state, now);
        deployment::reconcile(state, now);
        argo::reconcile(state, now);
        if state.store.version() == before {
            break;
        }
    }
    let pods = state.pods.values().filter_map(|sim| sim.due).min();
    let available = replica_set::next_due(state, now);
    [pods, available, deployment_status::next_due(state, now), argo::next_due(state, now)].into_iter().flatten().min()
}
