//! Golden paths: answers of people, and templates of an operator.

use crate::{choice, lossy};
use passerelle_templates::{Library, RenderedFile, Template};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

const DESCRIPTION: &str = r#"
apiVersion: passerelle.dev/v1
kind: Template
metadata:
  name: sample
  version: 1.0.0
  title: {en: A sample, fr: Un exemple}
  description: {en: For tests, fr: Pour les tests}
  platform: kubernetes
spec:
  steps:
    - title: {en: What, fr: Quoi}
      parameters: [name, description, port]
  parameters:
    type: object
    required: [name, description]
    properties:
      name: {type: string, pattern: "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$", examples: [gateway], x-title: {en: Name, fr: Nom}}
      description: {type: string, maxLength: 200, examples: [Takes orders], x-title: {en: About, fr: Sujet}}
      port: {type: integer, minimum: 1024, maximum: 65535, default: 8080, x-title: {en: Port, fr: Port}}
"#;

const FILES: [(&str, &str); 5] = [
    (
        "catalog-info.yaml",
        "metadata:\n  name: <{ name }>\n  about: <{ description }>\n  note: \"of <{ description }>\"\n  port: <{ port }>\n",
    ),
    ("package.json", "{\"about\": <{ description }>, \"note\": \"of <{ description }>\"}\n"),
    ("main.tf", "about = <{ description | hcl }>\n"),
    ("README.md", "# <{ name }>\n\n<{ description }>\n"),
    ("index.html", "<p title=\"<{ description }>\"><{ description }></p>\n"),
];

fn library(changed: Option<(&str, &str)>) -> Library {
    let mut files: BTreeMap<String, String> =
        FILES.map(|(path, text)| (format!("sample/files/{path}"), text.to_owned())).into();
    files.insert("sample/template.yaml".to_owned(), DESCRIPTION.to_owned());
    files.extend(changed.map(|(path, text)| (path.to_owned(), text.to_owned())));
    Library::read(&files)
}

fn sample() -> &'static Arc<Template> {
    static SAMPLE: OnceLock<Arc<Template>> = OnceLock::new();
    SAMPLE.get_or_init(|| {
        let library = library(None);
        library.get("sample").unwrap_or_else(|| panic!("{:?}", library.faults)).clone()
    })
}

/// Answers as an object of JSON, or the description alone.
pub fn answers(bytes: &[u8]) {
    let given = match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(given)) => given,
        _ => object(json!({ "name": "gateway", "description": lossy(bytes) })),
    };
    let template = sample();
    let Ok(checked) = template.answers(&given) else { return };
    let Ok(files) = template.render(&checked) else { return };
    let Some(about) = given.get("description").and_then(Value::as_str) else { return };
    // White space around an answer is taken off before it is looked at, and a line has one kind of end.
    let about = about.trim().replace("\r\n", "\n");
    // What somebody said comes back out of the documents as the one value that it was.
    let yaml: Value = serde_yaml_ng::from_str(content(&files, "catalog-info.yaml")).unwrap_or_default();
    let json: Value = serde_json::from_str(content(&files, "package.json")).unwrap_or_default();
    for document in [&yaml["metadata"], &json] {
        assert_eq!(document["about"], about.as_str(), "{files:?}");
        assert_eq!(document["note"], format!("of {about}").as_str(), "{files:?}");
    }
    assert_eq!(yaml["metadata"].as_object().map(Map::len), Some(4), "{files:?}");
    assert_eq!(json.as_object().map(Map::len), Some(2), "{files:?}");
    assert!(!content(&files, "index.html").contains("<script"), "{files:?}");
}

/// A file of a template; one that is taken renders or says why not.
pub fn run(bytes: &[u8]) {
    const PLACES: [&str; 8] = [
        "sample/template.yaml",
        "sample/files/a.yaml",
        "sample/files/a.json",
        "sample/files/a.tf",
        "sample/files/a.md",
        "sample/files/.github/workflows/a.yml",
        "sample/files/a.sh",
        "sample/files/a.toml",
    ];
    let (place, text) = choice(bytes);
    let library = library(Some((PLACES[place % PLACES.len()], &lossy(text))));
    let Some(template) = library.get("sample") else {
        assert!(!library.faults.is_empty(), "neither taken nor refused");
        return;
    };
    if let Ok(checked) = template.answers(&template.example()) {
        drop(template.render(&checked));
    }
}

fn content<'f>(files: &'f [RenderedFile], path: &str) -> &'f str {
    files.iter().find(|file| file.path == path).map_or("", |file| &file.content)
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(map) = value { map } else { Map::new() }
}
