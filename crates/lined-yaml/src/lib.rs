//! YAML text to JSON values that remember their lines, within limits.
//!
//! Invariants: never more than [`Limits`] of memory whatever the text says (anchor bombs are refused before they are expanded), a
//! mapping key occurs once, and no text holds a NUL (Postgres could not store it). Scalars follow the YAML 1.2 core schema, as
//! Backstage reads them; a number JSON cannot hold (`.nan`, `.inf`, out of range) stays text.

use passerelle_contract::{Text, text};
use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How large one document may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub bytes: usize,
    pub depth: usize,
    /// Values in the document, aliases expanded.
    pub nodes: usize,
    /// Values that aliases may add.
    pub alias_nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 4 << 20, depth: 100, nodes: 100_000, alias_nodes: 10_000 }
    }
}

/// A document with the line of every value.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub value: Value,
    /// Line of each value in the order of a walk that meets a parent before its children; a mapping's entry has the line of its key.
    lines: Vec<u32>,
}

/// Why a text is not a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    pub line: u32,
    pub pointer: String,
    pub message: Text,
}

impl Document {
    /// The line of the value at a JSON pointer, or of its nearest ancestor that exists.
    #[must_use]
    pub fn line_of(&self, pointer: &str) -> u32 {
        let mut at = 0;
        let mut value = &self.value;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let mut before = at + 1;
            let child = match value {
                Value::Object(map) => map.iter().find_map(|(key, child)| {
                    let found = *key == token;
                    let here = before;
                    before += count(child);
                    found.then_some((here, child))
                }),
                Value::Array(items) => token.parse::<usize>().ok().and_then(|index| {
                    let here = before + items.iter().take(index).map(count).sum::<usize>();
                    items.get(index).map(|child| (here, child))
                }),
                _ => None,
            };
            let Some((here, child)) = child else { break };
            (at, value) = (here, child);
        }
        self.lines.get(at).or_else(|| self.lines.first()).copied().unwrap_or(1)
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(count).sum::<usize>(),
        Value::Array(items) => 1 + items.iter().map(count).sum::<usize>(),
        _ => 1,
    }
}

/// Reads the first document of a text whose first line is line `first_line` of its file. `None` when there is nothing but comments.
///
/// # Errors
/// When the text is not YAML or goes beyond a limit; the error names the line.
pub fn parse(text: &str, first_line: u32, limits: &Limits) -> Result<Option<Document>, SyntaxError> {
    if text.len() > limits.bytes {
        let message =
            text!("the document has {bytes} bytes; at most {max} are allowed", bytes = text.len(), max = limits.bytes);
        return Err(SyntaxError { line: first_line, pointer: String::new(), message });
    }
    // The reader has `unreachable!` arms: a text that reached one must cost its document, not the process.
    catch_unwind(AssertUnwindSafe(|| Builder::new(first_line, limits).run(text))).unwrap_or_else(|_| {
        let message = text!("the YAML reader could not make sense of this document");
        Err(SyntaxError { line: first_line, pointer: String::new(), message })
    })
}

enum Frame {
    Sequence { items: Vec<Value>, anchor: usize, start: usize },
    Mapping { map: Map<String, Value>, key: Option<(String, u32)>, anchor: usize, start: usize },
}

struct Builder<'l> {
    limits: &'l Limits,
    first_line: u32,
    frames: Vec<Frame>,
    lines: Vec<u32>,
    anchors: HashMap<usize, (Value, usize)>,
    alias_nodes: usize,
    root: Option<Value>,
}

impl<'l> Builder<'l> {
    fn new(first_line: u32, limits: &'l Limits) -> Self {
        let (frames, lines, anchors) = (Vec::new(), Vec::new(), HashMap::new());
        Self { limits, first_line, frames, lines, anchors, alias_nodes: 0, root: None }
    }

    fn run(mut self, text: &str) -> Result<Option<Document>, SyntaxError> {
        let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| self.scan_error(&error))?;
            let line = self.first_line + u32::try_from(span.start.line()).unwrap_or(u32::MAX).saturating_sub(1);
            match event {
                Event::StreamEnd => break,
                Event::DocumentStart(_) if self.root.is_some() => {
                    return Err(
                        self.error(line, text!("text after the end of the document; begin the next one with `---`"))
                    );
                }
                Event::Scalar(text, style, anchor, tag) => self.scalar(text, style, anchor, tag.as_deref(), line)?,
                Event::SequenceStart(anchor, _) => {
                    self.open(line, |start| Frame::Sequence { items: Vec::new(), anchor, start })?
                }
                Event::MappingStart(anchor, _) => {
                    self.open(line, |start| Frame::Mapping { map: Map::new(), key: None, anchor, start })?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(line)?,
                Event::Alias(anchor) => self.alias(anchor, line)?,
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => {}
            }
        }
        Ok(self.root.take().map(|value| Document { value, lines: self.lines }))
    }

    fn scan_error(&self, error: &ScanError) -> SyntaxError {
        let line = self.first_line + u32::try_from(error.marker().line()).unwrap_or(u32::MAX).saturating_sub(1);
        if error.info().contains("recursion limit") {
            return self.error(line, text!("nested deeper than {max} levels", max = self.limits.depth));
        }
        self.error(line, text!("not YAML: {info}", info = error.info()))
    }

    fn error(&self, line: u32, message: Text) -> SyntaxError {
        let mut pointer = String::new();
        for frame in &self.frames {
            match frame {
                Frame::Sequence { items, .. } => pointer.push_str(&format!("/{}", items.len())),
                Frame::Mapping { key: Some((key, _)), .. } => pointer.push_str(&format!("/{}", escape(key))),
                Frame::Mapping { key: None, .. } => {}
            }
        }
        SyntaxError { line, pointer, message }
    }

    /// Counts a value and notes its line.
    fn begin(&mut self, line: u32) -> Result<usize, SyntaxError> {
        if self.lines.len() >= self.limits.nodes {
            return Err(self.error(line, text!("more than {max} values in one document", max = self.limits.nodes)));
        }
        let line = match self.frames.last() {
            Some(Frame::Mapping { key: Some((_, key_line)), .. }) => *key_line,
            _ => line,
        };
        self.lines.push(line);
        Ok(self.lines.len() - 1)
    }

    fn open(&mut self, line: u32, frame: impl FnOnce(usize) -> Frame) -> Result<(), SyntaxError> {
        if self.wants_key() {
            return Err(self.error(line, text!("a mapping key must be plain text, not a list or a mapping")));
        }
        if self.frames.len() >= self.limits.depth {
            return Err(self.error(line, text!("nested deeper than {max} levels", max = self.limits.depth)));
        }
        let start = self.begin(line)?;
        self.frames.push(frame(start));
        Ok(())
    }

    fn close(&mut self, line: u32) -> Result<(), SyntaxError> {
        match self.frames.pop() {
            Some(Frame::Sequence { items, anchor, start }) => self.finish(Value::Array(items), anchor, start, line),
            Some(Frame::Mapping { map, anchor, start, .. }) => self.finish(Value::Object(map), anchor, start, line),
            None => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Mapping { key: None, .. }))
    }

    fn scalar(
        &mut self,
        text: Cow<'_, str>,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        line: u32,
    ) -> Result<(), SyntaxError> {
        if text.contains('\0') {
            return Err(self.error(line, text!("a NUL character is not allowed")));
        }
        if self.wants_key() {
            return self.key(text.into_owned(), line);
        }
        let start = self.begin(line)?;
        let value = resolve(text, style, tag);
        self.finish(value, anchor, start, line)
    }

    fn key(&mut self, text: String, line: u32) -> Result<(), SyntaxError> {
        let Some(Frame::Mapping { map, key, .. }) = self.frames.last_mut() else { return Ok(()) };
        let duplicate = map.contains_key(&text);
        *key = Some((text, line));
        if duplicate {
            return Err(self.error(line, text!("this key occurs twice in the same mapping")));
        }
        Ok(())
    }

    fn alias(&mut self, anchor: usize, line: u32) -> Result<(), SyntaxError> {
        if self.wants_key() {
            return Err(self.error(line, text!("an alias cannot be a mapping key here")));
        }
        let Some(nodes) = self.anchors.get(&anchor).map(|(_, nodes)| *nodes) else {
            return Err(self.error(line, text!("an alias inside the value it stands for")));
        };
        self.charge(nodes, line)?;
        let start = self.lines.len();
        for _ in 0..nodes {
            self.begin(line)?;
        }
        let value = self.anchors.get(&anchor).map_or(Value::Null, |(value, _)| value.clone());
        self.finish(value, 0, start, line)
    }

    fn charge(&mut self, nodes: usize, line: u32) -> Result<(), SyntaxError> {
        self.alias_nodes = self.alias_nodes.saturating_add(nodes);
        if self.alias_nodes > self.limits.alias_nodes {
            let message = text!("anchors and aliases expand to more than {max} values", max = self.limits.alias_nodes);
            return Err(self.error(line, message));
        }
        Ok(())
    }

    fn finish(&mut self, value: Value, anchor: usize, start: usize, line: u32) -> Result<(), SyntaxError> {
        if anchor > 0 {
            // The kept copy costs memory as an expansion does, so it is charged too.
            let nodes = self.lines.len() - start;
            self.charge(nodes, line)?;
            self.anchors.insert(anchor, (value.clone(), nodes));
        }
        match self.frames.last_mut() {
            None => self.root = Some(value),
            Some(Frame::Sequence { items, .. }) => items.push(value),
            Some(Frame::Mapping { map, key, .. }) => {
                if let Some((key, _)) = key.take() {
                    map.insert(key, value);
                }
            }
        }
        Ok(())
    }
}

/// One step of a JSON pointer.
#[must_use]
pub fn escape(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

fn resolve(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let forced_text = tag.is_some_and(|tag| tag.handle == "!" || (tag.is_yaml_core_schema() && tag.suffix == "str"));
    if style != ScalarStyle::Plain || forced_text {
        return Value::String(text.into_owned());
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        plain => number(plain).map_or_else(|| Value::String(text.into_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    let first = *text.as_bytes().first()?;
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')).map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+')).map(Number::from);
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(integer) = text.parse::<i64>() {
            return Some(integer.into());
        }
        if let Ok(integer) = text.parse::<u64>() {
            return Some(integer.into());
        }
        return None;
    }
    let shape = unsigned.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
    let digits = unsigned.bytes().any(|byte| byte.is_ascii_digit());
    let start = matches!(unsigned.as_bytes().first(), Some(b'0'..=b'9' | b'.'));
    if shape && digits && start { text.parse::<f64>().ok().and_then(Number::from_f64) } else { None }
}
