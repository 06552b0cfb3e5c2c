//! Following a service: events wake us, a timer makes sure, and only what differs is passed on.
//!
//! The engine tells of services (from any manager) and of containers on its own node, but not of tasks; a task that moves on
//! another node is found by the timer alone.

use super::evidence::Evidence;
use super::target::SwarmService;
use crate::{Observation, Rollout, TargetError};
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use serde_json::json;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two looks while something is moving.
const BUSY: Duration = Duration::from_millis(500);
/// Between two looks while nothing is.
const IDLE: Duration = Duration::from_secs(5);
/// Events come in bursts; one look answers them all.
const BURST: Duration = Duration::from_millis(100);

struct Watch {
    service: SwarmService,
    events: Option<BoxStream<'static, ()>>,
    last: Option<Observation>,
    evidence: Option<Evidence>,
    ended: bool,
}

pub(super) fn stream(service: SwarmService) -> BoxStream<'static, Result<Observation, TargetError>> {
    let watch = Watch { service, events: None, last: None, evidence: None, ended: false };
    stream::unfold(watch, |mut watch| async move {
        if watch.ended {
            return None;
        }
        let item = watch.next().await;
        watch.ended = item.is_err();
        Some((item, watch))
    })
    .boxed()
}

impl Watch {
    /// The present state at first, then the next one that differs.
    async fn next(&mut self) -> Result<Observation, TargetError> {
        if self.last.is_none() {
            // An engine behind a proxy may keep its events to itself: the timer is enough.
            self.events = subscribe(&self.service).await.ok();
        }
        loop {
            if self.last.is_some() {
                self.pause().await;
            }
            let seen = self.service.look(&mut self.evidence).await?;
            if self.last.as_ref() != Some(&seen) {
                self.last = Some(seen.clone());
                return Ok(seen);
            }
        }
    }

    /// Waits for an event or for the timer, whichever is first.
    async fn pause(&mut self) {
        let moving = self.last.as_ref().is_some_and(|last| last.rollout == Rollout::Progressing);
        let limit = if moving { BUSY } else { IDLE };
        let Some(events) = &mut self.events else { return sleep(limit).await };
        match timeout(limit, events.next()).await {
            Err(_) => {}
            Ok(Some(())) => {
                sleep(BURST).await;
                while let Ok(Some(())) = timeout(Duration::ZERO, events.next()).await {}
            }
            Ok(None) => {
                // The look that follows tells whether the engine is gone.
                self.events = None;
                sleep(BUSY).await;
            }
        }
    }
}

async fn subscribe(service: &SwarmService) -> Result<BoxStream<'static, ()>, TargetError> {
    // The health checks of containers are events as well (exec_start, ...): only these are asked for.
    let events = ["create", "update", "remove", "start", "die", "oom", "health_status", "destroy"];
    service.engine.events(&json!({ "type": ["service", "container"], "event": events })).await
}
