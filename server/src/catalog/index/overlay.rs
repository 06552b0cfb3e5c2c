//! How services are doing, per environment. It changes far more often than the catalog, so it lies over it.

use super::core::Core;
use passerelle_contract::deployments::Health;
use std::collections::HashMap;
use std::sync::Arc;
use uuid::Uuid;

/// What is known of each service, by its id.
pub(super) type HealthMap = HashMap<Uuid, Vec<(Arc<str>, Health)>>;

#[derive(Debug, Default)]
pub(super) struct Overlay {
    /// Per node, the worst health over its environments.
    worst: Vec<Option<Health>>,
    pub environments: Vec<Arc<str>>,
    /// Node, environment, health; ascending by node.
    cells: Vec<(u32, u32, Health)>,
}

impl Overlay {
    pub fn new(core: &Core, health: &HealthMap) -> Self {
        let mut overlay = Self { worst: vec![None; core.nodes.len()], ..Self::default() };
        let mut numbers: HashMap<Arc<str>, u32> = HashMap::new();
        for (id, cells) in health {
            let Some(node) = core.by_id(id) else { continue };
            for (environment, health) in cells {
                let number = *numbers.entry(environment.clone()).or_insert_with(|| {
                    overlay.environments.push(environment.clone());
                    u32::try_from(overlay.environments.len() - 1).unwrap_or(u32::MAX)
                });
                overlay.cells.push((node, number, *health));
                let worst = &mut overlay.worst[node as usize];
                *worst = (*worst).max(Some(*health));
            }
        }
        overlay.cells.sort_unstable();
        overlay
    }

    pub fn worst(&self, node: u32) -> Option<Health> {
        self.worst.get(node as usize).copied().flatten()
    }

    /// The nodes, ascending, that run in one of the environments with one of the healths. Without environments the health is the worst
    /// one, as the list shows it.
    pub fn matching(&self, environments: &[String], healths: &[Health]) -> Vec<u32> {
        if environments.is_empty() {
            return (0..)
                .zip(&self.worst)
                .filter(|(_, h)| h.is_some_and(|h| healths.contains(&h)))
                .map(|(n, _)| n)
                .collect();
        }
        let wanted: Vec<bool> =
            self.environments.iter().map(|name| environments.iter().any(|e| **e == **name)).collect();
        let cells = self.cells.iter().filter(|(_, environment, health)| {
            wanted[*environment as usize] && (healths.is_empty() || healths.contains(health))
        });
        let mut nodes: Vec<u32> = cells.map(|(node, ..)| *node).collect();
        nodes.dedup();
        nodes
    }

    /// The environments of a node, by their numbers.
    pub fn environments_of(&self, node: u32) -> impl Iterator<Item = u32> {
        let from = self.cells.partition_point(|(other, ..)| *other < node);
        self.cells[from..].iter().take_while(move |(other, ..)| *other == node).map(|(_, environment, _)| *environment)
    }
}
