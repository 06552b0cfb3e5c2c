//! A capability of the server imports only those to its left, and another's `service`, never its `store`.

use anyhow::Result;

use super::files::{self, TextFile};
use super::report;
use super::use_paths;
use crate::paths::Paths;
use crate::rust_text::{line_of, without_comments};

/// Left to right. A new capability gets its place here.
const ORDER: [&str; 16] = [
    "kernel",
    "config",
    "identity",
    "audit",
    "secrets",
    "catalog",
    "environments",
    "alerts",
    "slo",
    "gates",
    "deployments",
    "webhooks",
    "onboarding",
    "notifications",
    "http",
    // Puts the capabilities together; nothing imports it.
    "portal",
];
const SOURCES: &str = "server/src/";

pub fn check(paths: &Paths) -> Result<()> {
    report("capability order", &violations(&files::ending(paths, &[".rs"])?))
}

fn violations(files: &[TextFile]) -> Vec<String> {
    files
        .iter()
        .filter_map(|(name, content)| Some((name.as_str(), name.strip_prefix(SOURCES)?, content.as_str())))
        .filter(|(_, inner, _)| *inner != "lib.rs")
        .flat_map(|(name, inner, content)| file_violations(name, inner, content))
        .collect()
}

fn file_violations(name: &str, inner: &str, content: &str) -> Vec<String> {
    let mut module: Vec<&str> = inner.trim_end_matches(".rs").split('/').collect();
    if module.last() == Some(&"mod") {
        module.pop();
    }
    let Some(own) = module.first().copied() else { return Vec::new() };
    let Some(place) = place(own) else {
        return vec![format!("{name}: {own} has no place in the order (ORDER in xtask/src/check/layers.rs)")];
    };
    let code = without_comments(content);
    let mut found = Vec::new();
    for path in use_paths::find(&code, &module) {
        let Some(other) = path.segments.first().map(String::as_str).filter(|other| *other != own) else { continue };
        let Some(other_place) = self::place(other) else { continue };
        let line = line_of(&code, path.offset);
        if other_place > place {
            found.push(format!("{name}:{line}: {own} imports {other}, which is to its right"));
        } else if path.segments.get(1).is_some_and(|part| part == "store") {
            found.push(format!("{name}:{line}: {own} reads {other}'s store: call its service"));
        }
    }
    found
}

fn place(capability: &str) -> Option<usize> {
    ORDER.iter().position(|name| *name == capability)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, content: &str) -> Vec<String> {
        violations(&[(name.to_owned(), content.to_owned())])
    }

    #[test]
    fn left_is_allowed() {
        assert!(
            one("server/src/catalog/service.rs", "use crate::{audit::service, kernel::Ctx}; use super::store;")
                .is_empty()
        );
        assert!(one("server/src/lib.rs", "use crate::http;").is_empty());
        assert!(one("app/src/page.rs", "use crate::http;").is_empty());
    }

    #[test]
    fn right_is_refused_with_the_line() {
        let found =
            one("server/src/catalog/service.rs", "use crate::kernel::Ctx;\nuse crate::{kernel, deployments::service};");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("service.rs:2: catalog imports deployments"), "{found:?}");
    }

    #[test]
    fn another_store_is_refused() {
        for import in [
            "crate::catalog::store::list()",
            "use crate::catalog::{store, service};",
            "use super::super::catalog::store;",
        ] {
            let found = one("server/src/deployments/service.rs", import);
            assert!(found.len() == 1 && found[0].contains("catalog's store"), "{import}: {found:?}");
        }
    }

    #[test]
    fn a_comment_imports_nothing() {
        assert!(one("server/src/kernel/mod.rs", "// like crate::http\n/* crate::http */").is_empty());
    }

    #[test]
    fn an_unknown_capability_is_noticed() {
        assert!(one("server/src/helpers.rs", "")[0].contains("no place"));
    }
}
