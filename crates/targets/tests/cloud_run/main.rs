//! Cloud Run: the contract suite, canaries, and failures with their causes, on the simulator and on a peer that checks each request
//! by Google's discovery documents.
//!
//! The peer is tried when `PASSERELLE_TEST_CLOUD_RUN` is its base URL. There an image whose name contains `broken` never becomes
//! ready, and one with `no-such-image` is not found.

#![expect(clippy::unwrap_used, reason = "tests")]

mod canary;
#[path = "../contract/mod.rs"]
mod contract;
mod migration;
mod region;

use contract::Peer as _;
use passerelle_contract::deployments::{Cause, Health};
use passerelle_targets::{Change, Fence, Rollout, TargetError};
use region::{Region, fence, image, settled};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_suite_on_the_simulator() {
    contract::run(&Region::simulated().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_suite() {
    let Some(region) = Region::from_env() else { return };
    contract::run(&region).await;
}

#[tokio::test]
async fn deploys_fail_with_a_cause_and_go_back() {
    let Some(region) = Region::from_env() else { return };
    let name = region.make("example.test/team/web:1").await;
    let target = region.bind(json!({ "service": name })).await;
    let first = settled(&target).await;
    assert_eq!((first.rollout.clone(), first.health), (Rollout::Complete, Health::Healthy));

    let second = Fence { epoch: 2, ..fence() };
    assert!(!target.apply(&image("web:2"), second).await.unwrap().unchanged);
    assert!(target.apply(&image("web:2"), second).await.unwrap().unchanged);
    let stale = target.apply(&image("web:1"), Fence { epoch: 1, ..second }).await;
    assert!(matches!(stale, Err(TargetError::Fenced(_))), "{stale:?}");
    let done = settled(&target).await;
    assert_eq!(
        (done.image.as_str(), done.rollout, done.fence),
        ("example.test/team/web:2", Rollout::Complete, Some(second))
    );

    for (name, expected) in [("broken:1", Cause::Probe), ("no-such-image:1", Cause::ImagePull)] {
        let next = fence();
        let applied = target.apply(&image(name), next).await.unwrap();
        let seen = settled(&target).await;
        let Rollout::Failed { failure } = &seen.rollout else { panic!("{:?}", seen.rollout) };
        assert_eq!((failure.cause, seen.health), (expected, Health::Degraded), "{failure:?}");
        assert_eq!(seen.image, "example.test/team/web:2", "the earlier revision serves on");
        target.apply(&Change::Restore { recorded: applied.before }, next).await.unwrap();
        let back = settled(&target).await;
        assert_eq!((back.rollout, back.image.as_str()), (Rollout::Complete, "example.test/team/web:2"));
    }

    let first_again = Change::Restore { recorded: first.recorded };
    target.apply(&first_again, fence()).await.unwrap();
    assert_eq!(settled(&target).await.image, "example.test/team/web:1");
    target.apply(&Change::Restart, fence()).await.unwrap();
    assert_eq!(settled(&target).await.rollout, Rollout::Complete);
    region.remove(&name).await;
}
