//! Answers against parameters: each wrong one is told by its pointer, and none can hold what a later tool would run.

use crate::engine;
use crate::manifest::Manifest;
use crate::parameters::{Answers, Format, Kind, Parameter, Widget, whole};
use passerelle_contract::{FieldError, Text, text};
use serde_json::{Map, Value};
use url::{Host, Url};

/// How the tools that read generated files begin what they run: templates, shells, pipelines.
const OPENERS: [&str; 7] = ["{{", "{%", "${", "$(", "<{", "<%", "<#"];

/// Checks and completes.
pub fn answers(manifest: &Manifest, given: &Map<String, Value>) -> Result<Answers, Vec<FieldError>> {
    let mut errors = Vec::new();
    for name in given.keys().filter(|name| !manifest.parameters.iter().any(|one| one.name == **name)) {
        let known: Vec<&str> = manifest.parameters.iter().map(|one| one.name.as_str()).collect();
        let message = text!("is not asked by this golden path; it asks {known}", known = known.join(", "));
        errors.push(FieldError::new(pointer(name), message));
    }
    let mut all = manifest.with_defaults(given);
    for parameter in &manifest.parameters {
        let name = parameter.name.as_str();
        if !is_asked(manifest, parameter, &all) {
            all.insert(name.to_owned(), parameter.default.clone().unwrap_or(Value::Null));
            continue;
        }
        match all.get(name).filter(|value| !is_nothing(value)) {
            None if parameter.required => errors.push(FieldError::new(pointer(name), text!("is needed"))),
            None => drop(all.insert(name.to_owned(), nothing(parameter))),
            Some(found) => {
                if let Err(message) = value(parameter, found) {
                    errors.push(FieldError::new(pointer(name), message));
                } else if let Some(kept) = kept(parameter, found) {
                    all.insert(name.to_owned(), kept);
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut given = all.clone();
    given.retain(|name, _| manifest.parameters.iter().any(|parameter| parameter.name == *name));
    for computed in &manifest.computed {
        match engine::evaluate(&computed.expression, &all) {
            Ok(value) => drop(all.insert(computed.name.clone(), value)),
            Err(error) => {
                let message = text!("this golden path cannot compute {name}: {error}", name = &computed.name, error);
                let behind = manifest.behind(&computed.name).into_iter().next().unwrap_or_default();
                return Err(vec![FieldError::new(pointer(&behind), message)]);
            }
        }
    }
    Ok(Answers { given, all })
}

fn pointer(name: &str) -> String {
    format!("/{}", passerelle_lined_yaml::escape(name))
}

fn is_asked(manifest: &Manifest, parameter: &Parameter, all: &Map<String, Value>) -> bool {
    let step = manifest.steps.iter().find(|step| step.parameters.contains(&parameter.name));
    let conditions = [step.and_then(|step| step.when.as_deref()), parameter.when.as_deref()];
    conditions.into_iter().flatten().all(|when| engine::holds(when, all).unwrap_or(true))
}

/// Forms send an empty text for what was not filled in.
fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

fn nothing(parameter: &Parameter) -> Value {
    match parameter.kind {
        Kind::Choices { .. } => Value::Array(Vec::new()),
        Kind::Flag => Value::Bool(false),
        Kind::Text { .. } | Kind::Integer { .. } | Kind::Number { .. } => Value::Null,
    }
}

/// The value as it is kept, where that differs.
fn kept(parameter: &Parameter, value: &Value) -> Option<Value> {
    match (&parameter.kind, value) {
        (Kind::Text { .. }, Value::String(text)) => Some(text.trim().replace("\r\n", "\n").into()),
        (Kind::Integer { .. }, Value::Number(number)) => whole(number).map(Value::from),
        _ => None,
    }
}

/// Whether a value is one of a parameter's.
///
/// # Errors
/// What is allowed.
pub fn value(parameter: &Parameter, value: &Value) -> Result<(), Text> {
    match (&parameter.kind, value) {
        (Kind::Text { .. }, Value::String(words)) => words_of(parameter, words),
        (Kind::Text { .. }, _) => Err(text!("must be a text")),
        (Kind::Integer { min, max, choices }, Value::Number(number)) => match whole(number) {
            Some(number) => within(number, *min, *max, choices),
            None => Err(text!("must be a whole number")),
        },
        (Kind::Integer { .. }, _) => Err(text!("must be a whole number")),
        (Kind::Number { min, max, choices }, Value::Number(number)) => {
            within(number.as_f64().unwrap_or(f64::NAN), *min, *max, choices)
        }
        (Kind::Number { .. }, _) => Err(text!("must be a number")),
        (Kind::Flag, Value::Bool(_)) => Ok(()),
        (Kind::Flag, _) => Err(text!("must be true or false")),
        (Kind::Choices { choices, min }, Value::Array(items)) => several(items, choices, *min),
        (Kind::Choices { .. }, _) => Err(text!("must be a list")),
    }
}

fn within<N>(number: N, min: Option<N>, max: Option<N>, choices: &[N]) -> Result<(), Text>
where
    N: PartialOrd + std::fmt::Display + Copy,
{
    if !choices.is_empty() && !choices.contains(&number) {
        let choices = choices.iter().map(N::to_string).collect::<Vec<_>>().join(", ");
        return Err(text!("must be one of {choices}", choices));
    }
    if min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max) {
        return Ok(());
    }
    let bound = |bound: Option<N>| bound.map_or_else(|| "…".to_owned(), |bound| bound.to_string());
    Err(text!("must be from {min} to {max}", min = bound(min), max = bound(max)))
}

fn several(items: &[Value], choices: &[String], min: usize) -> Result<(), Text> {
    let known = |item: &Value| item.as_str().is_some_and(|item| choices.iter().any(|choice| choice == item));
    let repeated = items.iter().enumerate().any(|(index, item)| items[..index].contains(item));
    if items.len() < min || repeated || !items.iter().all(known) {
        return Err(text!("must be at least {min} of {choices}, each once", min, choices = choices.join(", ")));
    }
    Ok(())
}

fn words_of(parameter: &Parameter, words: &str) -> Result<(), Text> {
    let Kind::Text { pattern, min_chars, max_chars, format, choices } = &parameter.kind else { return Ok(()) };
    let count = words.chars().count();
    if count < *min_chars || count > *max_chars {
        return Err(text!(
            "must be {min_chars} to {max_chars} characters long, and has {count}",
            min_chars,
            max_chars,
            count
        ));
    }
    if parameter.widget != Some(Widget::TextArea) && words.contains(['\n', '\r']) {
        return Err(text!("must be on one line"));
    }
    if let Some(hidden) = words.chars().find(|&c| is_hidden(c)) {
        let code = format!("U+{:04X}", u32::from(hidden));
        return Err(text!("holds the character {code}, which is not shown; take it out", code));
    }
    if let Some(opener) = OPENERS.iter().find(|opener| words.contains(**opener)) {
        return Err(text!("holds {opener}, which tools that read the files would run; take it out", opener));
    }
    if !choices.is_empty() && !choices.iter().any(|choice| choice == words) {
        return Err(text!("must be one of {choices}", choices = choices.join(", ")));
    }
    if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.is_match(words)) {
        return Err(text!("must be written like {pattern}", pattern = pattern.as_str()));
    }
    match format {
        Some(Format::Uri) if !is_link(words) => Err(text!("must be an address that begins with https:// or http://")),
        Some(Format::Hostname) if !is_host(words) => Err(text!("must be a host name such as shop.example.com")),
        _ => Ok(()),
    }
}

/// Control characters (but tab and line ends), marks that turn text around, and characters without a shape.
const fn is_hidden(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

fn is_link(words: &str) -> bool {
    let plain =
        words.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`' | b'\''));
    let good = |url: Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.host_str().is_some()
    };
    plain && Url::parse(words).is_ok_and(good)
}

fn is_host(words: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    words.len() <= 253 && words.split('.').all(label) && matches!(Host::parse(words), Ok(Host::Domain(_)))
}
