//! The Job that a migration is. Pure.

use super::super::annotations;
use super::super::change::Desired;
use super::config::{JobManifest, Migration, Work};
use crate::{Change, Fence, ImageRef, TargetError};
use passerelle_contract::text;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// On the Job: the Deployment that it belongs to. Without it a Job is another program's.
pub(super) const WORKLOAD: &str = "passerelle.dev/workload";
const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "passerelle");
/// The name of a Job becomes a label of its pods, which is at most 63 characters long.
const MAX_NAME: usize = 63;
const SUFFIX: &str = "-migration";
/// The cluster removes a Job that nobody took away after this long. Long enough for the portal to come back and read its end.
const KEPT_S: i64 = 86_400;

/// Where a Job is to be made, and for what.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub namespace: &'a str,
    pub deployment: &'a str,
    pub container: &'a str,
}

pub(super) fn name_of(migration: &Migration, deployment: &str) -> String {
    match &migration.work {
        Work::Manifest(job) => job.name.clone(),
        Work::Command(_) => {
            let plain = deployment.replace('.', "-");
            if plain.len() + SUFFIX.len() <= MAX_NAME && plain == deployment {
                return format!("{plain}{SUFFIX}");
            }
            // A name that was shortened must not become that of another Deployment's Job.
            let digest = Sha256::digest(deployment);
            let start = plain.chars().take(MAX_NAME - SUFFIX.len() - 7).collect::<String>();
            format!("{start}-{:02x}{:02x}{:02x}{SUFFIX}", digest[0], digest[1], digest[2])
        }
    }
}

/// The Job for a change.
///
/// # Errors
/// When the change brings no image, or the manifest has no container for it.
pub(super) fn job(
    place: Place<'_>,
    migration: &Migration,
    after: &Desired,
    change: &Change,
    fence: Fence,
) -> Result<Value, TargetError> {
    let Change::Image { image, .. } = change else {
        return Err(TargetError::Refused(text!("a migration runs with a new version only")));
    };
    let mut job = match &migration.work {
        Work::Command(argv) => from_template(place, argv.words(), after)?,
        Work::Manifest(manifest) => with_image(manifest, image)?,
    };
    let metadata = &mut job["metadata"];
    metadata["name"] = json!(name_of(migration, place.deployment));
    metadata["namespace"] = json!(place.namespace);
    metadata["labels"][MANAGED_BY.0] = json!(MANAGED_BY.1);
    metadata["annotations"][WORKLOAD] = json!(place.deployment);
    for (name, value) in annotations::patch(change, fence).as_object().into_iter().flatten() {
        metadata["annotations"][name] = value.clone();
    }
    let spec = &mut job["spec"];
    let limit = i64::try_from(migration.limit.as_secs()).unwrap_or(i64::MAX);
    if spec["activeDeadlineSeconds"].as_i64().is_none_or(|given| given > limit) {
        spec["activeDeadlineSeconds"] = json!(limit);
    }
    // A Job that removes itself at its end could not be told from one that was never made.
    spec["ttlSecondsAfterFinished"] = json!(spec["ttlSecondsAfterFinished"].as_i64().unwrap_or(0).max(KEPT_S));
    Ok(job)
}

/// The bound container of the new pod template with another command, and what it needs of the pod around it.
fn from_template(place: Place<'_>, words: &[String], after: &Desired) -> Result<Value, TargetError> {
    let gone = || TargetError::Missing(text!("container {container}", container = place.container));
    let mut pod = after.template.get("spec").cloned().ok_or_else(gone)?;
    let containers = pod["containers"].as_array().into_iter().flatten();
    let mut container = containers.into_iter().find(|one| one["name"] == place.container).cloned().ok_or_else(gone)?;
    if let Some(fields) = container.as_object_mut() {
        for field in ["args", "ports", "readinessProbe", "livenessProbe", "startupProbe", "lifecycle"] {
            fields.shift_remove(field);
        }
    }
    container["command"] = json!(words);
    // A sidecar that the platform ends by itself (a database proxy) goes along; others would keep the Job from ending.
    let sidecars: Vec<Value> = pod["initContainers"].as_array().into_iter().flatten().cloned().collect();
    let sidecars: Vec<Value> = sidecars.into_iter().filter(|one| one["restartPolicy"] == "Always").collect();
    if let Some(fields) = pod.as_object_mut() {
        fields.shift_remove("initContainers");
    }
    if !sidecars.is_empty() {
        pod["initContainers"] = Value::Array(sidecars);
    }
    pod["containers"] = json!([container]);
    pod["restartPolicy"] = json!("Never");
    // Labels of its own: with those of the Deployment, its Service would send requests to the migration.
    let labels = json!({ MANAGED_BY.0: MANAGED_BY.1, WORKLOAD: label(place.deployment) });
    Ok(json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {},
        "spec": { "backoffLimit": 0, "template": { "metadata": { "labels": labels }, "spec": pod } }
    }))
}

/// A label holds at most 63 characters.
fn label(deployment: &str) -> &str {
    deployment.get(..MAX_NAME).unwrap_or(deployment).trim_end_matches(['-', '.'])
}

/// The manifest with the release's image in each container of that repository, or in the only container.
fn with_image(manifest: &JobManifest, image: &str) -> Result<Value, TargetError> {
    let mut job = manifest.object.clone();
    if let Some(object) = job.as_object_mut() {
        object.shift_remove("status");
    }
    if let Some(metadata) = job["metadata"].as_object_mut() {
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "ownerReferences"] {
            metadata.shift_remove(field);
        }
    }
    let wanted = ImageRef::parse(image).map(|image| image.name).unwrap_or_default();
    let pod = &mut job["spec"]["template"]["spec"];
    let only = pod["containers"].as_array().is_some_and(|all| all.len() == 1);
    let mut found = Vec::new();
    let mut set = 0;
    for list in ["containers", "initContainers"] {
        for container in pod[list].as_array_mut().into_iter().flatten() {
            let given = container["image"].as_str().unwrap_or_default().to_owned();
            let same = ImageRef::parse(&given).is_ok_and(|given| given.name == wanted);
            if same || (only && list == "containers") {
                container["image"] = json!(image);
                set += 1;
            }
            found.push(given);
        }
    }
    if set == 0 {
        let message = text!(
            "no container of the Job has the image {wanted}, so it is not clear which one migrates; it has: {found}",
            wanted,
            found = found.join(", ")
        );
        return Err(TargetError::Config { pointer: "/config/migration/manifest".to_owned(), message });
    }
    Ok(job)
}

#[cfg(test)]
mod tests {
    use super::super::super::change::desired;
    use super::super::super::fixtures;
    use super::*;
    use uuid::Uuid;

    const PLACE: Place<'_> = Place { namespace: "shop", deployment: "web", container: "web" };
    const PINNED: &str = "reg.example/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

    fn made(migration: &Value) -> Result<Value, TargetError> {
        let migration: Migration = serde_json::from_value(migration.clone()).unwrap();
        let change = Change::Image { image: PINNED.to_owned(), manifests: None };
        let fence = Fence { deployment: Uuid::from_u128(7), epoch: 3 };
        let after = desired(&fixtures::snapshot("migrating"), &change, fence.deployment).unwrap();
        job(PLACE, &migration, &after, &change, fence)
    }

    #[test]
    fn a_command_runs_in_the_deployments_container_with_the_new_image() {
        let job = made(&json!({"command": ["alembic", "upgrade", "head"]})).unwrap();
        assert_eq!(job["metadata"]["name"], "web-migration");
        let pod = &job["spec"]["template"]["spec"];
        assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
        assert_eq!(pod["containers"][0]["image"], PINNED);
        assert_eq!(pod["containers"][0]["command"], json!(["alembic", "upgrade", "head"]));
        assert_eq!(pod["containers"][0]["env"][0]["name"], "SESSION_TTL");
        assert_eq!((&pod["restartPolicy"], &pod["initContainers"]), (&json!("Never"), &Value::Null));
        let labels = job["spec"]["template"]["metadata"]["labels"].as_object().unwrap();
        assert!(!labels.contains_key("app"), "a Service must not find the migration: {labels:?}");
        assert_eq!(job["spec"]["activeDeadlineSeconds"], 600);
        assert_eq!(job["metadata"]["annotations"][annotations::EPOCH], "3");
    }

    #[test]
    fn a_manifest_is_pinned_to_the_release() {
        let manifest = |containers: &str| {
            json!({"timeout_s": 60, "manifest": format!(
                "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: mig, resourceVersion: '4'}}\nspec:\n  activeDeadlineSeconds: 900\n  \
                 ttlSecondsAfterFinished: 0\n  template: {{spec: {{restartPolicy: Never, containers: {containers}}}}}\n")})
        };
        let job = made(&manifest("[{name: m, image: 'web:latest'}]")).unwrap();
        assert_eq!(job["spec"]["template"]["spec"]["containers"][0]["image"], PINNED);
        assert_eq!(
            (&job["spec"]["activeDeadlineSeconds"], &job["spec"]["ttlSecondsAfterFinished"]),
            (&json!(60), &json!(KEPT_S))
        );
        assert_eq!(job["metadata"]["resourceVersion"], Value::Null);
        let two = "[{name: m, image: 'reg.example/web:1'}, {name: proxy, image: 'proxy:1'}]";
        let job = made(&manifest(two)).unwrap();
        let image = |at: usize| job["spec"]["template"]["spec"]["containers"][at]["image"].clone();
        assert_eq!((image(0), image(1)), (json!(PINNED), json!("proxy:1")));
        let refused = made(&manifest("[{name: a, image: 'a:1'}, {name: b, image: 'b:1'}]")).unwrap_err();
        assert!(refused.to_string().contains("it has: a:1, b:1"), "{refused}");
    }

    #[test]
    fn names_fit_into_a_label() {
        let migration: Migration = serde_json::from_value(json!({"command": ["x"]})).unwrap();
        let (one, other) = ("a".repeat(70), format!("{}b", "a".repeat(69)));
        let names = [name_of(&migration, &one), name_of(&migration, &other), name_of(&migration, "web.v1")];
        assert!(names.iter().all(|name| name.len() <= MAX_NAME && !name.contains('.')), "{names:?}");
        assert_ne!(names[0], names[1]);
    }

    #[test]
    fn only_a_new_version_migrates() {
        let migration: Migration = serde_json::from_value(json!({"command": ["x"]})).unwrap();
        let after = Desired::present(&fixtures::snapshot("complete"));
        let fence = Fence { deployment: Uuid::nil(), epoch: 1 };
        assert!(matches!(job(PLACE, &migration, &after, &Change::Restart, fence), Err(TargetError::Refused(_))));
    }
}
