//! Rendering over the options of a form with a text that breaks out of a careless template.

use crate::parameters::{Kind, Parameter};
use crate::render::{RenderError, RenderedFile, documents};
use crate::{Template, TemplateError, check};
use serde_json::{Map, Value};

/// Quotes, comments, lists, mappings, anchors and escapes of every format at once.
const CANARY: &str = r#"Canary: é "q" 'a' #c \n *b* [x] &y %z | > , {k: v} -- ; EOF"#;
/// Which part of it can be recognised whatever became of the rest.
const FEATHER: &str = "Canary";

/// How many sets of answers were rendered.
pub fn prove(template: &Template) -> Result<usize, TemplateError> {
    let sets = sets(template);
    for set in &sets {
        let file = format!("{}/template.yaml", template.id());
        let refused = |errors: Vec<passerelle_contract::FieldError>| {
            let error = errors.first();
            let pointer = error.map_or("", |error| error.pointer.trim_start_matches('/'));
            let message = error.map(|error| error.message.to_string()).unwrap_or_default();
            TemplateError::new(&file, 1, message).of(Some(pointer))
        };
        let answers = template.answers(set).map_err(refused)?;
        let files = template.render(&answers).map_err(|error| match error {
            RenderError::Answers(errors) => refused(errors),
            RenderError::Template(error) => error,
        })?;
        files.iter().try_for_each(|file| whole(template, file))?;
    }
    Ok(sets.len())
}

/// The sample answers with a canary in each free text; then once more for each other choice of each parameter.
fn sets(template: &Template) -> Vec<Map<String, Value>> {
    let mut base = template.example();
    for parameter in template.parameters() {
        if let Some(canary) = canary(parameter) {
            base.insert(parameter.name.clone(), canary);
        }
    }
    let mut sets = vec![template.example(), base.clone()];
    for parameter in template.parameters() {
        for other in others(parameter) {
            if base.get(&parameter.name) != Some(&other) {
                let mut set = base.clone();
                set.insert(parameter.name.clone(), other);
                sets.push(set);
            }
        }
    }
    sets
}

fn canary(parameter: &Parameter) -> Option<Value> {
    let Kind::Text { max_chars, .. } = &parameter.kind else { return None };
    let canary = Value::String(CANARY.chars().take(*max_chars).collect());
    check::value(parameter, &canary).is_ok().then_some(canary)
}

fn others(parameter: &Parameter) -> Vec<Value> {
    let all = match &parameter.kind {
        Kind::Flag => vec![Value::Bool(true), Value::Bool(false)],
        Kind::Text { choices, .. } => choices.iter().map(|choice| choice.as_str().into()).collect(),
        Kind::Choices { choices, min } => {
            let each = choices.iter().map(|choice| Value::from(vec![choice.as_str()]));
            let none = (*min == 0).then(|| Value::Array(Vec::new()));
            let all = Value::from(choices.clone());
            each.filter(|_| *min <= 1).chain(none).chain([all]).collect()
        }
        Kind::Integer { choices, .. } => choices.iter().map(|choice| Value::from(*choice)).collect(),
        Kind::Number { choices, .. } => choices.iter().map(|choice| Value::from(*choice)).collect(),
    };
    let optional = (!parameter.required && parameter.default.is_none()).then_some(Value::Null);
    let examples = parameter.examples.iter().cloned();
    all.into_iter().chain(examples).chain(optional).collect()
}

/// A canary that went in came out whole, as one text.
fn whole(template: &Template, file: &RenderedFile) -> Result<(), TemplateError> {
    let fault = |message: String| TemplateError::new(&format!("{} -> {}", template.id(), file.path), 1, message);
    let documents =
        documents(&file.path, &file.content).map_err(|(line, message)| fault(format!("line {line}: {message}")))?;
    if documents.is_empty() {
        return Ok(());
    }
    let mut found = 0;
    documents.iter().for_each(|document| count(document, &mut found));
    let written = file.content.matches(FEATHER).count();
    if found < written {
        return Err(fault(format!("a free text came out in pieces ({written} written, {found} whole)")));
    }
    Ok(())
}

fn count(value: &serde_yaml_ng::Value, found: &mut usize) {
    use serde_yaml_ng::Value as Yaml;
    match value {
        Yaml::String(text) => *found += text.matches(CANARY).count(),
        Yaml::Sequence(items) => items.iter().for_each(|item| count(item, found)),
        Yaml::Mapping(map) => map.iter().for_each(|(key, value)| {
            count(key, found);
            count(value, found);
        }),
        Yaml::Tagged(tagged) => count(&tagged.value, found),
        _ => {}
    }
}
