//! Asking a Service through the API server (`.../services/NAME/proxy/...`), as a load balancer in front of it would: answered by the
//! pods that are ready.

use super::kinds::{self, POD};
use super::refusal::Refusal;
use super::replica_set::is_ready;
use super::selector::selects;
use super::state::State;
use crate::behaviour::version_of;
use crate::object::text;
use axum::http::StatusCode;
use serde_json::{Value, json};

/// What one of the pods answers; every path is the same to it.
pub(crate) fn answer(state: &State, namespace: &str, service: &str) -> Result<Value, Refusal> {
    // A port, and a scheme before the name, change nothing here.
    let name = service.split(':').find(|part| !matches!(*part, "http" | "https")).unwrap_or(service);
    let unknown = || Refusal::new(StatusCode::NOT_FOUND, "NotFound", format!("services \"{name}\" not found"));
    let kind = kinds::by_plural("", "v1", "services").ok_or_else(unknown)?;
    let found = state.store.get(kind, namespace, name).ok_or_else(unknown)?;
    let labels = json!({"matchLabels": found["spec"]["selector"]});
    let chosen = found["spec"]["selector"].as_object().is_some_and(|wanted| !wanted.is_empty());
    let pod = state.store.list(&POD, namespace).find(|pod| {
        let stays = text(pod, "/metadata/deletionTimestamp").is_empty();
        chosen && stays && is_ready(pod) && selects(&labels, &pod["metadata"]["labels"])
    });
    let Some(pod) = pod else {
        let message = format!("no endpoints available for service \"{name}\"");
        return Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message));
    };
    let version = version_of(text(pod, "/spec/containers/0/image"));
    Ok(json!({"status": "ok", "version": version, "pod": pod["metadata"]["name"]}))
}
