//! One Backstage document as an entity: checked, with its relations derived. Fields and kinds we do not know are kept as they are.

use super::reference::{DEFAULT_NAMESPACE, EntityRef};
use super::relations::{self, Relation, RelationKind};
use super::text;
use super::yaml::escape;
use passerelle_contract::{Text, text};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A checked document.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedEntity {
    pub reference: EntityRef,
    pub api_version: String,
    /// As written, for example `Component`.
    pub kind: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub entity_type: Option<String>,
    pub lifecycle: Option<String>,
    /// `namespace/name` of the owning group; with its kind in front when it is none.
    pub owner: Option<String>,
    /// `namespace/name` of the system.
    pub system: Option<String>,
    pub tags: Vec<String>,
    pub relations: Vec<Relation>,
    /// The document as JSON, fields in their order.
    pub document: String,
    pub content_hash: [u8; 32],
}

/// What is wrong with a document, as (pointer, message); never empty.
pub type Faults = Vec<(String, Text)>;

/// Checks a document.
///
/// # Errors
/// Every fault found.
pub fn parse(document: &Value) -> Result<ParsedEntity, Faults> {
    let mut check = Check { document, faults: Vec::new() };
    let api_version = check.required(
        "/apiVersion",
        text::is_api_version,
        text!("[domain/]version, for example backstage.io/v1alpha1"),
    );
    let kind = check.required("/kind", text::is_kind, text!("letters and digits, for example Component"));
    if !document.get("metadata").is_some_and(Value::is_object) {
        check.fault("/metadata", text!("is missing or not a mapping; it holds at least a name"));
        return Err(check.faults);
    }
    let name = check.required(
        "/metadata/name",
        text::is_name,
        text!("1 to 63 letters and digits with -, _ or . between them"),
    );
    let namespace = check.namespace();
    let title = check.line("/metadata/title", 300);
    let description = check.paragraph("/metadata/description", 20_000);
    check.string_map("/metadata/labels", |value| value.is_empty() || text::is_name(value));
    check.string_map("/metadata/annotations", |_| true);
    let tags = check.tags();
    check.links();
    if document.get("spec").is_some_and(|spec| !spec.is_object() && !spec.is_null()) {
        check.fault("/spec", text!("must be a mapping"));
    }
    let entity_type = check.line("/spec/type", 100);
    let lifecycle = check.line("/spec/lifecycle", 100);
    let display_name = check.line("/spec/profile/displayName", 300);
    let (Some(api_version), Some(kind), Some(name), true) = (api_version, kind, name, check.faults.is_empty()) else {
        return Err(check.faults);
    };
    let reference = EntityRef { kind: kind.to_ascii_lowercase(), namespace, name };
    let (relations, faults) = relations::derive(&reference, document.get("spec"));
    if !faults.is_empty() {
        return Err(faults);
    }
    let (owner, system) = (owner(document, &reference), system(document, &reference));
    let title = title.or(display_name);
    let document = document.to_string();
    let content_hash = Sha256::digest(document.as_bytes()).into();
    let (api_version, kind) = (api_version.to_owned(), kind.to_owned());
    Ok(ParsedEntity {
        reference,
        api_version,
        kind,
        title,
        description,
        entity_type,
        lifecycle,
        owner,
        system,
        tags,
        relations,
        document,
        content_hash,
    })
}

/// As the document writes it, so that a page shows the name people know.
fn owner(document: &Value, entity: &EntityRef) -> Option<String> {
    let owner = document.pointer("/spec/owner")?.as_str()?;
    let owner = EntityRef::parse(owner, Some("group"), &entity.namespace).ok()?;
    Some(if owner.kind == "group" { owner.key() } else { owner.to_string() })
}

fn system(document: &Value, entity: &EntityRef) -> Option<String> {
    let system = document.pointer("/spec/system")?.as_str()?;
    let system = EntityRef::parse(system, Some("system"), &entity.namespace).ok()?;
    (system.kind == "system").then(|| system.key())
}

/// The relations of one kind that lead away from the entity.
#[must_use]
pub fn targets(entity: &ParsedEntity, kind: RelationKind) -> Vec<&str> {
    let own = entity.reference.folded();
    entity.relations.iter().filter(|r| r.kind == kind && r.source == own).map(|r| r.target.as_str()).collect()
}

struct Check<'d> {
    document: &'d Value,
    faults: Faults,
}

impl<'d> Check<'d> {
    fn fault(&mut self, pointer: impl Into<String>, message: Text) {
        self.faults.push((pointer.into(), message));
    }

    /// Text at the pointer; absent and null are the same.
    fn text(&mut self, pointer: &str) -> Option<&'d str> {
        match self.document.pointer(pointer) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(_) => {
                self.fault(pointer, text!("must be text; put it in quotes"));
                None
            }
        }
    }

    fn required(&mut self, pointer: &str, rule: fn(&str) -> bool, allowed: Text) -> Option<String> {
        let before = self.faults.len();
        match self.text(pointer) {
            Some(text) if rule(text) => Some(text.to_owned()),
            Some(_) => {
                self.fault(pointer, text!("is not allowed; it is {allowed}", allowed));
                None
            }
            None => {
                if self.faults.len() == before {
                    self.fault(pointer, text!("is missing; it is {allowed}", allowed));
                }
                None
            }
        }
    }

    fn namespace(&mut self) -> String {
        match self.text("/metadata/namespace") {
            None => DEFAULT_NAMESPACE.to_owned(),
            Some(text) => {
                if !text::is_namespace(text) {
                    self.fault(
                        "/metadata/namespace",
                        text!("is not allowed; it is 1 to 63 of a-z, 0-9 with - between them"),
                    );
                }
                text.to_owned()
            }
        }
    }

    fn line(&mut self, pointer: &str, max_chars: usize) -> Option<String> {
        let text = self.text(pointer)?;
        if let Err(message) = text::line(text, max_chars) {
            self.fault(pointer, message);
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn paragraph(&mut self, pointer: &str, max_chars: usize) -> Option<String> {
        let text = self.text(pointer)?;
        if let Err(message) = text::paragraph(text, max_chars) {
            self.fault(pointer, message);
        }
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn object(&mut self, pointer: &str) -> Option<&'d Map<String, Value>> {
        match self.document.pointer(pointer) {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => Some(map),
            Some(_) => {
                self.fault(pointer, text!("must be a mapping"));
                None
            }
        }
    }

    fn list(&mut self, pointer: &str) -> &'d [Value] {
        match self.document.pointer(pointer) {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.fault(pointer, text!("must be a list"));
                &[]
            }
        }
    }

    fn string_map(&mut self, pointer: &str, rule: fn(&str) -> bool) {
        let Some(map) = self.object(pointer) else { return };
        for (key, value) in map {
            let at = format!("{pointer}/{}", escape(key));
            match value {
                _ if !text::is_qualified_name(key) => {
                    self.fault(at, text!("the key is not allowed; it is [domain/]name"))
                }
                Value::String(value) if rule(value) => {
                    if let Err(message) = text::paragraph(value, 20_000) {
                        self.fault(at, message);
                    }
                }
                Value::String(_) => self
                    .fault(at, text!("is not allowed; it is up to 63 letters and digits with -, _ or . between them")),
                _ => self.fault(at, text!("must be text; put it in quotes")),
            }
        }
    }

    fn tags(&mut self) -> Vec<String> {
        let mut tags: Vec<String> = Vec::new();
        for (index, item) in self.list("/metadata/tags").iter().enumerate() {
            match item {
                Value::String(tag) if text::is_tag(tag) => {
                    if !tags.contains(tag) {
                        tags.push(tag.clone());
                    }
                }
                _ => self.fault(
                    format!("/metadata/tags/{index}"),
                    text!("is not allowed; a tag is 1 to 63 of a-z, 0-9, :, +, # with single - between them"),
                ),
            }
        }
        tags
    }

    fn links(&mut self) {
        for (index, item) in self.list("/metadata/links").iter().enumerate() {
            let at = format!("/metadata/links/{index}");
            if !item.is_object() {
                self.fault(at, text!("must be a mapping with a url"));
                continue;
            }
            match self.text(&format!("{at}/url")) {
                Some(url) => {
                    if let Err(message) = text::safe_url(url) {
                        self.fault(format!("{at}/url"), message);
                    }
                }
                None if item.get("url").is_none_or(Value::is_null) => {
                    self.fault(format!("{at}/url"), text!("is missing"))
                }
                None => {}
            }
            for field in ["title", "icon", "type"] {
                self.line(&format!("{at}/{field}"), 300);
            }
        }
    }
}
