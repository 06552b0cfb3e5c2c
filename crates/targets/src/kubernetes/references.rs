//! Which keys of ConfigMaps and Secrets a pod template needs to start. Pure.

use k8s_openapi::api::core::v1::{Container, KeyToPath, PodTemplateSpec, Volume};
use passerelle_contract::{Text, text};

/// One key (or a whole object) that has to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub kind: Kind,
    pub name: String,
    /// Absent: the object is enough.
    pub key: Option<String>,
    /// Who needs it, for the message.
    pub user: Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    ConfigMap,
    Secret,
}

impl Kind {
    pub const fn title(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Optional references are left out: nothing fails without them.
pub(super) fn of(template: &PodTemplateSpec) -> Vec<Reference> {
    let Some(spec) = &template.spec else { return Vec::new() };
    let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
    let mut all: Vec<_> = containers.flat_map(of_container).collect();
    all.extend(spec.volumes.iter().flatten().flat_map(of_volume));
    all
}

fn of_container(container: &Container) -> Vec<Reference> {
    let mut all = Vec::new();
    for variable in container.env.iter().flatten() {
        let Some(source) = &variable.value_from else { continue };
        let user = || text!("env {name} of container {container}", name = &variable.name, container = &container.name);
        if let Some(key) = source.secret_key_ref.as_ref().filter(|key| key.optional != Some(true)) {
            all.push(Reference {
                kind: Kind::Secret,
                name: key.name.clone(),
                key: Some(key.key.clone()),
                user: user(),
            });
        }
        if let Some(key) = source.config_map_key_ref.as_ref().filter(|key| key.optional != Some(true)) {
            all.push(Reference {
                kind: Kind::ConfigMap,
                name: key.name.clone(),
                key: Some(key.key.clone()),
                user: user(),
            });
        }
    }
    for source in container.env_from.iter().flatten() {
        let user = || text!("envFrom of container {container}", container = &container.name);
        if let Some(secret) = source.secret_ref.as_ref().filter(|object| object.optional != Some(true)) {
            all.push(Reference { kind: Kind::Secret, name: secret.name.clone(), key: None, user: user() });
        }
        if let Some(config) = source.config_map_ref.as_ref().filter(|object| object.optional != Some(true)) {
            all.push(Reference { kind: Kind::ConfigMap, name: config.name.clone(), key: None, user: user() });
        }
    }
    all
}

fn of_volume(volume: &Volume) -> Vec<Reference> {
    let mut all = Vec::new();
    let mut object = |kind, name: Option<&str>, items: Option<&[KeyToPath]>, optional: Option<bool>| {
        let (Some(name), false) = (name, optional == Some(true)) else { return };
        let user = text!("volume {name}", name = &volume.name);
        match items {
            Some(items) if !items.is_empty() => all.extend(items.iter().map(|item| Reference {
                kind,
                name: name.to_owned(),
                key: Some(item.key.clone()),
                user: user.clone(),
            })),
            _ => all.push(Reference { kind, name: name.to_owned(), key: None, user }),
        }
    };
    if let Some(config) = &volume.config_map {
        object(Kind::ConfigMap, Some(&config.name), config.items.as_deref(), config.optional);
    }
    if let Some(secret) = &volume.secret {
        object(Kind::Secret, secret.secret_name.as_deref(), secret.items.as_deref(), secret.optional);
    }
    for source in volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten()) {
        if let Some(config) = &source.config_map {
            object(Kind::ConfigMap, Some(&config.name), config.items.as_deref(), config.optional);
        }
        if let Some(secret) = &source.secret {
            object(Kind::Secret, Some(&secret.name), secret.items.as_deref(), secret.optional);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_place_that_needs_a_key_is_found() {
        let template: PodTemplateSpec = serde_json::from_value(json!({"spec": {
            "initContainers": [{"name": "migrate", "env": [{"name": "DB", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}]}],
            "containers": [{"name": "web",
                "env": [{"name": "TTL", "valueFrom": {"configMapKeyRef": {"name": "web", "key": "ttl"}}},
                        {"name": "X", "valueFrom": {"secretKeyRef": {"name": "x", "key": "x", "optional": true}}}],
                "envFrom": [{"secretRef": {"name": "keys"}}]}],
            "volumes": [{"name": "conf", "configMap": {"name": "files", "items": [{"key": "a.toml", "path": "a.toml"}]}},
                        {"name": "tls", "secret": {"secretName": "tls"}}]
        }}))
        .unwrap();
        let found: Vec<_> = of(&template)
            .into_iter()
            .map(|r| format!("{} {} {:?} {}", r.kind.title(), r.name, r.key, r.user))
            .collect();
        assert_eq!(
            found,
            [
                "Secret db Some(\"url\") env DB of container migrate",
                "ConfigMap web Some(\"ttl\") env TTL of container web",
                "Secret keys None envFrom of container web",
                "ConfigMap files Some(\"a.toml\") volume conf",
                "Secret tls None volume tls",
            ]
        );
    }
}
