//! Nodes as what callers read: JSON made of ready pieces for the REST API, typed values for the pages.

use super::Snapshot;
use super::core::Facet;
use super::query::{Slice, search_words};
use super::record::Record;
use crate::kernel::ReadScope;
use passerelle_contract::FieldError;
use passerelle_contract::catalog::{EntityRow, RelationOut, ServiceOut};
use std::sync::Arc;
use uuid::Uuid;

/// One entity as the image knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub id: Uuid,
    pub reference: String,
    /// `namespace/name`.
    pub key: String,
    /// The owning team, as `namespace/name`.
    pub owner: Option<String>,
    pub system: Option<String>,
    pub title: Option<String>,
    /// The revision it was last changed in.
    pub revision: i64,
}

impl Snapshot {
    /// `{"items":[...],"next_cursor":...,"total":n}`.
    #[must_use]
    pub fn page_json(&self, slice: &Slice, next_cursor: Option<&str>) -> Vec<u8> {
        let mut out = Vec::with_capacity(slice.nodes.len() * 480 + 160);
        out.extend_from_slice(b"{\"items\":[");
        for (at, record) in slice.nodes.iter().filter_map(|node| Some((*node, self.core.record(*node)?))).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            self.service_json(record.0, record.1, &mut out);
        }
        out.push(b']');
        if let Some(cursor) = next_cursor {
            // Base64: nothing in it needs escaping.
            out.extend_from_slice(format!(",\"next_cursor\":\"{cursor}\"").as_bytes());
        }
        out.extend_from_slice(format!(",\"total\":{}}}", slice.total).as_bytes());
        out
    }

    fn service_json(&self, node: u32, record: &Record, out: &mut Vec<u8>) {
        let (before, after) = record.json.split_at(record.health_at);
        out.extend_from_slice(before.as_bytes());
        match self.overlay.worst(node) {
            None => out.extend_from_slice(b"null"),
            Some(health) => out.extend_from_slice(format!("\"{}\"", health.as_str()).as_bytes()),
        }
        out.extend_from_slice(after.as_bytes());
    }

    fn service_out(&self, node: u32, record: &Record) -> Option<ServiceOut> {
        let mut json = Vec::with_capacity(record.json.len() + 16);
        self.service_json(node, record, &mut json);
        serde_json::from_slice(&json).ok()
    }

    /// The same page as values.
    #[must_use]
    pub fn page_items(&self, slice: &Slice) -> Vec<ServiceOut> {
        slice.nodes.iter().filter_map(|node| self.service_out(*node, self.core.record(*node)?)).collect()
    }

    /// Services by id, in the order asked; those that are archived are left out.
    #[must_use]
    pub fn services_by_id(&self, ids: &[Uuid]) -> Vec<ServiceOut> {
        let nodes = ids.iter().filter_map(|id| self.core.by_id(id));
        nodes
            .filter_map(|node| {
                self.core.record(node).filter(|r| r.is_service()).and_then(|r| self.service_out(node, r))
            })
            .collect()
    }

    /// One service by `namespace/name`, whatever its case.
    #[must_use]
    pub fn service(&self, key: &str) -> Option<ServiceOut> {
        let node = self.core.find(&format!("component:{key}"))?;
        self.service_out(node, self.core.record(node)?)
    }

    /// One entity by reference or, for a service, by id; no check of who asks.
    #[must_use]
    pub fn find(&self, reference: &str) -> Option<Found> {
        self.core.find(reference).and_then(|node| self.found(self.core.record(node)?))
    }

    /// Whether a team is in the catalog, or owns a service without being described.
    #[must_use]
    pub fn knows_team(&self, team: &str) -> bool {
        let owners = &self.core.fields[Facet::Team as usize].values;
        self.core.find(&format!("group:{}", team.to_lowercase())).is_some()
            || owners.iter().any(|owner| owner.eq_ignore_ascii_case(team))
    }

    #[must_use]
    pub fn find_by_id(&self, id: &Uuid) -> Option<Found> {
        self.core.by_id(id).and_then(|node| self.found(self.core.record(node)?))
    }

    fn found(&self, record: &Arc<Record>) -> Option<Found> {
        Some(Found {
            id: record.id,
            reference: record.reference.to_string(),
            key: record.key().to_owned(),
            owner: self.core.symbol(record.owner).map(str::to_owned),
            system: self.core.symbol(record.system).map(str::to_owned),
            title: record.title.as_deref().map(str::to_owned),
            revision: record.revision,
        })
    }

    /// An entity that a reader may see, with its relations.
    #[must_use]
    pub fn entity(&self, reference: &str, scope: &ReadScope) -> Option<(Found, Vec<RelationOut>)> {
        let node = self.core.find(reference).filter(|node| self.visible(*node, scope))?;
        Some((self.found(self.core.record(node)?)?, self.relations(node, scope)))
    }

    /// The ids of the entities that stand around one, itself included: what is likely read next.
    #[must_use]
    pub fn around(&self, id: &Uuid, count: usize) -> Vec<Uuid> {
        let Some(node) = self.core.by_id(id) else { return vec![*id] };
        self.core.nodes.iter().skip(node as usize / count.max(1) * count).take(count).map(|record| record.id).collect()
    }

    /// Entities of one kind or of all, in the order of their references, from after `after` on: (rows, total, more).
    ///
    /// # Errors
    /// When the search text is too long.
    pub fn entities(
        &self,
        kind: Option<&str>,
        text: Option<&str>,
        scope: &ReadScope,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<EntityRow>, usize, bool), Vec<FieldError>> {
        let mut errors = Vec::new();
        let words = search_words(text, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        let core = &self.core;
        let range =
            kind.map_or_else(|| 0..u32::try_from(core.nodes.len()).unwrap_or(u32::MAX), |kind| core.kind_range(kind));
        let mut nodes: Vec<u32> = match words.split_first() {
            None => range.collect(),
            Some((first, rest)) => {
                let mut nodes = core.containing(first, range.clone()).into_owned();
                for word in rest {
                    let other = core.containing(word, range.clone());
                    nodes.retain(|node| other.binary_search(node).is_ok());
                }
                nodes
            }
        };
        if *scope != ReadScope::All {
            nodes.retain(|node| self.visible(*node, scope));
        }
        let passed =
            |node: &u32| after.is_some_and(|after| super::record::compare(core.reference(*node), after).is_le());
        let from = nodes.partition_point(passed);
        let rows = nodes[from..].iter().take(limit).filter_map(|node| Some(self.entity_row(core.record(*node)?)));
        Ok((rows.collect(), nodes.len(), nodes.len() - from > limit))
    }

    fn entity_row(&self, record: &Record) -> EntityRow {
        let (namespace, name) = record.key().split_once('/').unwrap_or_default();
        let text = |symbol| self.core.symbol(symbol).map(str::to_owned);
        EntityRow {
            id: record.id,
            reference: record.reference.to_string(),
            kind: text(Some(record.kind)).unwrap_or_default(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            title: record.title.as_deref().map(str::to_owned),
            entity_type: text(record.entity_type),
            lifecycle: text(record.lifecycle),
            owner: text(record.owner),
            system: text(record.system),
        }
    }
}
