//! Services, revisions and operations as JSON resources, and how an operation ends.

use super::jobs::Job;
use crate::behaviour::Behaviour;
use crate::dice::Dice;
use crate::object::{list, text};
use crate::pace::{Pace, stamp_nanos};
use crate::world::{EnvWorld, RunServiceWorld};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::OffsetDateTime;

pub(crate) const LATEST: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST";
pub(crate) const REVISION: &str = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION";
const SERVICE_TYPE: &str = "type.googleapis.com/google.cloud.run.v2.Service";

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) pace: Pace,
    /// By full name, as the two below.
    pub(crate) services: BTreeMap<String, Value>,
    pub(crate) revisions: BTreeMap<String, Value>,
    pub(crate) operations: BTreeMap<String, Operation>,
    pub(crate) jobs: BTreeMap<String, Job>,
}

#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) service: String,
    /// The revision that it makes, if it makes one.
    pub(crate) revision: Option<String>,
    pub(crate) due: OffsetDateTime,
    pub(crate) outcome: Option<Value>,
}

impl Operation {
    pub(crate) fn show(&self, name: &str, service: &Value) -> Value {
        let mut metadata = service.clone();
        metadata["@type"] = json!(SERVICE_TYPE);
        let mut shown = json!({"name": name, "metadata": metadata, "done": self.outcome.is_some()});
        for (field, value) in self.outcome.as_ref().and_then(Value::as_object).into_iter().flatten() {
            shown[field] = value.clone();
        }
        shown
    }
}

/// `revisions/R` of a service, in full.
pub(crate) fn revision_name(service: &str, revision: &str) -> String {
    format!("{service}/revisions/{}", revision.rsplit('/').next().unwrap_or(revision))
}

pub(crate) fn seed(state: &mut State, name: &str, world: &RunServiceWorld, at: OffsetDateTime) {
    let env: Vec<Value> = world
        .env
        .iter()
        .map(|(name, value)| match value {
            EnvWorld::Value(value) => json!({"name": name, "value": value}),
            EnvWorld::Secret { secret, key } | EnvWorld::ConfigMap { config_map: secret, key } => {
                json!({"name": name, "valueSource": {"secretKeyRef": {"secret": secret, "version": key}}})
            }
        })
        .collect();
    let ingress = if world.internal { "INGRESS_TRAFFIC_INTERNAL_ONLY" } else { "INGRESS_TRAFFIC_ALL" };
    let service = json!({
        "ingress": ingress,
        "launchStage": "GA",
        "template": {
            "containers": [{"image": world.image, "env": env, "ports": [{"name": "http1", "containerPort": world.port}],
                            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}}}],
            "scaling": {"minInstanceCount": world.min_instances, "maxInstanceCount": 10},
            "timeout": "300s",
            "maxInstanceRequestConcurrency": 80,
        },
        "traffic": [{"type": LATEST, "percent": 100}],
    });
    super::change::create(state, name, service, at);
    settle(state, at + time::Duration::HOUR);
}

/// Ends the operations whose time has come.
pub(crate) fn settle(state: &mut State, now: OffsetDateTime) {
    let due: Vec<String> = state
        .operations
        .iter()
        .filter(|(_, operation)| operation.outcome.is_none() && operation.due <= now)
        .map(|(name, _)| name.clone())
        .collect();
    for name in due {
        end(state, &name);
    }
}

fn end(state: &mut State, name: &str) {
    let Some(operation) = state.operations.get_mut(name) else { return };
    let at = operation.due;
    let Some(service) = state.services.get_mut(&operation.service) else { return };
    let failure = operation.revision.as_ref().and_then(|revision| finish(state.revisions.get_mut(revision)?, at));
    service["reconciling"] = json!(false);
    service["observedGeneration"] = service["generation"].clone();
    operation.outcome = Some(match failure {
        Some(message) => {
            let message = format!(
                "Revision '{}' is not ready and cannot serve traffic. {message}",
                short(operation.revision.as_deref())
            );
            service["terminalCondition"] = condition("Ready", "CONDITION_FAILED", &message, at);
            json!({"error": {"code": 9, "message": message}})
        }
        None => {
            if let Some(revision) = &operation.revision {
                service["latestReadyRevision"] = json!(revision);
            }
            service["terminalCondition"] = condition("Ready", "CONDITION_SUCCEEDED", "", at);
            service["trafficStatuses"] = statuses(service);
            let mut response = service.clone();
            response["@type"] = json!(SERVICE_TYPE);
            json!({"response": response})
        }
    });
    service["conditions"] = json!([
        service["terminalCondition"].clone(),
        condition("ConfigurationsReady", text(service, "/terminalCondition/state"), "", at),
    ]);
}

fn short(name: Option<&str>) -> &str {
    name.and_then(|name| name.rsplit('/').next()).unwrap_or_default()
}

pub(super) fn condition(kind: &str, state: &str, message: &str, at: OffsetDateTime) -> Value {
    let mut condition = json!({"type": kind, "state": state, "lastTransitionTime": stamp_nanos(at)});
    if !message.is_empty() {
        condition["message"] = json!(message);
        condition["severity"] = json!("ERROR");
    }
    condition
}

/// Decides whether a revision becomes ready; the message when it does not.
fn finish(revision: &mut Value, at: OffsetDateTime) -> Option<String> {
    let image = text(revision, "/containers/0/image").to_owned();
    let message = match Behaviour::of(&image) {
        Behaviour::Missing => Some(format!("Image '{image}' not found.")),
        Behaviour::Crash => Some("The user-provided container failed to start: the container exited with exit(1).".to_owned()),
        Behaviour::Unready | Behaviour::Unhealthy => Some(
            "The user-provided container failed to start and listen on the port defined provided by the PORT=8080 environment variable within the allocated timeout: the startup probe failed.".to_owned(),
        ),
        Behaviour::Healthy | Behaviour::FailingTask | Behaviour::Unschedulable => None,
    };
    let (state, said) = match &message {
        Some(message) => ("CONDITION_FAILED", message.as_str()),
        None => ("CONDITION_SUCCEEDED", ""),
    };
    revision["reconciling"] = json!(false);
    revision["observedGeneration"] = revision["generation"].clone();
    let mut conditions = vec![condition("Ready", state, said, at), condition("ContainerHealthy", state, said, at)];
    if message.is_some() {
        let missing = Behaviour::of(&image) == Behaviour::Missing;
        let (field, reason) =
            if missing { ("reason", "CONTAINER_MISSING") } else { ("revisionReason", "HEALTH_CHECK_CONTAINER_ERROR") };
        conditions[0][field] = json!(reason);
    }
    revision["conditions"] = Value::Array(conditions);
    message
}

/// Where traffic goes now.
fn statuses(service: &Value) -> Value {
    let latest = service["latestReadyRevision"].clone();
    let show = |target: &Value| {
        let mut status = target.clone();
        if target["type"] == LATEST {
            status["revision"] = json!(short(latest.as_str()));
        }
        status["uri"] = service["uri"].clone();
        status
    };
    list(service, "/traffic").iter().map(show).collect()
}
