//! Whole entities, kept ready to send.
//!
//! An entity's page is its row plus its relations. The row part is kept as JSON within a budget of memory, in the version of its
//! revision; the relations come from the image of the catalog. A miss reads the neighbours too, since lists are read in order.

use super::store::Detail;
use parking_lot::Mutex;
use passerelle_contract::catalog::{EntityOut, LinkOut, RelationOut};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// Memory for entities, in bytes. Filled by reads only: a catalog of 10,000 entities takes about 15 MB of it.
const MAX_BYTES: usize = 48 << 20;
/// A larger entity is read anew each time.
const MAX_ENTITY_BYTES: usize = 64 << 10;

/// An entity as JSON, cut where its relations go in.
#[derive(Debug)]
pub(super) struct Prepared {
    json: Box<str>,
    relations_at: usize,
    pub revision: i64,
}

impl Prepared {
    pub fn new(detail: Detail) -> Self {
        let revision = detail.revision;
        const FIELD: &str = "\"relations\":[]";
        let json = serde_json::to_string(&entity_out(detail)).unwrap_or_default();
        // Before the field itself there are only texts, in which quotes are escaped: the first occurrence is the field.
        let at = json.find(FIELD).map_or(json.len(), |at| at + FIELD.len() - 2);
        let rest = json.get(at + 2..).unwrap_or_default();
        Self { json: [&json[..at], rest].concat().into(), relations_at: at, revision }
    }

    pub fn with_relations(&self, relations: &[RelationOut]) -> Vec<u8> {
        let (before, after) = self.json.split_at(self.relations_at);
        let mut out = Vec::with_capacity(self.json.len() + relations.len() * 120);
        out.extend_from_slice(before.as_bytes());
        match serde_json::to_writer(&mut out, relations) {
            Ok(()) => out.extend_from_slice(after.as_bytes()),
            Err(error) => tracing::error!(%error, "relations as JSON"),
        }
        out
    }
}

fn entity_out(detail: Detail) -> EntityOut {
    let document = detail.document.0;
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let links = document.pointer("/metadata/links").and_then(Value::as_array).into_iter().flatten();
    let links = links.filter_map(|link| {
        Some(LinkOut { url: text(link, "url")?, title: text(link, "title"), icon: text(link, "icon") })
    });
    let annotations = document.pointer("/metadata/annotations").and_then(Value::as_object).into_iter().flatten();
    let annotations = annotations.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
    EntityOut {
        id: detail.id,
        reference: format!("{}:{}/{}", detail.kind.to_ascii_lowercase(), detail.namespace, detail.name),
        kind: detail.kind,
        namespace: detail.namespace,
        name: detail.name,
        title: detail.title,
        description: detail.description,
        entity_type: detail.entity_type,
        lifecycle: detail.lifecycle,
        owner: detail.owner,
        system: detail.system,
        tags: detail.tags,
        links: links.collect(),
        annotations: annotations.collect(),
        relations: Vec::new(),
        source: detail.source_file,
        source_line: u32::try_from(detail.source_line).unwrap_or(0),
        updated_at: detail.updated_at,
        document,
    }
}

#[derive(Debug, Default)]
struct Kept {
    entities: HashMap<Uuid, Arc<Prepared>>,
    bytes: usize,
}

#[derive(Debug, Default)]
pub(super) struct DetailCache(Mutex<Kept>);

impl DetailCache {
    /// The entity, if it is kept and not older than the revision that the image of the catalog shows.
    pub fn get(&self, id: &Uuid, revision: i64) -> Option<Arc<Prepared>> {
        self.0.lock().entities.get(id).filter(|kept| kept.revision >= revision).cloned()
    }

    /// Which of these are not kept yet.
    pub fn absent(&self, ids: Vec<Uuid>) -> Vec<Uuid> {
        let kept = self.0.lock();
        ids.into_iter().filter(|id| !kept.entities.contains_key(id)).collect()
    }

    pub fn put(&self, id: Uuid, prepared: Arc<Prepared>) {
        let bytes = prepared.json.len() + 160;
        if bytes > MAX_ENTITY_BYTES {
            return;
        }
        let mut kept = self.0.lock();
        if kept.bytes + bytes > MAX_BYTES {
            *kept = Kept::default();
        }
        if let Some(old) = kept.entities.insert(id, prepared) {
            kept.bytes -= old.json.len() + 160;
        }
        kept.bytes += bytes;
    }
}
