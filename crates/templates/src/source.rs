//! A file of a template, taken apart when it is loaded: which values it takes, where they stand, and that it uses no other tags.

use crate::kind::{self, FileKind};
use crate::manifest::Manifest;
use crate::place::{self, Around, Place};
use crate::write::Target;
use crate::{TemplateError, engine};
use std::collections::BTreeSet;

/// The name of the function through which every value goes; no parameter can have it.
pub const WRITER: &str = "__write";
const TAGS: [&str; 6] = ["if", "elif", "else", "endif", "for", "endfor"];

/// A file, ready to be rendered.
#[derive(Debug)]
pub struct File {
    /// From the folder of templates, for errors.
    pub origin: String,
    /// Under the root of the output; may hold values.
    pub path: String,
    /// [`Self::path`] and the content, with every value behind [`WRITER`].
    pub path_template: String,
    pub content: String,
    /// Index of the part it belongs to.
    pub part: Option<usize>,
    /// Conditions of its own.
    pub conditions: Vec<String>,
    /// Its places: a range of the template's slots.
    pub slots: std::ops::Range<usize>,
}

/// A place that takes a value.
#[derive(Debug)]
pub struct Slot {
    pub origin: String,
    pub line: u32,
    pub target: Target,
    /// The expression as it was written.
    pub expression: String,
    /// Parameters whose answers it is made of.
    pub parameters: BTreeSet<String>,
}

enum Piece<'s> {
    Text(&'s str),
    Value(&'s str),
    Tag(&'s str),
    Comment(&'s str),
}

/// Takes a file apart.
///
/// # Errors
/// The first fault, with its line.
pub fn read(
    manifest: &Manifest,
    origin: &str,
    path: &str,
    text: &str,
    part: Option<usize>,
    slots: &mut Vec<Slot>,
) -> Result<File, TemplateError> {
    let start = slots.len();
    let names = Target { place: Place::Path, kind: FileKind::Plain, expands: false };
    let path_template = rewritten(manifest, origin, path, |_, _| names, slots)?;
    let kind = FileKind::of(path);
    let expands = kind::expands(path);
    let content =
        rewritten(manifest, origin, text, |flat, at| Target { place: place_in(kind, flat, at), kind, expands }, slots)?;
    let conditions = manifest.rules.iter().filter(|rule| crate::path::matches(&rule.path, path));
    Ok(File {
        origin: origin.to_owned(),
        path: path.to_owned(),
        path_template,
        content,
        part,
        conditions: conditions.map(|rule| rule.when.clone()).collect(),
        slots: start..slots.len(),
    })
}

/// The same text with every value behind [`WRITER`], in the same lines.
fn rewritten(
    manifest: &Manifest,
    origin: &str,
    text: &str,
    target: impl Fn(&Flat, usize) -> Target,
    slots: &mut Vec<Slot>,
) -> Result<String, TemplateError> {
    let pieces = pieces(origin, text)?;
    if let Some(at) = text.find(WRITER) {
        let line = u32::try_from(text[..at].matches('\n').count() + 1).unwrap_or(1);
        return Err(TemplateError::new(origin, line, format!("uses `{WRITER}`, which is not for templates")));
    }
    let flat = Flat::of(&pieces);
    let (mut output, mut line, mut value) = (String::with_capacity(text.len() + 64), 1_u32, 0);
    for piece in &pieces {
        match piece {
            Piece::Text(words) => output.push_str(words),
            Piece::Comment(words) => output.push_str(&format!("<#{words}#>")),
            Piece::Tag(words) => {
                tag(words).map_err(|message| TemplateError::new(origin, line, message))?;
                output.push_str(&format!("<%{words}%>"));
            }
            Piece::Value(words) => {
                let used = engine::names_in(words).map_err(|message| TemplateError::new(origin, line, message))?;
                let parameters = used.iter().flat_map(|name| manifest.behind(name)).collect();
                output.push_str(&format!("<{{ {WRITER}(({words}), {}) }}>", slots.len()));
                let (origin, expression) = (origin.to_owned(), words.trim().to_owned());
                slots.push(Slot { origin, line, target: target(&flat, value), expression, parameters });
                value += 1;
            }
        }
        line += u32::try_from(piece.words().matches('\n').count()).unwrap_or_default();
    }
    known_names(manifest, origin, text, &output)?;
    Ok(output)
}

impl<'s> Piece<'s> {
    const fn words(&self) -> &'s str {
        match self {
            Self::Text(words) | Self::Value(words) | Self::Tag(words) | Self::Comment(words) => words,
        }
    }
}

/// The text with `\u{1}` for each value and nothing for tags, to look around in.
struct Flat {
    text: String,
    /// Of each value.
    offsets: Vec<usize>,
    blocks: Vec<bool>,
    fences: Vec<bool>,
}

impl Flat {
    fn of(pieces: &[Piece<'_>]) -> Self {
        let (mut text, mut offsets) = (String::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Text(words) => text.push_str(words),
                Piece::Value(_) => {
                    offsets.push(text.len());
                    text.push('\u{1}');
                }
                Piece::Tag(_) | Piece::Comment(_) => {}
            }
        }
        let (blocks, fences) = (place::yaml_blocks(&text), place::markdown_fences(&text));
        Self { text, offsets, blocks, fences }
    }
}

fn place_in(kind: FileKind, flat: &Flat, value: usize) -> Place {
    let Some(&offset) = flat.offsets.get(value) else { return Place::Word };
    let start = flat.text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let end = flat.text[offset..].find('\n').map_or(flat.text.len(), |at| offset + at);
    let line = flat.text[..offset].matches('\n').count();
    let within = |lines: &[bool]| lines.get(line).copied().unwrap_or(true);
    let within_block = match kind {
        FileKind::Yaml => within(&flat.blocks),
        FileKind::Markdown => within(&flat.fences),
        _ => false,
    };
    place::of(kind, Around { before: &flat.text[start..offset], after: &flat.text[offset + 1..end], within_block })
}

fn tag(words: &str) -> Result<(), String> {
    let inner = words.trim_matches(|c: char| c.is_whitespace() || c == '-' || c == '+');
    let name = inner.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if !TAGS.contains(&name) {
        return Err(format!("the tag `{name}` does not exist; there are {}", TAGS.join(", ")));
    }
    engine::known_filters(inner)
}

/// Every name that the engine would look up is a parameter or computed.
fn known_names(manifest: &Manifest, origin: &str, text: &str, rewritten: &str) -> Result<(), TemplateError> {
    let environment = engine::environment();
    let template = environment.template_from_named_str(origin, rewritten).map_err(|error| {
        let line = error.line().and_then(|line| u32::try_from(line).ok()).unwrap_or(1);
        TemplateError::new(origin, line, engine::words(&error))
    })?;
    let known = manifest.names();
    let used = template.undeclared_variables(false);
    // `loop` is there inside of a repetition.
    let unknown = used.iter().find(|name| !known.contains(name.as_str()) && *name != WRITER && *name != "loop");
    match unknown {
        None => Ok(()),
        Some(name) => {
            let line = text
                .lines()
                .position(|line| (line.contains("<{") || line.contains("<%")) && line.contains(name.as_str()));
            let line = line.and_then(|line| u32::try_from(line + 1).ok()).unwrap_or(1);
            Err(TemplateError::new(
                origin,
                line,
                format!("uses `{name}`, which is neither a parameter of {} nor computed there", manifest.name),
            ))
        }
    }
}

/// Cuts a text at its delimiters.
fn pieces<'s>(origin: &str, text: &'s str) -> Result<Vec<Piece<'s>>, TemplateError> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while let Some(at) = ["<{", "<%", "<#"].iter().filter_map(|open| rest.find(open)).min() {
        let line = || u32::try_from(text[..text.len() - rest.len() + at].matches('\n').count() + 1).unwrap_or(1);
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        let (open, inner) = rest[at..].split_at(2);
        let close = match open {
            "<{" => "}>",
            "<%" => "%>",
            _ => "#>",
        };
        let end = if open == "<#" { inner.find(close) } else { end_of(inner, close) };
        let end = end.ok_or_else(|| TemplateError::new(origin, line(), format!("`{open}` without `{close}`")))?;
        let words = &inner[..end];
        match open {
            "<{" if words.trim().is_empty() || words.starts_with(['-', '+']) || words.ends_with('-') => {
                return Err(TemplateError::new(
                    origin,
                    line(),
                    "`<{ }>` holds an expression, without signs for spaces",
                ));
            }
            "<{" => pieces.push(Piece::Value(words)),
            "<%" => pieces.push(Piece::Tag(words)),
            _ => pieces.push(Piece::Comment(words)),
        }
        rest = &inner[end + 2..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

/// Where an expression ends: at the delimiter outside of quotes.
fn end_of(inner: &str, close: &str) -> Option<usize> {
    let mut quote = None;
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => drop(chars.next()),
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, _) if inner[at..].starts_with(close) => return Some(at),
            _ => {}
        }
    }
    None
}
