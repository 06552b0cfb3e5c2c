//! The use case that edits a service in the portal. An edit lies over the document and stays there when the document is imported again.

use super::entity;
use super::service::CatalogService;
use super::store::{self, Detail, Edited};
use super::text;
use crate::kernel::{Action, AppError, AuditEntry, Ctx, Object, Result};
use passerelle_contract::catalog::{EntityOut, ServicePatch};
use passerelle_contract::{FieldError, Text, text};
use serde_json::{Map, Value, json};
use std::sync::Arc;

impl CatalogService {
    /// Sets fields of a service; an empty text gives a field back to the document. `if_match` is the revision the caller has read.
    ///
    /// # Errors
    /// `Invalid` by field, `Forbidden`, `NotFound` also for what the caller may not see, `Conflict` when it changed since.
    pub async fn patch_service(
        self: &Arc<Self>,
        ctx: &Ctx,
        namespace: &str,
        name: &str,
        patch: &ServicePatch,
        if_match: Option<i64>,
    ) -> Result<EntityOut> {
        let key = format!("{namespace}/{name}");
        let absent = || AppError::not_found(format!("service:{key}"));
        if ctx.is_anonymous() {
            return Err(AppError::Unauthenticated);
        }
        let service = self.find_service(&key).ok_or_else(absent)?;
        let authorized = self.db.authorize(ctx, Action::CatalogEdit, Object::service(service.scope)).await?;
        check(patch)?;
        let mut tx = self.db.write(ctx, authorized).await?;
        let revision = store::lock(tx.conn()).await?;
        let detail = store::for_update(tx.conn(), service.id).await?.ok_or_else(absent)?;
        if if_match.is_some_and(|read| read != detail.revision) {
            return Err(AppError::Conflict(text!("{key} changed since it was read; read it again", key)));
        }
        let overrides = merged(&detail.overrides.0, patch);
        let own = Own::of(&detail, &overrides);
        let before = json!({"title": detail.title, "description": detail.description, "lifecycle": detail.lifecycle, "tags": detail.tags});
        let after =
            json!({"title": own.title, "description": own.description, "lifecycle": own.lifecycle, "tags": own.tags});
        // Nothing to write: dropped without a commit.
        if before != after || overrides != detail.overrides.0 {
            let edited = Edited {
                title: own.title.as_deref(),
                description: own.description.as_deref(),
                lifecycle: own.lifecycle.as_deref(),
                tags: &own.tags,
                overrides: &overrides,
            };
            store::override_fields(tx.conn(), service.id, &edited, revision).await?;
            tx.commit(AuditEntry::success().before(before).after(after)).await?;
            self.refresh().await?;
        }
        self.get_service(ctx, namespace, name).await
    }
}

fn check(patch: &ServicePatch) -> Result<()> {
    let mut errors = Vec::new();
    let mut rule = |pointer: &str, result: Result<(), Text>| {
        if let Err(message) = result {
            errors.push(FieldError::new(pointer, message));
        }
    };
    rule("/title", patch.title.as_deref().map_or(Ok(()), |value| text::line(value, 300)));
    rule("/description", patch.description.as_deref().map_or(Ok(()), |value| text::paragraph(value, 20_000)));
    rule("/lifecycle", patch.lifecycle.as_deref().map_or(Ok(()), |value| text::line(value, 100)));
    for (at, tag) in patch.tags.iter().flatten().enumerate() {
        if !text::is_tag(tag) {
            let message = text!("is not allowed; a tag is 1 to 63 of a-z, 0-9, :, +, # with single - between them");
            rule(&format!("/tags/{at}"), Err(message.to_owned()));
        }
    }
    if patch.tags.as_ref().is_some_and(|tags| tags.len() > 100) {
        rule("/tags", Err(text!("at most 100 tags are allowed")));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::Invalid(errors)) }
}

fn merged(overrides: &Value, patch: &ServicePatch) -> Value {
    let mut merged: Map<String, Value> = overrides.as_object().cloned().unwrap_or_default();
    for (field, value) in
        [("title", &patch.title), ("description", &patch.description), ("lifecycle", &patch.lifecycle)]
    {
        match value.as_deref() {
            None => {}
            Some("") => drop(merged.shift_remove(field)),
            Some(text) => drop(merged.insert(field.to_owned(), json!(text))),
        }
    }
    if let Some(tags) = &patch.tags {
        let mut unique: Vec<&String> = Vec::new();
        for tag in tags {
            if !unique.contains(&tag) {
                unique.push(tag);
            }
        }
        merged.insert("tags".to_owned(), json!(unique));
    }
    Value::Object(merged)
}

/// The fields that hold: the portal's own, or else the document's.
struct Own {
    title: Option<String>,
    description: Option<String>,
    lifecycle: Option<String>,
    tags: Vec<String>,
}

impl Own {
    fn of(detail: &Detail, overrides: &Value) -> Self {
        let document = entity::parse(&detail.document.0).ok();
        let text = |field: &str| overrides.get(field).and_then(Value::as_str).map(str::to_owned);
        let tags = overrides.get("tags").and_then(Value::as_array);
        let tags = tags.map(|tags| tags.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        Self {
            title: text("title").or_else(|| document.as_ref()?.title.clone()),
            description: text("description").or_else(|| document.as_ref()?.description.clone()),
            lifecycle: text("lifecycle").or_else(|| document.as_ref()?.lifecycle.clone()),
            tags: tags.or_else(|| Some(document?.tags)).unwrap_or_default(),
        }
    }
}
