//! Which paths may come out: relative, plain, and the same on every system.

/// Bytes of a path.
const MAX_BYTES: usize = 200;
/// Folders within folders.
const MAX_DEPTH: usize = 12;
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];

/// # Errors
/// What is wrong with the path.
pub fn check(path: &str) -> Result<(), &'static str> {
    if path.is_empty() || path.len() > MAX_BYTES {
        return Err("a path has 1 to 200 bytes");
    }
    if path.split('/').count() > MAX_DEPTH {
        return Err("a path has at most 12 parts");
    }
    path.split('/').try_for_each(part)
}

fn part(part: &str) -> Result<(), &'static str> {
    if part.is_empty() || part == "." || part == ".." {
        return Err("a path is relative and has no empty part, `.` or `..`");
    }
    if part
        .chars()
        .any(|c| !c.is_ascii_graphic() || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|' | '`' | '$'))
    {
        return Err("a path holds letters, digits and . _ - + @ ( ) [ ] only");
    }
    if part.starts_with(['-', '~']) || part.ends_with('.') {
        return Err("a part of a path begins with no `-` or `~` and ends with no dot");
    }
    let lower = part.to_ascii_lowercase();
    if lower == ".git" {
        return Err("a path never leads into .git");
    }
    let stem = lower.split('.').next().unwrap_or_default();
    let numbered = |device: &str| {
        stem.strip_prefix(device).is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|byte| byte.is_ascii_digit()))
    };
    if RESERVED.contains(&stem) || numbered("com") || numbered("lpt") {
        return Err("Windows keeps this name for a device");
    }
    Ok(())
}

/// Whether a pattern matches a path: `*` within a part, `**` any parts.
pub fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    parts(&pattern, &path)
}

fn parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**"], _) => !path.is_empty(),
        (["**", rest @ ..], _) => (0..=path.len()).any(|skipped| parts(rest, &path[skipped..])),
        ([first, rest @ ..], [part, others @ ..]) => wild(first.as_bytes(), part.as_bytes()) && parts(rest, others),
        _ => false,
    }
}

fn wild(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skipped| wild(rest, &text[skipped..])),
        ([first, rest @ ..], [byte, others @ ..]) => first == byte && wild(rest, others),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_relative_paths_come_out() {
        for good in
            ["README.md", ".github/workflows/ci.yml", "src/main.rs", "a/b-c/d_e.f", ".gitlab-ci.yml", "common/x"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "C:/x",
            "a\nb",
            "a b",
            "nul",
            "CON.txt",
            "com1.log",
            "a/lpt9",
            "-rf",
            "a/-x",
            "~root",
            ".git/config",
            "a/.GIT/hooks/x",
            "x.",
            "é",
            "a\u{202e}b",
            "a$b",
            "a`b",
        ] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert!(check(&"a/".repeat(20)).is_err());
        assert!(check(&"a".repeat(201)).is_err());
    }

    #[test]
    fn patterns_match_within_a_part_or_over_parts() {
        for (pattern, path, wanted) in [
            ("terraform/**", "terraform/main.tf", true),
            ("terraform/**", "terraform/a/b.tf", true),
            ("terraform/**", "terraform", false),
            ("**/*.tf", "a/b/c.tf", true),
            ("**/*.tf", "c.tf", true),
            ("*.md", "docs/a.md", false),
            ("a/*/c", "a/b/c", true),
            ("Makefile", "Makefile", true),
        ] {
            assert_eq!(matches(pattern, path), wanted, "{pattern} {path}");
        }
    }
}
