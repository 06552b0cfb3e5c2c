//! What a binding may ask to run before a rollout.

use k8s_openapi::api::batch::v1::Job;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer as _};
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;

const MAX_MANIFEST_BYTES: usize = 64 * 1024;
const MAX_WORDS: usize = 64;
const MAX_WORD_BYTES: usize = 4096;
const TIMEOUT_S: std::ops::RangeInclusive<u32> = 10..=7200;
const DEFAULT_TIMEOUT_S: u32 = 600;

/// A migration: exactly one of a command and a manifest.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Fields")]
pub struct Migration {
    pub work: Work,
    pub limit: Duration,
}

/// What the Job does.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// The Deployment's container with this command in the place of its own.
    Command(Argv),
    Manifest(Box<JobManifest>),
}

/// A Job with the image of the version that is deployed, run before the Deployment changes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fields {
    /// Run in the Deployment's container with the new image, in the place of its command: one word a line, no shell reads it.
    #[serde(default)]
    #[schemars(title = "Command")]
    command: Option<Argv>,
    /// Instead of a command, the manifest of a Job (YAML). Its image is replaced by the version that is deployed.
    #[serde(default)]
    #[schemars(title = "Job manifest", with = "Option<JobManifest>")]
    manifest: Option<Box<JobManifest>>,
    /// After this long it counts as failed, in seconds, 10 to 7200; 600 when absent.
    #[serde(default)]
    #[schemars(title = "Time limit (s)", with = "Option<u32>")]
    timeout_s: Option<Seconds>,
}

impl TryFrom<Fields> for Migration {
    type Error = Text;

    fn try_from(fields: Fields) -> Result<Self, Text> {
        let work = match (fields.command, fields.manifest) {
            (Some(command), None) => Work::Command(command),
            (None, Some(manifest)) => Work::Manifest(manifest),
            _ => return Err(text!("a migration is a command or the manifest of a Job, and not both")),
        };
        let seconds = fields.timeout_s.map_or(DEFAULT_TIMEOUT_S, |seconds| seconds.0);
        Ok(Self { work, limit: Duration::from_secs(u64::from(seconds)) })
    }
}

impl JsonSchema for Migration {
    fn schema_name() -> Cow<'static, str> {
        "KubernetesMigration".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Fields::json_schema(generator)
    }
}

#[derive(Debug, Deserialize)]
#[serde(try_from = "u32")]
struct Seconds(u32);

impl TryFrom<u32> for Seconds {
    type Error = Text;

    fn try_from(seconds: u32) -> Result<Self, Text> {
        if TIMEOUT_S.contains(&seconds) {
            return Ok(Self(seconds));
        }
        Err(text!("is {count}; allowed is {min} to {max}", count = seconds, min = 10, max = 7200))
    }
}

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Argv(Vec<String>);

impl Argv {
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for Argv {
    type Error = Text;

    fn try_from(words: Vec<String>) -> Result<Self, Text> {
        let fits = |word: &String| word.len() <= MAX_WORD_BYTES && !word.contains('\0');
        if (1..=MAX_WORDS).contains(&words.len()) && !words[0].is_empty() && words.iter().all(fits) {
            return Ok(Self(words));
        }
        Err(text!("a command is 1 to {max} words, the first one its program", max = MAX_WORDS))
    }
}

impl JsonSchema for Argv {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Argv".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" }, "minItems": 1, "maxItems": MAX_WORDS })
    }
}

/// The manifest of a Job with all its fields, those that this program does not know too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct JobManifest {
    pub object: Value,
    pub name: String,
}

impl TryFrom<String> for JobManifest {
    type Error = Text;

    fn try_from(text: String) -> Result<Self, Text> {
        if text.len() > MAX_MANIFEST_BYTES {
            return Err(text!("the manifest is longer than {max} bytes", max = MAX_MANIFEST_BYTES));
        }
        let wrong = |why: Text| text!("not the manifest of a Job: {why}", why);
        let object: Value = one_document(&text).map_err(|error| wrong(Text::verbatim(error)))?;
        if object["apiVersion"] != "batch/v1" || object["kind"] != "Job" {
            return Err(wrong(text!("it must say apiVersion: batch/v1 and kind: Job")));
        }
        let job: Job = serde_json::from_value(object.clone())
            .map_err(|error| wrong(Text::verbatim(crate::masking::shown(&error.to_string()))))?;
        let name = job.metadata.name.unwrap_or_default();
        // The name becomes a label of its pods.
        super::super::names::Label::try_from(name.clone()).map_err(wrong)?;
        let pod = job.spec.and_then(|spec| spec.template.spec);
        if pod.is_none_or(|pod| pod.containers.is_empty()) {
            return Err(wrong(text!("it has no container")));
        }
        Ok(Self { object, name })
    }
}

/// Values of a manifest may be secrets, so the error tells the place and no value.
fn one_document(text: &str) -> Result<Value, String> {
    let mut documents = serde_yaml_ng::Deserializer::from_str(text);
    let first = documents.next().ok_or("it is empty")?;
    let value = Value::deserialize(first).map_err(|error| {
        let at = error.location().map(|place| format!("line {}, column {}", place.line(), place.column()));
        format!("YAML error at {}", at.unwrap_or_else(|| "its end".to_owned()))
    })?;
    if documents.any(|document| document.deserialize_any(serde::de::IgnoredAny).is_ok()) {
        return Err("it holds several documents".to_owned());
    }
    Ok(value)
}

impl JsonSchema for JobManifest {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JobManifest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "multiline", "maxLength": MAX_MANIFEST_BYTES })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TargetError, platform};
    use serde_json::json;

    const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: exai-migrate}\nspec:\n  template:\n    spec:\n      \
        restartPolicy: Never\n      containers: [{name: migrate, image: 'exai-api-gateway:latest', command: [alembic, upgrade, head]}]\n";

    fn refused(migration: Value) -> (String, String) {
        let config = json!({"namespace": "exai", "deployment": "api-gateway", "migration": migration});
        match platform("kubernetes").unwrap().check_binding(&config) {
            Err(TargetError::Config { pointer, message }) => (pointer, message.to_string()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_or_a_manifest_is_read() {
        let migration: Migration = serde_json::from_value(json!({"command": ["alembic", "upgrade", "head"]})).unwrap();
        assert_eq!(migration.limit, Duration::from_secs(600));
        assert!(matches!(migration.work, Work::Command(argv) if argv.words().len() == 3));
        let migration: Migration = serde_json::from_value(json!({"manifest": JOB, "timeout_s": 30})).unwrap();
        assert_eq!(migration.limit, Duration::from_secs(30));
        assert!(matches!(migration.work, Work::Manifest(job) if job.name == "exai-migrate"));
    }

    #[test]
    fn what_is_wrong_is_named_at_its_field() {
        for (migration, pointer, said) in [
            (json!({}), "/config/migration", "a command or the manifest"),
            (json!({"command": ["x"], "manifest": JOB}), "/config/migration", "not both"),
            (json!({"command": []}), "/config/migration/command", "1 to 64 words"),
            (json!({"command": ["x"], "timeout_s": 5}), "/config/migration/timeout_s", "10 to 7200"),
            (json!({"manifest": "a: ["}), "/config/migration/manifest", "YAML error"),
            (json!({"manifest": JOB.replace("kind: Job", "kind: Pod")}), "/config/migration/manifest", "kind: Job"),
            (
                json!({"manifest": JOB.replace("exai-migrate", "Exai")}),
                "/config/migration/manifest",
                "not a Kubernetes name",
            ),
            (json!({"manifest": format!("{JOB}---\n{JOB}")}), "/config/migration/manifest", "several documents"),
            (json!({"manifest": JOB, "shell": true}), "/config/migration/shell", "unknown"),
        ] {
            let (at, message) = refused(migration.clone());
            assert_eq!(at, pointer, "{migration}: {message}");
            assert!(message.contains(said), "{message}");
        }
    }
}
