//! References to secrets: whether one may be made, decided when it is saved and again when it is followed.

use super::fields::places;
use crate::config::SecretsConfig;
use passerelle_contract::{FieldError, Text, text};
use serde_json::Value;
use std::path::Path;

/// The setting that says which variables may be named.
const VARIABLES: &str = "secrets.variables";
/// The setting that says below which folders files may be named.
const FOLDERS: &str = "secrets.folders";

/// The references in an open configuration that may not be followed, each at its secret.
pub(super) fn refused(rules: &SecretsConfig, schema: &Value, opened: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for pointer in places(schema, opened) {
        let Some(secret) = opened.pointer(&pointer) else { continue };
        if let Some(why) = judged(rules, secret) {
            errors.push(FieldError::new(format!("/config{pointer}"), why));
        }
    }
    errors
}

fn judged(rules: &SecretsConfig, secret: &Value) -> Option<Text> {
    let part = |name: &str| secret.get(name).and_then(Value::as_str);
    if let Some(name) = part("env") {
        return (!rules.allows_variable(name)).then(|| no_variable(rules));
    }
    if let Some(path) = part("file") {
        return (!rules.allows_file(Path::new(path))).then(|| no_file(rules));
    }
    part("value").and_then(|value| judged_value(rules, value))
}

/// Google's configuration of a workload identity is a value that names a file, and an address to send what is in it to.
pub(super) fn judged_value(rules: &SecretsConfig, value: &str) -> Option<Text> {
    let credentials: Value = serde_json::from_str(value).ok()?;
    let file = credentials.pointer("/credential_source/file")?;
    let allowed = file.as_str().is_some_and(|path| rules.allows_file(Path::new(path)));
    (!allowed).then(|| no_file(rules))
}

fn no_variable(rules: &SecretsConfig) -> Text {
    let allowed = rules.variables.trim();
    if allowed.is_empty() {
        text!("names a variable, and the setting {setting} allows none", setting = VARIABLES)
    } else {
        text!(
            "names a variable that may not be read; allowed is {allowed} (setting {setting})",
            allowed,
            setting = VARIABLES
        )
    }
}

fn no_file(rules: &SecretsConfig) -> Text {
    let allowed = rules.folders.trim();
    if allowed.is_empty() {
        text!("names a file, and the setting {setting} allows none", setting = FOLDERS)
    } else {
        text!(
            "names a file that may not be read; allowed is what lies below {allowed} (setting {setting})",
            allowed,
            setting = FOLDERS
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_may_not_be_read_is_named_with_what_may() {
        let schema = json!({ "properties": { "a": { "format": "secret" }, "b": { "format": "secret" }, "c": {} } });
        let rules = SecretsConfig::default();
        let google = json!({ "type": "external_account", "token_url": "https://evil.test",
            "credential_source": { "file": "/var/lib/passerelle/secret.key" } });
        for (config, wrong) in [
            (json!({ "a": { "env": "PASSERELLE_SECRET_X" }, "b": { "file": "/run/secrets/passerelle/x" } }), vec![]),
            (
                json!({ "a": { "env": "DATABASE_URL" }, "b": { "file": "/proc/self/environ" } }),
                vec!["/config/a", "/config/b"],
            ),
            (json!({ "a": { "value": "DATABASE_URL" }, "c": { "env": "DATABASE_URL" } }), vec![]),
            (json!({ "a": { "value": google.to_string() } }), vec!["/config/a"]),
            (
                json!({ "a": { "value": google.to_string().replace("/var/lib/passerelle", "/run/secrets/passerelle") } }),
                vec![],
            ),
            (
                json!({ "a": { "value": google.to_string().replace("\"/var/lib/passerelle/secret.key\"", "[]") } }),
                vec!["/config/a"],
            ),
        ] {
            let errors = refused(&rules, &schema, &config);
            assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), wrong, "{config}");
        }
        let said = refused(&rules, &schema, &json!({ "a": { "env": "HOME" } }))[0].message.to_string();
        assert!(said.contains("PASSERELLE_SECRET_*") && said.contains("secrets.variables"), "{said}");
    }
}
