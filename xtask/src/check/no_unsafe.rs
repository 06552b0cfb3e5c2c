//! No package of ours has unsafe code: the workspace forbids it, and every package takes the workspace's lints. A package without that
//! line would be judged by nobody.

use anyhow::Result;

use super::files::{self, TextFile};
use super::report;
use crate::paths::Paths;

const ROOT: &str = "Cargo.toml";
/// Packages of services that come out of golden paths; they are not ours.
const TEMPLATES: &str = "templates/";

pub fn check(paths: &Paths) -> Result<()> {
    report("packages without unsafe code", &violations(&files::ending(paths, &[ROOT])?))
}

fn violations(manifests: &[TextFile]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, content) in manifests.iter().filter(|(name, _)| !name.starts_with(TEMPLATES)) {
        if name == ROOT && !holds(content, "[workspace.lints.rust]", "unsafe_code = \"forbid\"") {
            found.push(format!("{name}: [workspace.lints.rust] must hold unsafe_code = \"forbid\""));
        }
        if content.contains("[package]") && !holds(content, "[lints]", "workspace = true") {
            found.push(format!("{name}: must hold [lints] with workspace = true"));
        }
    }
    found
}

/// Whether a section has this line.
fn holds(manifest: &str, section: &str, wanted: &str) -> bool {
    let inside = manifest.lines().skip_while(|line| line.trim() != section).skip(1);
    inside.take_while(|line| !line.starts_with('[')).any(|line| line.trim() == wanted)
}

#[cfg(test)]
mod tests {
    use super::violations;

    fn found(name: &str, content: &str) -> usize {
        violations(&[(name.to_owned(), content.to_owned())]).len()
    }

    #[test]
    fn a_package_that_takes_no_lints_is_named() {
        assert_eq!(found("a/Cargo.toml", "[package]\nname = \"a\"\n\n[lints]\nworkspace = true\n"), 0);
        assert_eq!(found("a/Cargo.toml", "[package]\nname = \"a\"\n"), 1);
        assert_eq!(found("templates/a/Cargo.toml", "[package]\nname = \"a\"\n"), 0);
        assert_eq!(found("a/Cargo.toml", "[package]\nx = 1\n[lints]\n[dependencies]\nworkspace = true\n"), 1);
    }

    #[test]
    fn the_workspace_must_forbid_it() {
        let good = "[workspace]\n[workspace.lints.rust]\nunsafe_code = \"forbid\"\n";
        assert_eq!(found("Cargo.toml", good), 0);
        assert_eq!(found("Cargo.toml", &good.replace("forbid", "deny")), 1);
        assert_eq!(found("Cargo.toml", "[workspace]\n"), 1);
    }
}
