//! Relations between entities, with Backstage's names. Only one direction is kept; the other one is read from it.

use super::reference::EntityRef;
use passerelle_contract::{Text, text};
use serde_json::Value;

/// The kept direction of each pair of relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelationKind {
    OwnedBy,
    PartOf,
    ProvidesApi,
    ConsumesApi,
    DependsOn,
    ChildOf,
    MemberOf,
}

impl RelationKind {
    pub const ALL: [Self; 7] = [
        Self::OwnedBy,
        Self::PartOf,
        Self::ProvidesApi,
        Self::ConsumesApi,
        Self::DependsOn,
        Self::ChildOf,
        Self::MemberOf,
    ];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnedBy => "ownedBy",
            Self::PartOf => "partOf",
            Self::ProvidesApi => "providesApi",
            Self::ConsumesApi => "consumesApi",
            Self::DependsOn => "dependsOn",
            Self::ChildOf => "childOf",
            Self::MemberOf => "memberOf",
        }
    }

    /// The name of the relation as its target sees it.
    #[must_use]
    pub const fn inverse(self) -> &'static str {
        match self {
            Self::OwnedBy => "ownerOf",
            Self::PartOf => "hasPart",
            Self::ProvidesApi => "apiProvidedBy",
            Self::ConsumesApi => "apiConsumedBy",
            Self::DependsOn => "dependencyOf",
            Self::ChildOf => "parentOf",
            Self::MemberOf => "hasMember",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// A chain of these must end: an entity cannot be a part or a child of itself.
    #[must_use]
    pub const fn is_hierarchy(self) -> bool {
        matches!(self, Self::PartOf | Self::ChildOf)
    }
}

/// One relation as a document states it; references in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    pub kind: RelationKind,
    pub source: String,
    pub target: String,
    /// Where the document says so.
    pub pointer: String,
}

/// One field of `spec` that holds references.
struct Field {
    name: &'static str,
    kind: RelationKind,
    default_kind: Option<&'static str>,
    list: bool,
    /// The field's entity is the target: `children: [a]` says that a is a child of this one.
    reversed: bool,
}

const fn one(name: &'static str, kind: RelationKind, default_kind: &'static str) -> Field {
    Field { name, kind, default_kind: Some(default_kind), list: false, reversed: false }
}

const fn many(name: &'static str, kind: RelationKind, default_kind: Option<&'static str>) -> Field {
    Field { name, kind, default_kind, list: true, reversed: false }
}

const fn reversed(name: &'static str, kind: RelationKind, default_kind: Option<&'static str>) -> Field {
    Field { name, kind, default_kind, list: true, reversed: true }
}

const OWNER: Field = one("owner", RelationKind::OwnedBy, "group");
const SYSTEM: Field = one("system", RelationKind::PartOf, "system");
const DEPENDS_ON: Field = many("dependsOn", RelationKind::DependsOn, None);
const DEPENDENCY_OF: Field = reversed("dependencyOf", RelationKind::DependsOn, None);

const COMPONENT: &[Field] = &[
    OWNER,
    SYSTEM,
    one("subcomponentOf", RelationKind::PartOf, "component"),
    many("providesApis", RelationKind::ProvidesApi, Some("api")),
    many("consumesApis", RelationKind::ConsumesApi, Some("api")),
    DEPENDS_ON,
    DEPENDENCY_OF,
];
const API: &[Field] = &[OWNER, SYSTEM];
const RESOURCE: &[Field] = &[OWNER, SYSTEM, DEPENDS_ON, DEPENDENCY_OF];
const SYSTEM_FIELDS: &[Field] = &[OWNER, one("domain", RelationKind::PartOf, "domain")];
const DOMAIN: &[Field] = &[OWNER, one("subdomainOf", RelationKind::PartOf, "domain")];
const GROUP: &[Field] = &[
    one("parent", RelationKind::ChildOf, "group"),
    reversed("children", RelationKind::ChildOf, Some("group")),
    reversed("members", RelationKind::MemberOf, Some("user")),
];
const USER: &[Field] = &[many("memberOf", RelationKind::MemberOf, Some("group"))];
const TEMPLATE: &[Field] = &[OWNER];

fn fields(kind: &str) -> Option<&'static [Field]> {
    Some(match kind {
        "component" => COMPONENT,
        "api" => API,
        "resource" => RESOURCE,
        "system" => SYSTEM_FIELDS,
        "domain" => DOMAIN,
        "group" => GROUP,
        "user" => USER,
        "template" => TEMPLATE,
        "location" => &[],
        _ => return None,
    })
}

/// What the `spec` of an entity says about others, and what is wrong with it as (pointer, message).
/// For kinds Backstage does not define, `owner`, `system` and `dependsOn` count where they read as references, and nothing is wrong.
#[must_use]
pub fn derive(entity: &EntityRef, spec: Option<&Value>) -> (Vec<Relation>, Vec<(String, Text)>) {
    let mut found = Found { entity, own: entity.folded(), relations: Vec::new(), errors: Vec::new() };
    let Some(Value::Object(spec)) = spec else { return (found.relations, found.errors) };
    let known = fields(&entity.kind);
    for field in known.unwrap_or(&[OWNER, SYSTEM, DEPENDS_ON]) {
        let Some(value) = spec.get(field.name).filter(|value| !value.is_null()) else { continue };
        let pointer = format!("/spec/{}", field.name);
        match value {
            Value::String(text) if !field.list => found.add(field, text, pointer),
            Value::Array(items) if field.list => {
                for (index, item) in items.iter().enumerate() {
                    match item {
                        Value::String(text) => found.add(field, text, format!("{pointer}/{index}")),
                        _ => found
                            .errors
                            .push((format!("{pointer}/{index}"), text!("must be text: an entity reference"))),
                    }
                }
            }
            _ if field.list => found.errors.push((pointer, text!("must be a list of entity references"))),
            _ => found.errors.push((pointer, text!("must be text: an entity reference"))),
        }
    }
    if known.is_none() {
        found.errors.clear();
    }
    found.relations.sort_by(|a, b| (a.kind, &a.source, &a.target).cmp(&(b.kind, &b.source, &b.target)));
    found.relations.dedup_by(|a, b| (a.kind, &a.source, &a.target) == (b.kind, &b.source, &b.target));
    (found.relations, found.errors)
}

struct Found<'e> {
    entity: &'e EntityRef,
    own: String,
    relations: Vec<Relation>,
    errors: Vec<(String, Text)>,
}

impl Found<'_> {
    fn add(&mut self, field: &Field, text: &str, pointer: String) {
        match EntityRef::parse(text, field.default_kind, &self.entity.namespace) {
            Ok(other) => {
                let (own, other) = (self.own.clone(), other.folded());
                let (source, target) = if field.reversed { (other, own) } else { (own, other) };
                self.relations.push(Relation { kind: field.kind, source, target, pointer });
            }
            Err(message) => self.errors.push((pointer, message)),
        }
    }
}
