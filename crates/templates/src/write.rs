//! Writing a value into its place, or refusing to.

use crate::kind::FileKind;
use crate::place::Place;
use minijinja::value::{Value, ValueKind};

/// Why a value cannot stand where it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Nothing has this name here.
    Nothing,
    /// Only a word may stand there.
    Words,
    /// A value of this type has no form there.
    Shape,
    /// What reads the file puts variables in the place of `$`.
    Expands,
}

/// A place of a template, as far as writing is concerned.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    pub place: Place,
    pub kind: FileKind,
    pub expands: bool,
}

/// The text that stands for a value.
///
/// # Errors
/// When nothing could that stays data.
pub fn write(target: Target, value: &Value) -> Result<String, Why> {
    match value.kind() {
        ValueKind::Undefined => Err(Why::Nothing),
        // The engine's own text of it is Python's.
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number => Ok(value.to_string()),
        ValueKind::None if target.place == Place::Whole && target.kind != FileKind::Toml => Ok("null".to_owned()),
        ValueKind::None => Err(Why::Nothing),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            if !value.is_safe() {
                words(target, text)
            } else if target.place == Place::Bare {
                Ok(text.to_owned())
            } else {
                Err(Why::Shape)
            }
        }
        ValueKind::Seq | ValueKind::Iterable if target.place == Place::Whole => list(target, value),
        _ => Err(Why::Shape),
    }
}

fn words(target: Target, text: &str) -> Result<String, Why> {
    let only_word = || if is_word(text) { Ok(text.to_owned()) } else { Err(Why::Words) };
    match target.place {
        Place::Whole => {
            if target.expands && text.contains(['$', '`']) {
                return Err(Why::Expands);
            }
            Ok(if target.kind == FileKind::Yaml && is_plain_yaml(text) { text.to_owned() } else { json_literal(text) })
        }
        Place::Quoted if target.expands => only_word(),
        Place::Quoted if target.kind == FileKind::Hcl => Ok(inside(&hcl_literal(text))),
        Place::Quoted => Ok(inside(&json_literal(text))),
        Place::Prose => Ok(if is_word(text) { text.to_owned() } else { prose(text) }),
        Place::Markup => Ok(markup(text)),
        Place::Bare | Place::Word | Place::Path => only_word(),
    }
}

fn list(target: Target, value: &Value) -> Result<String, Why> {
    let mut items = Vec::new();
    for item in value.try_iter().map_err(|_| Why::Shape)? {
        let text = item.as_str().ok_or(Why::Shape)?;
        if target.expands && text.contains(['$', '`']) {
            return Err(Why::Expands);
        }
        items.push(json_literal(text));
    }
    Ok(format!("[{}]", items.join(", ")))
}

fn inside(literal: &str) -> String {
    literal.get(1..literal.len() - 1).unwrap_or_default().to_owned()
}

/// Letters, digits and a few signs that mean nothing to a shell, a Makefile, a pipeline or a language.
pub fn is_word(text: &str) -> bool {
    let sign = |byte: u8| matches!(byte, b'/' | b'.' | b'_');
    let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || sign(byte));
    let all = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || sign(byte) || matches!(byte, b'@' | b':' | b'+' | b'-'));
    first && all && !text.ends_with(':')
}

/// Whether YAML of any version reads this as the text that it is.
fn is_plain_yaml(text: &str) -> bool {
    let start = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'/');
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'/' | b'-'));
    let meant = ["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"];
    start && plain && !meant.contains(&text.to_ascii_lowercase().as_str())
}

/// A JSON text with nothing in it that YAML, TOML or a language reads otherwise.
pub fn json_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for c in text.chars() {
        match c {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                literal.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => literal.push(c),
        }
    }
    literal.push('"');
    literal
}

/// A quoted text of Terraform, which reads `${` and `%{` in quotes.
pub fn hcl_literal(text: &str) -> String {
    json_literal(text).replace("${", "$${").replace("%{", "%%{")
}

fn prose(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for (index, c) in text.chars().enumerate() {
        match c {
            '\n' | '\r' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => escaped.extend(['\\', c]),
            '-' | '+' | '=' if index == 0 => escaped.extend(['\\', c]),
            '.' | ')' if text.chars().take(index).all(|c| c.is_ascii_digit()) => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}

fn markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: Target = Target { place: Place::Whole, kind: FileKind::Yaml, expands: false };

    #[test]
    fn yes_and_no_are_words_that_every_format_reads() {
        for kind in [FileKind::Yaml, FileKind::Toml, FileKind::Code] {
            let written = |value: bool| write(Target { kind, ..YAML }, &Value::from(value)).ok();
            assert_eq!((written(true).as_deref(), written(false).as_deref()), (Some("true"), Some("false")));
        }
    }

    #[test]
    fn a_yaml_value_is_read_as_the_text_it_was() {
        for text in [
            "gateway",
            "/healthz",
            "true",
            "No",
            "null",
            "~",
            "1.0",
            "0x1F",
            "1e3",
            "2026-11-21",
            "12:30",
            "a: b",
            "a #b",
            "- x",
            "&a",
            "*a",
            "!t",
            "%x",
            "@x",
            "`x`",
            "'q'",
            "\"q\"",
            "",
            " a ",
            "a\n  hostNetwork: true",
            "é\u{85}\u{2028}",
            "[1]",
            "{a: b}",
            "?",
            "nan",
            "=",
            "<<",
            "---",
            "...",
            "a\\b",
            "|",
            ">",
        ] {
            let written = format!("key: {}\nnext: 1\n", write(YAML, &Value::from(text)).unwrap());
            let read: serde_yaml_ng::Value = serde_yaml_ng::from_str(&written).unwrap();
            assert_eq!(read["key"].as_str(), Some(text), "{written}");
            assert_eq!(read["next"].as_i64(), Some(1), "{written}");
        }
    }

    #[test]
    fn what_a_tool_would_read_is_refused_or_escaped() {
        let at = |place, kind| Target { place, kind, expands: false };
        for text in ["a;b", "a b", "$(id)", "a\nb", "`id`", "a|b", "-rf", "é", "a'b", "", "a:", "*", "%x", "#x", "~"] {
            assert_eq!(write(at(Place::Word, FileKind::Plain), &Value::from(text)), Err(Why::Words), "{text:?}");
        }
        let hcl = at(Place::Quoted, FileKind::Hcl);
        assert_eq!(write(hcl, &Value::from("a\"${x}%{y}")).unwrap(), "a\\\"$${x}%%{y}");
        assert_eq!(
            write(at(Place::Prose, FileKind::Markdown), &Value::from("1. <b>*x*")).unwrap(),
            "1\\. &lt;b&gt;\\*x\\*"
        );
        assert_eq!(write(at(Place::Markup, FileKind::Markup), &Value::from("\"><b>")).unwrap(), "&quot;&gt;&lt;b&gt;");
        let expands = Target { expands: true, ..YAML };
        assert_eq!(write(expands, &Value::from("costs $HOME")), Err(Why::Expands));
        assert_eq!(write(Target { place: Place::Quoted, ..expands }, &Value::from("a b")), Err(Why::Words));
        assert_eq!(write(YAML, &Value::from_safe_string("x: y".to_owned())), Err(Why::Shape));
    }
}
