//! A job that has to succeed before a new revision is made. Pure.
//!
//! The annotation `passerelle.dev/migration` of the service says that the migration is not over; the write of the revision takes it
//! away. The job is updated to the release's image and started by one conditional write: `startExecutionToken` names the execution, so
//! the same write again starts nothing.

use super::change;
use super::config::BindingConfig;
use super::fence::ANNOTATIONS;
use super::state::is_failed;
use crate::seconds::Seconds;
use crate::{Change, Fence, Observation, Rollout, TargetError, fencing, masking};
use passerelle_contract::deployments::{Cause, Failure, Health, Instance, InstanceState};
use passerelle_contract::{Text, text};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const ANNOTATION: &str = "passerelle.dev/migration";

/// Longest time that the migration may take, in seconds.
pub type Limit = Seconds<30, 7200, 600>;

/// What has to be done before the revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Migration {
    pub job: String,
    pub image: String,
    /// End of the execution's name.
    pub token: String,
}

impl Migration {
    /// How Cloud Run calls the execution.
    pub fn execution(&self) -> String {
        format!("{}-{}", self.job, self.token)
    }

    pub fn change(&self) -> Change {
        Change::Image { image: self.image.clone(), manifests: None }
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// The job was not told yet.
    Due,
    Running,
    Succeeded,
    Failed(Failure),
}

/// A mark that somebody spoiled is none.
pub(super) fn read(service: &Value) -> Option<Migration> {
    serde_json::from_str(service["annotations"][ANNOTATION].as_str()?).ok()
}

pub(super) fn clear(body: &mut Value) {
    if let Some(annotations) = body["annotations"].as_object_mut() {
        annotations.shift_remove(ANNOTATION);
    }
}

/// The write that begins it: annotations only, so neither template nor traffic moves.
pub(super) fn begin(service: &Value, job: &str, image: &str, fence: Fence) -> Value {
    let change = Change::Image { image: image.to_owned(), manifests: None };
    let migration = Migration {
        job: job.to_owned(),
        image: image.to_owned(),
        token: format!("p{}", change::revision_suffix(&change, fence)),
    };
    let mut body = json!({ "etag": service["etag"], "annotations": service["annotations"] });
    ANNOTATIONS.stamp(&mut body, &change, fence);
    super::canary::set(&mut body, None);
    body["annotations"][ANNOTATION] = json!(migration).to_string().into();
    body
}

/// Whether this writer may go on with it.
///
/// # Errors
/// [`TargetError::Fenced`] when a younger deployment or a later epoch has written.
pub(super) fn is_ours(service: &Value, fence: Fence) -> Result<bool, TargetError> {
    let found = ANNOTATIONS.read(service);
    fencing::check(found, fence)?;
    Ok(found.is_some_and(|found| found.deployment == fence.deployment) && service["reconciling"] != true)
}

pub(super) fn standing(migration: &Migration, job: &Value, execution: Option<&Value>) -> Standing {
    let told = job["startExecutionToken"] == migration.token.as_str();
    let Some(execution) = execution else {
        return match &job["terminalCondition"] {
            _ if !told => Standing::Due,
            condition if job["reconciling"] != true && is_failed(condition) => {
                Standing::Failed(failure(migration, condition, ""))
            }
            _ => Standing::Running,
        };
    };
    if execution["completionTime"].as_str().is_none_or(str::is_empty) {
        return Standing::Running;
    }
    let conditions = execution["conditions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let completed = conditions.iter().find(|condition| condition["type"] == "Completed").unwrap_or(&Value::Null);
    let count = |field: &str| execution[field].as_i64().unwrap_or(0);
    if count("failedCount") + count("cancelledCount") > 0 || completed["state"] != "CONDITION_SUCCEEDED" {
        return Standing::Failed(failure(migration, completed, execution["logUri"].as_str().unwrap_or_default()));
    }
    Standing::Succeeded
}

fn failure(migration: &Migration, condition: &Value, logs: &str) -> Failure {
    let said = masking::shown(condition["message"].as_str().unwrap_or_default()).chars().take(500).collect::<String>();
    let said = if said.is_empty() { text!("no reason given") } else { Text::verbatim(said) };
    let job = &migration.job;
    let message = match logs.starts_with("https://") {
        true => {
            text!("migration job {job} failed: {why}; its logs: {logs}", job, why = said, logs = masking::shown(logs))
        }
        false => text!("migration job {job} failed: {why}", job, why = said),
    };
    Failure { cause: Cause::Migration, message, instance: Some(migration.execution()), logs: Vec::new() }
}

/// Body of the job's patch: the release's image, and the start of an execution.
///
/// # Errors
/// [`TargetError::Config`] when it is not clear which container's image it is.
pub(super) fn start(job: &Value, migration: &Migration, binding: &BindingConfig) -> Result<Value, TargetError> {
    // What the platform tells is not sent back.
    let settable = [
        "name",
        "etag",
        "labels",
        "annotations",
        "template",
        "launchStage",
        "binaryAuthorization",
        "client",
        "clientVersion",
    ];
    let fields = settable.iter().filter(|field| !job[**field].is_null());
    let mut body = Value::Object(fields.map(|field| ((*field).to_owned(), job[*field].clone())).collect());
    let containers = job["template"]["template"]["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let wanted = binding.container.as_ref().map(super::Name::as_str);
    let named = containers.iter().position(|one| wanted.is_some() && one["name"].as_str() == wanted);
    let Some(index) = named.or((containers.len() == 1).then_some(0)) else {
        return Err(TargetError::Config {
            pointer: "/config/migration_job".to_owned(),
            message: text!("the job needs one container, or one of the service's container's name"),
        });
    };
    body["template"]["template"]["containers"][index]["image"] = migration.image.as_str().into();
    body["startExecutionToken"] = migration.token.as_str().into();
    Ok(body)
}

/// Puts the migration over what the service itself says, which does not know of it.
pub(super) fn overlay(seen: &mut Observation, migration: &Migration, standing: &Standing) {
    let (state, message) = match standing {
        Standing::Due | Standing::Running => {
            seen.rollout = Rollout::Progressing;
            seen.health = Health::Progressing;
            (InstanceState::Starting, text!("migration job {job} runs first", job = &migration.job))
        }
        Standing::Succeeded => {
            seen.rollout = Rollout::Progressing;
            seen.health = Health::Progressing;
            (InstanceState::Ready, text!("migration job {job} succeeded", job = &migration.job))
        }
        Standing::Failed(failure) => {
            seen.rollout = Rollout::Failed { failure: failure.clone() };
            seen.health = Health::Degraded;
            (InstanceState::Failing, failure.message.clone())
        }
    };
    seen.replicas.updated = 0;
    seen.health_message = Some(message.clone());
    seen.instances.iter_mut().for_each(|instance| instance.updated = false);
    seen.instances.push(Instance {
        name: migration.execution(),
        state,
        image: migration.image.clone(),
        updated: true,
        restarts: 0,
        message: Some(message),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn migration() -> Migration {
        Migration { job: "migrate".to_owned(), image: "web:2".to_owned(), token: "p1".to_owned() }
    }

    fn execution(state: &str, failed: i64, completed: &str) -> Value {
        json!({ "name": "x/migrate-p1", "completionTime": completed, "failedCount": failed, "logUri": "https://logs.example/x",
            "conditions": [{ "type": "Completed", "state": state, "message": "exit code 1" }] })
    }

    #[test]
    fn it_begins_without_template_and_traffic() {
        let fence = Fence { deployment: Uuid::from_u128(7), epoch: 1 };
        let service = json!({ "etag": "e", "annotations": { "owner": "a" }, "template": { "revision": "x" } });
        let body = begin(&service, "migrate", "web:2", fence);
        assert_eq!((body.get("template"), body.get("traffic")), (None, None));
        let found = read(&body).unwrap();
        assert_eq!(
            (found.image.as_str(), found.token.len(), body["annotations"]["owner"].as_str()),
            ("web:2", 12, Some("a"))
        );
        assert_eq!(ANNOTATIONS.read(&body), Some(fence));
        let mut after = body;
        clear(&mut after);
        assert_eq!(read(&after), None);
    }

    #[test]
    fn an_execution_says_how_far_it_is() {
        let told = json!({ "startExecutionToken": "p1", "reconciling": true });
        let of = |job: &Value, execution: Option<Value>| standing(&migration(), job, execution.as_ref());
        assert_eq!(of(&json!({ "startExecutionToken": "p0" }), None), Standing::Due);
        assert_eq!(of(&told, None), Standing::Running);
        assert_eq!(of(&told, Some(execution("CONDITION_RECONCILING", 0, ""))), Standing::Running);
        assert_eq!(of(&told, Some(execution("CONDITION_SUCCEEDED", 0, "2026-01-01T00:00:00Z"))), Standing::Succeeded);
        let Standing::Failed(failure) = of(&told, Some(execution("CONDITION_FAILED", 1, "2026-01-01T00:00:00Z")))
        else {
            panic!("not failed")
        };
        assert_eq!(failure.cause, Cause::Migration);
        assert_eq!(failure.message, "migration job migrate failed: exit code 1; its logs: https://logs.example/x");
        let broken = json!({ "startExecutionToken": "p1", "terminalCondition": { "state": "CONDITION_FAILED", "message": "no image" } });
        assert!(matches!(of(&broken, None), Standing::Failed(_)));
    }

    #[test]
    fn the_job_gets_the_image_and_one_execution() {
        let binding = |container: Option<&str>| -> BindingConfig {
            serde_json::from_value(json!({ "service": "web", "container": container })).unwrap()
        };
        let job = |names: &[&str]| {
            let containers: Vec<Value> = names.iter().map(|name| json!({ "name": name, "image": "web:1" })).collect();
            json!({ "etag": "e", "uid": "u", "template": { "template": { "containers": containers } } })
        };
        let body = start(&job(&["other", "api"]), &migration(), &binding(Some("api"))).unwrap();
        let containers = &body["template"]["template"]["containers"];
        assert_eq!((&containers[0]["image"], &containers[1]["image"]), (&json!("web:1"), &json!("web:2")));
        assert_eq!((&body["startExecutionToken"], &body["etag"], body.get("uid")), (&json!("p1"), &json!("e"), None));
        assert!(start(&job(&["job"]), &migration(), &binding(Some("api"))).is_ok(), "the only one");
        assert!(start(&job(&["a", "b"]), &migration(), &binding(None)).is_err());
        assert!(start(&json!(null), &migration(), &binding(None)).is_err());
    }

    #[test]
    fn limits_of_time() {
        assert!(Limit::try_from(29).is_err() && Limit::try_from(30).is_ok() && Limit::try_from(7201).is_err());
    }
}
