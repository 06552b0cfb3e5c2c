//! What golden paths make is given to the linters of its formats.
//!
//! The linters are a script that takes a folder (`PASSERELLE_TEST_VALIDATE`); with `PASSERELLE_TEST_FULL` every path in every language with its options,
//! else one set of each path with what is installed.

use passerelle_templates::{Kind, Library, RenderedFile, Template};
use serde_json::{Map, Value};
use std::path::Path;
use std::process::Command;

/// Answers with a name for the set.
type Set = (String, Map<String, Value>);

/// Each language with every switch on and with every switch off, then each other choice of a path once.
fn sets(template: &Template, full: bool) -> Vec<Set> {
    let example = template.example();
    let choices = |name: &str| match template.parameter(name).map(|one| &one.kind) {
        Some(Kind::Text { choices, .. }) => choices.clone(),
        _ => Vec::new(),
    };
    let switched = |mut answers: Map<String, Value>, on: bool| {
        for parameter in template.parameters().iter().filter(|one| matches!(one.kind, Kind::Flag)) {
            answers.insert(parameter.name.clone(), Value::Bool(on));
        }
        answers
    };
    let with = |name: &str, choice: &str| {
        let mut answers = example.clone();
        answers.insert(name.to_owned(), Value::from(choice));
        answers
    };
    let mut all = Vec::new();
    let languages = choices("language");
    if languages.is_empty() {
        all.extend([true, false].map(|on| (format!("on-{on}"), switched(example.clone(), on))));
    }
    for language in &languages {
        all.extend([true, false].map(|on| (format!("{language}-on-{on}"), switched(with("language", language), on))));
    }
    for parameter in template.parameters().iter().filter(|one| one.name != "language" && one.widget.is_none()) {
        for choice in choices(&parameter.name)
            .iter()
            .filter(|choice| example.get(&parameter.name) != Some(&Value::from(choice.as_str())))
        {
            let mut answers = with(&parameter.name, choice);
            // Only an image of one's own is asked for the program that its health is asked by.
            if parameter.name == "health_program" {
                answers.insert("language".to_owned(), Value::from("container"));
            }
            all.push((format!("{}-{choice}", parameter.name), answers));
        }
    }
    all.truncate(if full { usize::MAX } else { 1 });
    all
}

fn rendered(template: &Template, answers: &Map<String, Value>) -> Vec<RenderedFile> {
    // What another answer leaves unasked is not given.
    let mut given = answers.clone();
    given.retain(|name, _| template.parameter(name).is_some_and(|one| template.is_asked(one.when.as_deref(), answers)));
    template.render(&template.answers(&given).unwrap()).unwrap()
}

fn write(folder: &Path, files: &[RenderedFile]) {
    for file in files {
        let path = folder.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.content).unwrap();
    }
}

#[test]
fn every_path_passes_the_linters_of_its_formats() {
    let Some(script) = std::env::var_os("PASSERELLE_TEST_VALIDATE") else {
        println!("left out: PASSERELLE_TEST_VALIDATE names no script that lints a folder");
        return;
    };
    let full = std::env::var_os("PASSERELLE_TEST_FULL").is_some();
    let only = std::env::var("PASSERELLE_TEST_PATH").unwrap_or_default();
    let mut wrong = Vec::new();
    for template in Library::embedded().all().filter(|one| one.id().starts_with(&only)) {
        for (name, answers) in sets(template, full) {
            let folder = tempfile::tempdir().unwrap();
            write(folder.path(), &rendered(template, &answers));
            let quick: &[&str] = if full { &[] } else { &["--no-install", "--skip", "checkov,ansible"] };
            let output = Command::new("bash").arg(&script).args(quick).arg(folder.path()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let count = |word: &str| said.lines().filter(|line| line.starts_with(word)).count();
            println!("{} {name}: {} passed, {} left out", template.id(), count("PASS"), count("SKIP"));
            if !output.status.success() || full && count("SKIP") > 0 {
                let lines: Vec<&str> = said.lines().filter(|line| !line.starts_with("PASS")).collect();
                wrong.push(format!("{} {name}\n{}", template.id(), lines.join("\n")));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
