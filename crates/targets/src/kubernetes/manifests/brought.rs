//! What the same manifests bring, so that nothing is missed that is about to be made. Pure.

use super::object::Object;
use std::collections::{BTreeMap, BTreeSet};

/// Names by kind, with the keys of ConfigMaps and Secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Brought(BTreeMap<(String, String), BTreeSet<String>>);

impl Brought {
    pub(super) fn of(objects: &[Object]) -> Self {
        let one = |object: &Object| {
            let fields = ["data", "stringData", "binaryData"].map(|field| object.value[field].as_object());
            let keys = fields.into_iter().flatten().flat_map(|fields| fields.keys().cloned()).collect();
            ((object.id.kind.clone(), object.id.name.clone()), keys)
        };
        Self(objects.iter().map(one).collect())
    }

    /// The keys that an object comes with; nothing when it does not come.
    pub fn keys(&self, kind: &str, name: &str) -> Option<&BTreeSet<String>> {
        self.0.get(&(kind.to_owned(), name.to_owned()))
    }

    pub fn has(&self, kind: &str, name: &str) -> bool {
        self.keys(kind, name).is_some()
    }
}
