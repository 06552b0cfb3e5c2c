//! The files of a golden path against those of a repository.

use super::name_of;
use passerelle_contract::adoption::{AdoptionFile, Standing};
use passerelle_templates::{Change, Outcome, RenderedFile};
use std::collections::{BTreeMap, BTreeSet};

/// Endings of what only an application has.
const CODE: [&str; 12] = [".py", ".rs", ".js", ".mjs", ".ts", ".go", ".java", ".sql", ".mako", ".lock", ".ini", ".in"];
/// Files by which an application names what it is built of.
const BUILT_OF: [&str; 10] = [
    "Cargo.toml",
    "pyproject.toml",
    "package.json",
    "package-lock.json",
    "requirements.txt",
    "requirements-dev.txt",
    "clippy.toml",
    "rustfmt.toml",
    "rust-toolchain.toml",
    ".nvmrc",
];

/// Why a file of the golden path stands beside a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The golden path brings it.
    Delivered,
    /// The repository had the same.
    There,
    /// The repository has its own, or none.
    Apart,
}

impl Part {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::There => "there",
            Self::Apart => "apart",
        }
    }
}

/// Whether a file is code of an application: a service that is there has its own.
pub fn is_code(path: &str) -> bool {
    let name = name_of(path);
    BUILT_OF.contains(&name) || CODE.iter().any(|ending| name.ends_with(ending))
}

/// Each file, compared; `wanted` are the ticked ones, without which those that are missing and no code are.
pub fn compared(
    rendered: &[RenderedFile],
    there: &BTreeMap<String, String>,
    wanted: Option<&BTreeSet<&str>>,
) -> Vec<AdoptionFile> {
    rendered
        .iter()
        .map(|file| {
            let found = there.get(&file.path);
            let standing = match found {
                None => Standing::Missing,
                Some(found) if *found == file.content => Standing::There,
                Some(_) => Standing::Differs,
            };
            let code = is_code(&file.path);
            let ticked =
                wanted.map_or(standing == Standing::Missing && !code, |wanted| wanted.contains(file.path.as_str()));
            AdoptionFile {
                path: file.path.clone(),
                standing,
                code,
                chosen: ticked && standing != Standing::There,
                difference: difference(file, found),
            }
        })
        .collect()
}

/// The part that each file plays from then on.
pub fn part_of(file: &AdoptionFile) -> Part {
    match file.standing {
        Standing::There => Part::There,
        _ if file.chosen => Part::Delivered,
        _ => Part::Apart,
    }
}

fn difference(file: &RenderedFile, found: Option<&String>) -> String {
    if found == Some(&file.content) {
        return String::new();
    }
    let change = Change {
        path: file.path.clone(),
        outcome: Outcome::Updated,
        content: Some(file.content.clone()),
        executable: file.executable,
        before: found.cloned(),
    };
    change.difference()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered() -> Vec<RenderedFile> {
        [("Dockerfile", "FROM a\n"), ("README.md", "# a\n"), ("app/main.py", "x\n"), ("slo/openslo.yaml", "y\n")]
            .map(|(path, text)| RenderedFile { path: path.to_owned(), content: text.to_owned(), executable: false })
            .to_vec()
    }

    #[test]
    fn what_is_missing_is_ticked_but_no_code_and_nothing_is_overwritten_unasked() {
        let there =
            [("Dockerfile", "FROM b\n"), ("README.md", "# a\n")].map(|(path, text)| (path.to_owned(), text.to_owned()));
        let files = compared(&rendered(), &there.clone().into(), None);
        let told: Vec<_> =
            files.iter().map(|file| (file.path.as_str(), file.standing, file.chosen, part_of(file))).collect();
        assert_eq!(
            told,
            [
                ("Dockerfile", Standing::Differs, false, Part::Apart),
                ("README.md", Standing::There, false, Part::There),
                ("app/main.py", Standing::Missing, false, Part::Apart),
                ("slo/openslo.yaml", Standing::Missing, true, Part::Delivered),
            ]
        );
        assert_eq!(files[0].difference, "@@ -1 +1 @@\n-FROM b\n+FROM a\n");
        assert_eq!((files[1].difference.as_str(), files[3].difference.as_str()), ("", "@@ -0,0 +1 @@\n+y\n"));
        let ticked = BTreeSet::from(["Dockerfile", "README.md", "app/main.py"]);
        let files = compared(&rendered(), &there.into(), Some(&ticked));
        let chosen: Vec<&str> = files.iter().filter(|file| file.chosen).map(|file| file.path.as_str()).collect();
        assert_eq!(chosen, ["Dockerfile", "app/main.py"], "what is the same is not delivered");
    }

    #[test]
    fn a_service_has_its_own_code() {
        for code in ["app/main.py", "Cargo.lock", "requirements.in", "migrations/0001.sql", "package.json"] {
            assert!(is_code(code), "{code}");
        }
        for other in [
            "Dockerfile",
            ".pre-commit-config.yaml",
            "deploy/base/hpa.yaml",
            "scripts/deploy.sh",
            "docs/runbook.md",
            ".dockerignore",
        ] {
            assert!(!is_code(other), "{other}");
        }
    }
}
