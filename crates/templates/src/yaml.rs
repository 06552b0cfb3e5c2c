//! Reading a template's description with the place of whatever is wrong in it.

use crate::TemplateError;
use passerelle_lined_yaml::{Document, Limits, escape, parse};
use serde_json::{Map, Value};

/// The description, and the file it is from.
#[derive(Debug)]
pub struct Lined<'a> {
    file: &'a str,
    document: Document,
}

impl<'a> Lined<'a> {
    pub fn read(file: &'a str, text: &str) -> Result<Self, TemplateError> {
        match parse(text, 1, &Limits::default()) {
            Ok(Some(document)) => Ok(Self { file, document }),
            Ok(None) => Err(TemplateError::new(file, 1, "is empty")),
            Err(error) => Err(TemplateError::new(file, error.line, format!("{}: {}", error.pointer, error.message))),
        }
    }

    pub const fn root(&self) -> At<'_> {
        At { lined: self, pointer: String::new(), value: &self.document.value }
    }
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct At<'l> {
    lined: &'l Lined<'l>,
    pointer: String,
    pub value: &'l Value,
}

impl<'l> At<'l> {
    pub fn line(&self) -> u32 {
        self.lined.document.line_of(&self.pointer)
    }

    pub fn error(&self, message: impl AsRef<str>) -> TemplateError {
        let place = if self.pointer.is_empty() { "the document" } else { self.pointer.trim_start_matches('/') };
        TemplateError::new(self.lined.file, self.line(), format!("{place} {}", message.as_ref()))
    }

    pub fn find(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key)?;
        Some(Self { lined: self.lined, pointer: format!("{}/{}", self.pointer, escape(key)), value })
    }

    pub fn get(&self, key: &str) -> Result<Self, TemplateError> {
        self.find(key).ok_or_else(|| self.error(format!("has no `{key}`")))
    }

    /// A mapping's entries; with `allowed`, no others.
    pub fn entries(&self, allowed: Option<&[&str]>) -> Result<Vec<(&'l str, Self)>, TemplateError> {
        let map: &'l Map<String, Value> = self.value.as_object().ok_or_else(|| self.error("must be a mapping"))?;
        let mut entries = Vec::with_capacity(map.len());
        for (key, value) in map {
            let at = Self { lined: self.lined, pointer: format!("{}/{}", self.pointer, escape(key)), value };
            if allowed.is_some_and(|allowed| !allowed.contains(&key.as_str())) {
                return Err(
                    at.error(format!("is not known here; known are {}", allowed.unwrap_or_default().join(", ")))
                );
            }
            entries.push((key.as_str(), at));
        }
        Ok(entries)
    }

    pub fn items(&self) -> Result<Vec<Self>, TemplateError> {
        let items = self.value.as_array().ok_or_else(|| self.error("must be a list"))?;
        let at = |(index, value)| Self { lined: self.lined, pointer: format!("{}/{index}", self.pointer), value };
        Ok(items.iter().enumerate().map(at).collect())
    }

    pub fn text(&self) -> Result<&'l str, TemplateError> {
        self.value.as_str().filter(|text| !text.trim().is_empty()).ok_or_else(|| self.error("must be a text"))
    }

    pub fn count(&self) -> Result<usize, TemplateError> {
        let count = self.value.as_u64().and_then(|count| usize::try_from(count).ok());
        count.ok_or_else(|| self.error("must be a whole number"))
    }
}
