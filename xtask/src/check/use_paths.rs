//! Reads the paths that code names: `crate::a::b`, `crate::{a, b::{c, d}}`, `super::super::a`.

/// A path from the crate's root, and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct UsePath {
    pub offset: usize,
    pub segments: Vec<String>,
}

/// Every path from the crate's root in source without comments; `module` is the file's own module.
pub fn find(source: &str, module: &[&str]) -> Vec<UsePath> {
    let mut found = Vec::new();
    for (offset, _) in source.match_indices("crate::") {
        if starts_word(source, offset) && !source[..offset].ends_with('$') {
            expand(&source[offset + "crate::".len()..], offset, &[], &mut found);
        }
    }
    for (offset, _) in source.match_indices("super::") {
        // The first of a row of `super`s only.
        if starts_word(source, offset) && !source[..offset].ends_with("super::") {
            let mut rest = &source[offset..];
            let mut base = module;
            while let Some(after) = rest.strip_prefix("super::") {
                rest = after;
                base = base.split_last().map_or(&[][..], |(_, parents)| parents);
            }
            let base: Vec<String> = base.iter().map(|&name| name.to_owned()).collect();
            expand(rest, offset, &base, &mut found);
        }
    }
    found
}

fn starts_word(source: &str, offset: usize) -> bool {
    !source[..offset].ends_with(|before: char| before.is_alphanumeric() || before == '_')
}

/// Adds the path, or all paths of the group, that `text` begins with; gives what follows.
fn expand<'a>(text: &'a str, offset: usize, prefix: &[String], found: &mut Vec<UsePath>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix('}') {
                return after;
            }
            let before = rest.len();
            rest = expand(rest, offset, prefix, found).trim_start();
            // `name as other`
            rest =
                rest.strip_prefix("as ").map_or(rest, |alias| &alias[word_length(alias.trim_start())..]).trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest);
            if rest.is_empty() || rest.len() == before {
                return rest;
            }
        }
    }
    let length = word_length(text);
    let mut segments = prefix.to_vec();
    if length > 0 {
        segments.push(text[..length].to_owned());
    }
    let rest = &text[length..];
    match rest.strip_prefix("::") {
        Some(after) if length > 0 && after.trim_start().starts_with(|next: char| next == '{' || is_word(next)) => {
            expand(after, offset, &segments, found)
        }
        _ => {
            if length > 0 {
                found.push(UsePath { offset, segments });
            }
            // A glob names no more than what is before it.
            rest.strip_prefix("::").map_or(rest, |after| after.strip_prefix('*').unwrap_or(after))
        }
    }
}

fn word_length(text: &str) -> usize {
    text.find(|character: char| !is_word(character)).unwrap_or(text.len())
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(source: &str, module: &[&str]) -> Vec<String> {
        find(source, module).into_iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn groups_are_expanded() {
        let source = "use crate::{kernel::{Ctx, Db as Base}, audit, jobs::*};";
        assert_eq!(paths(source, &[]), ["kernel::Ctx", "kernel::Db", "audit", "jobs"]);
    }

    #[test]
    fn inline_paths_count() {
        assert_eq!(
            paths("fn a() { crate::catalog::store::list(x, crate::slo::Y) }", &[]),
            ["catalog::store::list", "slo::Y"]
        );
    }

    #[test]
    fn super_is_resolved() {
        assert_eq!(
            paths("use super::store; use super::super::audit::store;", &["catalog", "service"]),
            ["catalog::store", "audit::store"]
        );
    }

    #[test]
    fn other_crates_are_not_ours() {
        assert_eq!(paths("use mycrate::x; $crate::y; notsuper::z", &["a", "b"]), Vec::<String>::new());
    }

    #[test]
    fn broken_source_ends() {
        for source in ["use crate::{a, ", "use crate::{{{", "crate::", "super::super::", "use crate::{a::!}"] {
            let _ = find(source, &["a"]);
        }
    }
}
