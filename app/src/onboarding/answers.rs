//! Between the answers of a draft and the inputs of one page of the form, both ways.

use crate::web::Fields;
use passerelle_contract::FieldError;
use passerelle_server::onboarding::{Kind, Parameter, Template, Widget};
use serde_json::{Map, Value};

/// The input of a parameter.
pub fn name_of(parameter: &Parameter) -> String {
    format!("p.{}", parameter.name)
}

/// The check box of one choice of a parameter that takes several.
pub fn choice_of(parameter: &Parameter, choice: &str) -> String {
    format!("p.{}.{choice}", parameter.name)
}

/// Where the server tells what is wrong with a parameter.
pub fn pointer_of(parameter: &Parameter) -> String {
    format!("/answers/{}", parameter.name)
}

/// Parts the pointers of questions that nobody has answered yet from what is wrong with answers: whoever only looks is not told off for the
/// former.
pub fn part_open(
    template: &Template,
    answers: &Map<String, Value>,
    errors: Vec<FieldError>,
) -> (Vec<String>, Vec<FieldError>) {
    let is_open = |error: &FieldError| {
        let asked = error.pointer.strip_prefix("/answers/").and_then(|name| template.parameter(name));
        asked.is_some_and(|asked| asked.required && answers.get(&asked.name).is_none_or(is_nothing))
    };
    let (open, wrong): (Vec<FieldError>, Vec<FieldError>) = errors.into_iter().partition(is_open);
    (open.into_iter().map(|error| error.pointer).collect(), wrong)
}

fn is_nothing(answer: &Value) -> bool {
    match answer {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(chosen) => chosen.is_empty(),
        _ => false,
    }
}

/// The parameters of a page that are asked, given the answers so far.
pub fn asked<'t>(template: &'t Template, names: &[String], answers: &Map<String, Value>) -> Vec<&'t Parameter> {
    let parameters = names.iter().filter_map(|name| template.parameter(name));
    parameters.filter(|parameter| template.is_asked(parameter.when.as_deref(), answers)).collect()
}

/// Takes what a page was posted with into the answers. What cannot be read as its type stays as it was typed, so that it comes back with the
/// error beside it.
pub fn take(parameters: &[&Parameter], form: &Fields, answers: &mut Map<String, Value>) {
    for parameter in parameters {
        match read(parameter, form) {
            Some(value) => drop(answers.insert(parameter.name.clone(), value)),
            // An empty input of something with a default means: nothing, not the default.
            None if parameter.default.is_some() => drop(answers.insert(parameter.name.clone(), Value::Null)),
            None => drop(answers.remove(&parameter.name)),
        }
    }
}

fn read(parameter: &Parameter, form: &Fields) -> Option<Value> {
    let name = name_of(parameter);
    let given = form.get(&name);
    match &parameter.kind {
        Kind::Flag => Some(Value::Bool(form.on(&name))),
        Kind::Choices { choices, .. } => {
            Some(choices.iter().filter(|choice| form.on(&choice_of(parameter, choice))).map(String::as_str).collect())
        }
        _ if given.is_empty() => None,
        Kind::Text { .. } if parameter.widget == Some(Widget::TextArea) => Some(form.raw(&name).trim_end().into()),
        Kind::Text { .. } => Some(given.into()),
        Kind::Integer { .. } => Some(given.parse::<i64>().map_or_else(|_| given.into(), Value::from)),
        Kind::Number { .. } => {
            // People write the comma that their language has.
            let number = given.replace(',', ".").parse::<f64>().ok().filter(|number| number.is_finite());
            Some(number.map_or_else(|| given.into(), Value::from))
        }
    }
}

/// The value of a parameter's input.
pub fn typed(parameter: &Parameter, answers: &Map<String, Value>) -> String {
    match answers.get(&parameter.name).or(parameter.default.as_ref()) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Whether a check box is on.
pub fn is_on(parameter: &Parameter, choice: Option<&str>, answers: &Map<String, Value>) -> bool {
    match answers.get(&parameter.name).or(parameter.default.as_ref()) {
        Some(Value::Bool(on)) => *on,
        Some(Value::Array(items)) => items.iter().any(|item| item.as_str() == choice),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use passerelle_server::onboarding::Library;
    use serde_json::json;
    use std::collections::BTreeMap;

    fn template() -> std::sync::Arc<Template> {
        let description = "
apiVersion: passerelle.dev/v1
kind: Template
metadata: {name: one, version: 1.0.0, title: {en: a, fr: a}, description: {en: a, fr: a}, platform: kubernetes}
spec:
  steps: [{title: {en: a, fr: a}, parameters: [name, port, ratio, on, topics, more]}]
  parameters:
    type: object
    required: [name]
    properties:
      name: {type: string, examples: [web], x-title: {en: a, fr: a}}
      port: {type: integer, default: 8080, x-title: {en: a, fr: a}}
      ratio: {type: number, x-title: {en: a, fr: a}}
      on: {type: boolean, default: true, x-title: {en: a, fr: a}}
      topics: {type: array, items: {type: string, enum: [a, b]}, x-title: {en: a, fr: a}}
      more: {type: string, x-when: 'on', x-title: {en: a, fr: a}}
";
        let files = [("one/template.yaml", description), ("one/files/a.txt", "a")];
        let files: BTreeMap<String, String> = files.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
        let library = Library::read(&files);
        library.get("one").unwrap_or_else(|| panic!("{:?}", library.faults)).clone()
    }

    #[test]
    fn what_is_typed_becomes_an_answer_and_comes_back() {
        let template = template();
        let all: Vec<&Parameter> = template.parameters().iter().collect();
        let form: Fields =
            [("p.name", " web "), ("p.port", "eighty"), ("p.ratio", "99,9"), ("p.on", "true"), ("p.topics.b", "true")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect();
        let mut answers = Map::new();
        take(&all, &form, &mut answers);
        assert_eq!(
            Value::Object(answers.clone()),
            json!({"name": "web", "port": "eighty", "ratio": 99.9, "on": true, "topics": ["b"]})
        );
        let of = |name: &str| template.parameter(name).unwrap();
        assert_eq!(
            (typed(of("port"), &answers), typed(of("ratio"), &answers)),
            ("eighty".to_owned(), "99.9".to_owned())
        );
        assert!(is_on(of("topics"), Some("b"), &answers) && !is_on(of("topics"), Some("a"), &answers));
        assert_eq!(typed(of("port"), &Map::new()), "8080");
    }

    #[test]
    fn a_question_that_nobody_answered_is_open_and_not_wrong() {
        let template = template();
        let parted = |name: Value| {
            let error = |pointer: &str| FieldError::said(pointer, "x");
            let answers = Map::from_iter([("name".to_owned(), name)]);
            let (open, wrong) =
                part_open(&template, &answers, ["/answers/name", "/answers/port", "/template"].map(error).into());
            (open, wrong.into_iter().map(|one| one.pointer).collect::<Vec<_>>())
        };
        let strings = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        for nothing in [Value::Null, json!(""), json!(" "), json!([])] {
            // What need not be answered is wrong for another reason.
            let wanted = (strings(&["/answers/name"]), strings(&["/answers/port", "/template"]));
            assert_eq!(parted(nothing), wanted);
        }
        assert_eq!(parted(json!("x")), (Vec::new(), strings(&["/answers/name", "/answers/port", "/template"])));
    }

    #[test]
    fn an_unchecked_box_is_an_answer_and_hides_what_depends_on_it() {
        let template = template();
        let names: Vec<String> = template.parameters().iter().map(|one| one.name.clone()).collect();
        let shown = asked(&template, &names, &Map::new());
        assert!(shown.iter().any(|parameter| parameter.name == "more"));
        let mut answers = Map::new();
        take(&shown, &Fields::default(), &mut answers);
        assert_eq!((answers["on"].clone(), answers["port"].clone()), (json!(false), Value::Null));
        assert!(!asked(&template, &names, &answers).iter().any(|parameter| parameter.name == "more"));
    }
}
