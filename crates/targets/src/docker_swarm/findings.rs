//! What is worth knowing before the act. Pure; the engine's facts come in.

use super::spec;
use crate::ImageRef;
use passerelle_contract::deployments::{Finding, Severity};
use passerelle_contract::{Text, text};
use serde_json::Value;

/// Facts about what a specification refers to.
#[derive(Debug, Default)]
pub(super) struct Facts {
    /// The image as this engine has it; nothing when it was not pulled here.
    pub image: Option<Value>,
    /// Names of secrets and configs that are mounted but not there, as `secret x`.
    pub missing: Vec<String>,
}

pub(super) fn list(spec: &Value, facts: &Facts) -> Vec<Finding> {
    let mut all: Vec<Finding> = facts
        .missing
        .iter()
        .map(|name| {
            finding(
                Severity::Error,
                "missing_key",
                text!("{name} is mounted, but it does not exist in the Swarm", name),
            )
        })
        .collect();
    let image = spec::image(spec);
    if ImageRef::parse(image).is_ok_and(|image| !image.is_pinned()) {
        let text = text!("{image} names a tag, which another push can move; a digest cannot change", image);
        all.push(finding(Severity::Info, "mutable_tag", text));
    }
    all.extend(user(spec, facts));
    all.extend(health_check(spec, facts));
    match spec::failure_action(spec) {
        None => {
            let text =
                text!("update_config sets no failure_action, so Swarm pauses a failing update and does not go back");
            all.push(finding(Severity::Info, "no_failure_action", text));
        }
        Some("continue") => {
            let text = text!("update_config continues when tasks fail, so a bad version can replace every task");
            all.push(finding(Severity::Warning, "failure_action_continue", text));
        }
        Some(_) => {}
    }
    all
}

fn user(spec: &Value, facts: &Facts) -> Option<Finding> {
    let set = spec::text(&spec["TaskTemplate"]["ContainerSpec"]["User"]);
    let from_image = facts.image.as_ref().map(|image| spec::text(&image["Config"]["User"]));
    let text = match (set, from_image) {
        (user, _) if is_root(user) => text!("the service sets root as the user of its containers"),
        ("", Some(user)) if user.is_empty() || is_root(user) => {
            text!("neither the service nor the image sets a user, so the containers run as root")
        }
        ("", None) => text!("the service sets no user, so the containers run as root unless the image sets one"),
        _ => return None,
    };
    Some(finding(Severity::Warning, "runs_as_root", text))
}

fn is_root(user: &str) -> bool {
    matches!(user.split(':').next(), Some("root" | "0"))
}

fn health_check(spec: &Value, facts: &Facts) -> Option<Finding> {
    let test = |check: &Value| check["Test"].get(0).and_then(Value::as_str).map(str::to_owned);
    let set = test(&spec["TaskTemplate"]["ContainerSpec"]["Healthcheck"]);
    let text = match set.as_deref() {
        Some("NONE") => {
            text!("the service turns the image's health check off, so Swarm takes a task as ready once it starts")
        }
        Some(_) => return None,
        None => match &facts.image {
            // Not pulled here: the image may well have one.
            None => return None,
            Some(image) if test(&image["Config"]["Healthcheck"]).is_some_and(|kind| kind != "NONE") => return None,
            Some(_) => text!("there is no health check, so Swarm takes a task as ready once it starts"),
        },
    };
    Some(finding(Severity::Warning, "no_probe", text))
}

fn finding(severity: Severity, code: &str, message: Text) -> Finding {
    Finding { severity, code: code.to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn codes(spec: &Value, facts: &Facts) -> Vec<String> {
        list(spec, facts).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_bare_service_gets_all_warnings() {
        let spec = json!({ "TaskTemplate": { "ContainerSpec": { "Image": "web:1" } } });
        let image = Some(json!({ "Config": { "User": "" } }));
        let facts = Facts { image, missing: vec!["secret db".to_owned()] };
        assert_eq!(
            codes(&spec, &facts),
            ["missing_key", "mutable_tag", "runs_as_root", "no_probe", "no_failure_action"]
        );
    }

    #[test]
    fn a_careful_service_gets_none() {
        let spec = json!({ "UpdateConfig": { "FailureAction": "rollback" }, "TaskTemplate": { "ContainerSpec": {
            "Image": format!("web:1@sha256:{}", "a".repeat(64)) } } });
        let image = Some(json!({ "Config": { "User": "1000:1000", "Healthcheck": { "Test": ["CMD", "/probe"] } } }));
        assert!(codes(&spec, &Facts { image, missing: Vec::new() }).is_empty());
    }

    #[test]
    fn root_by_any_name_and_unknown_images() {
        for (user, warned) in [("root", true), ("0:0", true), ("", true), ("app", false), ("1000", false)] {
            let spec = json!({ "TaskTemplate": { "ContainerSpec": { "Image": "w", "User": user } } });
            let found = codes(&spec, &Facts::default());
            assert_eq!(found.contains(&"runs_as_root".to_owned()), warned, "{user}");
            assert!(!found.contains(&"no_probe".to_owned()));
        }
    }
}
