//! One entity as the image in memory keeps it: what lists, filters, searches and graphs need. The whole document stays in Postgres.

use super::words::{self, Vocabulary};
use crate::catalog::relations::RelationKind;
use passerelle_contract::catalog::ServiceOut;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;
use time::OffsetDateTime;
use uuid::Uuid;

/// Longer descriptions are cut in lists; the entity's own page has all of it.
const LIST_DESCRIPTION_CHARS: usize = 280;
/// A description is searched up to here.
const SEARCHED_DESCRIPTION_CHARS: usize = 2_000;

/// An entity as the table has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub id: Uuid,
    pub kind: String,
    pub namespace: String,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub entity_type: Option<String>,
    pub lifecycle: Option<String>,
    pub owner: Option<String>,
    pub system: Option<String>,
    pub tags: Vec<String>,
    pub updated_at: OffsetDateTime,
    pub revision: i64,
    pub archived: bool,
    /// Kind, source, target as the entity states them.
    pub relations: Vec<(RelationKind, String, String)>,
}

/// Texts that occur often, by number.
#[derive(Debug, Default)]
pub(super) struct Symbols {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    shared: Arc<[Arc<str>]>,
}

impl Symbols {
    pub fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        let text: Arc<str> = text.into();
        self.numbers.insert(text.clone(), number);
        self.texts.push(text);
        number
    }

    pub fn shared(&mut self) -> Arc<[Arc<str>]> {
        if self.shared.len() != self.texts.len() {
            self.shared = self.texts.as_slice().into();
        }
        self.shared.clone()
    }
}

#[derive(Debug)]
pub(super) struct Record {
    pub id: Uuid,
    /// `kind:namespace/name`, kind in lower case.
    pub reference: Box<str>,
    pub kind: u32,
    pub title: Option<Box<str>>,
    pub updated_us: i64,
    pub revision: i64,
    pub entity_type: Option<u32>,
    pub lifecycle: Option<u32>,
    pub owner: Option<u32>,
    pub system: Option<u32>,
    pub tags: Box<[u32]>,
    pub words: Box<[u32]>,
    pub relations: Box<[(RelationKind, u32, u32)]>,
    /// For a service: its [`ServiceOut`] as JSON, cut where the health goes in.
    pub json: Box<str>,
    pub health_at: usize,
}

impl Record {
    pub fn new(row: &Row, symbols: &mut Symbols, vocabulary: &mut Vocabulary) -> Self {
        let key = format!("{}/{}", row.namespace, row.name);
        let reference = format!("{}:{key}", row.kind.to_ascii_lowercase());
        let (json, health_at) =
            if reference.starts_with("component:") { service_json(row, key) } else { Default::default() };
        let mut optional = |text: &Option<String>| text.as_deref().map(|text| symbols.number(text));
        let (entity_type, lifecycle) = (optional(&row.entity_type), optional(&row.lifecycle));
        let (owner, system) = (optional(&row.owner), optional(&row.system));
        let tags = row.tags.iter().map(|tag| symbols.number(tag)).collect();
        let relations =
            row.relations.iter().map(|(kind, source, target)| (*kind, symbols.number(source), symbols.number(target)));
        Self {
            id: row.id,
            relations: relations.collect(),
            kind: symbols.number(&row.kind),
            title: row.title.as_deref().map(Into::into),
            updated_us: i64::try_from(row.updated_at.unix_timestamp_nanos() / 1_000).unwrap_or(0),
            revision: row.revision,
            entity_type,
            lifecycle,
            owner,
            system,
            tags,
            words: searched(row, vocabulary),
            reference: reference.into(),
            json,
            health_at,
        }
    }

    /// `namespace/name`.
    pub fn key(&self) -> &str {
        self.reference.split_once(':').map_or(&self.reference, |(_, key)| key)
    }

    pub fn is_service(&self) -> bool {
        self.health_at > 0
    }
}

fn searched(row: &Row, vocabulary: &mut Vocabulary) -> Box<[u32]> {
    let description: Option<String> =
        row.description.as_ref().map(|text| text.chars().take(SEARCHED_DESCRIPTION_CHARS).collect());
    let texts = [
        Some(&row.namespace),
        Some(&row.name),
        row.title.as_ref(),
        description.as_ref(),
        row.owner.as_ref(),
        row.system.as_ref(),
    ];
    let mut found: Vec<u32> = texts
        .into_iter()
        .flatten()
        .chain(&row.tags)
        .flat_map(|text| words::split(text))
        .map(|word| vocabulary.number(&word))
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into()
}

fn service_json(row: &Row, key: String) -> (Box<str>, usize) {
    let service = ServiceOut {
        id: row.id,
        key,
        namespace: row.namespace.clone(),
        name: row.name.clone(),
        title: row.title.clone(),
        description: row.description.as_deref().map(shortened),
        system: row.system.clone(),
        owner: row.owner.clone(),
        kind: row.entity_type.clone(),
        lifecycle: row.lifecycle.clone(),
        tags: row.tags.clone(),
        health: None,
        updated_at: row.updated_at,
    };
    const FIELD: &str = "\"health\":null";
    let json = serde_json::to_string(&service).unwrap_or_default();
    // Quotes inside texts are escaped, so the last occurrence is the field itself.
    let Some(at) = json.rfind(FIELD) else { return Default::default() };
    let value_at = at + FIELD.len() - "null".len();
    let json = [&json[..value_at], &json[at + FIELD.len()..]].concat();
    (json.into(), value_at)
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LIST_DESCRIPTION_CHARS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// The order of references, without regard to case (their names are ASCII).
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    a.bytes().map(|byte| byte.to_ascii_lowercase()).cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}
