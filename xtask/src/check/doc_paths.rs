//! Paths and links in the documents lead to something.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use anyhow::Result;
use regex::Regex;

use super::files::{self, TextFile};
use super::report;
use crate::paths::Paths;

static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new("`([^`\n]+)`").ok());
static LINK: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\]\(([^)\s]+)\)").ok());

pub fn check(paths: &Paths) -> Result<()> {
    // What golden paths write names files of the repositories that they make.
    let documents: Vec<TextFile> =
        files::ending(paths, &[".md"])?.into_iter().filter(|(name, _)| !name.starts_with("templates/")).collect();
    let folders: BTreeSet<String> = files::ending(paths, &[""])?
        .into_iter()
        .filter_map(|(name, _)| name.split_once('/').map(|(folder, _)| folder.to_owned()))
        .collect();
    let exists = |path: &str| paths.root().join(path).exists();
    let found: Vec<String> = documents.iter().flat_map(|document| violations(document, &folders, &exists)).collect();
    report("paths in documents", &found)
}

fn violations((name, content): &TextFile, folders: &BTreeSet<String>, exists: &dyn Fn(&str) -> bool) -> Vec<String> {
    let folder = Path::new(name).parent().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in content.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let named = captures(&CODE, line).into_iter().filter_map(|code| repository_path(code, folders));
        let linked = captures(&LINK, line).into_iter().filter_map(|link| linked_path(link, &folder));
        for path in named.chain(linked) {
            // A crate's README names files of its crate.
            if !exists(&path) && !exists(&format!("{folder}/{path}")) {
                found.push(format!("{name}:{}: {path} does not exist", index + 1));
            }
        }
    }
    found
}

fn captures<'a>(pattern: &Option<Regex>, line: &'a str) -> Vec<&'a str> {
    pattern
        .iter()
        .flat_map(|pattern| pattern.captures_iter(line))
        .filter_map(|found| found.get(1).map(|group| group.as_str()))
        .collect()
}

/// `server/src/kernel/mod.rs:12` when `server` is a folder here; a pattern or a placeholder is no path.
fn repository_path(code: &str, folders: &BTreeSet<String>) -> Option<String> {
    let (first, _) = code.split_once('/')?;
    if !folders.contains(first) || code.contains(['*', '{', '<', '…', ' ', '?', '$']) {
        return None;
    }
    Some(code.split([':', '#']).next()?.trim_end_matches('/').to_owned())
}

/// A link inside the repository, relative to its document.
fn linked_path(link: &str, folder: &str) -> Option<String> {
    if link.contains("://") || link.starts_with(['#', '/']) || link.starts_with("mailto:") {
        return None;
    }
    let target = link.split('#').next()?;
    let joined = if folder.is_empty() { target.to_owned() } else { format!("{folder}/{target}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, content: &str) -> Vec<String> {
        let folders = BTreeSet::from(["server".to_owned(), "docs".to_owned()]);
        let exists = |path: &str| {
            ["server/src/lib.rs", "docs/adr", "README.md", "docs/api.md", "crates/a/server/b"].contains(&path)
        };
        violations(&(name.to_owned(), content.to_owned()), &folders, &exists)
    }

    #[test]
    fn what_exists_passes() {
        assert!(check("docs/a.md", "`server/src/lib.rs:7`, `docs/adr/`, [r](../README.md), [a](api.md#x)").is_empty());
        assert!(
            check("README.md", "[a](docs/api.md) [x](https://example.org/a) `GET /a/b` `a/b` `server/*/x`").is_empty()
        );
    }

    #[test]
    fn what_is_gone_is_named_with_its_line() {
        assert_eq!(check("docs/a.md", "x\n`server/src/gone.rs`"), ["docs/a.md:2: server/src/gone.rs does not exist"]);
        assert_eq!(check("docs/a.md", "[x](gone.md)"), ["docs/a.md:1: docs/gone.md does not exist"]);
    }

    #[test]
    fn examples_in_fences_are_not_paths() {
        assert!(check("docs/a.md", "```\n`server/src/gone.rs`\n```").is_empty());
    }
}
