//! What runs, and whether what was asked for has come true. Pure.

use super::config::BindingConfig;
use super::fence::ANNOTATIONS;
use super::{canary, change};
use crate::{Observation, Rollout, masking};
use passerelle_contract::deployments::{Cause, EnvVar, Failure, Health, Instance, InstanceState, Replicas};
use passerelle_contract::{Text, text};
use serde_json::Value;

/// Last part of a resource's name.
pub(super) fn short(name: &Value) -> &str {
    let name = name.as_str().unwrap_or_default();
    name.rsplit('/').next().unwrap_or(name)
}

/// The revision that gets most of the traffic now.
pub(super) fn serving(service: &Value) -> Option<&str> {
    let statuses = service["trafficStatuses"].as_array()?;
    let most = statuses.iter().max_by_key(|status| status["percent"].as_i64().unwrap_or(0))?;
    Some(short(&most["revision"])).filter(|name| !name.is_empty())
}

/// The revision that is to get all of it: the one that a canary leads to, else the pinned one, else the latest.
fn wanted(service: &Value) -> String {
    if let Some(canary) = canary::read(service) {
        return canary.to;
    }
    let pinned = service["traffic"].as_array().into_iter().flatten().find(|target| target["percent"] == 100);
    let pinned = pinned.map(|target| short(&target["revision"])).filter(|name| !name.is_empty());
    pinned.unwrap_or_else(|| short(&service["latestCreatedRevision"])).to_owned()
}

pub(super) fn is_failed(condition: &Value) -> bool {
    condition["state"] == "CONDITION_FAILED"
}

fn ready_condition(revision: &Value) -> Option<&Value> {
    revision["conditions"].as_array()?.iter().find(|condition| condition["type"] == "Ready")
}

pub(super) fn is_ready(revision: &Value) -> bool {
    ready_condition(revision).is_some_and(|condition| condition["state"] == "CONDITION_SUCCEEDED")
}

fn rollout(service: &Value, revisions: &[Value]) -> Rollout {
    let wanted = wanted(service);
    let revision = revisions.iter().find(|revision| short(&revision["name"]) == wanted);
    if service["reconciling"] == true {
        return Rollout::Progressing;
    }
    // A canary is complete when its last step takes its mark away.
    if canary::read(service).is_none() && serving(service) == Some(&wanted) && revision.is_some_and(is_ready) {
        return Rollout::Complete;
    }
    let own = revision.and_then(ready_condition).filter(|condition| is_failed(condition));
    let all = Some(&service["terminalCondition"]).filter(|condition| is_failed(condition));
    match own.or(all) {
        Some(condition) => Rollout::Failed { failure: failure(condition, &wanted) },
        None => Rollout::Progressing,
    }
}

fn failure(condition: &Value, revision: &str) -> Failure {
    let reason = ["revisionReason", "executionReason", "reason"]
        .iter()
        .find_map(|key| condition[key].as_str())
        .unwrap_or_default();
    let said = masking::shown(condition["message"].as_str().unwrap_or_default());
    let cause = match reason {
        "CONTAINER_MISSING" | "CONTAINER_PERMISSION_DENIED" | "CONTAINER_IMAGE_UNAUTHORIZED" => Cause::ImagePull,
        "HEALTH_CHECK_CONTAINER_ERROR" if said.contains("exited with") => Cause::CrashLoop,
        "HEALTH_CHECK_CONTAINER_ERROR" => Cause::Probe,
        "SECRETS_ACCESS_CHECK_FAILED" | "VPC_NETWORK_NOT_FOUND" => Cause::MissingConfig,
        "MIN_INSTANCES_NOT_PROVISIONED" => Cause::Unschedulable,
        "ACTIVE_REVISION_LIMIT_REACHED" => Cause::Quota,
        "PROGRESS_DEADLINE_EXCEEDED" => Cause::Deadline,
        _ => Cause::Unknown,
    };
    let message = Text::verbatim(said.chars().take(500).collect::<String>());
    Failure { cause, message, instance: Some(revision.to_owned()), logs: Vec::new() }
}

/// Variables of all containers; a value from Secret Manager is shown as its reference.
pub(super) fn env(template: &Value) -> Vec<EnvVar> {
    let containers = template["containers"].as_array().into_iter().flatten();
    let all = containers.flat_map(|container| container["env"].as_array().into_iter().flatten());
    all.map(|var| {
        let name = var["name"].as_str().unwrap_or_default();
        let source = &var["valueSource"]["secretKeyRef"];
        match source["secret"].as_str() {
            Some(secret) => {
                let version = source["version"].as_str().unwrap_or("latest");
                EnvVar { name: name.to_owned(), value: format!("secret {secret} / {version}"), secret: true }
            }
            None => masking::literal(name, var["value"].as_str().unwrap_or_default()),
        }
    })
    .collect()
}

/// Revisions that serve or are to serve.
fn instances(service: &Value, revisions: &[Value], binding: &BindingConfig) -> Vec<Instance> {
    let wanted = wanted(service);
    let serves = |name: &str| {
        let statuses = service["trafficStatuses"].as_array().into_iter().flatten();
        statuses
            .filter(|status| short(&status["revision"]) == name)
            .filter_map(|status| status["percent"].as_i64())
            .sum::<i64>()
    };
    revisions
        .iter()
        .filter(|revision| short(&revision["name"]) == wanted || serves(short(&revision["name"])) > 0)
        .map(|revision| {
            let name = short(&revision["name"]);
            let condition = ready_condition(revision);
            let state = match condition.and_then(|condition| condition["state"].as_str()) {
                Some("CONDITION_SUCCEEDED") => InstanceState::Ready,
                Some("CONDITION_FAILED") => InstanceState::Failing,
                _ => InstanceState::Starting,
            };
            let said = condition.and_then(|condition| condition["message"].as_str()).map(masking::shown);
            Instance {
                name: name.to_owned(),
                state,
                image: image(revision, binding).to_owned(),
                updated: name == wanted,
                restarts: 0,
                message: Some(said.map_or_else(|| share(service, serves(name)), Text::verbatim)),
            }
        })
        .collect()
}

/// A revision's part of the traffic, and who may send it when that is not everybody.
fn share(service: &Value, percent: i64) -> Text {
    match service["ingress"].as_str() {
        Some("INGRESS_TRAFFIC_INTERNAL_ONLY") => {
            text!("{percent} % of the traffic, from inside the project's network only", percent)
        }
        Some("INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER") => {
            text!("{percent} % of the traffic, from inside the project's network and its load balancer only", percent)
        }
        _ => text!("{percent} % of the traffic", percent),
    }
}

fn image<'a>(template: &'a Value, binding: &BindingConfig) -> &'a str {
    let index = change::container(template, binding).unwrap_or(0);
    template["containers"][index]["image"].as_str().unwrap_or_default()
}

/// A revision counts as one replica: the API does not tell how many instances run.
pub(super) fn observation(service: &Value, revisions: &[Value], binding: &BindingConfig) -> Observation {
    let rollout = rollout(service, revisions);
    let serving = serving(service);
    let runs = revisions.iter().find(|revision| Some(short(&revision["name"])) == serving);
    let ready = u32::from(runs.is_some_and(is_ready));
    let (health, health_message) = match &rollout {
        Rollout::Complete => (Health::Healthy, None),
        Rollout::Progressing => (Health::Progressing, Some(canary::said(service))),
        Rollout::Failed { failure } if ready == 0 => (Health::Failed, Some(failure.message.clone())),
        Rollout::Failed { failure } => (Health::Degraded, Some(failure.message.clone())),
    };
    let template = runs.unwrap_or(&service["template"]);
    Observation {
        image: image(template, binding).to_owned(),
        replicas: Replicas { desired: 1, updated: u32::from(rollout == Rollout::Complete), ready },
        instances: instances(service, revisions, binding),
        env: env(template),
        rollout,
        health,
        health_message,
        fence: ANNOTATIONS.read(service),
        recorded: change::record(service, revisions),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn seen(service: &Value, revisions: &[Value]) -> Observation {
        observation(service, revisions, &serde_json::from_value(json!({ "service": "web" })).unwrap())
    }

    fn revision(name: &str, image: &str, state: &str, reason: &str) -> Value {
        json!({ "name": format!("p/revisions/{name}"), "containers": [{ "image": image }],
            "conditions": [{ "type": "Ready", "state": state, "revisionReason": reason, "message": "not ready" }] })
    }

    #[test]
    fn a_failed_revision_leaves_the_earlier_one_serving() {
        let revisions = [
            revision("web-2", "web:2", "CONDITION_FAILED", "HEALTH_CHECK_CONTAINER_ERROR"),
            revision("web-1", "web:1", "CONDITION_SUCCEEDED", ""),
        ];
        let mut service = json!({ "latestCreatedRevision": "p/revisions/web-2", "template": { "containers": [{ "image": "web:2" }] },
            "trafficStatuses": [{ "revision": "web-1", "percent": 100 }], "terminalCondition": { "state": "CONDITION_FAILED" } });
        let failed = seen(&service, &revisions);
        let Rollout::Failed { failure } = &failed.rollout else { panic!("{:?}", failed.rollout) };
        assert_eq!((failure.cause, failure.instance.as_deref()), (Cause::Probe, Some("web-2")));
        assert_eq!((failed.health, failed.image.as_str(), failed.instances.len()), (Health::Degraded, "web:1", 2));
        // Back on the earlier revision by name, though the latest one is still broken.
        service["traffic"] = json!([{ "revision": "web-1", "percent": 100 }]);
        assert_eq!(seen(&service, &revisions).rollout, Rollout::Complete);
        service["reconciling"] = true.into();
        assert_eq!(seen(&service, &revisions).rollout, Rollout::Progressing);
    }

    #[test]
    fn who_may_call_is_shown_when_it_is_not_everybody() {
        let said = |ingress: &str| share(&json!({ "ingress": ingress }), 100).to_string();
        assert_eq!(said("INGRESS_TRAFFIC_ALL"), "100 % of the traffic");
        assert_eq!(
            said("INGRESS_TRAFFIC_INTERNAL_ONLY"),
            "100 % of the traffic, from inside the project's network only"
        );
    }

    #[test]
    fn secrets_are_shown_as_references() {
        let template = json!({ "containers": [{ "env": [{ "name": "DB", "valueSource": { "secretKeyRef": { "secret": "pg", "version": "3" } } },
            { "name": "API_KEY", "value": "x" }, { "name": "TTL", "value": "5" }] }] });
        let shown: Vec<_> = env(&template).into_iter().map(|var| var.value).collect();
        assert_eq!(shown, ["secret pg / 3", "***", "5"]);
    }

    #[test]
    fn odd_answers_do_not_panic() {
        for odd in
            [json!({}), json!([]), json!({ "traffic": 3, "trafficStatuses": [null], "template": { "containers": {} } })]
        {
            assert_eq!(seen(&odd, &[json!(null), json!({ "conditions": 1 })]).image, "");
        }
    }
}
