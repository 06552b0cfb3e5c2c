//! Results that took work, kept until the next snapshot and within a budget.

use super::Snapshot;
use super::query::ServiceQuery;
use bytes::Bytes;
use parking_lot::Mutex;
use passerelle_contract::catalog::ServiceFacets;
use std::collections::HashMap;
use std::sync::Arc;

/// Memory for lists of hits, in bytes: this much, or more in a large catalog, where the same searches find more.
const MIN_HITS_BYTES: usize = 4 << 20;
/// Room for about fifty lists of everything.
const HITS_BYTES_PER_SERVICE: usize = 200;
const MAX_FACETS: usize = 64;
/// Shorter results are found again as fast as they are looked up.
const WORTH_KEEPING: usize = 64;

#[derive(Default)]
pub(super) struct Cache {
    hits: Mutex<Lists>,
    facets: Mutex<HashMap<ServiceQuery, Facets>>,
}

/// Counts, and the same as JSON: with many systems and teams the writing costs more than the rest of a request.
#[derive(Clone)]
pub(super) struct Facets {
    pub counts: Arc<ServiceFacets>,
    pub json: Bytes,
}

#[derive(Default)]
struct Lists {
    lists: HashMap<ServiceQuery, Arc<[u32]>>,
    bytes: usize,
}

impl Snapshot {
    pub(super) fn cached_hits(&self, query: &ServiceQuery) -> Option<Arc<[u32]>> {
        self.cache.hits.lock().lists.get(query).cloned()
    }

    pub(super) fn cache_hits(&self, query: &ServiceQuery, nodes: Vec<u32>) -> Arc<[u32]> {
        let nodes: Arc<[u32]> = nodes.into();
        if nodes.len() >= WORTH_KEEPING {
            let mut hits = self.cache.hits.lock();
            let bytes = nodes.len() * 4 + 500;
            // Starting afresh is as good as choosing what to drop: what is asked often is back at once.
            if hits.bytes + bytes > MIN_HITS_BYTES.max(self.all.len() * HITS_BYTES_PER_SERVICE) {
                *hits = Lists::default();
            }
            hits.bytes += bytes;
            hits.lists.insert(query.clone(), nodes.clone());
        }
        nodes
    }

    pub(super) fn cached_facets(&self, query: &ServiceQuery) -> Option<Facets> {
        self.cache.facets.lock().get(query).cloned()
    }

    pub(super) fn cache_facets(&self, query: ServiceQuery, facets: Facets) {
        let mut kept = self.cache.facets.lock();
        if kept.len() >= MAX_FACETS {
            kept.clear();
        }
        kept.insert(query, facets);
    }
}
