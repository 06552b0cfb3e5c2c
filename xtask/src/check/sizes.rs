//! Lines per Rust file. The length of functions is clippy's (`too_many_lines`).

use anyhow::Result;

use super::files::{self, TextFile};
use super::report;
use crate::paths::Paths;

const MEDIAN: usize = 120;
const P90: usize = 350;
const LONGEST: usize = 500;
const LONGEST_TEST: usize = 800;

pub fn check(paths: &Paths) -> Result<()> {
    let files = files::ending(paths, &[".rs"])?;
    let sizes = sizes(&files);
    if let (Some(median), Some(p90)) = (percentile(&sizes, 50), percentile(&sizes, 90)) {
        let longest = sizes.last().copied().unwrap_or_default();
        eprintln!("      {} files: median {median}, 90 % {p90}, longest {longest} lines", sizes.len());
    }
    report("sizes of files", &violations(&files))
}

/// Of the files that are not tests, sorted.
fn sizes(files: &[TextFile]) -> Vec<usize> {
    let mut sizes: Vec<usize> =
        files.iter().filter(|(name, _)| !is_test(name)).map(|(_, content)| content.lines().count()).collect();
    sizes.sort_unstable();
    sizes
}

fn violations(files: &[TextFile]) -> Vec<String> {
    let mut found: Vec<String> = files
        .iter()
        .filter(|(_, content)| !content.starts_with("// @generated"))
        .filter_map(|(name, content)| {
            let limit = if is_test(name) { LONGEST_TEST } else { LONGEST };
            let lines = content.lines().count();
            (lines > limit).then(|| format!("{name}: {lines} lines, at most {limit} allowed"))
        })
        .collect();
    let sizes = sizes(files);
    for (percent, limit) in [(50, MEDIAN), (90, P90)] {
        if let Some(lines) = percentile(&sizes, percent).filter(|lines| *lines > limit) {
            found.push(format!("{percent} % of the files may have {limit} lines at most, but the value is {lines}"));
        }
    }
    found
}

fn is_test(name: &str) -> bool {
    name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("/tests.rs")
}

/// Nearest rank of sorted values.
fn percentile(sorted: &[usize], percent: usize) -> Option<usize> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, lines: usize) -> TextFile {
        (name.to_owned(), "x\n".repeat(lines))
    }

    #[test]
    fn the_limits_themselves_are_allowed() {
        assert!(violations(&[file("a.rs", 10), file("b.rs", 10), file("tests/it/c.rs", 800)]).is_empty());
        let mut files: Vec<TextFile> = (0..18).map(|n| file(&format!("{n}.rs"), 120)).collect();
        files.extend([file("y.rs", 350), file("z.rs", 500)]);
        assert!(violations(&files).is_empty(), "{:?}", violations(&files));
    }

    #[test]
    fn a_long_file_is_named() {
        let mut files: Vec<TextFile> = (0..20).map(|n| file(&format!("{n}.rs"), 1)).collect();
        files.push(file("server/src/long.rs", 501));
        files.push(file("crates/a/tests/long.rs", 801));
        let found = violations(&files);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("server/src/long.rs: 501 lines"));
    }

    #[test]
    fn many_middling_files_are_noticed() {
        let files: Vec<TextFile> = (0..10).map(|n| file(&format!("{n}.rs"), 121)).collect();
        assert!(violations(&files)[0].contains("50 %"));
        let files: Vec<TextFile> = (0..10).map(|n| file(&format!("{n}.rs"), if n < 8 { 1 } else { 351 })).collect();
        assert!(violations(&files)[0].contains("90 %"));
    }

    #[test]
    fn generated_files_may_be_long() {
        let mut files: Vec<TextFile> = (0..20).map(|n| file(&format!("{n}.rs"), 1)).collect();
        files.push(("g.rs".to_owned(), format!("// @generated\n{}", "x\n".repeat(900))));
        assert!(violations(&files).is_empty());
    }
}
