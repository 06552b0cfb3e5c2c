//! Every sentence of `text!` has its French one in `contract/src/wording/french`, with the same arguments, and no other stands there.

use anyhow::Result;
use std::collections::{BTreeMap, BTreeSet};

use super::files;
use super::report;
use crate::paths::Paths;
use crate::rust_text::{Piece, line_of, pieces};

const TABLES: &str = "contract/src/wording/french/";
/// Titles and descriptions of schemas, which come from the schemas themselves: a test of theirs holds this table.
const SCHEMAS: &str = "contract/src/wording/french/schemas.rs";
const SOURCES: [&str; 5] = ["app/src/", "contract/src/", "crates/", "server/src/", "src/"];

/// Where a template is said, and where it is translated.
#[derive(Debug, Default)]
struct Found {
    said: BTreeMap<String, String>,
    french: BTreeMap<String, (String, String)>,
    wrong: Vec<String>,
}

pub fn check(paths: &Paths) -> Result<()> {
    let mut found = Found::default();
    for (path, source) in files::ending(paths, &[".rs"])? {
        if !SOURCES.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        if path.starts_with(TABLES) {
            table(&path, &source, &mut found);
        } else {
            sentences(&path, &source, &mut found);
        }
    }
    report("texts", &violations(found))
}

/// The templates of `text!` outside of tests.
fn sentences(path: &str, source: &str, found: &mut Found) {
    let end = source.find("#[cfg(test)]").unwrap_or(source.len());
    let mut opened = false;
    for (offset, piece) in pieces(&source[..end]) {
        match piece {
            Piece::Code(code) => opened = code.trim_end().ends_with("text!("),
            Piece::Text(text) if opened => {
                let place = format!("{path}:{}", line_of(source, offset));
                found.said.entry(plain(text)).or_insert(place);
                opened = false;
            }
            Piece::Text(_) => opened = false,
            Piece::Comment(_) => {}
        }
    }
}

/// The lines of a table, which stand in the order of their English.
fn table(path: &str, source: &str, found: &mut Found) {
    let texts: Vec<(usize, String)> = pieces(source)
        .into_iter()
        .filter_map(|(offset, piece)| match piece {
            Piece::Text(text) => Some((offset, plain(text))),
            _ => None,
        })
        .collect();
    let mut before = String::new();
    for pair in texts.chunks_exact(2) {
        let [(offset, english), (_, french)] = pair else { continue };
        let place = format!("{path}:{}", line_of(source, *offset));
        if *english <= before {
            found.wrong.push(format!("{place}: out of order, or twice"));
        }
        before.clone_from(english);
        if french.contains('\'') {
            found.wrong.push(format!("{place}: write ’ for an apostrophe and « » for quotes"));
        }
        if let Some((_, other)) = found.french.insert(english.clone(), (french.clone(), place.clone())) {
            found.wrong.push(format!("{place}: stands in {other} too"));
        }
    }
}

fn violations(found: Found) -> Vec<String> {
    let Found { said, french, mut wrong } = found;
    for (english, place) in &said {
        match french.get(english) {
            None => wrong.push(format!("{place}: no French for {english:?}; add it to a table in {TABLES}")),
            Some((french, at)) if placeholders(french) != placeholders(english) => {
                wrong.push(format!("{at}: other arguments than {english:?}"));
            }
            Some(_) => {}
        }
    }
    for (english, (_, place)) in &french {
        if !said.contains_key(english) && !place.starts_with(SCHEMAS) {
            wrong.push(format!("{place}: nobody says {english:?}"));
        }
    }
    wrong
}

fn placeholders(template: &str) -> BTreeSet<&str> {
    let mut names = BTreeSet::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('{') {
            rest = after;
        } else if let Some((name, after)) = rest.split_once('}') {
            names.insert(name);
            rest = after;
        }
    }
    names
}

/// The inside of a literal without its escapes.
fn plain(literal: &str) -> String {
    let mut plain = String::with_capacity(literal.len());
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('\n') => rest = after.trim_start(),
            Some('n') => {
                plain.push('\n');
                rest = chars.as_str();
            }
            Some(escaped) => {
                plain.push(escaped);
                rest = chars.as_str();
            }
            None => rest = "",
        }
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(source: &str, french: &str) -> Vec<String> {
        let mut found = Found::default();
        sentences("server/src/a.rs", source, &mut found);
        table("contract/src/wording/french/a.rs", french, &mut found);
        violations(found)
    }

    #[test]
    fn a_sentence_and_its_french_fit() {
        let source =
            "fn a() { text!(\"is {n}; \\\n    not \\\"b\\\"\", n = 1) } // text!(\"no\")\n#[cfg(test)] text!(\"x\")";
        assert_eq!(problems(source, r#""is {n}; not \"b\"" => "vaut {n}, pas « b »";"#), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_unused_out_of_order_or_otherwise_is_told() {
        for (source, french, told) in [
            ("text!(\"a\")", "", "no French for \"a\""),
            ("", r#""a" => "b";"#, "nobody says \"a\""),
            ("text!(\"a {n}\", n)", r#""a {n}" => "b {m}";"#, "other arguments"),
            ("text!(\"a\") text!(\"b\")", r#""b" => "x"; "a" => "y";"#, "out of order"),
            ("text!(\"a\")", r#""a" => "l'un";"#, "apostrophe"),
        ] {
            let problems = problems(source, french);
            assert!(problems.iter().any(|problem| problem.contains(told)), "{told}: {problems:?}");
        }
    }
}
