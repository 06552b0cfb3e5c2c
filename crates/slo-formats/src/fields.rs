//! Strict reading of a document: every field is taken by name, and what nobody took is refused with its line.

use crate::model::Problem;
use passerelle_contract::{Text, text};
use passerelle_lined_yaml::{Document, escape};
use serde_json::{Map, Value};

/// Collects what is wrong, and what was assumed.
#[derive(Debug)]
pub struct Report<'d> {
    document: &'d Document,
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

impl<'d> Report<'d> {
    pub const fn new(document: &'d Document) -> Self {
        Self { document, problems: Vec::new(), warnings: Vec::new() }
    }

    pub fn refuse(&mut self, pointer: &str, message: Text) {
        self.problems.push(self.at(pointer, message));
    }

    pub fn warn(&mut self, pointer: &str, message: Text) {
        self.warnings.push(self.at(pointer, message));
    }

    fn at(&self, pointer: &str, message: Text) -> Problem {
        Problem { line: self.document.line_of(pointer), pointer: pointer.to_owned(), message }
    }
}

/// A mapping with the place it stands at.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'v> {
    map: &'v Map<String, Value>,
    pointer: &'v str,
}

/// How long a text of a file may be.
const MAX_TEXT: usize = 10_000;

impl<'v> Fields<'v> {
    /// A mapping that has no other fields than these.
    pub fn of(value: &'v Value, pointer: &'v str, known: &[&str], report: &mut Report<'_>) -> Option<Self> {
        let Some(map) = value.as_object() else {
            report.refuse(pointer, text!("must be a mapping"));
            return None;
        };
        for key in map.keys().filter(|key| !known.contains(&key.as_str())) {
            let text = text!("is not a field here; known are {known}", known = known.join(", "));
            report.refuse(&format!("{pointer}/{}", escape(key)), text);
        }
        Some(Self { map, pointer })
    }

    pub fn at(&self, key: &str) -> String {
        format!("{}/{}", self.pointer, escape(key))
    }

    pub fn get(&self, key: &str) -> Option<&'v Value> {
        self.map.get(key).filter(|value| !value.is_null())
    }

    pub fn text(&self, key: &str, report: &mut Report<'_>) -> Option<&'v str> {
        match self.get(key)? {
            Value::String(text) if !text.is_empty() && text.len() <= MAX_TEXT => Some(text),
            Value::String(text) if text.is_empty() => {
                report.refuse(&self.at(key), text!("is empty"));
                None
            }
            _ => {
                report.refuse(&self.at(key), text!("must be text of at most {max} characters", max = MAX_TEXT));
                None
            }
        }
    }

    pub fn required_text(&self, key: &str, report: &mut Report<'_>) -> Option<&'v str> {
        if self.get(key).is_none() {
            report.refuse(&self.at(key), text!("is missing"));
            return None;
        }
        self.text(key, report)
    }

    /// A number, as the digits that stand for it.
    pub fn number(&self, key: &str, report: &mut Report<'_>) -> Option<String> {
        match self.get(key)? {
            Value::Number(number) => Some(number.to_string()),
            _ => {
                report.refuse(&self.at(key), text!("must be a number"));
                None
            }
        }
    }

    pub fn boolean(&self, key: &str, report: &mut Report<'_>) -> Option<bool> {
        let value = self.get(key)?;
        if value.as_bool().is_none() {
            report.refuse(&self.at(key), text!("must be true or false"));
        }
        value.as_bool()
    }

    pub fn list(&self, key: &str, report: &mut Report<'_>) -> Option<&'v [Value]> {
        let value = self.get(key)?;
        if !value.is_array() {
            report.refuse(&self.at(key), text!("must be a list"));
        }
        value.as_array().map(Vec::as_slice)
    }
}
