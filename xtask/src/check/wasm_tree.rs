//! The browser client links nothing of the server's world.

use std::collections::BTreeSet;

use anyhow::Result;

use super::report;
use crate::paths::Paths;
use crate::process::{cargo, output};

/// Names of packages, or beginnings of them when they end in a dash.
const FORBIDDEN: &[&str] = &[
    "sqlx",
    "sqlx-",
    "kube",
    "kube-",
    "k8s-openapi",
    "tokio",
    "axum",
    "axum-",
    "hyper",
    "bollard",
    "bollard-",
    "reqwest",
    "rustls",
    "ring",
    "tower-http",
    "utoipa",
    "passerelle-server",
    "passerelle-targets",
    "passerelle-embedded-postgres",
    "passerelle-simulator",
];

pub fn check(paths: &Paths) -> Result<()> {
    let tree = output(
        cargo(paths)
            .args(["tree", "--package", "passerelle-app", "--no-default-features", "--features", "hydrate"])
            .args(["--target", "wasm32-unknown-unknown", "--edges", "normal", "--prefix", "none", "--format", "{p}"]),
    )?;
    report("the browser client must not link", &violations(&tree))
}

fn violations(tree: &str) -> Vec<String> {
    let packages: BTreeSet<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    packages.into_iter().filter(|package| is_forbidden(package)).map(str::to_owned).collect()
}

fn is_forbidden(package: &str) -> bool {
    FORBIDDEN.iter().any(|name| if name.ends_with('-') { package.starts_with(name) } else { package == *name })
}

#[cfg(test)]
mod tests {
    use super::violations;

    #[test]
    fn server_packages_are_found_once() {
        let tree = "passerelle-app v0.1.0 (path)\nleptos v0.8.23\nsqlx-core v0.9.0\ntokio v1.52.0\ntokio v1.52.0 (*)\ntokio-stream-like v1\n";
        assert_eq!(violations(tree), ["sqlx-core", "tokio"]);
    }

    #[test]
    fn a_clean_tree_passes() {
        assert!(
            violations("passerelle-app v0.1.0\npasserelle-contract v0.1.0\nleptos v0.8.23\nwasm-bindgen v0.2.130\n")
                .is_empty()
        );
    }
}
