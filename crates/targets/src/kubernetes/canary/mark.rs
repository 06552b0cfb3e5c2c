//! Where a canary stands, as the first Deployment carries it. Pure.

use super::super::snapshot::{Snapshot, count};
use super::Settings;
use crate::Change;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// On the first Deployment: a [`Mark`] in JSON, while a canary is under way.
pub(in crate::kubernetes) const ANNOTATION: &str = "passerelle.dev/canary";

/// The share that the new version has reached, or is on its way to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::kubernetes) struct Mark {
    pub image: String,
    /// Percent of the pods; 100 when the first Deployment itself is rolled out.
    pub percent: u8,
    /// Seconds since 1970, when the share was reached; 0 on the way to it.
    pub since: u64,
    /// Pods that were asked for before.
    pub replicas: u32,
    /// Whether the first Deployment gives up a pod for each new one. Not where an autoscaler decides its number.
    pub gives_way: bool,
}

impl Mark {
    /// Pods of the new version: rounded up, so that each share is at least one pod.
    pub fn pods(&self) -> u32 {
        let share = (u64::from(self.replicas) * u64::from(self.percent)).div_ceil(100);
        u32::try_from(share).unwrap_or(u32::MAX).max(1)
    }

    /// Pods that the version before keeps, never less than one; nothing where they are not counted by us.
    pub fn rest(&self) -> Option<u32> {
        self.gives_way.then(|| self.replicas.saturating_sub(self.pods()).max(1))
    }

    pub const fn is_last(&self) -> bool {
        self.percent >= 100
    }
}

/// A mark that somebody spoiled is none.
pub(in crate::kubernetes) fn read(snapshot: &Snapshot) -> Option<Mark> {
    serde_json::from_str(snapshot.metadata.annotations.as_ref()?.get(ANNOTATION)?).ok()
}

/// Whether there is one, or what is left of one.
pub(in crate::kubernetes) fn is_marked(metadata: &ObjectMeta) -> bool {
    metadata.annotations.as_ref().is_some_and(|all| all.contains_key(ANNOTATION))
}

/// Pods that were asked for when a canary began, else those that are.
pub(in crate::kubernetes) fn pods_before(snapshot: &Snapshot) -> u32 {
    read(snapshot).filter(|mark| mark.gives_way).map_or_else(|| snapshot.replicas(), |mark| mark.replicas)
}

/// The mark with which a change begins; nothing when it comes at once: it brings no new template, or nothing serves that it could stand beside.
pub(in crate::kubernetes) fn begin(
    settings: &Settings,
    snapshot: &Snapshot,
    change: &Change,
    after: &Value,
    autoscaled: bool,
) -> Option<Mark> {
    let Change::Image { image, .. } = change else { return None };
    let serves = count(snapshot.status.available_replicas.unwrap_or(0)) > 0 && snapshot.replicas() > 0;
    let steps = !settings.steps.is_empty() && snapshot.spec.paused != Some(true);
    (steps && serves && *after != snapshot.template).then(|| Mark {
        image: image.clone(),
        percent: settings.steps.after(0),
        since: 0,
        replicas: pods_before(snapshot),
        gives_way: !autoscaled,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::fixtures;
    use super::*;
    use serde_json::json;

    fn mark(replicas: u32, percent: u8) -> Mark {
        Mark { image: "web:2".into(), percent, since: 0, replicas, gives_way: true }
    }

    #[test]
    fn a_share_is_whole_pods_and_both_versions_keep_one() {
        for (replicas, percent, pods, rest) in
            [(10, 10, 1, 9), (10, 15, 2, 8), (3, 10, 1, 2), (3, 50, 2, 1), (3, 99, 3, 1), (1, 10, 1, 1), (2, 99, 2, 1)]
        {
            let mark = mark(replicas, percent);
            assert_eq!((mark.pods(), mark.rest()), (pods, Some(rest)), "{percent} % of {replicas}");
        }
        assert_eq!(Mark { gives_way: false, ..mark(4, 50) }.rest(), None);
        assert_eq!(mark(u32::MAX, 99).pods(), 4_252_017_623);
    }

    #[test]
    fn only_a_new_image_beside_one_that_serves_begins() {
        let settings: Settings = Settings { steps: vec![10, 50].try_into().unwrap(), ..Settings::default() };
        let snapshot = fixtures::snapshot("complete");
        let image = Change::Image { image: "tinyweb:v2".into(), manifests: None };
        let begun =
            |snapshot: &Snapshot, change: &Change, after: &Value| begin(&settings, snapshot, change, after, false);
        let other = json!({"spec": {}});
        let mark = begun(&snapshot, &image, &other).unwrap();
        assert_eq!((mark.percent, mark.replicas, mark.since), (10, 2, 0));
        assert_eq!(begun(&snapshot, &image, &snapshot.template), None, "it runs already");
        assert_eq!(begun(&snapshot, &Change::Restart, &other), None);
        assert_eq!(begin(&Settings::default(), &snapshot, &image, &other, false), None);
        let mut none = snapshot.clone();
        none.status.available_replicas = Some(0);
        assert_eq!(begun(&none, &image, &other), None, "nothing serves");
        // One that replaces a canary that was left counts the pods of before.
        let mut left = snapshot;
        let text = serde_json::to_string(&Mark { replicas: 7, ..mark }).unwrap();
        left.metadata.annotations = Some([(ANNOTATION.to_owned(), text)].into());
        assert_eq!(begun(&left, &image, &other).unwrap().replicas, 7);
        left.metadata.annotations = Some([(ANNOTATION.to_owned(), "{}".to_owned())].into());
        assert_eq!(read(&left), None);
    }
}
