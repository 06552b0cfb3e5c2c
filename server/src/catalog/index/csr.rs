//! Many small lists in two allocations.

/// List `i` is `items[offsets[i]..offsets[i + 1]]`.
#[derive(Debug, Default)]
pub(super) struct Csr {
    offsets: Vec<u32>,
    items: Vec<u32>,
}

impl Csr {
    /// Sorts pairs of (list, item) into `lists` lists; items of a list keep the order they come in.
    pub fn from_pairs(lists: usize, pairs: &[(u32, u32)]) -> Self {
        let mut offsets = vec![0u32; lists + 1];
        for (list, _) in pairs {
            offsets[*list as usize + 1] += 1;
        }
        for list in 0..lists {
            offsets[list + 1] += offsets[list];
        }
        let mut next = offsets.clone();
        let mut items = vec![0; pairs.len()];
        for (list, item) in pairs {
            let at = &mut next[*list as usize];
            items[*at as usize] = *item;
            *at += 1;
        }
        Self { offsets, items }
    }

    /// An unknown list is empty.
    pub fn get(&self, list: u32) -> &[u32] {
        let list = list as usize;
        match (self.offsets.get(list), self.offsets.get(list + 1)) {
            (Some(from), Some(to)) => &self.items[*from as usize..*to as usize],
            _ => &[],
        }
    }

    pub fn items(&self) -> usize {
        self.items.len()
    }
}
