//! The journal of calls, so that a test can prove how many effects a deployment had.

use parking_lot::Mutex;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};
use time::OffsetDateTime;

/// More than any test makes; keeps a long demo from growing without limit.
const KEPT: usize = 5_000;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub sequence: u64,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// The platform it went to, for example `/k8s/gke`.
    pub prefix: String,
    pub method: String,
    /// Below the prefix, with the query.
    pub path: String,
    pub status: u16,
    /// The object that a write named, for example `deployments.apps/shop/web`.
    pub object: Option<String>,
    /// The write changed what is to run (Kubernetes: the generation, Swarm: the version, Cloud Run: a new revision or traffic).
    pub effect: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Journal {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    sequence: u64,
    entries: VecDeque<Entry>,
    writes: BTreeMap<String, u64>,
    effects: BTreeMap<String, u64>,
}

/// Counts by `<prefix> <object>`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Accepted writes.
    pub writes: BTreeMap<String, u64>,
    /// Accepted writes that changed what is to run.
    pub effects: BTreeMap<String, u64>,
}

impl Journal {
    pub(crate) fn add(&self, mut entry: Entry) {
        let mut inner = self.inner.lock();
        inner.sequence += 1;
        entry.sequence = inner.sequence;
        if let Some(object) = entry.object.as_ref().filter(|_| entry.status < 400) {
            let key = format!("{} {object}", entry.prefix);
            if entry.effect {
                *inner.effects.entry(key.clone()).or_default() += 1;
            }
            *inner.writes.entry(key).or_default() += 1;
        }
        inner.entries.push_back(entry);
        if inner.entries.len() > KEPT {
            inner.entries.pop_front();
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.inner.lock().entries.iter().cloned().collect()
    }

    pub(crate) fn counts(&self) -> Counts {
        let inner = self.inner.lock();
        Counts { writes: inner.writes.clone(), effects: inner.effects.clone() }
    }

    pub(crate) fn clear(&self) {
        *self.inner.lock() = Inner::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_writes_do_not_count() {
        let journal = Journal::default();
        let entry = |status, effect| Entry {
            sequence: 0,
            at: OffsetDateTime::UNIX_EPOCH,
            prefix: "/k8s/a".into(),
            method: "PATCH".into(),
            path: "/x".into(),
            status,
            object: Some("deployments.apps/shop/web".into()),
            effect,
        };
        journal.add(entry(409, false));
        journal.add(entry(200, true));
        journal.add(entry(200, false));
        let counts = journal.counts();
        assert_eq!(counts.writes["/k8s/a deployments.apps/shop/web"], 2);
        assert_eq!(counts.effects["/k8s/a deployments.apps/shop/web"], 1);
        assert_eq!(journal.entries().iter().map(|entry| entry.sequence).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
