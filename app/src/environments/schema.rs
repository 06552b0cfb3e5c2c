//! From a JSON Schema to the fields of a form.
//!
//! What a schema says and a form cannot draw field by field (maps, lists of objects) becomes one field that takes JSON, so
//! that no setting of a kind is out of reach.

use passerelle_contract::wording::title_of;
use serde_json::Value;

/// Schemas nest by their types; deeper than this is a cycle.
const MAX_DEPTH: usize = 12;

/// How a field is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// A text of several lines.
    Long,
    Address,
    Whole,
    Decimal,
    YesNo,
    OneOf(Vec<String>),
    /// `plain`: may also be given as a text that is no secret, for example a certificate.
    Secret {
        plain: bool,
    },
    /// A list of texts, one a line.
    Lines,
    /// A list of whole numbers with commas between.
    Numbers,
    Json,
    Group(Vec<Field>),
}

/// One field, or a group of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The way from the configuration to the value.
    pub path: Vec<String>,
    pub title: String,
    pub hint: Option<String>,
    pub example: Option<String>,
    pub required: bool,
    pub kind: Kind,
}

impl Field {
    /// The JSON pointer that errors name it by.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.path.iter().fold("/config".to_owned(), |pointer, name| format!("{pointer}/{}", escape(name)))
    }

    /// The name of its input.
    #[must_use]
    pub fn name(&self) -> String {
        format!("config.{}", self.path.join("."))
    }
}

/// A value as one types it into its input.
#[must_use]
pub fn as_typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(as_typed).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The fields of a schema, the required ones first.
#[must_use]
pub fn fields(schema: &Value) -> Vec<Field> {
    group(schema, schema, &[], 0)
}

/// The pointers of all fields, to tell which errors have a place in the form.
#[must_use]
pub fn pointers(fields: &[Field]) -> Vec<String> {
    let inner = |field: &Field| match &field.kind {
        Kind::Group(inner) => pointers(inner),
        _ => vec![field.pointer()],
    };
    fields.iter().flat_map(inner).collect()
}

fn group(root: &Value, schema: &Value, path: &[String], depth: usize) -> Vec<Field> {
    let needed: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut fields: Vec<Field> = properties
        .into_iter()
        .flatten()
        .map(|(name, property)| field(root, property, path, name, needed.contains(&name.as_str()), depth))
        .collect();
    // By importance, then as the schema has them; yes-or-no questions last.
    fields.sort_by_key(|field| (!field.required, field.kind == Kind::YesNo));
    fields
}

fn field(root: &Value, property: &Value, path: &[String], name: &str, required: bool, depth: usize) -> Field {
    let path: Vec<String> = path.iter().cloned().chain([name.to_owned()]).collect();
    let parts = alternatives(root, property, depth);
    let said = |key: &str| {
        let own = property.get(key).and_then(Value::as_str);
        own.or_else(|| parts.iter().find_map(|part| part.get(key)?.as_str())).map(str::to_owned)
    };
    let example = parts.iter().chain([&property]).find_map(|part| Some(as_typed(part.get("examples")?.get(0)?)));
    let hint = property.get("description").and_then(Value::as_str).map(str::to_owned);
    Field {
        kind: kind(root, &parts, &path, depth),
        title: said("title").unwrap_or_else(|| title_of(name)),
        hint: hint.or_else(|| {
            parts
                .iter()
                .filter(|part| !is_secret(part))
                .find_map(|part| Some(part.get("description")?.as_str()?.to_owned()))
        }),
        example,
        required,
        path,
    }
}

/// What the value may be, with references followed and unions opened; "nothing" is left out.
fn alternatives<'a>(root: &'a Value, schema: &'a Value, depth: usize) -> Vec<&'a Value> {
    if depth > MAX_DEPTH {
        return Vec::new();
    }
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or_else(Vec::new, |target| alternatives(root, target, depth + 1));
    }
    let unions = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema.get(key)?.as_array());
    match unions {
        Some(branches) if schema.get("properties").is_none() => {
            branches.iter().flat_map(|branch| alternatives(root, branch, depth + 1)).collect()
        }
        _ if schema.get("type").and_then(Value::as_str) == Some("null") => Vec::new(),
        _ => vec![schema],
    }
}

fn is_secret(schema: &Value) -> bool {
    schema.get("format").and_then(Value::as_str) == Some("secret")
}

/// Whether the schema's `type` is this one, alone or beside `null`.
fn is(schema: &Value, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(text)) => text == name,
        Some(Value::Array(types)) => {
            types.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").eq(std::iter::once(name))
        }
        _ => false,
    }
}

/// The words of an `enum`, or of several `const`.
fn choices(parts: &[&Value]) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for part in parts {
        match (part.get("enum").and_then(Value::as_array), part.get("const")) {
            (Some(values), _) => words.extend(values.iter().filter_map(Value::as_str).map(str::to_owned)),
            (None, Some(Value::String(text))) => words.push(text.clone()),
            _ => return None,
        }
    }
    (!words.is_empty()).then_some(words)
}

fn kind(root: &Value, parts: &[&Value], path: &[String], depth: usize) -> Kind {
    if parts.iter().any(|part| is_secret(part)) {
        return Kind::Secret { plain: parts.iter().any(|part| is(part, "string")) };
    }
    if let Some(words) = choices(parts) {
        return Kind::OneOf(words);
    }
    let [part] = parts else { return Kind::Json };
    let format = part.get("format").and_then(Value::as_str);
    if is(part, "string") {
        return match format {
            Some("uri") => Kind::Address,
            Some("multiline") => Kind::Long,
            _ => Kind::Text,
        };
    }
    if is(part, "boolean") {
        return Kind::YesNo;
    }
    if is(part, "integer") {
        return Kind::Whole;
    }
    if is(part, "number") {
        return Kind::Decimal;
    }
    let of_texts = part.get("items").is_some_and(|items| matches!(alternatives(root, items, depth + 1)[..], [one] if is(one, "string") && one.get("enum").is_none()));
    if is(part, "array") && of_texts {
        return Kind::Lines;
    }
    if is(part, "array") && part.get("items").is_some_and(|items| is(items, "integer")) {
        return Kind::Numbers;
    }
    if part.get("properties").is_some() && depth < MAX_DEPTH {
        return Kind::Group(group(root, part, path, depth + 1));
    }
    Kind::Json
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> Value {
        json!({
            "properties": {
                "simulated": {"type": "boolean", "title": "Simulated", "default": false},
                "endpoint": {"$ref": "#/$defs/Endpoint", "description": "Where"},
                "ca": {"anyOf": [{"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Secret"}]}, {"type": "null"}]},
                "mode": {"enum": ["a", "b"]},
                "tls": {"anyOf": [{"$ref": "#/$defs/Tls"}, {"type": "null"}]},
                "context": {"type": ["string", "null"]},
                "manifest": {"type": ["string", "null"], "format": "multiline"},
                "names": {"type": "array", "items": {"type": "string"}},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "retries_max": {"type": "integer"},
                "again": {"$ref": "#/$defs/Loop"}
            },
            "required": ["endpoint"],
            "$defs": {
                "Secret": {"type": "object", "format": "secret", "description": "A secret", "properties": {"value": {"type": "string"}}},
                "Tls": {"type": "object", "properties": {"key": {"$ref": "#/$defs/Secret"}}, "required": ["key"]},
                "Endpoint": {"type": "string", "title": "Endpoint", "format": "uri"},
                "Loop": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Loop"}}}
            }
        })
    }

    #[test]
    fn every_property_gets_a_field_of_its_kind() {
        let fields = fields(&schema());
        let kind = |name: &str| &fields.iter().find(|field| field.path == [name]).unwrap().kind;
        assert_eq!(fields.len(), 11);
        assert_eq!(fields[0].path, ["endpoint"], "what is required comes first");
        assert_eq!((fields[0].title.as_str(), fields[0].hint.as_deref()), ("Endpoint", Some("Where")));
        assert_eq!(kind("endpoint"), &Kind::Address);
        assert_eq!(kind("ca"), &Kind::Secret { plain: true });
        assert_eq!(kind("mode"), &Kind::OneOf(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(kind("context"), &Kind::Text);
        assert_eq!(kind("manifest"), &Kind::Long);
        assert_eq!(kind("names"), &Kind::Lines);
        assert_eq!(kind("labels"), &Kind::Json);
        assert_eq!(kind("retries_max"), &Kind::Whole);
        let Kind::Group(inner) = kind("tls") else { panic!("tls is a group") };
        assert_eq!((inner[0].pointer(), inner[0].name()), ("/config/tls/key".to_owned(), "config.tls.key".to_owned()));
        assert_eq!((&inner[0].kind, inner[0].required), (&Kind::Secret { plain: false }, true));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        let all = pointers(&fields(&schema()));
        assert!(all.contains(&"/config/tls/key".to_owned()) && all.iter().any(|p| p.starts_with("/config/again/next")));
        assert!(fields(&json!({})).is_empty());
    }
}
