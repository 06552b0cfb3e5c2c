//! What a repository has of a golden path already. Pure: texts in, findings out.
//!
//! Files of a repository are read as text, line by line, where they need not be YAML (a chart's templates are none); what is taken over as an answer is read
//! as YAML. Nothing that is found is believed further than a typed answer would be.

pub mod files;
pub mod found;
pub mod practices;

use std::collections::BTreeMap;

/// Files that are read at most: each is a request to a forge.
const MOST: usize = 40;
/// Folders whose YAML tells how something is deployed, measured or watched.
const FOLDERS: [&str; 20] = [
    "deploy",
    "deployment",
    "deployments",
    "k8s",
    "kubernetes",
    "manifests",
    "helm",
    "chart",
    "charts",
    "templates",
    "ops",
    "infra",
    "base",
    "overlays",
    "production",
    "monitoring",
    "slo",
    "slos",
    "alerts",
    "rules",
];
/// Read wherever they stand.
const NAMES: [&str; 5] = ["Dockerfile", "Containerfile", "catalog-info.yaml", "catalog-info.yml", "README.md"];

/// A repository as far as it was read.
#[derive(Debug, Default)]
pub struct Seen {
    /// Of all files.
    pub paths: Vec<String>,
    /// Of those that were read.
    pub texts: BTreeMap<String, String>,
}

/// The last part of a path.
pub fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

pub fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

pub fn is_dockerfile(path: &str) -> bool {
    matches!(name_of(path), "Dockerfile" | "Containerfile")
}

/// A file of Compose or of a Swarm stack.
pub fn is_stack(path: &str) -> bool {
    let stem = name_of(path).split('.').next().unwrap_or_default();
    is_yaml(path) && ["stack", "compose", "docker-compose", "docker-stack"].iter().any(|name| stem.starts_with(name))
}

/// The files that say something, those nearest to the root first.
pub fn worth_reading(paths: &[String]) -> Vec<String> {
    let folder = |path: &str| path.split('/').rev().skip(1).any(|part| FOLDERS.contains(&part));
    let says = |path: &&String| {
        let name = name_of(path);
        NAMES.contains(&name)
            || is_stack(path)
            || (is_yaml(path) && folder(path))
            || (path.ends_with(".tf") && path.starts_with("terraform/"))
    };
    let mut chosen: Vec<&String> = paths.iter().filter(says).collect();
    chosen.sort_by_key(|path| (!NAMES.contains(&name_of(path)), path.matches('/').count(), path.len()));
    chosen.into_iter().take(MOST).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_nothing_is_not_read() {
        let paths = [
            "src/main.py",
            "a/b/Dockerfile",
            "Dockerfile",
            "k8s/prod/web.yaml",
            "docker-compose.prod.yml",
            "translations/fr.yaml",
            "terraform/main.tf",
            "node_modules/x/package.json",
            "README.md",
        ]
        .map(str::to_owned);
        assert_eq!(
            worth_reading(&paths),
            [
                "README.md",
                "Dockerfile",
                "a/b/Dockerfile",
                "docker-compose.prod.yml",
                "terraform/main.tf",
                "k8s/prod/web.yaml"
            ]
        );
        let many: Vec<String> = (0..500).map(|at| format!("k8s/{at}.yaml")).collect();
        assert_eq!(worth_reading(&many).len(), MOST);
    }
}
