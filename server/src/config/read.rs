//! Putting file and environment together.

use super::Config;
use toml::{Table, Value};

const PREFIX: &str = "PASSERELLE__";

/// Names the key, or the place in the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("{key}: {message}")]
    Value { key: String, message: String },
    #[error("{0}")]
    File(String),
}

impl ConfigError {
    pub(super) fn value(key: &str, message: &str) -> Self {
        Self::Value { key: key.to_owned(), message: message.to_owned() }
    }
}

/// Reads the file's text, lays the variables over it, and checks the result.
///
/// # Errors
/// Unknown keys, wrong types, values that cannot work.
pub fn load(file: Option<&str>, variables: impl Iterator<Item = (String, String)>) -> Result<Config, ConfigError> {
    let mut table: Table =
        file.unwrap_or_default().parse().map_err(|error: toml::de::Error| ConfigError::File(error.to_string()))?;
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        let path = path.to_lowercase();
        let Some((section, key)) = path.split_once("__") else {
            return Err(ConfigError::value(&name, "must be PASSERELLE__SECTION__KEY"));
        };
        let section = table.entry(section.to_owned()).or_insert_with(|| Value::Table(Table::new()));
        match section.as_table_mut() {
            Some(section) => drop(section.insert(key.to_owned(), typed(&text))),
            None => return Err(ConfigError::value(&name, "is not a section")),
        }
    }
    let config: Config = table.try_into().map_err(|error: toml::de::Error| ConfigError::File(error.to_string()))?;
    config.check()?;
    Ok(config)
}

/// A variable is text; numbers and booleans are read as such.
fn typed(text: &str) -> Value {
    match text {
        "true" => Value::Boolean(true),
        "false" => Value::Boolean(false),
        _ => text.parse().map_or_else(|_| Value::String(text.to_owned()), Value::Integer),
    }
}
