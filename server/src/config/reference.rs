//! Where a secret is, instead of the secret: `env:NAME` or `file:/path`.

use std::path::PathBuf;

/// Larger files are not secrets.
const MAX_BYTES: u64 = 64 * 1024;

/// Read when it is used, so that a file that changes needs no restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    Variable(String),
    File(PathBuf),
}

impl Reference {
    /// # Errors
    /// What is allowed. The text is not repeated: it may be the secret itself.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Self::Variable(name.to_owned())),
            Some(("file", path)) if path.starts_with('/') => Ok(Self::File(PathBuf::from(path))),
            _ => Err("must be env:NAME or file:/path, which hold the secret".to_owned()),
        }
    }

    /// The secret, without the line end that editors add.
    ///
    /// # Errors
    /// That it is not there, naming the place.
    pub fn read(&self) -> Result<String, String> {
        let text = match self {
            Self::Variable(name) => std::env::var(name).map_err(|_| format!("the variable {name} is not set"))?,
            Self::File(path) => {
                let size = std::fs::metadata(path).map_err(|_| format!("{} cannot be read", path.display()))?.len();
                if size > MAX_BYTES {
                    return Err(format!("{} is larger than {MAX_BYTES} bytes", path.display()));
                }
                std::fs::read_to_string(path).map_err(|_| format!("{} cannot be read", path.display()))?
            }
        };
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() { Err("holds nothing".to_owned()) } else { Ok(text.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn a_reference_names_a_place_and_never_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, "s3cret\n").unwrap();
        assert_eq!(Reference::parse(&format!("file:{}", path.display())).unwrap().read().unwrap(), "s3cret");
        std::fs::write(&path, "\n").unwrap();
        assert!(Reference::File(path).read().is_err());
        for bad in ["hunter2", "env:", "file:relative", "vault:x", ""] {
            let why = Reference::parse(bad).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
