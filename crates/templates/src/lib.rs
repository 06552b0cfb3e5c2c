//! Golden paths: a folder of templates becomes the files of a new service.
//!
//! Invariants:
//! - What somebody answers is data. Each place of a template that takes a value is known when the template is loaded (`place`), and
//!   a value that could be anything but data there is refused with the parameter's name.
//! - A template cannot loop for ever, grow without bound, read a file or reach the process: the engine knows conditions and loops over
//!   what was given, counts its steps, and writes into a buffer with an end.
//! - What comes out is a set of relative paths that is safe to lay into a folder of any system.
//!
//! Pure: reads a folder when it is asked to, and touches nothing else.

mod archive;
mod check;
mod engine;
mod kind;
mod library;
mod manifest;
mod parameters;
mod path;
mod place;
mod prove;
mod render;
mod source;
mod update;
mod write;
mod yaml;

pub use archive::{digest, zip};
pub use library::Library;
pub use manifest::{Step, Wording};
pub use parameters::{Answers, Kind, Parameter, Widget};
pub use render::{RenderError, RenderedFile};
pub use update::{Change, Ours, Outcome, touched, update};

use passerelle_contract::FieldError;
use serde_json::{Map, Value};
use std::sync::Arc;

/// A golden path, checked and ready.
#[derive(Debug)]
pub struct Template {
    pub(crate) manifest: manifest::Manifest,
    pub(crate) files: Vec<source::File>,
    pub(crate) slots: Arc<Vec<source::Slot>>,
}

/// What is wrong with a template; said to whoever writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {}{message}", parameter.as_ref().map(|name| format!("parameter `{name}`: ")).unwrap_or_default())]
pub struct TemplateError {
    /// Relative to the folder of templates.
    pub file: String,
    pub line: u32,
    pub parameter: Option<String>,
    pub message: String,
}

impl TemplateError {
    pub(crate) fn new(file: &str, line: u32, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, parameter: None, message: message.into() }
    }

    pub(crate) fn of(mut self, parameter: Option<&str>) -> Self {
        self.parameter = parameter.map(str::to_owned);
        self
    }
}

impl Template {
    /// The name of its folder.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.manifest.name
    }

    /// Semantic version; another output is another version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.manifest.version
    }

    #[must_use]
    pub fn title(&self) -> &Wording {
        &self.manifest.title
    }

    #[must_use]
    pub fn description(&self) -> &Wording {
        &self.manifest.description
    }

    /// What it does better than the usual way: a Markdown list.
    #[must_use]
    pub fn notes(&self) -> &Wording {
        &self.manifest.notes
    }

    /// The kind of target that its services run on, as connections name it.
    #[must_use]
    pub fn platform(&self) -> &str {
        &self.manifest.platform
    }

    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.manifest.steps
    }

    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.manifest.parameters
    }

    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.manifest.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// The form as a JSON Schema (2020-12).
    #[must_use]
    pub const fn schema(&self) -> &Value {
        &self.manifest.schema
    }

    /// Answers that render: defaults, and the first example of what has none.
    #[must_use]
    pub fn example(&self) -> Map<String, Value> {
        let sample = |parameter: &Parameter| Some((parameter.name.clone(), parameter.sample()?.clone()));
        self.manifest.parameters.iter().filter_map(sample).collect()
    }

    /// Which parameters and steps are asked for, given the answers so far: a condition that fails on them counts as met, so that
    /// nothing is hidden by a mistake elsewhere.
    #[must_use]
    pub fn is_asked(&self, when: Option<&str>, answers: &Map<String, Value>) -> bool {
        when.is_none_or(|when| engine::holds(when, &self.manifest.with_defaults(answers)).unwrap_or(true))
    }

    /// Checks answers and completes them with defaults.
    ///
    /// # Errors
    /// Every wrong answer by its pointer, such as `/name`.
    pub fn answers(&self, given: &Map<String, Value>) -> Result<Answers, Vec<FieldError>> {
        check::answers(&self.manifest, given)
    }

    /// Whether a value would be taken for a parameter.
    #[must_use]
    pub fn accepts(&self, name: &str, value: &Value) -> bool {
        self.parameter(name).is_some_and(|parameter| check::value(parameter, value).is_ok())
    }

    /// The files of a service, in the order of their paths.
    ///
    /// # Errors
    /// An answer that cannot stand where the template puts it, or a fault of the template.
    pub fn render(&self, answers: &Answers) -> Result<Vec<RenderedFile>, RenderError> {
        render::render(self, answers)
    }

    /// Renders over the options of the form, with a text in every free parameter that would break out of a careless template, and looks
    /// for it in what comes out.
    ///
    /// # Errors
    /// The first fault.
    pub fn prove(&self) -> Result<usize, TemplateError> {
        prove::prove(self)
    }
}
