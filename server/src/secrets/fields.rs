//! Secrets inside a configuration: `{"value"}` is sealed before it is stored, `{"set": true}` stands for it on
//! the way out and keeps it on the way in, and references (`{"env"}`, `{"file"}`) are kept as they are.

use crate::kernel::{AppError, Result, SealingKey};
use passerelle_contract::text;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Schemas nest by their types; deeper than this is a cycle.
const MAX_DEPTH: usize = 32;

/// JSON pointers of the secrets in `config`: the objects where the schema says `format: secret`.
pub fn places(schema: &Value, config: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(schema, schema, config, "", 0, &mut found);
    found.sort();
    found.dedup();
    found
}

fn walk(root: &Value, schema: &Value, value: &Value, pointer: &str, depth: usize, found: &mut Vec<String>) {
    if depth > MAX_DEPTH || !(value.is_object() || value.is_array()) {
        return;
    }
    if let Some(definition) = schema.get("$ref").and_then(Value::as_str)
        && let Some(target) = definition.strip_prefix('#').and_then(|path| root.pointer(path))
    {
        walk(root, target, value, pointer, depth + 1, found);
    }
    if schema.get("format").and_then(Value::as_str) == Some("secret") && value.is_object() {
        found.push(pointer.to_owned());
        return;
    }
    for branch in ["anyOf", "oneOf", "allOf"].iter().filter_map(|name| schema.get(name)?.as_array()).flatten() {
        walk(root, branch, value, pointer, depth + 1, found);
    }
    if let Value::Array(items) = value
        && let Some(schema) = schema.get("items")
    {
        for (index, item) in items.iter().enumerate() {
            walk(root, schema, item, &format!("{pointer}/{index}"), depth + 1, found);
        }
    }
    let Value::Object(fields) = value else { return };
    for (name, field) in fields {
        let known = schema.get("properties").and_then(|properties| properties.get(name));
        if let Some(schema) = known.or_else(|| schema.get("additionalProperties")) {
            walk(root, schema, field, &format!("{pointer}/{}", escape(name)), depth + 1, found);
        }
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What the sealed value is bound to, so that it opens nowhere else. The ids of channels of notifications, which seal the same way, are
/// no connection's.
fn place(owner: Uuid, pointer: &str) -> String {
    format!("connection:{owner}:{pointer}")
}

/// The configuration as it is stored.
pub(super) fn seal(key: &SealingKey, owner: Uuid, schema: &Value, config: &Value) -> Result<Value> {
    let mut sealed = config.clone();
    for pointer in places(schema, config) {
        let Some(secret) = sealed.pointer_mut(&pointer) else { continue };
        if let Some(plain) = secret.get("value").and_then(Value::as_str) {
            *secret = json!({"sealed": key.seal(&place(owner, &pointer), plain)?});
        }
    }
    Ok(sealed)
}

/// JSON pointers of what is sealed in a stored configuration, with the number of its key. Goes by the shape, so that a kind which this
/// version does not know is not left behind; a text that no key could have sealed is given without a number.
pub(super) fn sealed(stored: &Value) -> Vec<(String, Option<i32>)> {
    let mut found = Vec::new();
    collect_sealed(stored, "", &mut found);
    found
}

fn collect_sealed(value: &Value, pointer: &str, found: &mut Vec<(String, Option<i32>)>) {
    match value {
        Value::Object(fields) => {
            if let Some(text) = fields.get("sealed").and_then(Value::as_str).filter(|_| fields.len() == 1) {
                found.push((pointer.to_owned(), SealingKey::number_of(text)));
                return;
            }
            for (name, field) in fields {
                collect_sealed(field, &format!("{pointer}/{}", escape(name)), found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_sealed(item, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The secret at a place of a stored configuration.
///
/// # Errors
/// When there is none, or it does not open with this key.
pub(super) fn open_at(key: &SealingKey, owner: Uuid, stored: &Value, pointer: &str) -> Result<String> {
    let sealed = stored.pointer(pointer).and_then(|secret| secret.get("sealed")).and_then(Value::as_str);
    key.open(&place(owner, pointer), sealed.unwrap_or_default())
}

/// Seals one secret in a configuration that is stored.
pub(super) fn seal_at(key: &SealingKey, owner: Uuid, stored: &mut Value, pointer: &str, plain: &str) -> Result<()> {
    if let Some(secret) = stored.pointer_mut(pointer) {
        *secret = json!({"sealed": key.seal(&place(owner, pointer), plain)?});
    }
    Ok(())
}

/// The configuration as it may be shown. Goes by the shape and not by the schema, so that a kind which this version does
/// not know shows nothing either.
pub fn mask(stored: &Value) -> Value {
    match stored {
        Value::Object(fields) if fields.contains_key("sealed") => json!({"set": true}),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), mask(value))).collect(),
        Value::Array(items) => items.iter().map(mask).collect(),
        other => other.clone(),
    }
}

/// Puts the stored secrets where an edit says `{"set": true}`.
///
/// # Errors
/// At the field, when nothing is stored there, or when an address changed: a kept secret must not go to another server than
/// the one it was given for.
pub fn keep(schema: &Value, edited: &Value, opened: Option<&Value>) -> Result<Value> {
    let mut config = edited.clone();
    for pointer in places(schema, edited) {
        let Some(secret) = config.pointer_mut(&pointer) else { continue };
        if *secret != json!({"set": true}) {
            continue;
        }
        let field = format!("/config{pointer}");
        let stored = opened.and_then(|opened| opened.pointer(&pointer)).filter(|stored| stored.get("value").is_some());
        let (Some(stored), Some(opened)) = (stored, opened) else {
            return Err(AppError::field(field, text!("no secret is stored here; give it as value, env or file")));
        };
        if addresses(schema, opened) != addresses(schema, edited) {
            return Err(AppError::field(
                field,
                text!("an address changed; give the secret again, or it could be sent elsewhere"),
            ));
        }
        *secret = stored.clone();
    }
    Ok(config)
}

/// The texts outside of secrets that name a server, or could: with a scheme, a dot or a port. One too many only asks for a secret again.
fn addresses(schema: &Value, config: &Value) -> BTreeMap<String, String> {
    let secrets = places(schema, config);
    let mut found = BTreeMap::new();
    collect_addresses(config, "", &secrets, &mut found);
    found
}

fn may_name_a_server(pointer: &str, text: &str) -> bool {
    let named = ["/host", "/server", "/endpoint", "/address", "/url"].iter().any(|name| pointer.ends_with(name));
    named
        || text.contains("://")
        || (text.contains(['.', ':']) && !text.contains(|c: char| c == '@' || c.is_whitespace()))
}

fn collect_addresses(value: &Value, pointer: &str, secrets: &[String], found: &mut BTreeMap<String, String>) {
    match value {
        Value::String(text) if may_name_a_server(pointer, text) => drop(found.insert(pointer.to_owned(), text.clone())),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect_addresses(item, &format!("{pointer}/{index}"), secrets, found);
            }
        }
        Value::Object(fields) if !secrets.iter().any(|secret| secret == pointer) => {
            for (name, field) in fields {
                collect_addresses(field, &format!("{pointer}/{}", escape(name)), secrets, found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "properties": {
                "server": {"type": "string", "format": "uri"},
                "token": {"anyOf": [{"$ref": "#/$defs/Secret"}, {"type": "null"}]},
                "ca": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Secret"}]},
                "headers": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Secret"}},
                "more": {"type": "array", "items": {"properties": {"key": {"$ref": "#/$defs/Secret"}}}}
            },
            "$defs": {"Secret": {"type": "object", "format": "secret"}}
        })
    }

    fn config() -> Value {
        json!({
            "server": "https://a.test", "token": {"value": "t0k3n"}, "ca": "PEM",
            "headers": {"x/y": {"env": "NAME"}}, "more": [{"key": {"value": "k3y"}}]
        })
    }

    #[test]
    fn secrets_are_found_through_references_options_lists_and_maps() {
        assert_eq!(places(&schema(), &config()), ["/headers/x~1y", "/more/0/key", "/token"]);
        let cyclic = json!({"$ref": "#"});
        assert!(places(&cyclic, &config()).is_empty());
    }

    #[test]
    fn a_kept_secret_goes_to_no_other_host() {
        let at = |host: &str| json!({"server": "https://a.test", "host": host, "from": "a@b.test", "token": {"value": "t0k3n"}});
        let edited = |host: &str| {
            let mut config = at(host);
            config["token"] = json!({"set": true});
            config["from"] = json!("c@d.test");
            config
        };
        for (before, after) in [("a.test", "b.test"), ("localhost", "evil"), ("a.test:5000", "a.test:5001")] {
            assert!(keep(&schema(), &edited(after), Some(&at(before))).is_err(), "{after}");
            assert!(keep(&schema(), &edited(before), Some(&at(before))).is_ok(), "{before}");
        }
    }

    /// By place: fields keep the order in which they were given.
    fn found(config: &Value) -> Vec<(String, Option<i32>)> {
        let mut all = sealed(config);
        all.sort();
        all
    }

    #[test]
    fn what_is_stored_and_shown_holds_no_secret_and_opens_again() {
        let key = SealingKey::random(1);
        let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let stored = seal(&key, id, &schema(), &config()).unwrap();
        let shown = mask(&stored);
        for secret in ["t0k3n", "k3y"] {
            assert!(!stored.to_string().contains(&format!("\"{secret}\"")));
            assert!(!shown.to_string().contains(&format!("\"{secret}\"")));
        }
        assert_eq!(shown["token"], json!({"set": true}));
        assert_eq!(shown["headers"]["x/y"], json!({"env": "NAME"}));
        assert_eq!(found(&stored), [("/more/0/key".to_owned(), Some(1)), ("/token".to_owned(), Some(1))]);
        assert_eq!(open_at(&key, id, &stored, "/token").unwrap(), "t0k3n");
        assert!(open_at(&key, other, &stored, "/token").is_err());
        assert!(open_at(&SealingKey::random(1), id, &stored, "/token").is_err());
        let (mut again, next) = (stored.clone(), SealingKey::random(2));
        seal_at(&next, id, &mut again, "/token", "t0k3n").unwrap();
        assert_eq!(found(&again)[1], ("/token".to_owned(), Some(2)));
        assert_eq!(open_at(&next, id, &again, "/token").unwrap(), "t0k3n");
    }

    #[test]
    fn a_sealed_secret_does_not_open_in_another_field() {
        let key = SealingKey::random(1);
        let id = Uuid::from_u128(1);
        let mut stored = seal(&key, id, &schema(), &config()).unwrap();
        stored["more"][0]["key"] = stored["token"].clone();
        assert!(open_at(&key, id, &stored, "/more/0/key").is_err());
        stored["more"][0]["key"] = json!({"sealed": "none"});
        assert_eq!(found(&stored)[0], ("/more/0/key".to_owned(), None));
    }

    #[test]
    fn an_edit_keeps_a_stored_secret_but_not_for_another_address() {
        let edited = json!({"server": "https://a.test", "token": {"set": true}, "ca": "other"});
        let kept = keep(&schema(), &edited, Some(&config())).unwrap();
        assert_eq!(kept["token"], json!({"value": "t0k3n"}));
        assert!(keep(&schema(), &edited, None).unwrap_err().to_string().contains("/config/token"));
        let moved = json!({"server": "https://evil.test", "token": {"set": true}});
        assert!(keep(&schema(), &moved, Some(&config())).unwrap_err().to_string().contains("address"));
        let named = json!({"server": "https://a.test", "headers": {"x/y": {"set": true}}});
        assert!(keep(&schema(), &named, Some(&config())).is_err(), "a reference is not a stored secret");
    }
}
