//! How many services each value of each field has, within a filter.

use super::Snapshot;
use super::cache::Facets;
use super::core::Facet;
use super::query::{Hits, ServiceQuery};
use bytes::Bytes;
use passerelle_contract::catalog::{FacetValue, ServiceFacets};
use passerelle_contract::deployments::Health;
use std::sync::Arc;

/// The most values of one field in an answer.
pub const MAX_FACET_VALUES: usize = 200;

impl Snapshot {
    /// The values that occur, most frequent first; a field's own filter does not narrow its values. At most [`MAX_FACET_VALUES`] each.
    #[must_use]
    pub fn facets(&self, query: &ServiceQuery) -> Arc<ServiceFacets> {
        self.counted(query).counts
    }

    /// The same as JSON.
    #[must_use]
    pub fn facets_json(&self, query: &ServiceQuery) -> Bytes {
        self.counted(query).json
    }

    fn counted(&self, query: &ServiceQuery) -> Facets {
        let key = query.without(None, false, false);
        if let Some(cached) = self.cached_facets(&key) {
            return cached;
        }
        // Most fields have no filter of their own and are counted over the same services.
        let shared = self.hits(&key);
        let over = |other: ServiceQuery| if other == key { None } else { Some(other) };
        let field = |facet: Facet| match over(key.without(Some(facet), false, false)) {
            None => self.values_of(&shared, facet),
            Some(other) => self.values_of(&self.hits(&other), facet),
        };
        let facets = Arc::new(ServiceFacets {
            system: field(Facet::System),
            team: field(Facet::Team),
            kind: field(Facet::Type),
            lifecycle: field(Facet::Lifecycle),
            tag: field(Facet::Tag),
            environment: match over(key.without(None, true, false)) {
                None => self.environments(&shared),
                Some(other) => self.environments(&self.hits(&other)),
            },
            health: match over(key.without(None, false, true)) {
                None => self.healths(&shared),
                Some(other) => self.healths(&self.hits(&other)),
            },
        });
        drop(shared);
        // Texts and numbers, which can always be written.
        let json = serde_json::to_vec(&*facets).unwrap_or_default().into();
        let facets = Facets { counts: facets, json };
        self.cache_facets(key, facets.clone());
        facets
    }

    fn each(&self, hits: &Hits<'_>, mut visit: impl FnMut(u32)) {
        match hits {
            Hits::All => self.core.services.clone().for_each(visit),
            Hits::Some(nodes) => nodes.iter().for_each(|node| visit(*node)),
        }
    }

    fn values_of(&self, hits: &Hits<'_>, facet: Facet) -> Vec<FacetValue> {
        let field = &self.core.fields[facet as usize];
        let mut counts = vec![0u32; field.values.len()];
        self.each(hits, |node| field.values_of.get(node).iter().for_each(|value| counts[*value as usize] += 1));
        ranked(field.values.iter().map(|value| &**value).zip(counts))
    }

    fn environments(&self, hits: &Hits<'_>) -> Vec<FacetValue> {
        let names = &self.overlay.environments;
        let mut counts = vec![0u32; names.len()];
        self.each(hits, |node| self.overlay.environments_of(node).for_each(|number| counts[number as usize] += 1));
        ranked(names.iter().map(|name| &**name).zip(counts))
    }

    fn healths(&self, hits: &Hits<'_>) -> Vec<FacetValue> {
        let mut counts = [0u32; Health::ALL.len()];
        self.each(hits, |node| {
            if let Some(health) = self.overlay.worst(node) {
                counts[health as usize] += 1;
            }
        });
        ranked(Health::ALL.iter().map(|health| health.as_str()).zip(counts))
    }
}

fn ranked<'a>(counts: impl Iterator<Item = (&'a str, u32)>) -> Vec<FacetValue> {
    let mut counts: Vec<(&str, u32)> = counts.filter(|(_, count)| *count > 0).collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.truncate(MAX_FACET_VALUES);
    counts.into_iter().map(|(value, count)| FacetValue { value: value.to_owned(), count }).collect()
}
