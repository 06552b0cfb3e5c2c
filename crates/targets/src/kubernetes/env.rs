//! Environment variables of a container, as they may be shown: references by name, secret-looking values masked. Pure.

use crate::masking::{MASK, literal};
use k8s_openapi::api::core::v1::{Container, EnvFromSource, EnvVar as Variable, EnvVarSource};
use passerelle_contract::deployments::EnvVar;

/// In the order of the container; a later variable of the same name wins, as it does for the container.
pub(super) fn of(container: &Container) -> Vec<EnvVar> {
    let sources = container.env_from.as_deref().unwrap_or_default().iter().map(whole);
    let mut all: Vec<EnvVar> = sources.collect();
    for variable in container.env.as_deref().unwrap_or_default().iter().map(one) {
        all.retain(|known| known.name != variable.name);
        all.push(variable);
    }
    all
}

fn one(variable: &Variable) -> EnvVar {
    match &variable.value_from {
        Some(source) => {
            let (value, secret) = reference(source);
            EnvVar { name: variable.name.clone(), value, secret }
        }
        None => literal(&variable.name, variable.value.as_deref().unwrap_or_default()),
    }
}

fn reference(source: &EnvVarSource) -> (String, bool) {
    if let Some(key) = &source.secret_key_ref {
        return (format!("secret {} / {}", key.name, key.key), true);
    }
    if let Some(key) = &source.config_map_key_ref {
        return (format!("config {} / {}", key.name, key.key), false);
    }
    if let Some(field) = &source.field_ref {
        return (format!("field {}", field.field_path), false);
    }
    if let Some(field) = &source.resource_field_ref {
        return (format!("resource {}", field.resource), false);
    }
    // A kind of reference that this program does not know: its content is not guessed at.
    (MASK.to_owned(), true)
}

/// `envFrom`: all keys of an object.
fn whole(source: &EnvFromSource) -> EnvVar {
    let name = format!("{}*", source.prefix.as_deref().unwrap_or_default());
    match (&source.secret_ref, &source.config_map_ref) {
        (Some(secret), _) => EnvVar { name, value: format!("secret {} / all keys", secret.name), secret: true },
        (None, Some(config)) => EnvVar { name, value: format!("config {} / all keys", config.name), secret: false },
        (None, None) => EnvVar { name, value: MASK.to_owned(), secret: true },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_are_named_and_secrets_are_masked() {
        let container: Container = serde_json::from_value(json!({"name": "web",
        "envFrom": [{"prefix": "FEATURE_", "configMapRef": {"name": "flags"}}, {"secretRef": {"name": "keys"}}],
        "env": [
            {"name": "PORT", "value": "8080"},
            {"name": "API_TOKEN", "value": "abc"},
            {"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}},
            {"name": "TTL", "valueFrom": {"configMapKeyRef": {"name": "web", "key": "ttl"}}},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "NEW", "valueFrom": {"fileKeyRef": {"path": "x"}}},
            {"name": "PORT", "value": "9090"}
        ]}))
        .unwrap();
        let shown: Vec<_> =
            of(&container).into_iter().map(|v| format!("{}={} {}", v.name, v.value, v.secret)).collect();
        assert_eq!(
            shown,
            [
                "FEATURE_*=config flags / all keys false",
                "*=secret keys / all keys true",
                "API_TOKEN=*** true",
                "DB=secret db / url true",
                "TTL=config web / ttl false",
                "NODE=field spec.nodeName false",
                "NEW=*** true",
                "PORT=9090 false",
            ]
        );
    }
}
