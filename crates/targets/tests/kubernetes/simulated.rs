//! The same on the simulator, in seconds, with the faults that a real cluster does not make on demand.

use crate::cluster::Cluster;
use crate::contract::{self, Image, Peer, new_fence};
use passerelle_simulator::{Faults, Only, Simulator, World};
use passerelle_targets::{Change, TargetError, same_image};

async fn simulator() -> Simulator {
    let world = World::parse("speed: 20\nclusters:\n  sim: {}\n").expect("a world");
    Simulator::start(world).await.expect("start")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_suite_on_the_simulator() {
    let simulator = simulator().await;
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    contract::run(&cluster).await;
}

/// The write takes effect and its answer is lost: the next attempt finds it there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_no_second_write() {
    let simulator = simulator().await;
    let cluster = Cluster::new(&simulator.kubeconfig("sim")).await;
    let target = cluster.create("lost", Image::First, 1).await;
    let written = cluster.generation("lost").await;
    simulator.set_faults(Faults {
        prefix: "/k8s/sim".into(),
        lose_answers: 1,
        only: Only::Writes,
        ..Faults::default()
    });
    let (change, fence) = (Change::Image { image: cluster.image(Image::Second), manifests: None }, new_fence());
    let lost = target.apply(&change, fence).await;
    assert!(matches!(lost, Err(TargetError::Unreachable(_))), "{lost:?}");
    let again = target.apply(&change, fence).await.expect("apply again");
    assert!(again.unchanged, "{again:?}");
    assert_eq!(cluster.generation("lost").await, written + 1);
    let before =
        again.before.0.pointer("/template/spec/containers/0/image").and_then(|image| image.as_str()).expect("an image");
    assert!(same_image(before, &cluster.image(Image::First)), "{before}");
}
