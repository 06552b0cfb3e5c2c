//! The files of one import, and the documents in them.
//!
//! An import is one YAML stream or several files with relative paths. In a stream a line `# passerelle-file: PATH` (a comment for YAML)
//! begins a new file, which is how the command line sends a folder in one body.

use passerelle_contract::{FieldError, Text, text};
use std::collections::HashSet;

/// The largest import body, in bytes.
pub const MAX_UPLOAD_BYTES: usize = 32 << 20;
/// The most files in one import.
pub const MAX_FILES: usize = 10_000;
const MARKER: &str = "# passerelle-file:";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative, with `/` between its parts, without `.` and `..`.
    pub path: String,
    pub text: String,
}

/// The files of one import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    files: Vec<SourceFile>,
    paths: HashSet<String>,
    bytes: usize,
}

impl Upload {
    /// One YAML stream.
    ///
    /// # Errors
    /// When the body is too large or not UTF-8, or a file marker names a path that is not allowed.
    pub fn from_stream(body: &[u8]) -> Result<Self, FieldError> {
        let text = utf8("", body)?;
        let mut upload = Self::default();
        let mut path = "catalog-info.yaml".to_owned();
        let mut start = 0;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            if let Some(next) = line.strip_prefix(MARKER) {
                if !text[start..at].trim().is_empty() {
                    upload.push(&path, &body_of(text, start, at))?;
                }
                path = next.trim().to_owned();
                start = at + line.len();
            }
            at += line.len();
        }
        upload.push(&path, &body_of(text, start, at))?;
        Ok(upload)
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When the path leaves the upload or occurs twice, the text is not UTF-8, or a limit is reached.
    pub fn push(&mut self, path: &str, body: &[u8]) -> Result<(), FieldError> {
        let path = relative_path(path)?;
        let pointer = format!("/files/{}", super::yaml::escape(&path));
        let text = utf8(&pointer, body)?;
        self.bytes += text.len();
        if self.bytes > MAX_UPLOAD_BYTES {
            return Err(FieldError::new(pointer, text!("an import holds at most {max} bytes", max = MAX_UPLOAD_BYTES)));
        }
        if self.files.len() >= MAX_FILES {
            return Err(FieldError::new(pointer, text!("an import holds at most {max} files", max = MAX_FILES)));
        }
        if !self.paths.insert(path.clone()) {
            return Err(FieldError::new(pointer, text!("this path occurs twice in the import")));
        }
        self.files.push(SourceFile { path, text: text.to_owned() });
        Ok(())
    }

    #[must_use]
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// The files as one stream, as [`Self::from_stream`] reads it.
    #[must_use]
    pub fn to_stream(&self) -> String {
        let mut stream = String::with_capacity(self.bytes + self.files.len() * 64);
        for file in &self.files {
            stream.push_str(&format!("{MARKER} {}\n{}", file.path, file.text));
            if !file.text.ends_with('\n') {
                stream.push('\n');
            }
        }
        stream
    }
}

fn body_of(text: &str, start: usize, end: usize) -> Vec<u8> {
    text.as_bytes()[start..end].to_vec()
}

fn utf8<'a>(pointer: &str, body: &'a [u8]) -> Result<&'a str, FieldError> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.len() > MAX_UPLOAD_BYTES {
        return Err(FieldError::new(pointer, text!("an import holds at most {max} bytes", max = MAX_UPLOAD_BYTES)));
    }
    std::str::from_utf8(body)
        .map_err(|error| FieldError::new(pointer, text!("not UTF-8 after byte {count}", count = error.valid_up_to())))
}

/// Checks a path and brings it to its plain form; it is only ever a name here, never opened.
fn relative_path(path: &str) -> Result<String, FieldError> {
    let refuse = |reason: Text| {
        Err(FieldError::new("/files", text!("the path {path} {reason}", path = format!("{path:?}"), reason)))
    };
    if path.len() > 400 {
        return Err(FieldError::new("/files", text!("a path has at most 400 bytes")));
    }
    if path.starts_with('/') || path.contains('\\') || path.contains(':') {
        return refuse(text!("is not relative; use parts separated by /"));
    }
    if path.chars().any(char::is_control) {
        return refuse(text!("holds a control character"));
    }
    join("", path).map_or_else(|| refuse(text!("leaves the import or is empty")), Ok)
}

/// `target` as seen from the folder of `file`, in plain form; `None` when it leaves the upload.
#[must_use]
pub fn resolve(file: &str, target: &str) -> Option<String> {
    join(file.rsplit_once('/').map_or("", |(folder, _)| folder), target)
}

fn join(folder: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// The text of one document and the line it begins at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk<'a> {
    pub text: &'a str,
    pub line: u32,
}

/// Cuts a file at its document marks, so that a document that is not YAML does not take the ones after it along.
///
/// `---` and `...` at the start of a line always end a document: YAML forbids them inside block and quoted text too.
/// Parts with nothing but comments, directives and blank lines are no documents.
#[must_use]
pub fn split(text: &str) -> Vec<Chunk<'_>> {
    let mut chunks = Vec::new();
    let (mut start, mut start_line, mut filled, mut at, mut line_number) = (0, 1, false, 0, 0);
    for line in text.split_inclusive('\n') {
        line_number += 1;
        let begins = is_mark(line, "---");
        let ends = is_mark(line, "...");
        if (begins || ends) && filled {
            chunks.push(Chunk { text: &text[start..at], line: start_line });
        }
        if begins || ends {
            filled = false;
            (start, start_line) = if begins { (at, line_number) } else { (at + line.len(), line_number + 1) };
        }
        let content = if begins { line[3..].trim_start() } else { line.trim_start() };
        let directive = !begins && line.starts_with('%') && !filled;
        if !(content.is_empty() || content.starts_with('#') || ends || directive) {
            filled = true;
        } else if directive {
            // Directives mean nothing to us, and the reader wants them right before a mark.
            (start, start_line) = (at + line.len(), line_number + 1);
        }
        at += line.len();
    }
    if filled {
        chunks.push(Chunk { text: &text[start..], line: start_line });
    }
    chunks
}

fn is_mark(line: &str, mark: &str) -> bool {
    line.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']))
}
