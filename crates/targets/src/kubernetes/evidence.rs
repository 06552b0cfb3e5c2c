//! What has to be asked for beyond the statuses, once something is wrong: the events of the pod and the last lines of its log.

use super::diagnose::decisive;
use super::error::call;
use super::logs;
use super::snapshot::Snapshot;
use super::symptom::{Kind, Symptom};
use super::workload::Workload;
use crate::masking::MAX_LOG_LINES;
use k8s_openapi::api::core::v1::Event;
use kube::api::ListParams;
use passerelle_contract::text;

const MAX_EVENTS: u32 = 200;

/// Empty when nothing is wrong, or when the cluster does not let us look.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    pub events: Vec<PodEvent>,
    pub logs: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct PodEvent {
    pub reason: String,
    pub message: String,
    /// Greater is later.
    pub order: i64,
}

impl Evidence {
    pub fn last(&self, reason: &str) -> Option<&PodEvent> {
        self.events.iter().filter(|event| event.reason == reason).max_by_key(|event| event.order)
    }
}

/// Asks about the symptom that decides. What cannot be read is left out: a verdict without its log is better than none.
pub(super) async fn gather(workload: &Workload, snapshot: &Snapshot) -> Evidence {
    match decisive(snapshot) {
        Some(symptom) => about(workload, &symptom).await,
        None => Evidence::default(),
    }
}

pub(super) async fn about(workload: &Workload, symptom: &Symptom) -> Evidence {
    let (events, logs) = tokio::join!(events(workload, &symptom.pod), last_lines(workload, symptom));
    Evidence { events, logs }
}

async fn events(workload: &Workload, pod: &str) -> Vec<PodEvent> {
    let list =
        ListParams::default().fields(&format!("involvedObject.kind=Pod,involvedObject.name={pod}")).limit(MAX_EVENTS);
    match call(text!("the events"), workload.api::<Event>().list(&list)).await {
        Ok(events) => events.items.into_iter().map(PodEvent::from).collect(),
        Err(error) => {
            tracing::warn!(pod, %error, "events of a failing pod cannot be read");
            Vec::new()
        }
    }
}

async fn last_lines(workload: &Workload, symptom: &Symptom) -> Vec<String> {
    let (Kind::Crash { .. } | Kind::NotReady, Some(container)) = (&symptom.kind, &symptom.container) else {
        return Vec::new();
    };
    let previous = matches!(symptom.kind, Kind::Crash { .. });
    let lines = u32::try_from(MAX_LOG_LINES).unwrap_or(u32::MAX);
    match logs::read(workload, &symptom.pod, container, previous, lines).await {
        Ok(lines) => lines,
        Err(error) => {
            tracing::warn!(pod = symptom.pod, %error, "log of a failing pod cannot be read");
            Vec::new()
        }
    }
}

impl From<Event> for PodEvent {
    fn from(event: Event) -> Self {
        let last = event.last_timestamp.map(|time| time.0.as_second());
        let order = last.or_else(|| event.event_time.map(|time| time.0.as_second())).unwrap_or(0);
        Self { reason: event.reason.unwrap_or_default(), message: event.message.unwrap_or_default(), order }
    }
}
