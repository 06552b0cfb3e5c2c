//! From checked answers to files.

use crate::engine;
use crate::kind::FileKind;
use crate::parameters::Answers;
use crate::source::{File, Slot, WRITER};
use crate::write::{self, Why};
use crate::{Template, TemplateError, path};
use minijinja::value::Value as Engine;
use minijinja::{Environment, Error, ErrorKind};
use parking_lot::Mutex;
use passerelle_contract::{FieldError, Text, text};
use serde::Deserialize as _;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

/// Files of one service.
const MAX_FILES: usize = 400;
/// Bytes of one file.
const MAX_FILE_BYTES: usize = 256 << 10;
/// Bytes of all of them.
const MAX_BYTES: usize = 4 << 20;

/// A file of the new service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedFile {
    /// Relative, with `/`, safe on every system.
    pub path: String,
    pub content: String,
    /// Begins with `#!`.
    pub executable: bool,
}

/// Why there are no files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Answers that cannot stand where the template puts them.
    #[error("{0:?}")]
    Answers(Vec<FieldError>),
    /// A fault of the template.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

/// A value that was refused, and where.
type Refused = Arc<Mutex<Option<(usize, Why)>>>;

pub fn render(template: &Template, answers: &Answers) -> Result<Vec<RenderedFile>, RenderError> {
    let refused: Refused = Arc::default();
    let mut environment = engine::environment();
    environment.add_function(WRITER, writer(template, Arc::clone(&refused)));
    let names = Engine::from_serialize(&answers.all);
    let rendering = Rendering { template, environment: &environment, names, refused: &refused };
    let mut held = BTreeMap::new();
    let mut files: BTreeMap<String, (String, Option<usize>, String)> = BTreeMap::new();
    let mut bytes = 0;
    for file in &template.files {
        if !rendering.is_wanted(file, &mut held)? {
            continue;
        }
        let path = rendering.text(&file.origin, &file.path, &file.path_template)?;
        path::check(&path).map_err(|message| rendering.bad_path(file, &path, message))?;
        match files.get(&path).map(|(_, part, _)| *part) {
            // The template's own file stands for a part's.
            Some(Some(_)) if file.part.is_none() => {}
            Some(None) if file.part.is_some() => continue,
            Some(_) => return Err(TemplateError::new(&file.origin, 1, format!("another file is {path} too")).into()),
            None => {}
        }
        let content = rendering.text(&file.origin, &file.path, &file.content)?;
        bytes += content.len();
        if bytes > MAX_BYTES || files.len() >= MAX_FILES {
            let message = format!("a service has at most {MAX_FILES} files and {MAX_BYTES} bytes");
            return Err(TemplateError::new(&file.origin, 1, message).into());
        }
        parses(&path, &content).map_err(|(line, message)| {
            TemplateError::new(
                &file.origin,
                1,
                format!("comes out as a file that cannot be read, at its line {line}: {message}"),
            )
        })?;
        files.insert(path, (content, file.part, file.origin.clone()));
    }
    refuse_alike(&files)?;
    let file = |(path, (content, _, _)): (String, (String, _, _))| {
        let executable = content.starts_with("#!");
        RenderedFile { path, content, executable }
    };
    Ok(files.into_iter().map(file).collect())
}

/// Two paths that are one on some systems, or a file where another has a folder.
fn refuse_alike(files: &BTreeMap<String, (String, Option<usize>, String)>) -> Result<(), TemplateError> {
    let mut lower: BTreeMap<String, &str> = BTreeMap::new();
    for (path, (_, _, origin)) in files {
        let folded = path.to_ascii_lowercase();
        let folders = folded.match_indices('/').map(|(at, _)| &folded[..at]);
        if let Some(other) = folders.chain([folded.as_str()]).find_map(|path| lower.get(path)) {
            return Err(TemplateError::new(origin, 1, format!("{path} and {other} cannot stand beside each other")));
        }
        lower.insert(folded, path);
    }
    Ok(())
}

/// The function that every value goes through on its way into a file.
fn writer(
    template: &Template,
    refused: Refused,
) -> impl Fn(&Engine, usize) -> Result<Engine, Error> + Send + Sync + 'static {
    let slots: Arc<Vec<Slot>> = Arc::clone(&template.slots);
    move |value: &Engine, slot: usize| {
        let written = slots.get(slot).ok_or(Why::Shape).and_then(|slot| write::write(slot.target, value));
        written.map(Engine::from_safe_string).map_err(|why| {
            *refused.lock() = Some((slot, why));
            Error::new(ErrorKind::InvalidOperation, "a value cannot stand there")
        })
    }
}

struct Rendering<'r> {
    template: &'r Template,
    environment: &'r Environment<'r>,
    names: Engine,
    refused: &'r Refused,
}

impl Rendering<'_> {
    /// `held` keeps what was found: many files stand under one condition.
    fn is_wanted<'f>(&'f self, file: &'f File, held: &mut BTreeMap<&'f str, bool>) -> Result<bool, TemplateError> {
        let part = file.part.and_then(|part| self.template.manifest.parts.get(part)?.when.as_deref());
        for when in part.into_iter().chain(file.conditions.iter().map(String::as_str)) {
            let holds = match held.get(when) {
                Some(holds) => *holds,
                None => engine::holds_for(when, &self.names)
                    .map_err(|error| TemplateError::new(&file.origin, 1, format!("the condition `{when}`: {error}")))?,
            };
            held.insert(when, holds);
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn text(&self, origin: &str, name: &str, source: &str) -> Result<String, RenderError> {
        let mut capped = Capped::default();
        let at = |line: Option<usize>| line.and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
        let template = self.environment.template_from_named_str(name, source);
        let template = template.map_err(|error| TemplateError::new(origin, at(error.line()), engine::words(&error)))?;
        match template.render_captured_to(&self.names, &mut capped) {
            Ok(_) => Ok(capped.text()),
            Err(_) if capped.full => {
                Err(TemplateError::new(origin, 1, format!("a file has at most {MAX_FILE_BYTES} bytes")).into())
            }
            Err(error) => Err(match self.refused.lock().take() {
                Some((slot, why)) => self.refusal(slot, why),
                None => TemplateError::new(origin, at(error.line()), engine::words(&error)).into(),
            }),
        }
    }

    fn refusal(&self, slot: usize, why: Why) -> RenderError {
        let Some(slot) = self.template.slots.get(slot) else {
            return TemplateError::new("", 1, "a value without a place").into();
        };
        let parameter = slot.parameters.iter().next();
        let (file, line) = (slot.origin.as_str(), slot.line);
        let template =
            |message: String| TemplateError::new(file, line, message).of(parameter.map(String::as_str)).into();
        let said = match why {
            Why::Nothing => return template(format!("`{}` has no value here", slot.expression)),
            Why::Shape => return template(format!("`{}` is no value that can stand here", slot.expression)),
            Why::Words => text!(
                "goes into {file}, line {line}, where only letters, digits and . _ / @ : + - may stand",
                file,
                line
            ),
            Why::Expands => text!("goes into {file}, line {line}, where $ and ` would be run", file, line),
        };
        match slot.parameters.len() {
            0 => template(said.to_string()),
            _ => RenderError::Answers(slot.parameters.iter().map(|name| field(name, &said)).collect()),
        }
    }

    fn bad_path(&self, file: &File, path: &str, message: &str) -> RenderError {
        let slots = self.template.slots.get(file.slots.clone()).unwrap_or_default();
        let behind = slots
            .iter()
            .find(|slot| slot.target.place == crate::place::Place::Path)
            .and_then(|slot| slot.parameters.iter().next());
        match behind {
            Some(name) => {
                let said =
                    text!("makes the path {path}, which cannot be: {message}", path = format!("{path:?}"), message);
                RenderError::Answers(vec![field(name, &said)])
            }
            None => TemplateError::new(&file.origin, 1, message).into(),
        }
    }
}

fn field(name: &str, message: &Text) -> FieldError {
    FieldError::new(format!("/{name}"), message.clone())
}

/// A buffer with an end.
#[derive(Default)]
struct Capped {
    bytes: Vec<u8>,
    full: bool,
}

impl Capped {
    fn text(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_default()
    }
}

impl Write for Capped {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + buffer.len() > MAX_FILE_BYTES {
            self.full = true;
            return Err(io::Error::other("full"));
        }
        self.bytes.extend_from_slice(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// That what should be a document is one.
fn parses(path: &str, content: &str) -> Result<(), (usize, String)> {
    documents(path, content).map(drop)
}

/// The documents of a YAML, JSON or TOML file; none of another.
pub fn documents(path: &str, content: &str) -> Result<Vec<serde_yaml_ng::Value>, (usize, String)> {
    match FileKind::of(path) {
        FileKind::Yaml => serde_yaml_ng::Deserializer::from_str(content)
            .map(|document| {
                serde_yaml_ng::Value::deserialize(document)
                    .map_err(|error| (error.location().map_or(1, |place| place.line()), error.to_string()))
            })
            .collect(),
        FileKind::Json => serde_json::from_str(content)
            .map(|document| vec![document])
            .map_err(|error| (error.line(), error.to_string())),
        FileKind::Toml => {
            let line = |error: &toml::de::Error| {
                error.span().map_or(1, |span| content.get(..span.start).unwrap_or_default().matches('\n').count() + 1)
            };
            let table: toml::Table =
                toml::from_str(content).map_err(|error| (line(&error), error.message().to_owned()))?;
            serde_yaml_ng::to_value(table).map(|document| vec![document]).map_err(|error| (1, error.to_string()))
        }
        _ => Ok(Vec::new()),
    }
}
