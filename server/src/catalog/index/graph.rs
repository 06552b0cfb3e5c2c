//! Relations of one entity, and the graph of what depends on what.

use super::Snapshot;
use super::core::unpack;
use crate::catalog::relations::RelationKind;
use crate::kernel::ReadScope;
use passerelle_contract::catalog::{GraphEdge, GraphNode, GraphOut, RelationOut};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How far a graph reaches, each way.
pub const MAX_DEPTH: u32 = 3;
/// How many nodes one page can show.
pub const MAX_NODES: usize = 60;

impl Snapshot {
    /// Whether a reader may know that a node exists. Teams and systems in the scope are seen with what they own.
    pub(super) fn visible(&self, node: u32, scope: &ReadScope) -> bool {
        let ReadScope::Only { teams, systems } = scope else { return true };
        let Some(record) = self.core.record(node) else { return true };
        match record.reference.split_once(':') {
            Some(("group", key)) if teams.contains(key) => true,
            Some(("system", key)) if systems.contains(key) => true,
            _ => scope.allows(self.core.symbol(record.owner), self.core.symbol(record.system)),
        }
    }

    /// The relations of a node, both ways. What the reader may not see looks as if it did not exist: named only where the entity's own
    /// document names it.
    pub(super) fn relations(&self, node: u32, scope: &ReadScope) -> Vec<RelationOut> {
        let core = &self.core;
        let outgoing = core.outgoing.get(node).iter().map(|edge| (unpack(*edge), false));
        let incoming = core.incoming.get(node).iter().map(|edge| (unpack(*edge), true));
        let mut relations: Vec<RelationOut> = outgoing
            .chain(incoming)
            .filter_map(|((other, kind), inverse)| {
                let record = core.record(other).filter(|_| self.visible(other, scope));
                if inverse && record.is_none() && core.record(other).is_some() {
                    return None;
                }
                Some(RelationOut {
                    kind: if inverse { kind.inverse() } else { kind.as_str() }.to_owned(),
                    target: core.reference(other).to_owned(),
                    target_title: record.and_then(|record| record.title.as_deref()).map(str::to_owned),
                    exists: record.is_some(),
                })
            })
            .collect();
        relations.sort_unstable();
        relations
    }

    /// What a node depends on (positive depth) and what depends on it (negative), up to `depth` steps each way.
    #[must_use]
    pub fn graph(&self, reference: &str, depth: u32, scope: &ReadScope) -> Option<GraphOut> {
        let start = self.core.find(reference).filter(|node| self.visible(*node, scope))?;
        let mut found = Found { depths: BTreeMap::from([(start, 0)]), edges: BTreeSet::new(), truncated: false };
        for direction in [1, -1] {
            self.walk(start, direction, depth.min(MAX_DEPTH), scope, &mut found);
        }
        Some(self.drawn(found, scope))
    }

    fn walk(&self, start: u32, direction: i32, depth: u32, scope: &ReadScope, found: &mut Found) {
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([(start, 0)]);
        while let Some((node, steps)) = queue.pop_front() {
            if steps == depth {
                continue;
            }
            for (other, kind) in self.neighbours(node, direction > 0) {
                if self.core.record(other).is_some() && !self.visible(other, scope) {
                    continue;
                }
                if !found.depths.contains_key(&other) && found.depths.len() >= MAX_NODES {
                    found.truncated = true;
                    continue;
                }
                let reached = direction * i32::try_from(steps + 1).unwrap_or(i32::MAX);
                found.depths.entry(other).or_insert(reached);
                // An API stands below its consumers and above its provider, but its relation says who provides it.
                let against = (kind == RelationKind::ProvidesApi) == (direction > 0);
                found.edges.insert(if against { (other, node, kind) } else { (node, other, kind) });
                if seen.insert(other) {
                    queue.push_back((other, steps + 1));
                }
            }
        }
    }

    /// One step down: what this depends on, the APIs it consumes, and who provides this API. One step up: the same the other way.
    fn neighbours(&self, node: u32, down: bool) -> Vec<(u32, RelationKind)> {
        let (with, against) =
            if down { (&self.core.outgoing, &self.core.incoming) } else { (&self.core.incoming, &self.core.outgoing) };
        let uses = |kind: &RelationKind| matches!(kind, RelationKind::DependsOn | RelationKind::ConsumesApi);
        let straight = with.get(node).iter().map(|edge| unpack(*edge)).filter(|(_, kind)| uses(kind));
        let provided =
            against.get(node).iter().map(|edge| unpack(*edge)).filter(|(_, kind)| *kind == RelationKind::ProvidesApi);
        straight.chain(provided).collect()
    }

    fn drawn(&self, found: Found, scope: &ReadScope) -> GraphOut {
        let core = &self.core;
        let nodes = found.depths.iter().map(|(node, depth)| {
            let reference = core.reference(*node).to_owned();
            let record = core.record(*node).filter(|_| self.visible(*node, scope));
            let (kind, key) = reference.split_once(':').unwrap_or(("", &reference));
            let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
            GraphNode {
                title: record.and_then(|record| record.title.as_deref()).unwrap_or(name).to_owned(),
                kind: kind.to_owned(),
                depth: *depth,
                exists: record.is_some(),
                reference,
            }
        });
        let nodes = nodes.collect();
        let edges = found.edges.iter().map(|(from, to, kind)| GraphEdge {
            from: core.reference(*from).to_owned(),
            to: core.reference(*to).to_owned(),
            kind: kind.as_str().to_owned(),
        });
        GraphOut { nodes, edges: edges.collect(), truncated: found.truncated }
    }
}

struct Found {
    depths: BTreeMap<u32, i32>,
    edges: BTreeSet<(u32, u32, RelationKind)>,
    truncated: bool,
}
