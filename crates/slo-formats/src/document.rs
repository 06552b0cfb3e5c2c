//! A text of one or several documents, each in the format it says it is.

use crate::five_line::{self, Conventions};
use crate::model::{Definition, Problem};
use crate::openslo;
use passerelle_contract::text;
use passerelle_lined_yaml::{Document, Limits, parse};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    OpenSlo,
    FiveLine,
}

impl Format {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OpenSlo => "openslo",
            Self::FiveLine => "five_line",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::OpenSlo, Self::FiveLine].into_iter().find(|format| format.as_str() == text)
    }
}

/// One document of a text, with the text's own bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceDocument {
    pub format: Format,
    pub definitions: Vec<Definition>,
}

/// All that a text says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOutcome {
    pub documents: Vec<SourceDocument>,
    /// Anything here, and nothing of the text should be used.
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
}

impl ReadOutcome {
    /// All definitions with the format they came in.
    pub fn definitions(&self) -> impl Iterator<Item = (Format, &Definition)> {
        self.documents.iter().flat_map(|document| document.definitions.iter().map(|d| (document.format, d)))
    }
}

const MAX_DOCUMENTS: usize = 1000;

/// Reads a whole text. References between OpenSLO documents are looked up inside the same text.
#[must_use]
pub fn read_documents(text: &str, conventions: &Conventions) -> ReadOutcome {
    let mut outcome = ReadOutcome::default();
    let chunks = split(text);
    if chunks.len() > MAX_DOCUMENTS {
        let message =
            text!("has {count} documents; at most {max} are read at once", count = chunks.len(), max = MAX_DOCUMENTS);
        outcome.problems.push(Problem { line: 1, pointer: String::new(), message });
        return outcome;
    }
    let mut openslo_documents = Vec::new();
    for (line, chunk) in chunks {
        match parse(chunk, line, &Limits::default()) {
            Ok(None) => {}
            Ok(Some(document)) if is_openslo(&document) => openslo_documents.push(document),
            Ok(Some(document)) if document.value.get("service_level_objectives").is_some() => {
                let read = five_line::read(&document, conventions);
                outcome.problems.extend(read.problems);
                outcome.warnings.extend(read.warnings);
                outcome.documents.push(SourceDocument { format: Format::FiveLine, definitions: read.definitions });
            }
            Ok(Some(_)) => outcome.problems.push(Problem {
                line,
                pointer: String::new(),
                message: text!("is neither OpenSLO (apiVersion: openslo/v1) nor a list `service_level_objectives`"),
            }),
            Err(error) => {
                outcome.problems.push(Problem { line: error.line, pointer: error.pointer, message: error.message })
            }
        }
    }
    openslo::read(&openslo_documents, &mut outcome);
    outcome
}

fn is_openslo(document: &Document) -> bool {
    document.value.get("apiVersion").is_some() || document.value.get("kind").is_some()
}

/// The documents with their first lines.
fn split(text: &str) -> Vec<(u32, &str)> {
    let mut chunks = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (line, content) in (1..).zip(text.split_inclusive('\n')) {
        let marker = content.starts_with("---") && content[3..].starts_with(['\n', '\r', ' ', '\t', '#']);
        if marker || content == "---" {
            chunks.push((start_line, &text[start..at]));
            // The rest of the marker's line belongs to the document that begins.
            start = at + 3;
            start_line = line;
        }
        at += content.len();
    }
    chunks.push((start_line, &text[start..]));
    chunks
}
