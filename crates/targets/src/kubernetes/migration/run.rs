//! Making, reading and taking away the migration's Job.

use super::super::annotations;
use super::super::change::desired;
use super::super::error::call;
use super::super::logs;
use super::super::workload::Workload;
use super::Migration;
use super::manifest::{self, Place, WORKLOAD};
use super::verdict::{self, is_over};
use crate::masking::{MAX_LOG_LINES, shown};
use crate::{Change, Fence, MAX_LOG_BYTES, TargetError, Task, TaskSeen, fencing};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{
    DeleteParams, DynamicObject, ListParams, LogParams, Patch, PatchParams, PostParams, Preconditions,
    PropagationPolicy,
};
use kube::core::ApiResource;
use passerelle_contract::text;
use serde_json::{Value, json};
use std::time::Duration;

/// How often somebody else may change the Job between our reading and our writing.
const ATTEMPTS: u32 = 8;
/// How long an earlier Job may take to go, with its pods.
const GONE_WITHIN: Duration = Duration::from_secs(90);
const LOOK_AGAIN: Duration = Duration::from_millis(500);
const MAX_PODS: u32 = 50;

pub fn task(workload: &Workload) -> Option<Task> {
    let migration = workload.migration.as_ref()?;
    Some(Task { title: title(workload, migration), limit: migration.limit })
}

pub(super) fn title(workload: &Workload, migration: &Migration) -> String {
    format!("Job {}/{}", workload.namespace, manifest::name_of(migration, &workload.name))
}

/// What a Job that is there means for a deployment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Ours,
    /// Ours, of a process before: only the epoch is to be raised.
    Raise,
    /// Of an earlier deployment, or over: it goes.
    Old,
    /// Another program made it, and it still runs.
    Foreign,
}

pub(super) fn standing(job: &Job, deployment: &str, change: &Change, fence: Fence) -> Result<Standing, TargetError> {
    let annotations = job.metadata.annotations.as_ref();
    let ours = annotations.and_then(|all| all.get(WORKLOAD)).is_some_and(|name| name == deployment);
    if !ours {
        return Ok(if is_over(job) { Standing::Old } else { Standing::Foreign });
    }
    let there = annotations::fence(annotations);
    fencing::check(there, fence)?;
    if !annotations::carries(annotations, change, fence.deployment) {
        return Ok(Standing::Old);
    }
    Ok(if there == Some(fence) { Standing::Ours } else { Standing::Raise })
}

pub async fn start(
    workload: &Workload,
    migration: &Migration,
    change: &Change,
    fence: Fence,
) -> Result<(), TargetError> {
    let name = manifest::name_of(migration, &workload.name);
    let what = title(workload, migration);
    let jobs = workload.api::<Job>();
    for _ in 0..ATTEMPTS {
        let Some(job) = call(&what, jobs.get_opt(&name)).await? else {
            if create(workload, migration, change, fence).await? {
                return Ok(());
            }
            continue;
        };
        if job.metadata.deletion_timestamp.is_some() {
            gone(&jobs, &name, &what, job.metadata.uid.as_deref()).await?;
            continue;
        }
        match standing(&job, &workload.name, change, fence)? {
            Standing::Ours => return Ok(()),
            Standing::Raise => {
                if raise(&jobs, &job, &what, change, fence).await? {
                    return Ok(());
                }
            }
            Standing::Old => {
                remove(&jobs, &job, &what, PropagationPolicy::Foreground).await?;
                gone(&jobs, &name, &what, job.metadata.uid.as_deref()).await?;
            }
            Standing::Foreign => {
                return Err(TargetError::Refused(text!("{what} runs, and this portal did not start it", what)));
            }
        }
    }
    Err(TargetError::Unreachable(text!("{title} kept changing while it was to be written", title = &what)))
}

/// The Job for a change, over what runs now.
pub(super) async fn build(
    workload: &Workload,
    migration: &Migration,
    change: &Change,
    fence: Fence,
) -> Result<Value, TargetError> {
    let snapshot = workload.snapshot().await?;
    let after = desired(&snapshot, change, fence.deployment)?;
    let place = Place { namespace: &workload.namespace, deployment: &workload.name, container: &snapshot.container };
    manifest::job(place, migration, &after, change, fence)
}

/// Not typed, so that fields of a manifest which this program does not know reach the cluster.
pub(super) fn untyped(workload: &Workload) -> Api<DynamicObject> {
    Api::namespaced_with(workload.client.clone(), &workload.namespace, &ApiResource::erase::<Job>(&()))
}

pub(super) fn object(job: Value) -> Result<DynamicObject, TargetError> {
    serde_json::from_value(job).map_err(|_| TargetError::Refused(text!("the migration's Job cannot be written")))
}

/// Not when somebody was faster.
async fn create(
    workload: &Workload,
    migration: &Migration,
    change: &Change,
    fence: Fence,
) -> Result<bool, TargetError> {
    let job = object(build(workload, migration, change, fence).await?)?;
    let params = PostParams { field_manager: Some("passerelle".to_owned()), ..PostParams::default() };
    let request = async {
        match untyped(workload).create(&params, &job).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
            Err(error) => Err(error),
        }
    };
    call(title(workload, migration), request).await
}

async fn raise(jobs: &Api<Job>, job: &Job, what: &str, change: &Change, fence: Fence) -> Result<bool, TargetError> {
    let body = json!({"metadata": {
        "resourceVersion": job.metadata.resource_version, "annotations": annotations::patch(change, fence) }});
    let name = job.metadata.name.clone().unwrap_or_default();
    let request = async {
        match jobs.patch(&name, &PatchParams::default(), &Patch::Merge(&body)).await {
            Ok(_) => Ok(true),
            Err(kube::Error::Api(status)) if status.is_conflict() => Ok(false),
            Err(error) => Err(error),
        }
    };
    call(what, request).await
}

/// This Job and no younger one of its name. Already gone is fine.
async fn remove(jobs: &Api<Job>, job: &Job, what: &str, policy: PropagationPolicy) -> Result<(), TargetError> {
    let only = Preconditions { uid: job.metadata.uid.clone(), resource_version: None };
    let params =
        DeleteParams { propagation_policy: Some(policy), preconditions: Some(only), ..DeleteParams::default() };
    let name = job.metadata.name.clone().unwrap_or_default();
    let request = async {
        match jobs.delete(&name, &params).await {
            Ok(_) => Ok(()),
            Err(kube::Error::Api(status)) if matches!(status.code, 404 | 409) => Ok(()),
            Err(error) => Err(error),
        }
    };
    call(what, request).await
}

async fn gone(jobs: &Api<Job>, name: &str, what: &str, uid: Option<&str>) -> Result<(), TargetError> {
    let end = tokio::time::Instant::now() + GONE_WITHIN;
    loop {
        let there = call(what, jobs.get_opt(name)).await?;
        if there.is_none_or(|job| job.metadata.uid.as_deref() != uid) {
            return Ok(());
        }
        if tokio::time::Instant::now() >= end {
            return Err(TargetError::Refused(text!("an earlier {what} does not go away", what)));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// The Job of this deployment.
async fn ours(workload: &Workload, migration: &Migration, fence: Fence) -> Result<Option<Job>, TargetError> {
    let name = manifest::name_of(migration, &workload.name);
    let job = call(title(workload, migration), workload.api::<Job>().get_opt(&name)).await?;
    Ok(job.filter(|job| {
        let annotations = job.metadata.annotations.as_ref();
        let here = annotations.and_then(|all| all.get(WORKLOAD)) == Some(&workload.name);
        here && annotations::fence(annotations).is_some_and(|there| there.deployment == fence.deployment)
    }))
}

pub async fn look(workload: &Workload, migration: &Migration, fence: Fence) -> Result<TaskSeen, TargetError> {
    let what = title(workload, migration);
    let job = ours(workload, migration, fence).await?;
    let job = job.ok_or_else(|| TargetError::Missing(text!("{what} of this deployment", what)))?;
    let name = job.metadata.name.clone().unwrap_or_default();
    let list = ListParams::default().labels(&format!("job-name={name}")).limit(MAX_PODS);
    let mut pods = call(text!("the Pods"), workload.api::<Pod>().list(&list)).await?.items;
    let uid = job.metadata.uid.as_deref();
    pods.retain(|pod| pod.metadata.owner_references.iter().flatten().any(|owner| Some(owner.uid.as_str()) == uid));
    let source = verdict::newest(&pods).and_then(|pod| Some((pod.metadata.name.clone()?, verdict::logging(pod)?)));
    let (mut log, mut last) = (Vec::new(), Vec::new());
    if let Some((pod, container)) = source {
        log = whole_log(workload, &pod, &container).await;
        if is_over(&job) {
            let lines = u32::try_from(MAX_LOG_LINES).unwrap_or(u32::MAX);
            last = logs::read(workload, &pod, &container, false, lines).await.unwrap_or_default();
        }
    }
    Ok(verdict::seen(&job, &pods, log, last))
}

/// From its first line on. A log that cannot be read just now is read at the next look.
async fn whole_log(workload: &Workload, pod: &str, container: &str) -> Vec<String> {
    let params = LogParams {
        container: Some(container.to_owned()),
        limit_bytes: i64::try_from(MAX_LOG_BYTES).ok(),
        ..LogParams::default()
    };
    let read = call(text!("the log"), workload.api::<Pod>().logs(pod, &params)).await;
    let text = read.unwrap_or_default();
    // A line that is still being written, or was cut, is left for the next look.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().filter(|line| !line.trim().is_empty()).map(shown).collect()
}

pub async fn clear(workload: &Workload, migration: &Migration, fence: Fence) -> Result<(), TargetError> {
    match ours(workload, migration, fence).await? {
        Some(job) => {
            remove(&workload.api::<Job>(), &job, &title(workload, migration), PropagationPolicy::Background).await
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn job(workload: Option<&str>, written: Option<(&Change, Fence)>, over: bool) -> Job {
        let mut annotations = json!({});
        if let Some((change, fence)) = written {
            annotations = annotations::patch(change, fence);
        }
        if let Some(name) = workload {
            annotations[WORKLOAD] = json!(name);
        }
        let conditions = if over { json!([{"type": "Complete", "status": "True"}]) } else { json!([]) };
        serde_json::from_value(
            json!({"metadata": {"name": "m", "annotations": annotations}, "status": {"conditions": conditions}}),
        )
        .unwrap()
    }

    #[test]
    fn a_job_that_is_there_is_found_raised_replaced_or_left_alone() {
        let change = Change::Image { image: "web:2".into(), manifests: None };
        let fence = |deployment: u128, epoch| Fence { deployment: Uuid::from_u128(deployment), epoch };
        let of = |job: &Job, fence| standing(job, "web", &change, fence);
        let mine = job(Some("web"), Some((&change, fence(5, 1))), false);
        assert_eq!(of(&mine, fence(5, 1)), Ok(Standing::Ours));
        assert_eq!(of(&mine, fence(5, 2)), Ok(Standing::Raise));
        assert_eq!(of(&mine, fence(6, 1)), Ok(Standing::Old));
        assert!(matches!(of(&mine, fence(4, 9)), Err(TargetError::Fenced(_))));
        let raised = job(Some("web"), Some((&change, fence(5, 3))), false);
        assert!(matches!(of(&raised, fence(5, 2)), Err(TargetError::Fenced(_))));
        assert_eq!(of(&job(None, None, false), fence(5, 1)), Ok(Standing::Foreign));
        assert_eq!(of(&job(None, None, true), fence(5, 1)), Ok(Standing::Old));
        assert_eq!(of(&job(Some("api"), Some((&change, fence(5, 1))), false), fence(5, 1)), Ok(Standing::Foreign));
    }
}
