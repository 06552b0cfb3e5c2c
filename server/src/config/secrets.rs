//! Where secrets may be, for those who edit connections and channels: without this, whoever may do that could name any variable or file of the
//! server and have it sent to an address of their own.

use super::ConfigError;
use serde::Deserialize;
use std::path::{Component, Path, PathBuf};

const VARIABLES: &str = "secrets.variables";
const FOLDERS: &str = "secrets.folders";

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SecretsConfig {
    /// Environment variables that `{"env": NAME}` may name, with commas between; one that ends with `*` stands for all that begin so. Empty: none.
    pub variables: String,
    /// Folders below which `{"file": PATH}` may name files, with commas between. Empty: none.
    pub folders: String,
}

impl Default for SecretsConfig {
    fn default() -> Self {
        Self { variables: "PASSERELLE_SECRET_*".to_owned(), folders: "/run/secrets/passerelle".to_owned() }
    }
}

impl SecretsConfig {
    /// Whether a variable may be named.
    #[must_use]
    pub fn allows_variable(&self, name: &str) -> bool {
        parts(&self.variables).any(|rule| match rule.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == rule,
        })
    }

    /// Whether a file may be named: it lies below one of the folders as it is written, and so does what it leads to through links.
    #[must_use]
    pub fn allows_file(&self, path: &Path) -> bool {
        let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        let below = |folder: &Path, path: &Path| path.starts_with(folder) && path != folder;
        // What is not there leads nowhere; that it cannot be read is told by who reads it.
        let real = std::fs::canonicalize(path).ok();
        plain
            && parts(&self.folders).map(Path::new).any(|folder| {
                below(folder, path)
                    && real
                        .as_ref()
                        .is_none_or(|real| std::fs::canonicalize(folder).is_ok_and(|folder| below(&folder, real)))
            })
    }

    /// # Errors
    /// The first value that cannot work, with its key.
    pub(super) fn check(&self, data: &Path) -> Result<(), ConfigError> {
        for rule in parts(&self.variables) {
            let name = rule.strip_suffix('*').unwrap_or(rule);
            let good = name.len() >= 3 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !good {
                let why = format!(
                    "\"{rule}\" is no name of a variable, or the beginning of one (3 letters at least) with * behind it"
                );
                return Err(ConfigError::value(VARIABLES, &why));
            }
        }
        for folder in parts(&self.folders).map(Path::new) {
            let plain = folder.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
            if !folder.is_absolute() || !plain || folder.components().count() < 2 {
                let why = format!("\"{}\" is not the whole path of a folder", folder.display());
                return Err(ConfigError::value(FOLDERS, &why));
            }
            // Through links too: what is below the data folder opens everything.
            if real(data).starts_with(real(folder)) || real(folder).starts_with(real(data)) {
                let why =
                    format!("\"{}\" holds the data folder, or is in it: secret.key could be named", folder.display());
                return Err(ConfigError::value(FOLDERS, &why));
            }
        }
        Ok(())
    }
}

fn real(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::SecretsConfig;
    use std::path::Path;

    fn of(variables: &str, folders: &str) -> SecretsConfig {
        SecretsConfig { variables: variables.to_owned(), folders: folders.to_owned() }
    }

    #[test]
    fn variables_are_named_whole_or_by_their_beginning() {
        let rules = of("PASSERELLE_SECRET_*, GHCR_TOKEN", "");
        for (name, allowed) in [
            ("PASSERELLE_SECRET_A", true),
            ("GHCR_TOKEN", true),
            ("GHCR_TOKEN_2", false),
            ("passerelle_secret_a", false),
            ("DATABASE_URL", false),
            ("", false),
        ] {
            assert_eq!(rules.allows_variable(name), allowed, "{name}");
        }
        assert!(!of("", "").allows_variable("PASSERELLE_SECRET_A"));
    }

    #[test]
    fn files_lie_below_a_folder_also_behind_links() {
        let place = tempfile::tempdir().unwrap();
        let (inside, outside) = (place.path().join("in"), place.path().join("out"));
        for folder in [&inside, &outside] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("a"), "s").unwrap();
        }
        // As Kubernetes lays out a mounted secret.
        std::fs::create_dir(inside.join("..data")).unwrap();
        std::fs::write(inside.join("..data/b"), "s").unwrap();
        std::os::unix::fs::symlink("..data/b", inside.join("b")).unwrap();
        std::os::unix::fs::symlink(outside.join("a"), inside.join("away")).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("folder")).unwrap();
        let rules = of("", &inside.display().to_string());
        for (path, allowed) in [
            ("a", true),
            ("b", true),
            ("not-there", true),
            ("away", false),
            ("folder/a", false),
            ("../out/a", false),
            ("../in/a", false),
            ("", false),
        ] {
            assert_eq!(rules.allows_file(&inside.join(path)), allowed, "{path}");
        }
        assert!(!rules.allows_file(&place.path().join("inside")), "a name is not a beginning of letters");
        assert!(!rules.allows_file(Path::new("in/a")) && !of("", "").allows_file(&inside.join("a")));
    }

    #[test]
    fn rules_that_reach_too_far_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::os::unix::fs::symlink(place.path(), place.path().join("link")).unwrap();
        let here = |name: &str| place.path().join(name).display().to_string();
        for (variables, folders) in [
            ("*", String::new()),
            ("A*", String::new()),
            ("A B", String::new()),
            ("ABC**", String::new()),
            ("", "/".to_owned()),
            ("", "run/secrets".to_owned()),
            ("", "/run/../etc".to_owned()),
            ("", here("")),
            ("", here("data")),
            ("", here("data/below")),
            ("", here("link")),
        ] {
            assert!(of(variables, &folders).check(&data).is_err(), "{variables} {folders}");
        }
        assert!(SecretsConfig::default().check(&data).is_ok());
        assert!(of("", &here("secrets")).check(&data).is_ok());
    }
}
