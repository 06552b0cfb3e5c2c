//! Reading: the watch and the logs.

use super::{Image, Peer, Workload, new_fence};
use futures::StreamExt as _;
use passerelle_targets::{Change, Rollout, TargetError, same_image};
use std::time::Duration;
use tokio::time::timeout;

pub async fn watch_shows_progress_then_complete(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "watch", 2).await;
    let mut watch = workload.target.watch();
    let first = timeout(Duration::from_secs(10), watch.next()).await.expect("the present state at once");
    assert_eq!(first.expect("an item").expect("observe").rollout, Rollout::Complete);
    let change = Change::Image { image: peer.image(Image::Second), manifests: None };
    workload.target.apply(&change, new_fence()).await.expect("apply");
    if !peer.has().pushes {
        watch = workload.target.watch();
    }
    let mut progressing = 0;
    let mut mixed = false;
    let done = timeout(peer.patience(), async {
        loop {
            let seen = watch.next().await.expect("an item").expect("observe");
            match seen.rollout {
                Rollout::Progressing => progressing += 1,
                Rollout::Failed { failure } => panic!("{failure:?}"),
                // The state from before the change may be pushed once more.
                Rollout::Complete if progressing == 0 && peer.has().instances => {}
                Rollout::Complete if !same_image(&seen.image, &peer.image(Image::Second)) => {}
                Rollout::Complete => return seen,
            }
            mixed |= seen.instances.iter().any(|i| i.updated) && seen.instances.iter().any(|i| !i.updated);
        }
    })
    .await
    .expect("complete in time");
    let gradual = progressing >= 1 && mixed;
    assert!(gradual || !peer.has().instances, "{progressing} steps, old and new side by side: {mixed}");
    assert!(same_image(&done.image, &peer.image(Image::Second)));
    workload.remove().await;
}

pub async fn logs_are_of_our_instances_only(peer: &dyn Peer) {
    let ours = Workload::settled(peer, "logs", 1).await;
    let other = Workload::settled(peer, "other", 1).await;
    let instance = ours.target.observe().await.expect("observe").instances[0].name.clone();
    let lines = ours.target.logs(&instance, 5).await;
    if peer.has().logs {
        assert!(lines.as_ref().is_ok_and(|lines| lines.len() <= 5), "{lines:?}");
    } else {
        assert!(matches!(lines, Err(TargetError::Refused(_))), "{lines:?}");
    }
    assert!(other.target.logs(&instance, 5).await.is_err(), "a log of another workload");
    assert!(ours.target.logs("../x", 5).await.is_err());
    assert!(ours.target.logs("no-such-instance", 5).await.is_err());
    ours.remove().await;
    other.remove().await;
}
