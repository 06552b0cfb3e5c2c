//! Writing: idempotent, fenced, reversible.

use super::{Image, Peer, Workload, new_fence};
use passerelle_contract::deployments::{Health, InstanceState};
use passerelle_targets::{Change, Fence, TargetError, same_image};

fn to(peer: &dyn Peer, image: Image) -> Change {
    Change::Image { image: peer.image(image), manifests: None }
}

pub async fn observe_says_what_runs(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "observe", 2).await;
    let seen = workload.target.observe().await.expect("observe");
    assert!(same_image(&seen.image, &peer.image(Image::First)), "{}", seen.image);
    let count = if peer.has().replicas { 2 } else { 1 };
    assert_eq!((seen.replicas.desired, seen.replicas.updated, seen.replicas.ready), (count, count, count));
    let ready = seen.instances.iter().filter(|instance| instance.state == InstanceState::Ready).count();
    assert_eq!(u32::try_from(ready), Ok(count));
    assert_eq!((seen.health, seen.fence), (Health::Healthy, None));
    workload.remove().await;
}

pub async fn apply_is_idempotent(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "idem", 1).await;
    let before = workload.target.observe().await.expect("observe").recorded;
    let (change, fence) = (to(peer, Image::Second), new_fence());
    let first = workload.target.apply(&change, fence).await.expect("apply");
    assert_eq!((first.unchanged, &first.before), (false, &before));
    // The process died here; another one looks first, finds its own fence, and may write again without harm.
    assert_eq!(workload.target.observe().await.expect("observe").fence, Some(fence));
    let written = workload.generation().await;
    let again = workload.target.apply(&change, fence).await.expect("apply again");
    assert!(again.unchanged, "{again:?}");
    assert_eq!(workload.generation().await, written);
    let done = workload.complete().await;
    assert!(same_image(&done.image, &peer.image(Image::Second)), "{}", done.image);
    let later = workload.target.apply(&change, fence).await.expect("apply when complete");
    assert!(later.unchanged);
    assert_eq!(workload.generation().await, written);
    workload.remove().await;
}

pub async fn a_restored_record_runs_again(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "restore", 2).await;
    let before = workload.target.observe().await.expect("observe");
    let fence = new_fence();
    let applied = workload.target.apply(&to(peer, Image::Second), fence).await.expect("apply");
    workload.complete().await;
    // Through JSON with its keys in another order, as a database gives it back.
    let text = serde_json::to_string(&sorted(&applied.before.0)).expect("record");
    let restore = Change::Restore { recorded: serde_json::from_str(&text).expect("record") };
    workload.target.apply(&restore, fence).await.expect("restore");
    let after = workload.complete().await;
    assert!(same_image(&after.image, &peer.image(Image::First)), "{}", after.image);
    assert_eq!((after.recorded, after.env), (before.recorded, before.env));
    assert!(workload.target.apply(&restore, fence).await.expect("restore again").unchanged);
    workload.remove().await;
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(fields) => {
            let mut keys: Vec<_> = fields.keys().collect();
            keys.sort_by_key(|key| (key.len(), key.as_str()));
            keys.into_iter().map(|key| (key.clone(), sorted(&fields[key]))).collect()
        }
        serde_json::Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

pub async fn restart_replaces_instances_once(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "restart", 1).await;
    let ready = |seen: &passerelle_targets::Observation| -> Vec<String> {
        seen.instances.iter().filter(|i| i.state == InstanceState::Ready).map(|i| i.name.clone()).collect()
    };
    let old = ready(&workload.target.observe().await.expect("observe"));
    let fence = new_fence();
    if !peer.has().instances {
        return refused(&workload, &Change::Restart).await;
    }
    assert!(!workload.target.apply(&Change::Restart, fence).await.expect("restart").unchanged);
    let written = workload.generation().await;
    assert!(workload.target.apply(&Change::Restart, fence).await.expect("restart again").unchanged);
    assert_eq!(workload.generation().await, written);
    let new = ready(&workload.complete().await);
    assert!(!new.is_empty() && new.iter().all(|name| !old.contains(name)), "{old:?} {new:?}");
    workload.remove().await;
}

/// The platform has no such thing: the target says so and writes nothing.
async fn refused(workload: &Workload<'_>, change: &Change) {
    let written = workload.generation().await;
    let answer = workload.target.apply(change, new_fence()).await;
    assert!(matches!(answer, Err(TargetError::Refused(_))), "{answer:?}");
    assert_eq!(workload.generation().await, written);
    workload.peer.remove(&workload.name).await;
}

pub async fn scale_changes_the_number_only(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "scale", 1).await;
    let fence = new_fence();
    let change = Change::Scale { replicas: 3 };
    if !peer.has().replicas {
        return refused(&workload, &change).await;
    }
    assert!(!workload.target.apply(&change, fence).await.expect("scale").unchanged);
    let seen = workload.follow(|seen| seen.replicas.ready == 3).await;
    assert_eq!(seen.replicas.desired, 3);
    assert!(same_image(&seen.image, &peer.image(Image::First)));
    assert!(workload.target.apply(&change, fence).await.expect("scale again").unchanged);
    workload.remove().await;
}

pub async fn an_older_writer_is_fenced(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "fence", 1).await;
    let older = new_fence();
    let fence = Fence { epoch: 2, ..new_fence() };
    workload.target.apply(&to(peer, Image::Second), fence).await.expect("apply");
    let written = workload.generation().await;
    for stale in [Fence { epoch: 1, ..fence }, older] {
        let refused = workload.target.apply(&to(peer, Image::First), stale).await;
        assert!(matches!(refused, Err(TargetError::Fenced(_))), "{refused:?}");
    }
    assert_eq!(workload.generation().await, written);
    // Another process takes over: the same change is not rolled out a second time.
    let takeover = Fence { epoch: 3, ..fence };
    workload.target.apply(&to(peer, Image::Second), takeover).await.expect("take over");
    assert_eq!(workload.target.observe().await.expect("observe").fence, Some(takeover));
    let stale = workload.target.apply(&to(peer, Image::Second), fence).await;
    assert!(matches!(stale, Err(TargetError::Fenced(_))), "{stale:?}");
    let done = workload.complete().await;
    assert!(same_image(&done.image, &peer.image(Image::Second)));
    workload.remove().await;
}

pub async fn a_bad_image_name_is_refused(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "badname", 1).await;
    let written = workload.generation().await;
    for image in ["", "-x", "Upper Case", "a\nb", "x@sha256:12"] {
        let change = Change::Image { image: image.to_owned(), manifests: None };
        let refused = workload.target.apply(&change, new_fence()).await;
        assert!(matches!(refused, Err(TargetError::Config { .. })), "{image:?}: {refused:?}");
        assert!(matches!(workload.target.plan(&change).await, Err(TargetError::Config { .. })));
    }
    assert_eq!(workload.generation().await, written);
    workload.remove().await;
}

pub async fn plan_changes_nothing(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "plan", 1).await;
    let written = workload.generation().await;
    let plan = workload.target.plan(&to(peer, Image::Second)).await.expect("plan");
    let line = plan.diff.iter().find(|line| line.field.starts_with("image")).expect("an image line");
    let [before, after] = [&line.before, &line.after].map(|value| value.as_ref().expect("a value").to_string());
    assert!(same_image(&before, &peer.image(Image::First)), "{line:?}");
    assert!(same_image(&after, &peer.image(Image::Second)), "{line:?}");
    if peer.has().replicas {
        let scale = workload.target.plan(&Change::Scale { replicas: 4 }).await.expect("plan");
        let line = scale.diff.iter().find(|line| line.field == "replicas").expect("a replicas line");
        assert_eq!([&line.before, &line.after].map(|value| value.as_ref().expect("a value").to_string()), ["1", "4"]);
    }
    let same = workload.target.plan(&to(peer, Image::First)).await.expect("plan");
    assert!(same.diff.is_empty(), "{:?}", same.diff);
    assert_eq!(workload.generation().await, written);
    workload.remove().await;
}
