//! `template.yaml`: what a golden path is called, what it asks, and which files it has under which condition.

use crate::parameters::{self, Parameter};
use crate::yaml::{At, Lined};
use crate::{TemplateError, engine, path};
use passerelle_contract::Locale;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const API_VERSION: &str = "passerelle.dev/v1";
/// Names that every template has beside its own: which one it is.
pub const TEMPLATE_ID: &str = "template_id";
pub const TEMPLATE_VERSION: &str = "template_version";

/// Words in both languages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    pub en: String,
    pub fr: String,
}

impl Wording {
    #[must_use]
    pub fn said(&self, locale: Locale) -> &str {
        match locale {
            Locale::En => &self.en,
            Locale::Fr => &self.fr,
        }
    }

    pub(crate) fn read(at: &At<'_>) -> Result<Self, TemplateError> {
        at.entries(Some(&["en", "fr"]))?;
        Ok(Self { en: at.get("en")?.text()?.trim().to_owned(), fr: at.get("fr")?.text()?.trim().to_owned() })
    }
}

/// One page of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub title: Wording,
    pub when: Option<String>,
    /// Names of parameters.
    pub parameters: Vec<String>,
}

/// A value made of answers.
#[derive(Debug)]
pub struct Computed {
    pub name: String,
    pub expression: String,
}

/// A shared folder that is laid under the root of the output.
#[derive(Debug)]
pub struct Part {
    pub from: String,
    pub when: Option<String>,
}

/// A condition on the files that a pattern matches.
#[derive(Debug)]
pub struct Rule {
    pub path: String,
    pub when: String,
}

#[derive(Debug)]
pub struct Manifest {
    pub name: String,
    pub version: String,
    pub title: Wording,
    pub description: Wording,
    pub notes: Wording,
    pub platform: String,
    pub steps: Vec<Step>,
    pub schema: Value,
    pub parameters: Vec<Parameter>,
    pub computed: Vec<Computed>,
    pub parts: Vec<Part>,
    pub rules: Vec<Rule>,
}

impl Manifest {
    /// # Errors
    /// The first fault, with its line.
    pub fn read(file: &str, folder: &str, text: &str) -> Result<Self, TemplateError> {
        let lined = Lined::read(file, text)?;
        let root = lined.root();
        root.entries(Some(&["apiVersion", "kind", "metadata", "spec"]))?;
        expect(&root.get("apiVersion")?, API_VERSION)?;
        expect(&root.get("kind")?, "Template")?;
        let metadata = root.get("metadata")?;
        metadata.entries(Some(&["name", "version", "title", "description", "platform", "notes"]))?;
        expect(&metadata.get("name")?, folder)?;
        let spec = root.get("spec")?;
        spec.entries(Some(&["steps", "parameters", "computed", "parts", "files"]))?;
        let schema = spec.get("parameters")?;
        let parameters = parameters::read(&schema)?;
        let mut manifest = Self {
            name: folder.to_owned(),
            version: version(&metadata.get("version")?)?,
            title: Wording::read(&metadata.get("title")?)?,
            description: Wording::read(&metadata.get("description")?)?,
            notes: metadata.find("notes").map(|notes| Wording::read(&notes)).transpose()?.unwrap_or_default(),
            platform: metadata.get("platform")?.text()?.to_owned(),
            steps: Vec::new(),
            schema: schema.value.clone(),
            parameters,
            computed: Vec::new(),
            parts: Vec::new(),
            rules: Vec::new(),
        };
        manifest.conditions_of_parameters(&schema)?;
        manifest.steps = manifest.read_steps(&spec.get("steps")?)?;
        if let Some(computed) = spec.find("computed") {
            manifest.read_computed(&computed)?;
        }
        if let Some(parts) = spec.find("parts") {
            manifest.read_parts(&parts)?;
        }
        if let Some(files) = spec.find("files") {
            manifest.read_rules(&files)?;
        }
        Ok(manifest)
    }

    /// Every name that an expression of a file may use.
    pub fn names(&self) -> BTreeSet<&str> {
        let parameters = self.parameters.iter().map(|parameter| parameter.name.as_str());
        let computed = self.computed.iter().map(|computed| computed.name.as_str());
        parameters.chain(computed).chain([TEMPLATE_ID, TEMPLATE_VERSION]).collect()
    }

    /// Parameters that a name stands for: itself, or those that it is computed from.
    pub fn behind(&self, name: &str) -> BTreeSet<String> {
        let Some(computed) = self.computed.iter().find(|computed| computed.name == name) else {
            return self.parameters.iter().filter(|one| one.name == name).map(|one| one.name.clone()).collect();
        };
        let used = engine::names_in(&computed.expression).unwrap_or_default();
        used.iter().flat_map(|name| self.behind(name)).collect()
    }

    /// Answers with the default, or nothing, in the place of each that is not there.
    pub fn with_defaults(&self, answers: &Map<String, Value>) -> Map<String, Value> {
        let value = |parameter: &Parameter| {
            let given = answers.get(&parameter.name).or(parameter.default.as_ref());
            (parameter.name.clone(), given.cloned().unwrap_or(Value::Null))
        };
        let known = [(TEMPLATE_ID, &self.name), (TEMPLATE_VERSION, &self.version)];
        let known = known.map(|(name, value)| (name.to_owned(), Value::from(value.as_str())));
        self.parameters.iter().map(value).chain(known).collect()
    }

    fn conditions_of_parameters(&self, schema: &At<'_>) -> Result<(), TemplateError> {
        let names = self.names();
        for (name, at) in schema.get("properties")?.entries(None)? {
            if let Some(when) = at.find("x-when") {
                condition(&when, &names).map_err(|error| error.of(Some(name)))?;
            }
        }
        Ok(())
    }

    fn read_steps(&self, at: &At<'_>) -> Result<Vec<Step>, TemplateError> {
        let (names, mut seen, mut steps) = (self.names(), BTreeSet::new(), Vec::new());
        for step in at.items()? {
            step.entries(Some(&["title", "when", "parameters"]))?;
            let mut parameters = Vec::new();
            for parameter in step.get("parameters")?.items()? {
                let name = parameter.text()?;
                if !self.parameters.iter().any(|known| known.name == name) {
                    return Err(parameter.error(format!("names `{name}`, which is no parameter")).of(Some(name)));
                }
                if !seen.insert(name.to_owned()) {
                    return Err(parameter.error(format!("asks for `{name}` a second time")).of(Some(name)));
                }
                parameters.push(name.to_owned());
            }
            let when = step.find("when").map(|when| condition(&when, &names)).transpose()?;
            steps.push(Step { title: Wording::read(&step.get("title")?)?, when, parameters });
        }
        let asked = self.parameters.iter().map(|parameter| parameter.name.as_str());
        match asked.into_iter().find(|name| !seen.contains(*name)) {
            Some(name) => Err(at.error(format!("never ask for `{name}`")).of(Some(name))),
            None => Ok(steps),
        }
    }

    fn read_computed(&mut self, at: &At<'_>) -> Result<(), TemplateError> {
        for (name, expression) in at.entries(None)? {
            if self.names().contains(name) || !parameters::is_name(name) {
                return Err(expression.error("must be a new name of a-z, 0-9 and _").of(Some(name)));
            }
            let source = condition(&expression, &self.names()).map_err(|error| error.of(Some(name)))?;
            self.computed.push(Computed { name: name.to_owned(), expression: source });
        }
        Ok(())
    }

    fn read_parts(&mut self, at: &At<'_>) -> Result<(), TemplateError> {
        for part in at.items()? {
            part.entries(Some(&["from", "when"]))?;
            let from = part.get("from")?;
            let name = from.text()?;
            if path::check(name).is_err() || name.contains('/') {
                return Err(from.error("must be the name of a folder in _shared"));
            }
            let when = part.find("when").map(|when| condition(&when, &self.names())).transpose()?;
            self.parts.push(Part { from: name.to_owned(), when });
        }
        Ok(())
    }

    fn read_rules(&mut self, at: &At<'_>) -> Result<(), TemplateError> {
        for rule in at.items()? {
            rule.entries(Some(&["path", "when"]))?;
            let path = rule.get("path")?.text()?.to_owned();
            let when = condition(&rule.get("when")?, &self.names())?;
            self.rules.push(Rule { path, when });
        }
        Ok(())
    }
}

fn expect(at: &At<'_>, wanted: &str) -> Result<(), TemplateError> {
    if at.text()? == wanted { Ok(()) } else { Err(at.error(format!("must be `{wanted}`"))) }
}

fn version(at: &At<'_>) -> Result<String, TemplateError> {
    let text = at.text()?;
    let number = |part: &str| !part.is_empty() && part.len() <= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    if text.split('.').count() == 3 && text.split('.').all(number) {
        Ok(text.to_owned())
    } else {
        Err(at.error("must be a version such as 1.0.0"))
    }
}

/// An expression over names that are known.
fn condition(at: &At<'_>, names: &BTreeSet<&str>) -> Result<String, TemplateError> {
    let source = at.text()?;
    let used = engine::names_in(source).map_err(|message| at.error(message))?;
    match used.iter().find(|name| !names.contains(name.as_str())) {
        Some(unknown) => Err(at.error(format!("uses `{unknown}`, which is not known there"))),
        None => Ok(source.to_owned()),
    }
}
