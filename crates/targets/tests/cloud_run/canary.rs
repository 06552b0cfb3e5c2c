//! Traffic in steps: forward, into a failure, back in the middle, and by another process from where the first one died.

use crate::contract::Peer as _;
use crate::region::{Region, fence, image, settled};
use passerelle_contract::deployments::Health;
use passerelle_targets::{Change, Fence, Rollout, Target, TargetError};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The shares of traffic by revision, as the platform tells them.
fn shares(service: &Value) -> Vec<(String, i64)> {
    let all = service["trafficStatuses"].as_array().into_iter().flatten();
    let share = |one: &Value| (one["revision"].as_str().unwrap().to_owned(), one["percent"].as_i64().unwrap_or(0));
    all.map(share).filter(|(_, percent)| *percent > 0).collect()
}

/// Advances until a step was taken and the platform has carried it out; says when it was taken.
async fn step(region: &Region, name: &str, target: &Arc<dyn Target>, fence: Fence) -> Instant {
    let taken = async {
        while target.advance(fence, true).await.unwrap().is_none() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let at = Instant::now();
        while region.service(name).await["reconciling"] == true {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        at
    };
    tokio::time::timeout(Duration::from_secs(40), taken).await.expect("a step in time")
}

async fn goes_in_steps(region: &Region) {
    let name = region.make("example.test/team/web:1").await;
    let target = region.bind(json!({ "service": name, "canary_steps": [10, 50], "canary_pause_s": 5 })).await;
    settled(&target).await;
    assert_eq!(target.stages().await, Ok(Some(Duration::from_secs(10))));
    let old = shares(&region.service(&name).await)[0].0.clone();
    let first = fence();
    target.apply(&image("web:2"), first).await.unwrap();
    let mut taken = Vec::new();
    for expected in [10, 50] {
        // The process died: another one with a higher epoch goes on from what is on the platform.
        let successor = Fence { epoch: first.epoch + 1 + i64::from(expected == 50), ..first };
        taken.push(step(region, &name, &target, successor).await);
        let now = shares(&region.service(&name).await);
        assert_eq!(now.iter().map(|(_, percent)| *percent).collect::<Vec<_>>(), [expected, 100 - expected], "{now:?}");
        assert_eq!(now[1].0, old);
        assert_eq!(target.observe().await.unwrap().rollout, Rollout::Progressing);
        assert!(matches!(target.advance(first, true).await, Err(TargetError::Fenced(_))), "the dead one is fenced");
        assert!(target.apply(&image("web:2"), successor).await.unwrap().unchanged, "no second revision");
    }
    let last = Fence { epoch: 3, ..first };
    taken.push(step(region, &name, &target, last).await);
    assert!(taken.windows(2).all(|two| two[1] - two[0] >= Duration::from_secs(4)), "pauses are kept");
    let done = settled(&target).await;
    assert_eq!(
        (done.rollout, done.health, done.image.as_str()),
        (Rollout::Complete, Health::Healthy, "example.test/team/web:2")
    );
    assert_eq!(target.advance(last, true).await.unwrap(), None);
    region.remove(&name).await;
}

async fn a_broken_revision_gets_no_traffic(region: &Region, broken: &str) {
    let name = region.make("example.test/team/web:1").await;
    let target = region.bind(json!({ "service": name, "canary_steps": [10], "canary_pause_s": 5 })).await;
    let before = settled(&target).await;
    let old = shares(&region.service(&name).await);
    let fence = fence();
    let applied = target.apply(&image(broken), fence).await.unwrap();
    let seen = settled(&target).await;
    assert!(matches!(seen.rollout, Rollout::Failed { .. }), "{:?}", seen.rollout);
    assert_eq!(target.advance(fence, true).await.unwrap(), None);
    assert_eq!(shares(&region.service(&name).await)[0].0, old[0].0);
    target.apply(&Change::RestoreVersion { recorded: applied.before }, fence).await.unwrap();
    let back = settled(&target).await;
    assert_eq!((back.rollout, back.image), (Rollout::Complete, before.image));
    region.remove(&name).await;
}

async fn back_in_the_middle(region: &Region) {
    let name = region.make("example.test/team/web:1").await;
    let target = region.bind(json!({ "service": name, "canary_steps": [20], "canary_pause_s": 60 })).await;
    settled(&target).await;
    let fence = fence();
    let applied = target.apply(&image("web:2"), fence).await.unwrap();
    step(region, &name, &target, fence).await;
    target.apply(&Change::RestoreVersion { recorded: applied.before }, fence).await.unwrap();
    let back = settled(&target).await;
    assert_eq!((back.rollout, back.image.as_str()), (Rollout::Complete, "example.test/team/web:1"));
    assert_eq!(shares(&region.service(&name).await).iter().map(|(_, percent)| *percent).collect::<Vec<_>>(), [100]);
    region.remove(&name).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_simulator() {
    let region = Region::simulated().await;
    tokio::join!(
        goes_in_steps(&region),
        a_broken_revision_gets_no_traffic(&region, "web:crash"),
        back_in_the_middle(&region)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_checking_peer() {
    let Some(region) = Region::from_env() else { return };
    tokio::join!(
        goes_in_steps(&region),
        a_broken_revision_gets_no_traffic(&region, "broken:1"),
        back_in_the_middle(&region)
    );
}
