//! A template that takes a free text in every place where one may stand.

use passerelle_templates::{Library, RenderedFile, Template};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

pub const DESCRIPTION: &str = r#"
apiVersion: passerelle.dev/v1
kind: Template
metadata:
  name: sample
  version: 1.2.0
  title: {en: A sample, fr: Un exemple}
  description: {en: For tests, fr: Pour les tests}
  platform: kubernetes
spec:
  steps:
    - title: {en: What, fr: Quoi}
      parameters: [name, description, notes, owner]
    - title: {en: How, fr: Comment}
      parameters: [language, port, ratio, host, link, terraform, topics, database]
  parameters:
    type: object
    required: [name, description, language]
    properties:
      name:
        type: string
        pattern: "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$"
        examples: [gateway]
        x-title: {en: Name, fr: Nom}
        x-widget: service-name
      description: {type: string, maxLength: 200, examples: [Takes orders], x-title: {en: Description, fr: Description}}
      notes: {type: string, x-widget: text-area, x-title: {en: Notes, fr: Notes}}
      owner: {type: string, default: team-a, pattern: "^[a-z0-9-]+$", x-widget: owner, x-title: {en: Owner, fr: Propriétaire}}
      language: {type: string, enum: [python, rust], default: python, x-title: {en: Language, fr: Langage}}
      port: {type: integer, minimum: 1024, maximum: 65535, default: 8080, x-title: {en: Port, fr: Port}}
      ratio: {type: number, minimum: 0, maximum: 100, default: 99.9, x-title: {en: Ratio, fr: Ratio}}
      host: {type: string, format: hostname, default: shop.example.com, x-title: {en: Host, fr: Hôte}}
      link: {type: string, format: uri, x-title: {en: Link, fr: Lien}}
      terraform: {type: boolean, default: true, x-title: {en: Terraform, fr: Terraform}}
      topics:
        type: array
        items: {type: string, enum: [orders, users]}
        x-title: {en: Topics, fr: Sujets}
      database: {type: string, examples: [main], pattern: "^[a-z]+$", x-when: terraform, x-title: {en: Database, fr: Base}}
  computed:
    module: "name | replace('-', '_')"
  parts:
    - {from: python, when: "language == 'python'"}
  files:
    - {path: "terraform/**", when: terraform}
"#;

pub const FILES: [(&str, &str); 11] = [
    (
        "sample/files/catalog-info.yaml",
        "metadata:\n  name: <{ name }>\n  description: <{ description }>\n  note: \"about <{ description }>\"\n  topics: <{ topics }>\n  link: <{ link }>\nspec:\n  \
         owner: group:default/<{ owner }>\n  port: <{ port }>\n",
    ),
    (
        "sample/files/package.json",
        "{\"name\": <{ name }>, \"about\": <{ description }>, \"x\": \"say <{ description }>\", \"r\": <{ ratio }>}\n",
    ),
    ("sample/files/settings.toml", "name = <{ name }>\nabout = <{ description }>\n[a]\nb = \"c <{ description }>\"\n"),
    (
        "sample/files/terraform/main.tf",
        "name = \"<{ name }>\"\nabout = <{ description | hcl }>\nbase = \"<{ description }>\"\nref = a.<{ module }>.b\n",
    ),
    ("sample/files/README.md", "# <{ name }>\n\n<{ description }>\n\n```sh\nrun <{ name }>\n```\n"),
    ("sample/files/site/index.html", "<p title=\"<{ description }>\"><{ description }></p>\n"),
    (
        "sample/files/Dockerfile",
        "EXPOSE <{ port }>\nLABEL name=<{ name }> by=<{ template_id }>@<{ template_version }>\n",
    ),
    (
        "sample/files/.github/workflows/ci.yml",
        "name: <{ name }>\njobs:\n  a:\n    env:\n      X: ${{ github.sha }}\n    steps:\n      - run: |\n          make <{ name }>\n<% if terraform %>\n      - run: terraform plan\n<% endif %>\n",
    ),
    ("sample/files/run.sh", "#!/bin/sh\nexec ./<{ name }>\n"),
    ("_shared/python/src/<{ module }>/app.py", "NAME = <{ description | literal }>\nPORT = <{ port }>\n"),
    ("_shared/python/README.md", "of the part\n"),
];

pub fn files() -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = FILES.map(|(path, text)| (path.to_owned(), text.to_owned())).into();
    files.insert("sample/template.yaml".to_owned(), DESCRIPTION.to_owned());
    files
}

pub fn template() -> Arc<Template> {
    let library = Library::read(&files());
    assert_eq!(library.faults, []);
    library.get("sample").unwrap().clone()
}

/// With one file changed or added: the fault of the template.
pub fn fault_with(path: &str, text: &str) -> String {
    let mut files = files();
    files.insert(path.to_owned(), text.to_owned());
    let library = Library::read(&files);
    library.faults.first().map(ToString::to_string).unwrap_or_default()
}

/// With one replacement in the description: the fault of the template.
pub fn fault_of(from: &str, to: &str) -> String {
    assert!(DESCRIPTION.contains(from), "{from}");
    fault_with("sample/template.yaml", &DESCRIPTION.replacen(from, to, 1))
}

pub fn answers(changes: Value) -> Map<String, Value> {
    let mut answers = json!({"name": "order-api", "description": "Takes orders", "language": "python"});
    let changes = changes.as_object().unwrap().clone();
    answers.as_object_mut().unwrap().extend(changes);
    answers.as_object().unwrap().clone()
}

pub fn content<'f>(files: &'f [RenderedFile], path: &str) -> &'f str {
    &files.iter().find(|file| file.path == path).unwrap_or_else(|| panic!("no {path}")).content
}
