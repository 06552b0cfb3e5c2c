//! One running engine: its state at the start, and the loop that moves it.

use super::model::State;
use super::{events::Events, orchestrator};
use crate::dice::Dice;
use crate::faults::FaultBoard;
use crate::pace::Pace;
use crate::world::{EngineWorld, SwarmServiceWorld};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use tokio::sync::Notify;

/// The simulated past: long enough for every healthy service to run.
const PAST: Duration = Duration::hours(6);

#[derive(Debug)]
pub(crate) struct Engine {
    /// `/docker/<name>`.
    pub(crate) prefix: String,
    pub(crate) world: EngineWorld,
    pub(crate) state: Mutex<State>,
    pub(crate) changed: Notify,
    pub(crate) faults: Arc<FaultBoard>,
}

impl Engine {
    pub(crate) fn new(name: &str, world: EngineWorld, seed: u64, pace: Pace, faults: Arc<FaultBoard>) -> Self {
        let prefix = format!("/docker/{name}");
        let mut state = State {
            dice: Dice::new(seed, &prefix),
            pace,
            index: 10,
            services: BTreeMap::new(),
            tasks: Vec::new(),
            events: Events::new(),
            nodes: world.nodes.max(1),
        };
        let now = OffsetDateTime::now_utc();
        let mut at = now - PAST;
        for (name, service) in &world.services {
            state.create(spec(name, service), at);
        }
        for _ in 0..20_000 {
            match orchestrator::reconcile(&mut state, at) {
                Some(due) if due < now => at = due.max(at + Duration::MILLISECOND),
                _ => break,
            }
        }
        Self { prefix, world, state: Mutex::new(state), changed: Notify::new(), faults }
    }

    /// Moves the orchestrator and the tasks for ever.
    pub(crate) async fn run(self: Arc<Self>) {
        loop {
            let due = orchestrator::reconcile(&mut self.state.lock(), OffsetDateTime::now_utc());
            let wait = due.map_or(Duration::HOUR, |due| due - OffsetDateTime::now_utc());
            let wait = wait.max(Duration::MILLISECOND).unsigned_abs();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.changed.notified() => {}
            }
        }
    }
}

/// A service as `docker stack deploy` would have made it.
fn spec(name: &str, service: &SwarmServiceWorld) -> Value {
    let env: Vec<String> = service.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let update = service.update_config.clone().unwrap_or_else(|| {
        json!({"Parallelism": 1, "Delay": 0, "FailureAction": "rollback", "Monitor": 10_000_000_000_i64,
               "MaxFailureRatio": 0, "Order": "start-first"})
    });
    let mut container = json!({
        "Image": service.image,
        "Env": env,
        "Healthcheck": {"Test": ["CMD-SHELL", "python -c \"import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz')\""],
                        "Interval": 5_000_000_000_i64, "Timeout": 2_000_000_000_i64, "Retries": 3},
    });
    if let Some(user) = &service.user {
        container["User"] = json!(user);
    }
    json!({
        "Name": name,
        "Labels": service.labels,
        "TaskTemplate": {
            "ContainerSpec": container,
            "RestartPolicy": {"Condition": "any", "Delay": 5_000_000_000_i64, "MaxAttempts": 0},
            "ForceUpdate": 0,
            "Runtime": "container",
        },
        "Mode": {"Replicated": {"Replicas": service.replicas}},
        "UpdateConfig": update,
        "RollbackConfig": {"Parallelism": 1, "FailureAction": "pause", "Monitor": 5_000_000_000_i64, "MaxFailureRatio": 0, "Order": "start-first"},
        "EndpointSpec": {"Mode": "vip"},
    })
}
