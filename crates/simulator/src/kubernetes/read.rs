//! Getting and listing objects, whole or as metadata only.

use super::kinds::Kind;
use super::path::Objects;
use super::refusal::Refusal;
use super::selector::Selector;
use super::state::State;
use crate::call::Call;
use crate::object::text;
use axum::http::header;
use serde_json::{Value, json};
use std::sync::Arc;

/// How a client wants objects to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Whole,
    Metadata,
}

impl View {
    pub(crate) fn of(call: &Call) -> Self {
        if call.header(header::ACCEPT).contains("as=PartialObjectMetadata") { Self::Metadata } else { Self::Whole }
    }

    pub(crate) fn show(self, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Metadata => {
                let mut metadata = object["metadata"].clone();
                if object["kind"] == "Secret" {
                    metadata["managedFields"] = json!([keys_set(object)]);
                }
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
        }
    }
}

/// The record of who set which key, which names the keys without their values.
fn keys_set(secret: &Value) -> Value {
    let keys = secret["data"].as_object().into_iter().flatten();
    let keys: serde_json::Map<String, Value> = keys.map(|(key, _)| (format!("f:{key}"), json!({}))).collect();
    json!({"manager": "kubectl", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": keys}})
}

pub(crate) fn get(state: &State, objects: &Objects, name: &str) -> Result<Arc<Value>, Refusal> {
    state.store.get(objects.kind, &objects.namespace, name).ok_or_else(|| Refusal::not_found(objects.kind, name))
}

/// Lists by pages: `limit` and `continue`, where the token is the last name of the page before.
pub(crate) fn list(state: &State, kind: &'static Kind, namespace: &str, call: &Call) -> Result<Value, Refusal> {
    let selector = Selector::parse(call.parameter("labelSelector"), call.parameter("fieldSelector"))?;
    let view = View::of(call);
    let after = call.parameter("continue").unwrap_or_default();
    let limit =
        call.parameter("limit").and_then(|limit| limit.parse().ok()).filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let place = |object: &Value| format!("{}/{}", text(object, "/metadata/namespace"), text(object, "/metadata/name"));
    let mut found = state.store.list(kind, namespace).filter(|object| selector.matches(object)).peekable();
    while found.next_if(|object| !after.is_empty() && place(object).as_str() <= after).is_some() {}
    let mut items = Vec::new();
    let mut last = String::new();
    while items.len() < limit
        && let Some(object) = found.next()
    {
        last = place(object);
        items.push(view.show(object));
    }
    let mut metadata = json!({"resourceVersion": state.store.version().to_string()});
    if found.peek().is_some() {
        metadata["continue"] = json!(last);
    }
    let (list_kind, version) = match view {
        View::Whole => (format!("{}List", kind.kind), kind.api_version()),
        View::Metadata => ("PartialObjectMetadataList".to_owned(), "meta.k8s.io/v1".to_owned()),
    };
    Ok(json!({"kind": list_kind, "apiVersion": version, "metadata": metadata, "items": items}))
}
