//! Filters, orders and pages of services, over node numbers.

use super::Snapshot;
use super::core::{Core, Facet, Order};
use super::record::compare;
use super::words;
use crate::kernel::ReadScope;
use passerelle_contract::catalog::{ServiceFilter, ServiceSort};
use passerelle_contract::deployments::Health;
use passerelle_contract::{FieldError, text};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

const MAX_QUERY_CHARS: usize = 200;
const MAX_QUERY_WORDS: usize = 10;
/// Values of one field in one filter.
const MAX_VALUES: usize = 50;

/// A checked filter, the same for every page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ServiceQuery {
    words: Vec<String>,
    /// There was a search text, but no word in it: nothing matches.
    nothing: bool,
    /// In the order of [`Facet::ALL`].
    fields: [Vec<String>; 5],
    environments: Vec<String>,
    healths: Vec<Health>,
    /// The teams and systems whose services the caller may read; `None` for all.
    scope: Option<(Vec<String>, Vec<String>)>,
    pub sort: ServiceSort,
}

impl ServiceQuery {
    /// Checks a filter; several values of one field are separated by commas.
    ///
    /// # Errors
    /// One entry per wrong field.
    pub fn new(filter: &ServiceFilter, scope: &ReadScope) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut values = |pointer: &str, text: &Option<String>| {
            let values: Vec<String> = text
                .iter()
                .flat_map(|text| text.split(','))
                .map(|v| v.trim().to_owned())
                .filter(|v| !v.is_empty())
                .collect();
            if values.len() > MAX_VALUES {
                errors.push(FieldError::new(pointer, text!("at most {max} values are allowed", max = MAX_VALUES)));
            }
            values
        };
        let fields = [
            values("/system", &filter.system),
            values("/team", &filter.team),
            values("/type", &filter.kind),
            values("/lifecycle", &filter.lifecycle),
            values("/tag", &filter.tag),
        ];
        let environments = values("/environment", &filter.environment);
        let mut text_words = search_words(filter.q.as_deref(), &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        text_words.sort_unstable();
        text_words.dedup();
        Ok(Self {
            nothing: text_words.is_empty() && filter.q.as_deref().is_some_and(|q| !q.trim().is_empty()),
            words: text_words,
            fields,
            environments,
            healths: filter.health.into_iter().collect(),
            scope: scope_of(scope),
            sort: filter.sort.unwrap_or_default(),
        })
    }

    /// The same filter without what it says about one field: what the values of that field are counted over.
    #[must_use]
    pub(super) fn without(&self, facet: Option<Facet>, environment: bool, health: bool) -> Self {
        let mut other = Self { sort: ServiceSort::Name, ..self.clone() };
        if let Some(facet) = facet {
            other.fields[facet as usize].clear();
        }
        if environment {
            other.environments.clear();
        }
        if health {
            other.healths.clear();
        }
        other
    }
}

fn scope_of(scope: &ReadScope) -> Option<(Vec<String>, Vec<String>)> {
    match scope {
        ReadScope::All => None,
        ReadScope::Only { teams, systems } => {
            Some((teams.iter().cloned().collect(), systems.iter().cloned().collect()))
        }
    }
}

/// The words of a search text.
pub(super) fn search_words(text: Option<&str>, errors: &mut Vec<FieldError>) -> Vec<String> {
    let text = text.unwrap_or_default();
    if text.chars().nth(MAX_QUERY_CHARS).is_some() {
        errors.push(FieldError::new("/q", text!("at most {max} characters are allowed", max = MAX_QUERY_CHARS)));
        return Vec::new();
    }
    let words = words::split(text);
    if words.len() > MAX_QUERY_WORDS {
        errors.push(FieldError::new("/q", text!("at most {max} words are allowed", max = MAX_QUERY_WORDS)));
    }
    words
}

/// Where the next page begins: after the service with this value of the sort field and this reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    value: Option<String>,
    reference: String,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slice {
    pub(super) nodes: Vec<u32>,
    pub total: usize,
    /// Absent on the last page.
    pub next: Option<Position>,
}

impl Snapshot {
    /// The services that match, `limit` of them from a position on.
    #[must_use]
    pub fn page(&self, query: &ServiceQuery, after: Option<&Position>, limit: usize) -> Slice {
        let sorted = self.sorted(query);
        let (order, backwards): (&[u32], bool) = match &sorted {
            Sorted::Range(nodes) => (nodes, query.sort == ServiceSort::NameDesc),
            Sorted::Kept(nodes) => (nodes, query.sort == ServiceSort::NameDesc),
            Sorted::Order(order) => (&order.nodes, false),
        };
        let core = &self.core;
        let at = |index: usize| order[if backwards { order.len() - 1 - index } else { index }];
        let from = after.map_or(0, |after| {
            let (mut low, mut high) = (0, order.len());
            while low < high {
                let middle = usize::midpoint(low, high);
                if core.place(at(middle), query.sort, after).is_gt() { high = middle } else { low = middle + 1 }
            }
            low
        });
        let to = from.saturating_add(limit).min(order.len());
        let nodes: Vec<u32> = (from..to).map(at).collect();
        let next = nodes.last().filter(|_| to < order.len()).map(|last| core.position(*last, query.sort));
        Slice { nodes, total: order.len(), next }
    }

    fn sorted(&self, query: &ServiceQuery) -> Sorted<'_> {
        let order = match query.sort {
            ServiceSort::Name | ServiceSort::NameDesc => None,
            ServiceSort::System => Some(&self.core.by_system),
            ServiceSort::Owner => Some(&self.core.by_owner),
            ServiceSort::Updated => Some(&self.core.by_update),
        };
        if let Some(cached) = self.cached_hits(query) {
            return Sorted::Kept(cached);
        }
        match (self.hits(query), order) {
            (Hits::All, None) => Sorted::Range(Cow::Borrowed(&self.all)),
            (Hits::All, Some(order)) => Sorted::Order(order),
            (Hits::Some(nodes), None) => self.keep(query, nodes),
            (Hits::Some(nodes), Some(order)) => {
                let mut nodes = nodes.into_owned();
                let start = self.core.services.start;
                nodes.sort_unstable_by_key(|node| order.rank[(node - start) as usize]);
                self.keep(query, Cow::Owned(nodes))
            }
        }
    }

    /// Results that took work are kept as long as the catalog does not change.
    fn keep<'a>(&self, query: &ServiceQuery, nodes: Cow<'a, [u32]>) -> Sorted<'a> {
        match nodes {
            Cow::Borrowed(_) => Sorted::Range(nodes),
            Cow::Owned(nodes) => Sorted::Kept(self.cache_hits(query, nodes)),
        }
    }

    /// The nodes that match, ascending.
    pub(super) fn hits(&self, query: &ServiceQuery) -> Hits<'_> {
        let core = &self.core;
        if query.nothing {
            return Hits::Some(Cow::Owned(Vec::new()));
        }
        let mut sets: Vec<Cow<'_, [u32]>> = Vec::new();
        for (field, texts) in core.fields.iter().zip(&query.fields).filter(|(_, texts)| !texts.is_empty()) {
            let lists = texts.iter().flat_map(|text| field.matching(text)).map(|value| field.nodes_of.get(value));
            sets.push(union(lists.collect(), core.nodes.len()));
        }
        if let Some((teams, systems)) = &query.scope {
            let lists = [(Facet::Team, teams), (Facet::System, systems)].into_iter().flat_map(|(facet, names)| {
                let field = &core.fields[facet as usize];
                names.iter().flat_map(|name| field.matching(name)).map(|value| field.nodes_of.get(value))
            });
            sets.push(union(lists.collect(), core.nodes.len()));
        }
        sets.extend(query.words.iter().map(|word| core.containing(word, core.services.clone())));
        if !query.environments.is_empty() || !query.healths.is_empty() {
            sets.push(Cow::Owned(self.overlay.matching(&query.environments, &query.healths)));
        }
        intersect(sets)
    }
}

enum Sorted<'a> {
    /// Ascending nodes for the orders by name, else in their order.
    Range(Cow<'a, [u32]>),
    Kept(Arc<[u32]>),
    Order(&'a Order),
}

/// What a filter finds.
pub(super) enum Hits<'a> {
    All,
    Some(Cow<'a, [u32]>),
}

impl Core {
    /// The nodes of a range with a word that contains this text, ascending.
    pub fn containing(&self, part: &str, range: std::ops::Range<u32>) -> Cow<'_, [u32]> {
        let words = self.dictionary.as_ref().map(|dictionary| dictionary.containing(part)).unwrap_or_default();
        let inside = |list: &'_ [u32]| {
            let from = list.partition_point(|node| *node < range.start);
            let to = from + list[from..].partition_point(|node| *node < range.end);
            from..to
        };
        let lists = words.into_iter().map(|word| self.words.get(word)).map(|list| &list[inside(list)]);
        union(lists.filter(|list| !list.is_empty()).collect(), self.nodes.len())
    }

    fn position(&self, node: u32, sort: ServiceSort) -> Position {
        let Some(record) = self.record(node) else { return Position { value: None, reference: String::new() } };
        let value = match sort {
            ServiceSort::Name | ServiceSort::NameDesc => None,
            ServiceSort::System => self.symbol(record.system).map(str::to_owned),
            ServiceSort::Owner => self.symbol(record.owner).map(str::to_owned),
            ServiceSort::Updated => Some(record.updated_us.to_string()),
        };
        Position { value, reference: record.reference.to_string() }
    }

    /// Whether a service stands before or after a position in an order.
    fn place(&self, node: u32, sort: ServiceSort, position: &Position) -> Ordering {
        let Some(record) = self.record(node) else { return Ordering::Less };
        let name = compare(&record.reference, &position.reference);
        let text = |symbol| {
            let (own, other) = (self.symbol(symbol), position.value.as_deref());
            (own.is_none(), own).cmp(&(other.is_none(), other)).then(name)
        };
        match sort {
            ServiceSort::Name => name,
            ServiceSort::NameDesc => name.reverse(),
            ServiceSort::System => text(record.system),
            ServiceSort::Owner => text(record.owner),
            ServiceSort::Updated => {
                let other = position.value.as_deref().and_then(|value| value.parse::<i64>().ok()).unwrap_or(i64::MAX);
                other.cmp(&record.updated_us).then(name)
            }
        }
    }
}

/// Everything that is in one of the lists, ascending.
fn union(mut lists: Vec<&[u32]>, nodes: usize) -> Cow<'_, [u32]> {
    match lists.len() {
        0 => return Cow::Owned(Vec::new()),
        1 => return Cow::Borrowed(lists.swap_remove(0)),
        _ => {}
    }
    let all: usize = lists.iter().map(|list| list.len()).sum();
    if all < nodes / 16 {
        let mut merged = lists.concat();
        merged.sort_unstable();
        merged.dedup();
        return Cow::Owned(merged);
    }
    let mut bits = vec![0u64; nodes.div_ceil(64)];
    for node in lists.into_iter().flatten() {
        bits[*node as usize / 64] |= 1 << (node % 64);
    }
    let mut merged = Vec::with_capacity(all.min(nodes));
    for (base, mut word) in (0u32..).step_by(64).zip(bits) {
        while word != 0 {
            merged.push(base + word.trailing_zeros());
            word &= word - 1;
        }
    }
    Cow::Owned(merged)
}

/// What is in all the sets; each ascending.
fn intersect(mut sets: Vec<Cow<'_, [u32]>>) -> Hits<'_> {
    sets.sort_by_key(|set| set.len());
    let mut sets = sets.into_iter();
    let Some(mut smallest) = sets.next() else { return Hits::All };
    for set in sets {
        // From the smallest set outwards: each of its items is looked up in what is left of the larger one.
        let mut rest: &[u32] = &set;
        let kept = smallest.iter().copied().filter(|node| {
            rest = &rest[gallop(rest, *node)..];
            rest.first() == Some(node)
        });
        smallest = Cow::Owned(kept.collect());
    }
    Hits::Some(smallest)
}

/// The place of the first item that is not less, found in time that grows with the way there only.
fn gallop(list: &[u32], node: u32) -> usize {
    let mut step = 1;
    while step < list.len() && list[step - 1] < node {
        step *= 2;
    }
    let from = step / 2;
    let to = step.min(list.len());
    from.min(to) + list[from.min(to)..to].partition_point(|other| *other < node)
}
