//! Cycles in a hierarchy: a part of itself, a child of itself.

use std::collections::HashMap;

/// One cycle per knot, each as the names in order, without the repeated first one. Walks with its own stack: a chain of a million
/// parents must not end the process.
#[must_use]
pub fn find<'a>(edges: impl IntoIterator<Item = (&'a str, &'a str)>) -> Vec<Vec<&'a str>> {
    let mut next: HashMap<&str, Vec<&str>> = HashMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let mut starts: Vec<&str> = next.keys().copied().collect();
    starts.sort_unstable();
    let mut walk = Walk { next: &next, done: HashMap::new(), path: Vec::new(), cycles: Vec::new() };
    for start in starts {
        walk.from(start);
    }
    walk.cycles
}

struct Walk<'g, 'a> {
    next: &'g HashMap<&'a str, Vec<&'a str>>,
    /// False while the name is on the path.
    done: HashMap<&'a str, bool>,
    path: Vec<(&'a str, usize)>,
    cycles: Vec<Vec<&'a str>>,
}

impl<'a> Walk<'_, 'a> {
    fn from(&mut self, start: &'a str) {
        if self.done.contains_key(start) {
            return;
        }
        self.enter(start);
        while let Some((name, at)) = self.path.last_mut() {
            let following = self.next.get(name).and_then(|names| names.get(*at)).copied();
            *at += 1;
            match following {
                None => {
                    self.done.insert(*name, true);
                    self.path.pop();
                }
                Some(other) => match self.done.get(other) {
                    None => self.enter(other),
                    Some(true) => {}
                    Some(false) => self.close(other),
                },
            }
        }
    }

    fn enter(&mut self, name: &'a str) {
        self.done.insert(name, false);
        self.path.push((name, 0));
    }

    fn close(&mut self, first: &str) {
        let cycle = self.path.iter().map(|(name, _)| *name).skip_while(|name| *name != first).collect();
        self.cycles.push(cycle);
    }
}
