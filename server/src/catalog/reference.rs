//! Entity references, `[kind:][namespace/]name`.

use passerelle_contract::{Text, text};
use std::fmt;

/// The namespace of entities and references that name none.
pub const DEFAULT_NAMESPACE: &str = "default";

/// A full reference. Kind is lower case; two references are the same entity when they are equal without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntityRef {
    pub kind: String,
    pub namespace: String,
    pub name: String,
}

impl EntityRef {
    /// Reads a reference; what it leaves out comes from the field it stands in.
    ///
    /// # Errors
    /// A sentence on what is wrong, without the place.
    pub fn parse(text: &str, default_kind: Option<&str>, default_namespace: &str) -> Result<Self, Text> {
        if text.len() > 253 {
            return Err(text!("a reference has at most 253 bytes"));
        }
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (Some(kind), rest),
            None => (None, text),
        };
        let (namespace, name) = match rest.split_once('/') {
            Some((namespace, name)) => (Some(namespace), name),
            None => (None, rest),
        };
        let Some(kind) = kind.or(default_kind) else {
            return Err(text!(
                "the reference {reference} needs a kind here, for example `component:{text}`",
                reference = format!("{text:?}"),
                text
            ));
        };
        let namespace = namespace.unwrap_or(default_namespace);
        if [kind, namespace, name].iter().any(|part| !is_part(part)) {
            return Err(text!(
                "{reference} is not an entity reference; it is written [kind:][namespace/]name",
                reference = format!("{text:?}")
            ));
        }
        Ok(Self { kind: kind.to_ascii_lowercase(), namespace: namespace.to_owned(), name: name.to_owned() })
    }

    /// What identifies the entity: the reference in lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.to_string().to_lowercase()
    }

    /// `namespace/name`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl fmt::Display for EntityRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.kind, self.namespace, self.name)
    }
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && part
            .chars()
            .all(|c| !c.is_whitespace() && !matches!(c, ':' | '/' | '<' | '>' | '"') && !super::text::is_unsafe(c))
}
