//! What a binding may name to be ready before a rollout.

use super::super::names::Name;
use crate::seconds::Seconds;
use passerelle_contract::{Text, text};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use std::borrow::Cow;
use std::fmt;

const MAX_OBJECTS: usize = 10;

/// A kind whose readiness the cluster tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    StatefulSet,
    Deployment,
    Job,
}

impl Kind {
    pub const fn title(self) -> &'static str {
        match self {
            Self::StatefulSet => "StatefulSet",
            Self::Deployment => "Deployment",
            Self::Job => "Job",
        }
    }
}

/// One object, written as for `kubectl`: `statefulset/postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    pub kind: Kind,
    pub name: Name,
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.title(), self.name.as_str())
    }
}

fn dependency(text: &str) -> Result<Dependency, Text> {
    let (kind, name) = text.split_once('/').unwrap_or((text, ""));
    let kind = match kind.to_ascii_lowercase().as_str() {
        "statefulset" | "statefulsets" | "sts" => Kind::StatefulSet,
        "deployment" | "deployments" | "deploy" => Kind::Deployment,
        "job" | "jobs" => Kind::Job,
        _ => {
            let shown: String = crate::masking::shown(text).chars().take(80).collect();
            return Err(text!("'{shown}' is not statefulset/NAME, deployment/NAME or job/NAME", shown));
        }
    };
    Ok(Dependency { kind, name: Name::try_from(name.to_owned())? })
}

/// What is waited for, in the order in which it is told. Empty: nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct WaitFor(Vec<Dependency>);

impl WaitFor {
    pub fn all(&self) -> &[Dependency] {
        &self.0
    }
}

impl TryFrom<Vec<String>> for WaitFor {
    type Error = Text;

    fn try_from(texts: Vec<String>) -> Result<Self, Text> {
        if texts.len() > MAX_OBJECTS {
            return Err(text!("at most {max} objects can be waited for", max = MAX_OBJECTS));
        }
        let mut found: Vec<Dependency> = Vec::with_capacity(texts.len());
        for text in &texts {
            let dependency = dependency(text)?;
            if found.contains(&dependency) {
                return Err(text!("{object} is named twice", object = dependency.to_string()));
            }
            found.push(dependency);
        }
        Ok(Self(found))
    }
}

impl JsonSchema for WaitFor {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "WaitFor".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": { "type": "string" }, "maxItems": MAX_OBJECTS, "examples": [["statefulset/postgres"]] })
    }
}

/// Longest time to wait, in seconds.
pub type Limit = Seconds<5, 3600, 300>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TargetError, platform};
    use serde_json::{Value, json};

    #[test]
    fn objects_are_written_as_for_kubectl() {
        let named: WaitFor =
            serde_json::from_value(json!(["StatefulSet/postgres", "deploy/redis", "job/seed"])).unwrap();
        assert_eq!(
            named.all().iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["StatefulSet postgres", "Deployment redis", "Job seed"]
        );
    }

    #[test]
    fn what_is_wrong_is_named_at_its_field() {
        let check = |more: Value| {
            let mut config = json!({"namespace": "exai", "deployment": "api"});
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            match platform("kubernetes").unwrap().check_binding(&config) {
                Err(TargetError::Config { pointer, message }) => (pointer, message.to_string()),
                other => panic!("{other:?}"),
            }
        };
        for (more, pointer, said) in [
            (json!({"wait_for": ["postgres"]}), "/config/wait_for", "statefulset/NAME"),
            (json!({"wait_for": ["pod/x"]}), "/config/wait_for", "statefulset/NAME"),
            (json!({"wait_for": ["sts/Postgres"]}), "/config/wait_for", "not a Kubernetes name"),
            (json!({"wait_for": ["sts/a", "statefulset/a"]}), "/config/wait_for", "named twice"),
            (json!({"wait_for": vec!["sts/a"; 11]}), "/config/wait_for", "at most 10"),
            (json!({"wait_timeout_s": 4}), "/config/wait_timeout_s", "5 to 3600"),
        ] {
            let (at, message) = check(more.clone());
            assert_eq!(at, pointer, "{more}: {message}");
            assert!(message.contains(said), "{message}");
        }
    }
}
