//! Between a configuration and the values of its form's inputs, both ways.
//!
//! A stored secret never becomes a value of a form: it is "kept", or it is given anew.

use super::schema::{Field, Kind, as_typed};
use crate::i18n::T;
use crate::web::Fields;
use passerelle_contract::FieldError;
use serde_json::{Map, Value, json};

/// The input that says where a secret comes from.
pub fn from_of(name: &str) -> String {
    format!("{name}:from")
}

/// The input of a secret's reference: a variable or a path.
pub fn reference_of(name: &str) -> String {
    format!("{name}:ref")
}

/// A configuration as the values of the form.
#[must_use]
pub fn fill(fields: &[Field], config: &Value) -> Fields {
    let mut pairs = Vec::new();
    collect(fields, config, &mut pairs);
    pairs.into_iter().collect()
}

fn collect(fields: &[Field], config: &Value, pairs: &mut Vec<(String, String)>) {
    for field in fields {
        if let Kind::Group(inner) = &field.kind {
            collect(inner, config, pairs);
            continue;
        }
        let found = field.path.iter().try_fold(config, |value, name| value.get(name));
        let Some(value) = found.filter(|value| !value.is_null()) else { continue };
        if matches!(field.kind, Kind::Secret { .. }) {
            pairs.extend(secret_values(&field.name(), value));
        } else {
            pairs.push((field.name(), text(&field.kind, value)));
        }
    }
}

fn secret_values(name: &str, value: &Value) -> Vec<(String, String)> {
    let pair = |from: &str, key: String, text: &str| vec![(from_of(name), from.to_owned()), (key, text.to_owned())];
    let part = |key: &str| value.get(key).and_then(Value::as_str);
    if let Some(place) = part("vault") {
        return pair("vault", reference_of(name), place);
    }
    match (value.as_str(), part("env"), part("file")) {
        (Some(plain), ..) => pair("plain", name.to_owned(), plain),
        (_, Some(variable), _) => pair("env", reference_of(name), variable),
        (_, _, Some(path)) => pair("file", reference_of(name), path),
        _ => vec![(from_of(name), "keep".to_owned())],
    }
}

fn text(kind: &Kind, value: &Value) -> String {
    match (kind, value) {
        (Kind::Json, value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        (Kind::Lines, Value::Array(items)) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n"),
        (_, value) => as_typed(value),
    }
}

/// The configuration that a posted form describes. Empty inputs are absent; the kind checks what is needed.
///
/// # Errors
/// Every input that cannot be read, by its pointer.
pub fn read(fields: &[Field], form: &Fields, t: T) -> Result<Value, Vec<FieldError>> {
    let mut errors = Vec::new();
    let config = read_group(fields, form, t, &mut errors);
    if errors.is_empty() { Ok(Value::Object(config)) } else { Err(errors) }
}

fn read_group(fields: &[Field], form: &Fields, t: T, errors: &mut Vec<FieldError>) -> Map<String, Value> {
    let mut config = Map::new();
    for field in fields {
        let Some(name) = field.path.last() else { continue };
        let value = match &field.kind {
            Kind::Group(inner) => {
                let inner = read_group(inner, form, t, errors);
                (field.required || !inner.is_empty()).then_some(Value::Object(inner))
            }
            _ => read_one(field, form, t).unwrap_or_else(|message| {
                errors.push(FieldError::said(field.pointer(), message));
                None
            }),
        };
        match value {
            Some(value) => drop(config.insert(name.clone(), value)),
            // Inside a group the kind itself says what goes together.
            None if field.required && field.path.len() == 1 && !told(errors, field) => {
                errors.push(FieldError::said(field.pointer(), t.required()));
            }
            None => {}
        }
    }
    config
}

fn told(errors: &[FieldError], field: &Field) -> bool {
    errors.iter().any(|error| error.pointer == field.pointer())
}

fn read_one(field: &Field, form: &Fields, t: T) -> Result<Option<Value>, String> {
    let name = field.name();
    let given = form.get(&name);
    match &field.kind {
        Kind::Secret { .. } => read_secret(&name, form, t),
        Kind::YesNo => Ok((field.required || form.on(&name)).then(|| Value::Bool(form.on(&name)))),
        _ if given.is_empty() => Ok(None),
        Kind::Whole => given.parse::<i64>().map(|n| Some(json!(n))).map_err(|_| t.not_a_number().to_owned()),
        Kind::Decimal => match given.parse::<f64>() {
            Ok(n) if n.is_finite() => Ok(Some(json!(n))),
            _ => Err(t.not_a_number().to_owned()),
        },
        Kind::Lines => Ok(Some(given.lines().map(str::trim).filter(|line| !line.is_empty()).collect())),
        Kind::Numbers => given
            .split([',', ';', ' ', '\n'])
            .map(str::trim)
            .filter(|number| !number.is_empty())
            .map(|number| number.parse::<i64>().map(Value::from).map_err(|_| t.not_a_number().to_owned()))
            .collect::<Result<Vec<_>, _>>()
            .map(|numbers| Some(Value::Array(numbers))),
        // As it was typed: the blanks at its start are part of YAML.
        Kind::Long => Ok(Some(Value::from(form.raw(&name)))),
        Kind::Json => serde_json::from_str(given).map(Some).map_err(|error| t.config_bad_json(error)),
        Kind::Text | Kind::Address | Kind::OneOf(_) | Kind::Group(_) => Ok(Some(Value::from(given))),
    }
}

fn read_secret(name: &str, form: &Fields, t: T) -> Result<Option<Value>, String> {
    let reference = form.get(&reference_of(name)).to_owned();
    let needed = |text: String| if text.is_empty() { Err(t.required().to_owned()) } else { Ok(text) };
    match form.get(&from_of(name)) {
        "keep" => Ok(Some(json!({"set": true}))),
        // As it was typed: white space may belong to it.
        "value" => needed(form.raw(name).to_owned()).map(|value| Some(json!({"value": value}))),
        "plain" => needed(form.raw(name).to_owned()).map(|value| Some(Value::from(value))),
        "env" => needed(reference).map(|variable| Some(json!({"env": variable}))),
        "file" => needed(reference).map(|path| Some(json!({"file": path}))),
        "vault" => needed(reference).map(|place| Some(json!({"vault": place}))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::schema::fields;
    use super::*;

    fn drawn() -> Vec<Field> {
        fields(&json!({
            "properties": {
                "server": {"type": "string"},
                "token": {"$ref": "#/$defs/Secret"},
                "ca": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/Secret"}]},
                "tls": {"type": "object", "properties": {"key": {"$ref": "#/$defs/Secret"}}, "required": ["key"]},
                "names": {"type": "array", "items": {"type": "string"}},
                "retries": {"type": "integer"},
                "steps": {"$ref": "#/$defs/Steps"},
                "more": {"type": "object"},
                "simulated": {"type": "boolean"}
            },
            "required": ["server"],
            "$defs": {"Secret": {"type": "object", "format": "secret"},
                "Steps": {"type": "array", "items": {"type": "integer"}, "examples": [[10, 50]]}}
        }))
    }

    fn posted(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_stored_comes_back_from_its_own_form() {
        let stored = json!({
            "server": "https://a.test", "token": {"set": true}, "ca": "PEM", "tls": {"key": {"file": "/k"}},
            "names": ["a", "b"], "retries": 3, "steps": [10, 50], "more": {"x": [1]}, "simulated": true
        });
        let form = fill(&drawn(), &stored);
        assert_eq!(form.get("config.token"), "", "a secret is no value of a form");
        assert_eq!(read(&drawn(), &form, T::default()), Ok(stored));
    }

    #[test]
    fn a_secret_is_given_in_one_of_its_ways() {
        let form = posted(&[("config.server", "x"), ("config.token:from", "value"), ("config.token", " s3 ")]);
        assert_eq!(read(&drawn(), &form, T::default()), Ok(json!({"server": "x", "token": {"value": " s3 "}})));
        let form = posted(&[("config.server", "x"), ("config.token:from", "env"), ("config.token:ref", "TOKEN")]);
        assert_eq!(read(&drawn(), &form, T::default()), Ok(json!({"server": "x", "token": {"env": "TOKEN"}})));
        let form =
            posted(&[("config.server", "x"), ("config.token:from", "vault"), ("config.token:ref", "passerelle/a#b")]);
        let lies = json!({"server": "x", "token": {"vault": "passerelle/a#b"}});
        assert_eq!(read(&drawn(), &form, T::default()).as_ref(), Ok(&lies));
        assert_eq!(fill(&drawn(), &lies).get("config.token:ref"), "passerelle/a#b");
        let form = posted(&[("config.server", "x"), ("config.token:from", "file"), ("config.token:ref", "")]);
        assert_eq!(read(&drawn(), &form, T::default()).unwrap_err()[0].pointer, "/config/token");
    }

    #[test]
    fn a_list_of_numbers_is_typed_with_commas() {
        let shown = drawn().into_iter().find(|field| field.path == ["steps"]).unwrap();
        assert_eq!((shown.kind, shown.example.as_deref()), (Kind::Numbers, Some("10, 50")));
        let form = posted(&[("config.server", "x"), ("config.steps", " 5,25 50;")]);
        assert_eq!(read(&drawn(), &form, T::default()), Ok(json!({"server": "x", "steps": [5, 25, 50]})));
    }

    #[test]
    fn every_wrong_input_is_named() {
        let form = posted(&[("config.retries", "many"), ("config.more", "{"), ("config.steps", "10 %")]);
        let errors = read(&drawn(), &form, T::default()).unwrap_err();
        let mut pointers: Vec<&str> = errors.iter().map(|error| error.pointer.as_str()).collect();
        pointers.sort_unstable();
        assert_eq!(pointers, ["/config/more", "/config/retries", "/config/server", "/config/steps"]);
    }
}
