//! The objects of one cluster with their resource versions and the history that watches read.
//!
//! Invariant: every change of an object raises the cluster's one version counter and leaves one entry in the history.

use super::kinds::Kind;
use crate::object::{set, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::watch;

/// Changes kept for watches that resume; a watch from before gets `410 Gone`, as from a compacted etcd.
const HISTORY: usize = 4_096;

/// One change of one object.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) kind: &'static Kind,
    pub(crate) namespace: String,
    /// Absent = created.
    pub(crate) before: Option<Arc<Value>>,
    /// Absent = deleted; then `last` is what is reported.
    pub(crate) after: Option<Arc<Value>>,
    /// The object as it is reported: the new one, or the deleted one with the version of its deletion.
    pub(crate) reported: Arc<Value>,
}

type Key = (&'static str, &'static str, String, String);

#[derive(Debug)]
pub(crate) struct Store {
    version: u64,
    objects: BTreeMap<Key, Arc<Value>>,
    history: VecDeque<Change>,
    changed: watch::Sender<u64>,
}

fn key(kind: &'static Kind, namespace: &str, name: &str) -> Key {
    // The version of the group is left out: both versions of an autoscaler are the same object.
    (kind.group, kind.plural, namespace.to_owned(), name.to_owned())
}

impl Store {
    pub(crate) fn new() -> Self {
        Self { version: 1_000, objects: BTreeMap::new(), history: VecDeque::new(), changed: watch::Sender::new(1_000) }
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Ticks with each change; carries the newest version.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    pub(crate) fn get(&self, kind: &'static Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        self.objects.get(&key(kind, namespace, name)).cloned()
    }

    /// All of a kind, in one namespace or (empty) in all.
    pub(crate) fn list(&self, kind: &'static Kind, namespace: &str) -> impl Iterator<Item = &Arc<Value>> {
        let from = key(kind, namespace, "");
        let (group, plural, in_namespace) = (kind.group, kind.plural, namespace.to_owned());
        self.objects
            .range(from..)
            .take_while(move |((g, p, n, _), _)| {
                *g == group && *p == plural && (in_namespace.is_empty() || *n == in_namespace)
            })
            .map(|(_, object)| object)
    }

    /// Writes an object that already carries its names. Writing what is there already changes nothing.
    pub(crate) fn put(&mut self, kind: &'static Kind, mut object: Value) -> Arc<Value> {
        let key = key(kind, text(&object, "/metadata/namespace"), text(&object, "/metadata/name"));
        let before = self.objects.get(&key).cloned();
        if let Some(before) = &before {
            set(&mut object, &["metadata", "resourceVersion"], before["metadata"]["resourceVersion"].clone());
            if **before == object {
                return Arc::clone(before);
            }
        }
        self.version += 1;
        set(&mut object, &["metadata", "resourceVersion"], json!(self.version.to_string()));
        let object = Arc::new(object);
        self.objects.insert(key.clone(), Arc::clone(&object));
        self.note(kind, key.2, before, Some(Arc::clone(&object)), Arc::clone(&object));
        object
    }

    pub(crate) fn delete(&mut self, kind: &'static Kind, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let before = self.objects.remove(&key(kind, namespace, name))?;
        self.version += 1;
        let mut last = (*before).clone();
        set(&mut last, &["metadata", "resourceVersion"], json!(self.version.to_string()));
        self.note(kind, namespace.to_owned(), Some(Arc::clone(&before)), None, Arc::new(last));
        Some(before)
    }

    fn note(
        &mut self,
        kind: &'static Kind,
        namespace: String,
        before: Option<Arc<Value>>,
        after: Option<Arc<Value>>,
        reported: Arc<Value>,
    ) {
        self.history.push_back(Change { version: self.version, kind, namespace, before, after, reported });
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
        self.changed.send_replace(self.version);
    }

    /// The changes after a version, or `None` when some of them are forgotten.
    pub(crate) fn changes_after(&self, version: u64) -> Option<impl Iterator<Item = &Change>> {
        let oldest = self.history.front().map_or(self.version + 1, |change| change.version);
        if version + 1 < oldest {
            return None;
        }
        Some(self.history.iter().skip_while(move |change| change.version <= version))
    }
}

#[cfg(test)]
mod tests {
    use super::super::kinds::{CONFIG_MAP, SECRET};
    use super::*;

    fn object(namespace: &str, name: &str, data: &str) -> Value {
        json!({"metadata": {"namespace": namespace, "name": name}, "data": {"k": data}})
    }

    #[test]
    fn an_unchanged_write_raises_nothing() {
        let mut store = Store::new();
        let first = store.put(&CONFIG_MAP, object("a", "x", "1"));
        let second = store.put(&CONFIG_MAP, object("a", "x", "1"));
        assert_eq!(first, second);
        let third = store.put(&CONFIG_MAP, object("a", "x", "2"));
        assert_ne!(first["metadata"]["resourceVersion"], third["metadata"]["resourceVersion"]);
    }

    #[test]
    fn lists_keep_to_kind_and_namespace() {
        let mut store = Store::new();
        store.put(&CONFIG_MAP, object("a", "x", "1"));
        store.put(&CONFIG_MAP, object("b", "y", "1"));
        store.put(&SECRET, object("a", "z", "1"));
        assert_eq!(store.list(&CONFIG_MAP, "").count(), 2);
        assert_eq!(store.list(&CONFIG_MAP, "a").count(), 1);
        assert_eq!(store.list(&SECRET, "b").count(), 0);
    }

    #[test]
    fn history_is_complete_or_gone() {
        let mut store = Store::new();
        let start = store.version();
        store.put(&SECRET, object("a", "x", "1"));
        store.delete(&SECRET, "a", "x");
        let kinds: Vec<bool> = store.changes_after(start).unwrap().map(|change| change.after.is_some()).collect();
        assert_eq!(kinds, [true, false]);
        assert!(store.changes_after(start - 5).is_none());
    }
}
