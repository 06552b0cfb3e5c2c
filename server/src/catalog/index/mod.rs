//! The catalog in memory: an immutable [`Snapshot`] that readers take without a lock, made anew when the table or a health changes.
//!
//! A list, a search or a count touches no database. The image follows the table by revision ([`CatalogIndex::ingest`] and
//! [`CatalogIndex::publish`]); it is a copy, and the whole of it can be read again at any time.

mod cache;
mod core;
mod csr;
mod facets;
mod graph;
mod list;
mod overlay;
mod query;
mod record;
#[cfg(test)]
mod tests;
mod words;

use self::cache::Cache;
use self::core::Core;
use self::overlay::{HealthMap, Overlay};
use self::record::{Record, Symbols};
use self::words::Vocabulary;
use crate::catalog::relations::RelationKind;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use passerelle_contract::deployments::Health;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

pub use facets::MAX_FACET_VALUES;
pub use graph::{MAX_DEPTH, MAX_NODES};
pub use list::Found;
pub use query::{Position, ServiceQuery, Slice};
pub use record::Row;

/// The catalog at one moment.
#[derive(Default)]
pub struct Snapshot {
    core: Arc<Core>,
    overlay: Overlay,
    /// Numbers of all services, for the list without a filter.
    all: Arc<[u32]>,
    revision: i64,
    cache: Cache,
}

impl Snapshot {
    fn new(core: Arc<Core>, overlay: Overlay, revision: i64) -> Self {
        let all = core.services.clone().collect();
        Self { core, overlay, all, revision, cache: Cache::default() }
    }

    /// All changes up to this revision are in.
    #[must_use]
    pub const fn revision(&self) -> i64 {
        self.revision
    }

    #[must_use]
    pub fn service_count(&self) -> usize {
        self.all.len()
    }

    #[must_use]
    pub fn entity_count(&self) -> usize {
        self.core.nodes.len()
    }

    /// Relations and their inverses.
    #[must_use]
    pub fn relation_count(&self) -> usize {
        self.core.outgoing.items() + self.core.incoming.items()
    }

    /// Hierarchy relations as (entity that states it, kind, source, target), references in lower case: all that are stated by what these
    /// references lead up to. A way back to one of them goes through no others, since a relation is stated at one of its ends.
    pub fn hierarchy_above<'r>(
        &self,
        references: impl IntoIterator<Item = &'r str>,
    ) -> Vec<(String, RelationKind, &str, &str)> {
        let core = &self.core;
        let missing = core.missing_numbers();
        let number = |reference: &str| core.find(reference).or_else(|| missing.get(reference).copied());
        let mut queue: Vec<u32> = references.into_iter().filter_map(number).collect();
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        while let Some(node) = queue.pop() {
            if !seen.insert(node) {
                continue;
            }
            let above = core.outgoing.get(node).iter().map(|edge| core::unpack(*edge));
            queue.extend(above.filter(|(_, kind)| kind.is_hierarchy()).map(|(target, _)| target));
            let Some(record) = core.record(node) else { continue };
            let stated = record.relations.iter().filter(|(kind, ..)| kind.is_hierarchy());
            found.extend(stated.map(|(kind, source, target)| {
                let text = |symbol: &u32| &*core.symbols[*symbol as usize];
                (record.reference.to_lowercase(), *kind, text(source), text(target))
            }));
        }
        found
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("revision", &self.revision).field("entities", &self.entity_count()).finish()
    }
}

/// What the next snapshot is made of.
#[derive(Default)]
struct Master {
    records: HashMap<Uuid, Arc<Record>>,
    symbols: Symbols,
    vocabulary: Vocabulary,
    health: HealthMap,
}

/// The current snapshot, and what replaces it.
#[derive(Default)]
pub struct CatalogIndex {
    current: ArcSwap<Snapshot>,
    master: Mutex<Master>,
}

impl std::fmt::Debug for CatalogIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.snapshot().fmt(f)
    }
}

impl CatalogIndex {
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Takes changed rows in; readers see them after [`Self::publish`].
    pub fn ingest(&self, rows: &[Row]) {
        let mut master = self.master.lock();
        let Master { records, symbols, vocabulary, .. } = &mut *master;
        for row in rows {
            if row.archived {
                records.remove(&row.id);
            } else {
                records.insert(row.id, Arc::new(Record::new(row, symbols, vocabulary)));
            }
        }
    }

    /// Makes a snapshot of what was taken in. Takes about 30 ms per 10,000 entities, so call it where blocking is allowed.
    pub fn publish(&self, revision: i64) {
        let mut master = self.master.lock();
        let Master { records, symbols, vocabulary, health } = &mut *master;
        let current = self.snapshot();
        let core = Arc::new(Core::new(in_order(&current.core, records), symbols, vocabulary));
        let overlay = Overlay::new(&core, health);
        self.current.store(Arc::new(Snapshot::new(core, overlay, revision)));
    }

    /// Notes how services do: service id, environment, health (`None`: it is not bound there any more). One call for many is cheaper.
    pub fn set_health(&self, changes: &[(Uuid, &str, Option<Health>)]) {
        let mut master = self.master.lock();
        let mut changed = false;
        for (service, environment, health) in changes {
            changed |= note(master.health.entry(*service).or_default(), environment, *health);
        }
        if changed {
            let current = self.snapshot();
            let overlay = Overlay::new(&current.core, &master.health);
            self.current.store(Arc::new(Snapshot::new(current.core.clone(), overlay, current.revision)));
        }
    }
}

/// The records, first those that the last snapshot had, in its order, then the new ones.
fn in_order(last: &Core, records: &HashMap<Uuid, Arc<Record>>) -> Vec<Arc<Record>> {
    let kept = |record: &&Arc<Record>| records.get(&record.id).is_some_and(|now| Arc::ptr_eq(now, record));
    let is_kept = |record: &Arc<Record>| {
        last.by_id(&record.id).and_then(|node| last.record(node)).is_some_and(|old| Arc::ptr_eq(old, record))
    };
    let mut nodes = Vec::with_capacity(records.len());
    nodes.extend(last.nodes.iter().filter(kept).cloned());
    nodes.extend(records.values().filter(|record| !is_kept(record)).cloned());
    nodes
}

/// True when it is news.
fn note(cells: &mut Vec<(Arc<str>, Health)>, environment: &str, health: Option<Health>) -> bool {
    let at = cells.iter().position(|(name, _)| **name == *environment);
    match (at, health) {
        (None, None) => false,
        (None, Some(health)) => {
            cells.push((environment.into(), health));
            true
        }
        (Some(at), None) => {
            cells.remove(at);
            true
        }
        (Some(at), Some(health)) => std::mem::replace(&mut cells[at].1, health) != health,
    }
}
