//! What an import would do to the table, decided before anything is written.

use super::import::Placed;
use super::yaml::escape;
use passerelle_contract::catalog::ImportChange;
use serde_json::Value;
use std::collections::HashMap;
use uuid::Uuid;

/// Changes listed in a report.
pub const MAX_CHANGES: usize = 200;
/// Pointers listed for one update.
const MAX_FIELDS: usize = 20;

/// A row that is there already, as far as an import has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Existing {
    pub id: Uuid,
    pub content_hash: Vec<u8>,
    pub source: String,
    pub source_file: String,
    pub source_line: i32,
    pub archived: bool,
}

/// The difference between an upload and the table.
#[derive(Debug, Default)]
pub struct ImportPlan<'p> {
    pub create: Vec<&'p Placed>,
    pub update: Vec<(Uuid, &'p Placed)>,
    /// Archived entities that are back.
    pub restore: Vec<(Uuid, &'p Placed)>,
    /// The same document in another place: only the place is written.
    pub moved: Vec<(Uuid, &'p Placed)>,
    pub unchanged: usize,
    /// Entities of this source that are gone from it: id and reference.
    pub archive: Vec<(Uuid, String)>,
}

impl<'p> ImportPlan<'p> {
    /// `existing` by folded reference.
    #[must_use]
    pub fn new(entities: &'p [Placed], existing: &HashMap<String, Existing>, source: &str) -> Self {
        let mut plan = Self::default();
        for placed in entities {
            match existing.get(&placed.entity.reference.folded()) {
                None => plan.create.push(placed),
                Some(row) if row.archived => plan.restore.push((row.id, placed)),
                Some(row) if row.content_hash != placed.entity.content_hash => plan.update.push((row.id, placed)),
                Some(row) => {
                    plan.unchanged += 1;
                    let line = i32::try_from(placed.place.line).unwrap_or(i32::MAX);
                    if (row.source.as_str(), row.source_file.as_str(), row.source_line)
                        != (source, &placed.place.file, line)
                    {
                        plan.moved.push((row.id, placed));
                    }
                }
            }
        }
        plan
    }

    /// The changes for the report; `old` holds documents as they are in the table.
    #[must_use]
    pub fn changes(&self, old: &HashMap<Uuid, Value>) -> Vec<ImportChange> {
        let change =
            |reference: String, change: &str, fields| ImportChange { reference, change: change.to_owned(), fields };
        let created = self.create.iter().copied().chain(self.restore.iter().map(|(_, placed)| *placed));
        let created = created.map(|placed| change(placed.entity.reference.to_string(), "created", Vec::new()));
        let updated = self.update.iter().map(|(id, placed)| {
            let new: Value = serde_json::from_str(&placed.entity.document).unwrap_or_default();
            let mut fields = Vec::new();
            if let Some(old) = old.get(id) {
                differing(old, &new, "", &mut fields);
            }
            change(placed.entity.reference.to_string(), "updated", fields)
        });
        let archived = self.archive.iter().map(|(_, reference)| change(reference.clone(), "archived", Vec::new()));
        updated.chain(archived).chain(created).take(MAX_CHANGES).collect()
    }
}

/// JSON pointers at which two documents differ.
fn differing(old: &Value, new: &Value, pointer: &str, fields: &mut Vec<String>) {
    if old == new || fields.len() >= MAX_FIELDS {
        return;
    }
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let at = format!("{pointer}/{}", escape(key));
                differing(value, new.get(key).unwrap_or(&Value::Null), &at, fields);
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                differing(&Value::Null, value, &format!("{pointer}/{}", escape(key)), fields);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (at, (old, new)) in old.iter().zip(new).enumerate() {
                differing(old, new, &format!("{pointer}/{at}"), fields);
            }
        }
        _ => fields.push(pointer.to_owned()),
    }
}
