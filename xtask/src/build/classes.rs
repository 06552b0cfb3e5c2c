//! Finds class names: used in the app's sources, defined in styles.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

use crate::rust_text::{Piece, line_of, pieces, without_comments};

/// `class="a b"`, `class=if x { "a" } else { "b" }`, `class=("a", on)`, `class=["a", "b"]`, `class=format!("a {b}")`.
static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[\s(])(?:class|\w+_class)\s*=\s*([^=])"));
/// `class:a=on`
static TOGGLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\sclass:([A-Za-z0-9_-]+)\s*="));
/// A string in the place of a value: after an opening or an arrow, or first of all. A string that is compared with
/// something is not in such a place.
static VALUE: LazyLock<Regex> = LazyLock::new(|| pattern(r#"(?:^|[\{\[\(]|=>|,)\s*"([^"\\]*)""#));
/// The next attribute of the same tag: a name directly before a single `=`.
static NEXT: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s+[A-Za-z][A-Za-z0-9_:-]*=[^=>]"));
static SELECTOR: LazyLock<Regex> = LazyLock::new(|| pattern(r"\.((?:\\.|[A-Za-z_-])(?:\\.|[A-Za-z0-9_-])*)"));

#[expect(clippy::expect_used, reason = "the patterns are constants, and the tests of this file compile each of them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

/// Every word that may be a class: those of all string literals, since a class can come from a function or a constant. Rules made of a
/// word in brackets (`[margin:1px]`) are not ours: they belong into a style file, and formats of dates look the same.
pub fn candidates(source: &str) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = pieces(source)
        .into_iter()
        .filter_map(|(_, piece)| match piece {
            Piece::Text(text) => Some(text),
            Piece::Code(_) | Piece::Comment(_) => None,
        })
        .flat_map(str::split_whitespace)
        .filter(|word| !word.starts_with('['))
        .map(str::to_owned)
        .collect();
    found.extend(TOGGLE.captures_iter(source).map(|found| found[1].to_owned()));
    found
}

/// The words that certainly are classes, since they stand in a `class` attribute, with the line of each.
pub fn used(source: &str) -> BTreeMap<String, usize> {
    let source = without_comments(source);
    let mut found = BTreeMap::new();
    let mut add = |words: &str, offset: usize| {
        for word in words.split_whitespace().filter(|word| is_whole(word)) {
            found.entry(word.to_owned()).or_insert_with(|| line_of(&source, offset));
        }
    };
    for attribute in ATTRIBUTE.captures_iter(&source) {
        let Some(start) = attribute.get(1).map(|first| first.start()) else { continue };
        let value = &source[start..expression_end(&source, start)];
        for literal in VALUE.captures_iter(value) {
            add(&literal[1], start);
        }
    }
    for toggle in TOGGLE.captures_iter(&source) {
        let offset = toggle.get(1).map_or(0, |name| name.start());
        add(&toggle[1], offset);
    }
    found
}

/// A word with a placeholder is only part of a class.
fn is_whole(word: &str) -> bool {
    !word.contains(['{', '}'])
}

/// Class names that the selectors of a style sheet name.
pub fn defined(css: &str) -> BTreeSet<String> {
    SELECTOR.captures_iter(css).map(|found| unescape(&found[1])).collect()
}

/// `\:` is a colon, `\32 xl` and encre-css' `\32xl` begin with a 2.
fn unescape(selector: &str) -> String {
    let mut out = String::new();
    let mut characters = selector.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('3') if characters.peek().is_some_and(char::is_ascii_digit) => out.extend(characters.next()),
            other => out.extend(other),
        }
    }
    out
}

/// End of an attribute's value: a string, or an expression up to the next attribute or the end of the tag.
fn expression_end(source: &str, start: usize) -> usize {
    let bytes = source.as_bytes();
    if bytes.get(start) == Some(&b'"') {
        return source[start + 1..].find('"').map_or(source.len(), |length| start + length + 2);
    }
    let (mut depth, mut in_text) = (0_i32, false);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'"' if bytes[at - 1] != b'\\' => in_text = !in_text,
            _ if in_text => {}
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return at,
            b')' | b']' | b'}' => depth -= 1,
            b'>' if depth == 0 && !matches!(bytes[at - 1], b'=' | b'-' | b' ') => return at,
            b'\n' | b';' if depth == 0 => return at,
            b' ' if depth == 0 && NEXT.is_match(&source[at..]) => return at,
            _ => {}
        }
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        used(source).into_keys().collect()
    }

    #[test]
    fn plain_and_computed_attributes_are_read() {
        assert_eq!(names(r#"<p class="flex md:p-4">"flex-none here"</p>"#), ["flex", "md:p-4"]);
        assert_eq!(
            names(r#"<a class=if kind == "compared" { "chip on" } else { "chip" } current=on.then_some("true")>"#),
            ["chip", "on"]
        );
        assert_eq!(names(r#"<a class=move || match x { A => "a", B => "b" }>"text"</a>"#), ["a", "b"]);
        assert_eq!(names(r#"<i class=("active", move || on) class:wide=big/>"#), ["active", "wide"]);
        assert_eq!(names(r#"<i class=format!("st st-{tone}")/>"#), ["st"]);
        assert_eq!(names(r#"<Icon name=icon class=spin />"#), Vec::<String>::new());
    }

    #[test]
    fn a_comment_uses_nothing() {
        assert!(used("// <p class=\"gone\">\n").is_empty());
    }

    #[test]
    fn the_line_is_known() {
        assert_eq!(used("fn a() {\n view! {\n  <p class=\"x\"/> } }")["x"], 3);
    }

    #[test]
    fn definitions_are_unescaped() {
        let css = ".a .b-c:hover > p.d_e, .md\\:p-4 { margin: .5rem } .\\32xl\\:flex { }";
        let found = defined(css);
        for name in ["a", "b-c", "d_e", "md:p-4", "2xl:flex"] {
            assert!(found.contains(name), "{name} in {found:?}");
        }
        assert!(!found.contains("5rem"), "{found:?}");
    }

    #[test]
    fn words_of_all_strings_are_candidates() {
        let found = candidates(r#"fn tone() -> &'static str { "st ok [day]T[hour]:[minute]" } // "not this""#);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["ok", "st"]);
    }
}
