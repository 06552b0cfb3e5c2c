//! Makes the one style sheet: the files of `style/` in the order of their names, then the utilities that the app uses.
//!
//! A class that is defined by hand is never a utility as well, so a file of `style/` says all there is to a name.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::classes;
use super::minify::minify;
use super::utilities;
use crate::paths::Paths;

/// Classes that only mark an element for others: `group-hover:`, `peer-checked:`.
const MARKERS: [&str; 2] = ["group", "peer"];

pub fn compile(paths: &Paths) -> Result<Vec<u8>> {
    let hand = files(&paths.root().join("style"), "css")?;
    let sources = files(&paths.root().join("app/src"), "rs")?;
    let css = assemble(&read_all(paths, &hand)?, &read_all(paths, &sources)?)?;
    Ok(css.into_bytes())
}

/// From (name, content) of the style files and of the sources.
fn assemble(hand: &[(String, String)], sources: &[(String, String)]) -> Result<String> {
    let mut css = hand.iter().map(|(_, content)| content.as_str()).collect::<Vec<_>>().join("\n");
    let by_hand = classes::defined(&css);
    let wanted: BTreeSet<String> = sources
        .iter()
        .flat_map(|(_, source)| classes::candidates(source))
        .filter(|class| !by_hand.contains(class))
        .collect();
    let utilities = utilities::generate(&wanted);
    let mut known = classes::defined(&utilities);
    known.extend(by_hand);
    report_unknown(sources, &known)?;
    css.push('\n');
    css.push_str(&utilities);
    Ok(minify(&css))
}

fn report_unknown(sources: &[(String, String)], known: &BTreeSet<String>) -> Result<()> {
    let mut unknown = String::new();
    for (name, source) in sources {
        for (class, line) in classes::used(source) {
            let is_marker = class.split('/').next().is_some_and(|word| MARKERS.contains(&word));
            if !known.contains(&class) && !is_marker {
                let _ = writeln!(unknown, "    {name}:{line}: class {class:?}");
            }
        }
    }
    if !unknown.is_empty() {
        bail!("these classes are neither utilities nor defined in style/:\n{unknown}");
    }
    Ok(())
}

/// Name from the root, and content.
fn read_all(paths: &Paths, files: &[PathBuf]) -> Result<Vec<(String, String)>> {
    files
        .iter()
        .map(|path| {
            let content = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Ok((path.strip_prefix(paths.root()).unwrap_or(path).display().to_string(), content))
        })
        .collect()
}

/// Files below a folder with an extension, sorted by path.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, extension)?);
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Vec<(String, String)> {
        vec![("app/src/page.rs".to_owned(), text.to_owned())]
    }

    fn style(text: &str) -> Vec<(String, String)> {
        vec![("style/base.css".to_owned(), text.to_owned())]
    }

    #[test]
    fn hand_written_rules_come_first_and_win_a_name() {
        let css = assemble(&style(".hidden { opacity: 0 }"), &source(r#"<p class="hidden p-4">"#)).unwrap();
        assert!(css.starts_with(".hidden{opacity: 0}"), "{css}");
        assert!(css.contains(".p-4{padding: 1rem}"), "{css}");
        assert!(!css.contains("display: none"), "{css}");
    }

    #[test]
    fn an_unknown_class_fails_with_its_place() {
        let error = assemble(&style(".a{}"), &source("\n<p class=\"a flexx group/row\">")).unwrap_err().to_string();
        assert!(error.contains("app/src/page.rs:2: class \"flexx\""), "{error}");
        assert!(!error.contains("group/row") && !error.contains("\"a\""), "{error}");
    }
}
