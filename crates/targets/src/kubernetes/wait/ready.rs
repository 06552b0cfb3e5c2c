//! Whether an object that is waited for is ready, as `kubectl rollout status` and `kubectl wait` decide it. Pure.

use super::super::snapshot::count;
use super::super::symptom::{Kind as Trouble, of_pod};
use super::config::{Dependency, Kind};
use crate::masking::shown;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use passerelle_contract::{Text, text};

const MAX_QUOTE_CHARS: usize = 300;

/// How far an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Ready,
    Waiting(Text),
    /// It will not become ready by waiting.
    Failed(Text),
    Missing,
}

pub(super) fn stateful_set(set: &StatefulSet) -> Standing {
    let (Some(spec), status) = (&set.spec, set.status.clone().unwrap_or_default()) else {
        return Standing::Waiting(text!("the controller has not looked at it yet"));
    };
    if status.observed_generation.unwrap_or(0) < set.metadata.generation.unwrap_or(0) {
        return Standing::Waiting(text!("the controller has not looked at it yet"));
    }
    let wanted = count(spec.replicas.unwrap_or(1));
    if wanted == 0 {
        return Standing::Waiting(text!("it is scaled to 0"));
    }
    let ready = count(status.ready_replicas.unwrap_or(0));
    if ready < wanted {
        return Standing::Waiting(text!("{ready} of {wanted} pods are ready", ready, wanted));
    }
    let strategy = spec.update_strategy.as_ref();
    if strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("OnDelete") {
        return Standing::Ready;
    }
    let partition = strategy.and_then(|strategy| strategy.rolling_update.as_ref()?.partition).unwrap_or(0);
    let updated = count(status.updated_replicas.unwrap_or(0));
    let settled = status.update_revision.is_none() || status.update_revision == status.current_revision;
    if settled || updated >= wanted.saturating_sub(count(partition)) {
        return Standing::Ready;
    }
    Standing::Waiting(text!("{updated} of {wanted} pods are of its newest version", updated, wanted))
}

pub(super) fn deployment(deployment: &Deployment) -> Standing {
    let status = deployment.status.clone().unwrap_or_default();
    if status.observed_generation.unwrap_or(0) < deployment.metadata.generation.unwrap_or(0) {
        return Standing::Waiting(text!("the controller has not looked at it yet"));
    }
    let wanted = count(deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1));
    if wanted == 0 {
        return Standing::Waiting(text!("it is scaled to 0"));
    }
    let [available, updated] =
        [status.available_replicas, status.updated_replicas].map(|number| count(number.unwrap_or(0)));
    if available < wanted {
        return Standing::Waiting(text!("{ready} of {wanted} pods are ready", ready = available, wanted));
    }
    if updated < wanted {
        return Standing::Waiting(text!("{updated} of {wanted} pods are of its newest version", updated, wanted));
    }
    Standing::Ready
}

pub(super) fn job(job: &Job) -> Standing {
    let conditions = job.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let of = |kind: &str| conditions.iter().find(|one| one.type_ == kind && one.status == "True");
    if of("Complete").is_some() {
        return Standing::Ready;
    }
    if let Some(failed) = of("Failed") {
        let why = quote(failed.message.as_deref().or(failed.reason.as_deref()).unwrap_or_default());
        return Standing::Failed(text!("it has failed: {why}", why));
    }
    Standing::Waiting(text!("it has not ended yet"))
}

/// What keeps the worst of its pods from being ready, when that is more than time.
pub(super) fn trouble(pods: &[Pod]) -> Option<Text> {
    let found = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).filter_map(of_pod);
    let worst = found.min_by(|a, b| b.certain.cmp(&a.certain).then_with(|| a.kind.cmp(&b.kind)))?;
    let pod = worst.pod;
    Some(match worst.kind {
        Trouble::Config { message } => text!("pod {pod} cannot start: {why}", pod, why = quote(&message)),
        Trouble::Pull { image, .. } => text!("pod {pod} cannot pull {image}", pod, image = shown(&image)),
        Trouble::Crash { restarts, .. } => text!("pod {pod} crashes, restarts: {restarts}", pod, restarts),
        Trouble::Unschedulable { message } => text!("no node takes pod {pod}: {why}", pod, why = quote(&message)),
        Trouble::NotReady => text!("pod {pod} runs and is not ready", pod),
        Trouble::NotStarted => return None,
    })
}

fn quote(text: &str) -> String {
    shown(text).chars().take(MAX_QUOTE_CHARS).collect()
}

/// In a sentence.
pub(super) fn said(dependency: &Dependency, standing: &Standing) -> Text {
    let object = dependency.to_string();
    match standing {
        Standing::Ready => text!("{object} is ready", object),
        Standing::Missing => text!("{object} does not exist", object),
        Standing::Waiting(why) | Standing::Failed(why) => text!("{object} is not ready: {why}", object, why),
    }
}

impl Kind {
    /// Whether its pods are meant to be ready all the time.
    pub(super) const fn has_ready_pods(self) -> bool {
        matches!(self, Self::StatefulSet | Self::Deployment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn set(spec: &Value, status: &Value) -> Standing {
        let spec = {
            let mut full =
                json!({"selector": {"matchLabels": {"app": "db"}}, "serviceName": "db", "template": {"metadata": {}}});
            full.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
            full
        };
        stateful_set(
            &serde_json::from_value(
                json!({"metadata": {"name": "db", "generation": 2}, "spec": spec, "status": status}),
            )
            .unwrap(),
        )
    }

    fn why(standing: &Standing) -> String {
        match standing {
            Standing::Waiting(why) | Standing::Failed(why) => why.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_stateful_set_is_ready_when_all_its_pods_are_and_are_new() {
        let status = |observed: i64, ready: i32, updated: i32, current: &str| {
            json!({"observedGeneration": observed, "replicas": 3, "readyReplicas": ready, "updatedReplicas": updated,
                "currentRevision": current, "updateRevision": "b"})
        };
        let three = json!({"replicas": 3});
        assert_eq!(set(&three, &status(2, 3, 3, "b")), Standing::Ready);
        assert!(why(&set(&three, &status(1, 3, 3, "b"))).contains("not looked"));
        assert_eq!(why(&set(&three, &status(2, 2, 3, "b"))), "2 of 3 pods are ready");
        assert_eq!(why(&set(&three, &status(2, 3, 1, "a"))), "1 of 3 pods are of its newest version");
        let canary =
            json!({"replicas": 3, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}});
        assert_eq!(set(&canary, &status(2, 3, 1, "a")), Standing::Ready);
        let by_hand = json!({"replicas": 3, "updateStrategy": {"type": "OnDelete"}});
        assert_eq!(set(&by_hand, &status(2, 3, 0, "a")), Standing::Ready);
        assert_eq!(why(&set(&json!({"replicas": 0}), &status(2, 0, 0, "b"))), "it is scaled to 0");
        assert!(why(&set(&three, &json!({"replicas": 0}))).contains("not looked"));
    }

    #[test]
    fn a_deployment_and_a_job_tell_where_they_are() {
        let of = |available: i32, updated: i32| {
            deployment(
                &serde_json::from_value(json!({"metadata": {"name": "redis", "generation": 1},
                    "spec": {"replicas": 2, "selector": {}, "template": {}},
                    "status": {"observedGeneration": 1, "availableReplicas": available, "updatedReplicas": updated}}))
                .unwrap(),
            )
        };
        assert_eq!(of(2, 2), Standing::Ready);
        assert_eq!(why(&of(1, 2)), "1 of 2 pods are ready");
        assert!(why(&of(2, 1)).contains("newest version"));
        let ended = |kind: &str, status: &str| {
            let conditions = json!([{"type": kind, "status": status, "message": "backoff limit"}]);
            job(&serde_json::from_value(json!({"metadata": {"name": "seed"}, "status": {"conditions": conditions}}))
                .unwrap())
        };
        assert_eq!(ended("Complete", "True"), Standing::Ready);
        assert_eq!(ended("Failed", "True"), Standing::Failed(text!("it has failed: {why}", why = "backoff limit")));
        assert_eq!(why(&ended("Failed", "False")), "it has not ended yet");
    }

    #[test]
    fn the_worst_pod_is_named() {
        let pod = |name: &str, state: Value| -> Pod {
            serde_json::from_value(json!({"metadata": {"name": name}, "status": {"containerStatuses": [
                {"name": "db", "image": "postgres:99", "imageID": "", "ready": false, "restartCount": 0, "state": state}]}}))
            .unwrap()
        };
        let pods = [
            pod("db-0", json!({"running": {}})),
            pod("db-1", json!({"waiting": {"reason": "ImagePullBackOff", "message": "no"}})),
        ];
        assert_eq!(trouble(&pods).unwrap(), "pod db-1 cannot pull postgres:99");
        assert_eq!(trouble(&pods[..1]).unwrap(), "pod db-0 runs and is not ready");
        assert_eq!(trouble(&[]), None);
    }
}
