//! Failing: the cause has a name, and the way back works.

use super::{Image, Peer, Workload, new_fence, say};
use passerelle_contract::deployments::{Cause, Failure, Health, InstanceState};
use passerelle_targets::{Change, same_image};

/// Rolls out `image` on a healthy workload, waits for the failure, and goes back.
async fn fail_and_go_back(peer: &dyn Peer, case: &str, image: Image) -> Failure {
    let workload = Workload::settled(peer, case, 1).await;
    let fence = new_fence();
    let change = Change::Image { image: peer.image(image), manifests: None };
    let applied = match workload.target.apply(&change, fence).await {
        Ok(applied) => applied,
        // Known before anything was changed.
        Err(error) => {
            let seen = workload.target.observe().await.expect("observe");
            assert!(same_image(&seen.image, &peer.image(Image::First)), "{}", seen.image);
            workload.remove().await;
            return error.to_failure();
        }
    };
    let (failure, seen) = workload.failed().await;
    assert!(seen.health >= Health::Degraded, "{:?}", seen.health);
    assert!(failure.logs.len() <= 50, "{}", failure.logs.len());
    workload.target.apply(&Change::Restore { recorded: applied.before }, fence).await.expect("restore");
    let back = workload.complete().await;
    assert!(same_image(&back.image, &peer.image(Image::First)), "{}", back.image);
    assert!(back.instances.iter().any(|i| i.state == InstanceState::Ready));
    workload.remove().await;
    failure
}

pub async fn a_missing_image_is_named(peer: &dyn Peer) {
    let failure = fail_and_go_back(peer, "pull", Image::Missing).await;
    if !peer.has().pulls {
        assert_eq!(failure.cause, Cause::JobFailed, "{failure:?}");
        return assert!(failure.instance.is_some() && !failure.logs.is_empty(), "{failure:?}");
    }
    assert_eq!(failure.cause, Cause::ImagePull, "{failure:?}");
    assert!(failure.message.to_string().contains(&peer.image(Image::Missing)), "{failure:?}");
}

pub async fn a_crash_is_named_with_its_last_lines(peer: &dyn Peer) {
    if !peer.has().programs {
        return say("skipped: nothing runs here");
    }
    let failure = fail_and_go_back(peer, "crash", Image::Crashing).await;
    // Where a program that ended looks like one that never answered.
    let cause = if peer.has().crashes { Cause::CrashLoop } else { Cause::Probe };
    assert_eq!(failure.cause, cause, "{failure:?}");
    assert!((!failure.logs.is_empty() || !peer.has().logs) && failure.instance.is_some(), "{failure:?}");
}

pub async fn a_failing_probe_is_named(peer: &dyn Peer) {
    if !peer.has().programs {
        return say("skipped: nothing runs here");
    }
    let failure = fail_and_go_back(peer, "probe", Image::Unhealthy).await;
    assert_eq!(failure.cause, Cause::Probe, "{failure:?}");
}

pub async fn a_missing_key_is_named(peer: &dyn Peer) {
    let workload = Workload::settled(peer, "key", 1).await;
    let good = workload.target.observe().await.expect("observe").recorded;
    let Some(key) = peer.break_config(&workload.name).await else {
        say("skipped: this platform has no configuration keys");
        return workload.remove().await;
    };
    let plan = workload.target.plan(&Change::Restart).await.expect("plan");
    let finding = plan.findings.iter().find(|finding| finding.message.to_string().contains(&key));
    assert!(finding.is_some(), "{:?}", plan.findings);
    let (failure, _) = workload.failed().await;
    assert_eq!(failure.cause, Cause::MissingConfig, "{failure:?}");
    assert!(failure.message.to_string().contains(&key), "{failure:?}");
    workload.target.apply(&Change::Restore { recorded: good }, new_fence()).await.expect("restore");
    workload.complete().await;
    workload.remove().await;
}
