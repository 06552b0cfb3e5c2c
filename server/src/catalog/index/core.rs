//! Everything about the catalog that does not change between two changes of the table. Entities are *nodes*, numbered in the order of
//! their references, so each kind is a range of numbers, and so is the set of services.

use super::csr::Csr;
use super::record::{Record, Symbols, compare};
use super::words::{Dictionary, Vocabulary};
use crate::catalog::relations::RelationKind;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use uuid::Uuid;

/// The fields that services are filtered and counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Facet {
    System,
    Team,
    Type,
    Lifecycle,
    Tag,
}

impl Facet {
    pub const ALL: [Self; 5] = [Self::System, Self::Team, Self::Type, Self::Lifecycle, Self::Tag];

    fn of(self, record: &Record) -> &[u32] {
        match self {
            Self::System => record.system.as_slice(),
            Self::Team => record.owner.as_slice(),
            Self::Type => record.entity_type.as_slice(),
            Self::Lifecycle => record.lifecycle.as_slice(),
            Self::Tag => &record.tags,
        }
    }
}

/// The values of one field, and who has them.
#[derive(Debug, Default)]
pub(super) struct Field {
    pub values: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
    pub nodes_of: Csr,
    pub values_of: Csr,
}

impl Field {
    fn new(facet: Facet, nodes: &[Arc<Record>], services: &Range<u32>, symbols: &[Arc<str>]) -> Self {
        let mut field = Self::default();
        let mut by_symbol: HashMap<u32, u32> = HashMap::new();
        let mut pairs = Vec::new();
        for node in services.clone() {
            for symbol in facet.of(&nodes[node as usize]) {
                let value = *by_symbol.entry(*symbol).or_insert_with(|| {
                    field.values.push(symbols[*symbol as usize].clone());
                    u32::try_from(field.values.len() - 1).unwrap_or(u32::MAX)
                });
                pairs.push((value, node));
            }
        }
        field.nodes_of = Csr::from_pairs(field.values.len(), &pairs);
        pairs.iter_mut().for_each(|pair| *pair = (pair.1, pair.0));
        field.values_of = Csr::from_pairs(nodes.len(), &pairs);
        field.numbers = (0..).zip(&field.values).map(|(number, value)| (value.clone(), number)).collect();
        field
    }

    /// The values a filter means: this very value, or for `name` alone every `namespace/name`.
    pub fn matching(&self, text: &str) -> Vec<u32> {
        match self.numbers.get(text) {
            Some(number) => vec![*number],
            None if text.contains('/') => Vec::new(),
            None => (0..)
                .zip(&self.values)
                .filter(|(_, value)| value.rsplit_once('/').is_some_and(|(_, name)| name == text))
                .map(|(number, _)| number)
                .collect(),
        }
    }
}

/// One order of the services, and the place of each in it (by its number among the services).
#[derive(Debug, Default)]
pub(super) struct Order {
    pub nodes: Vec<u32>,
    pub rank: Vec<u32>,
}

impl Order {
    /// By a field with one value at most; those without it come last, equal ones by name.
    fn by_value(services: &Range<u32>, field: &Field) -> Self {
        let mut values: Vec<u32> = (0u32..).take(field.values.len()).collect();
        values.sort_unstable_by_key(|value| &field.values[*value as usize]);
        let mut nodes: Vec<u32> = values.iter().flat_map(|value| field.nodes_of.get(*value)).copied().collect();
        nodes.extend(services.clone().filter(|node| field.values_of.get(*node).is_empty()));
        Self::new(services, nodes)
    }

    fn new(services: &Range<u32>, nodes: Vec<u32>) -> Self {
        let mut rank = vec![0; nodes.len()];
        for (at, node) in (0..).zip(&nodes) {
            rank[(node - services.start) as usize] = at;
        }
        Self { nodes, rank }
    }
}

#[derive(Debug, Default)]
pub(super) struct Core {
    pub nodes: Vec<Arc<Record>>,
    pub services: Range<u32>,
    pub symbols: Arc<[Arc<str>]>,
    /// References that something points to and that do not exist; numbered after the nodes.
    pub missing: Vec<u32>,
    pub fields: [Field; 5],
    pub by_system: Order,
    pub by_owner: Order,
    pub by_update: Order,
    pub dictionary: Option<Dictionary>,
    pub words: Csr,
    /// Per node: `other << 3 | kind`.
    pub outgoing: Csr,
    pub incoming: Csr,
    ids: HashMap<Uuid, u32>,
}

impl Core {
    /// `nodes` in any order; those that come in order cost next to nothing to sort.
    pub fn new(mut nodes: Vec<Arc<Record>>, symbols: &mut Symbols, vocabulary: &mut Vocabulary) -> Self {
        nodes.sort_by(|a, b| compare(&a.reference, &b.reference));
        let symbols = symbols.shared();
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let start = nodes.partition_point(|node| compare(&node.reference, "component:").is_lt());
        let end = start + nodes[start..].partition_point(|node| node.is_service());
        let services = number(start)..number(end);
        let fields = Facet::ALL.map(|facet| Field::new(facet, &nodes, &services, &symbols));
        let by_system = Order::by_value(&services, &fields[Facet::System as usize]);
        let by_owner = Order::by_value(&services, &fields[Facet::Team as usize]);
        let mut newest: Vec<u32> = services.clone().collect();
        newest.sort_by_key(|node| Reverse(nodes[*node as usize].updated_us));
        let by_update = Order::new(&services, newest);
        let words: Vec<(u32, u32)> =
            (0..).zip(&nodes).flat_map(|(node, record)| record.words.iter().map(move |word| (*word, node))).collect();
        let words = Csr::from_pairs(vocabulary.len(), &words);
        let ids = (0..).zip(&nodes).map(|(node, record)| (record.id, node)).collect();
        let dictionary = Some(vocabulary.dictionary());
        let mut core = Self {
            nodes,
            services,
            symbols,
            fields,
            by_system,
            by_owner,
            by_update,
            dictionary,
            words,
            ids,
            ..Self::default()
        };
        core.link();
        core
    }

    /// Turns the references of relations into node numbers, both ways.
    fn link(&mut self) {
        const UNKNOWN: u32 = u32::MAX;
        let mut numbers = vec![UNKNOWN; self.symbols.len()];
        let mut edges: Vec<(u32, u32)> = Vec::new();
        let nodes = std::mem::take(&mut self.nodes);
        for (kind, source, target) in nodes.iter().flat_map(|record| &record.relations) {
            let mut resolve = |symbol: u32| {
                let number = &mut numbers[symbol as usize];
                if *number == UNKNOWN {
                    *number = find(&nodes, &self.symbols[symbol as usize]).unwrap_or_else(|| {
                        self.missing.push(symbol);
                        u32::try_from(nodes.len() + self.missing.len() - 1).unwrap_or(UNKNOWN)
                    });
                }
                *number
            };
            let (source, target) = (resolve(*source), resolve(*target));
            edges.push((source, pack(target, *kind)));
        }
        self.nodes = nodes;
        let all = self.nodes.len() + self.missing.len();
        // Both ends may state the same relation.
        edges.sort_unstable();
        edges.dedup();
        self.outgoing = Csr::from_pairs(all, &edges);
        for edge in &mut edges {
            let (target, kind) = unpack(edge.1);
            *edge = (target, pack(edge.0, kind));
        }
        edges.sort_unstable();
        self.incoming = Csr::from_pairs(all, &edges);
    }

    /// The node of a reference, whatever its case.
    pub fn find(&self, reference: &str) -> Option<u32> {
        find(&self.nodes, reference)
    }

    /// The nodes of references that only relations name.
    pub fn missing_numbers(&self) -> HashMap<&str, u32> {
        let symbols = self.missing.iter().map(|symbol| &*self.symbols[*symbol as usize]);
        symbols.zip(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)..).collect()
    }

    pub fn by_id(&self, id: &Uuid) -> Option<u32> {
        self.ids.get(id).copied()
    }

    pub fn record(&self, node: u32) -> Option<&Arc<Record>> {
        self.nodes.get(node as usize)
    }

    /// The reference of a node, existing or not.
    pub fn reference(&self, node: u32) -> &str {
        match self.nodes.get(node as usize) {
            Some(record) => &record.reference,
            None => {
                let missing = self.missing.get(node as usize - self.nodes.len());
                missing.map_or("", |symbol| &self.symbols[*symbol as usize])
            }
        }
    }

    pub fn symbol(&self, symbol: Option<u32>) -> Option<&str> {
        symbol.map(|symbol| &*self.symbols[symbol as usize])
    }

    /// The nodes of a kind.
    pub fn kind_range(&self, kind: &str) -> Range<u32> {
        let prefix = format!("{}:", kind.to_ascii_lowercase());
        let start = self.nodes.partition_point(|node| compare(&node.reference, &prefix).is_lt());
        let end = start + self.nodes[start..].partition_point(|node| node.reference.starts_with(&prefix));
        u32::try_from(start).unwrap_or(u32::MAX)..u32::try_from(end).unwrap_or(u32::MAX)
    }
}

fn find(nodes: &[Arc<Record>], reference: &str) -> Option<u32> {
    let at = nodes.binary_search_by(|node| compare(&node.reference, reference)).ok()?;
    u32::try_from(at).ok()
}

pub(super) const fn pack(node: u32, kind: RelationKind) -> u32 {
    node << 3 | kind as u32
}

pub(super) const fn unpack(edge: u32) -> (u32, RelationKind) {
    (edge >> 3, RelationKind::ALL[(edge & 7) as usize % RelationKind::ALL.len()])
}
