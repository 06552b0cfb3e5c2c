//! No file names a path of the machine it was written on.

use anyhow::{Context as _, Result};
use regex::Regex;

use super::files::{self, TextFile};
use super::report;
use crate::paths::Paths;

/// Homes of people and of root, and the usual place of a build machine's clone.
const PATTERN: &str = r#"(?:^|[\s"'`(=:])/(?:root|work|home/[a-z][\w.-]*|Users/[A-Za-z][\w.-]*)/[\w.]"#;

pub fn check(paths: &Paths) -> Result<()> {
    report("paths of a machine", &violations(&files::ending(paths, &[""])?)?)
}

fn violations(files: &[TextFile]) -> Result<Vec<String>> {
    let pattern = Regex::new(PATTERN).context("the pattern")?;
    let mut found = Vec::new();
    for (name, content) in files {
        for (index, line) in content.lines().enumerate() {
            if pattern.is_match(line) {
                found.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> bool {
        !violations(&[("a.md".to_owned(), format!("x\n{line}\n"))]).unwrap().is_empty()
    }

    #[test]
    fn homes_are_found_and_ordinary_paths_are_not() {
        // In two parts, so that this file does not name one.
        for folder in ["root", "work", "home/ana", "Users/Ana"] {
            assert!(found(&format!("see /{folder}/notes.md")), "{folder}");
            assert!(found(&format!("\"/{folder}/.config\"")), "{folder}");
        }
        for line in ["/usr/lib/postgresql", "docs/work/a", "https://example.org/home/", "/homes/x", "the /work folder"]
        {
            assert!(!found(line), "{line}");
        }
    }
}
